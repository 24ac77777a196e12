"""The words at the centers of the labels of a document model, and on the way between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from tf_vmf.evaluation.topics import CENTER_RELEVANCE_WEIGHT, topics
from tf_vmf.report.context import DocumentContext
from tf_vmf.report.engine.encodings import label_centers, unit_rows
from tf_vmf.report.engine.excerpts import label_name
from tf_vmf.report.page.page import Section, Table, Text
from tf_vmf.report.section import ReportSection

_SHOWN_WORDS, _MOST_LABELS, _PATH_POINTS = 10, 24, 5
# Centers closer to opposite than this are joined by no single great circle.
_OPPOSITE = -0.999


@dataclass(frozen=True)
class WordsOfLabel:
    """The words that the model predicts at the center of the training codes of a label."""

    label: str  # its name
    words: tuple[str, ...]  # the most relevant words
    size: int  # training documents with the label


@dataclass(frozen=True)
class LabelWords(ReportSection):
    """Words that the decoder predicts at the center of the codes of each label."""

    labels: tuple[WordsOfLabel, ...]  # the 24 most frequent labels, in the order of the labels
    num_labels: int  # labels of the training documents

    @classmethod
    def find(cls, context: DocumentContext) -> Self | None:
        corpus = context.corpus
        if corpus.train.labels is None:
            return None
        labels, centers = label_centers(context.train, corpus.train.labels)
        sizes = np.array([int(np.sum(corpus.train.labels == label)) for label in labels])
        shown = np.sort(np.argsort(-sizes, kind="stable")[:_MOST_LABELS])
        codes = context.model.latent.nearest_codes(centers[shown]).numpy()
        found = _words_at(context, codes)
        words_of_labels = tuple(
            WordsOfLabel(label_name(corpus.label_names, labels[i]), words, int(sizes[i]))
            for i, words in zip(shown, found, strict=True)
        )
        return cls(words_of_labels, len(labels))

    def render(self) -> Section:
        shown = self.labels
        which = (
            "each label"
            if len(shown) == self.num_labels
            else f"the {len(shown)} most frequent of {self.num_labels} labels"
        )
        return Section(
            "Words of each label",
            [
                Text(
                    f"The most relevant words that the model predicts at the center of the training codes of {which}. Training "
                    "did not use labels: words that fit a label show that its documents lie together."
                ),
                Table(
                    ("Label", "Words", "Documents"),
                    [(label.label, ", ".join(label.words), f"{label.size:,}") for label in shown],
                    numeric=(2,),
                ),
            ],
        )


@dataclass(frozen=True)
class LabelPath(ReportSection):
    """Words on the way from the center of one label to that of another: the frequent labels of smallest cosine."""

    way: str  # what the path follows, as "great circle"
    start: str  # name of the first label
    end: str  # name of the second one
    cosine: float  # cosine of their centers
    fractions: tuple[float, ...]  # where on the way, 0 to 1
    words: tuple[tuple[str, ...], ...]  # the most relevant words there

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
        unit = unit_rows(centers)
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
            words=tuple(_words_at(context, steps)),
        )

    def render(self) -> Section:
        return Section(
            "From one label to another",
            [
                Text(
                    f"Words decoded on the {self.way} from the center of {self.start!r} to that of {self.end!r}. Of all pairs of "
                    f"frequent labels these centers have the smallest cosine, {self.cosine:.2f}. Every point between two codes "
                    "can be decoded; in a good latent space the words in between make sense, too."
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


def _words_at(context: DocumentContext, codes: np.ndarray) -> list[tuple[str, ...]]:
    """The most relevant words at some codes of shape (n, latent_dim)."""
    vocabulary = context.corpus.vocabulary
    found = topics(
        context.model,
        vocabulary,
        min(_SHOWN_WORDS, len(vocabulary)),
        codes=codes,
        relevance_weight=CENTER_RELEVANCE_WEIGHT,
        word_probabilities=context.word_probabilities,
    )
    return [topic.words for topic in found]
