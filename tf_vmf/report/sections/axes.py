"""The words at both ends of each latent axis: a diagnostic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from tf_vmf.evaluation.topics import npmi_coherence, topic_diversity, topics
from tf_vmf.report.context import DocumentContext
from tf_vmf.report.engine.run import Latent
from tf_vmf.report.page.page import Section, Table, Text
from tf_vmf.report.section import ReportSection

_SHOWN_WORDS, _DIVERSITY_WORDS, _MOST_AXES = 10, 25, 20
# How a printed coherence names its window.
_NPMI = "NPMI (document)"


@dataclass(frozen=True)
class AxisWords:
    """The words decoded at one end of a latent axis."""

    name: str  # "+e3" or "-e3" for the two ends of the third axis
    words: tuple[str, ...]  # the most relevant words there
    npmi: float  # their coherence with the whole document as window


@dataclass(frozen=True, eq=False)
class Axes(ReportSection):
    """Words of the axes."""

    latent: Latent  # the latent variable
    axes: tuple[AxisWords, ...]  # both ends of every latent axis, most coherent first
    npmi: float  # their mean coherence; document window
    diversity: float  # share of distinct words among the first 25 of each

    @classmethod
    def find(cls, context: DocumentContext) -> Self:
        vocabulary = context.corpus.vocabulary
        num_words = min(_DIVERSITY_WORDS, len(vocabulary))
        found = topics(context.model, vocabulary, num_words, word_probabilities=context.word_probabilities)
        coherence = npmi_coherence(found, context.corpus.train, vocabulary, _SHOWN_WORDS)
        return cls(
            latent=context.latent,
            axes=tuple(
                AxisWords(found[i].name, found[i].words[:_SHOWN_WORDS], float(coherence[i]))
                for i in np.argsort(-coherence, kind="stable")
            ),
            npmi=float(coherence.mean()),
            diversity=topic_diversity(found, num_words),
        )

    def render(self) -> Section:
        header = ("Axis", "Words", _NPMI)
        rows = [(axis.name, ", ".join(axis.words), f"{axis.npmi:.2f}") for axis in self.axes]
        why = (
            "Rotating the latent space changes neither the prior nor the form of the posterior, so the axes have no meaning of "
            "their own, and documents need not lie near them."
            if self.latent.description.metric == "cosine" and not self.latent.description.prior
            else "Documents need not lie at the ends of an axis."
        )
        return Section(
            "Axes of the latent space",
            [
                Text(
                    f"A diagnostic: axes are not topics. {why} Shown are the words decoded at both ends of each axis, most "
                    f"coherent first. Mean NPMI {self.npmi:.3f} (window: the whole document); diversity {self.diversity:.0%}."
                ),
                Table(
                    header,
                    rows[:_MOST_AXES],
                    numeric=(2,),
                    folded=f"Words of {'the' if len(rows) <= _MOST_AXES else f'the {_MOST_AXES} most coherent of'} "
                    f"{len(rows)} directions",
                ),
                *(
                    [
                        Table(
                            header,
                            rows[_MOST_AXES:],
                            numeric=(2,),
                            folded=f"The other {len(rows) - _MOST_AXES} directions",
                        )
                    ]
                    if len(rows) > _MOST_AXES
                    else []
                ),
            ],
        )
