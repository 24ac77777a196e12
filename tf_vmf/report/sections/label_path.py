"""Words on the way between the centers of two labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from tf_vmf.report.context import DocumentContext
from tf_vmf.report.engine.encodings import label_centers
from tf_vmf.report.engine.excerpts import label_name
from tf_vmf.report.page.page import Section, Table, Text
from tf_vmf.report.section import ReportSection
from tf_vmf.report.sections.label_words import words_at

_PATH_POINTS = 5
# Centers closer to opposite than this are joined by no single great circle.
_OPPOSITE = -0.999


@dataclass(frozen=True)
class LabelPath(ReportSection):
    """Words on the way from the center of one label to that of another: the frequent labels of smallest cosine.

    Attributes:
        way: What the path follows, as "great circle".
        start, end: Names of the labels.
        cosine: Cosine of their centers.
        fractions: Where on the way, 0 to 1.
        words: The most relevant words there.
    """

    way: str
    start: str
    end: str
    cosine: float
    fractions: tuple[float, ...]
    words: tuple[tuple[str, ...], ...]

    @classmethod
    def find(cls, context: DocumentContext) -> Self | None:
        """None where fewer than two labels can be joined."""
        corpus = context.corpus
        if corpus.train.labels is None:
            return None
        labels, counts = np.unique(corpus.train.labels, return_counts=True)
        frequent = labels[counts >= max(10, counts.max() // 4)]
        if len(frequent) < 2:
            return None
        _, all_centers = label_centers(context.train, corpus.train.labels)
        centers = all_centers[np.searchsorted(labels, frequent)]
        unit = centers / np.maximum(np.linalg.norm(centers, axis=-1, keepdims=True), 1e-12)
        cosines = unit @ unit.T
        cosines[np.diag_indices(len(cosines))] = np.inf
        if context.train.spherical:
            cosines[cosines < _OPPOSITE] = np.inf
        a, b = np.unravel_index(np.argmin(cosines), cosines.shape)
        if not np.isfinite(cosines[a, b]):
            return None
        # A mean of codes need not be one: in a product of spheres it lies inside of every sphere.
        start, end = context.model.latent.nearest_codes(centers[[a, b]])
        steps = context.model.latent.interpolate(start, end, _PATH_POINTS).numpy()
        return cls(
            way=context.latent.description.path,
            start=label_name(corpus.label_names, frequent[a]),
            end=label_name(corpus.label_names, frequent[b]),
            cosine=float(cosines[a, b]),
            fractions=tuple(float(fraction) for fraction in np.linspace(0.0, 1.0, _PATH_POINTS)),
            words=tuple(words_at(context, steps)),
        )

    def render(self) -> Section:
        return Section(
            "From one label to another",
            [
                Text(
                    f"Words decoded on the {self.way} from the center of {self.start!r} to that of {self.end!r}. Of "
                    "all pairs of frequent "
                    f"labels these centers have the smallest cosine, {self.cosine:.2f}. Every point between two codes can be "
                    "decoded; in a good latent space the words in between make sense, too."
                ),
                Table(
                    ("Way", "Words"),
                    [
                        (f"{fraction:.0%}", ", ".join(words))
                        for fraction, words in zip(self.fractions, self.words, strict=True)
                    ],
                    sortable=False,
                ),
            ],
        )
