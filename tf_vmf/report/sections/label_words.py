"""The words at the centers of the labels of a document model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from tf_vmf.evaluation.topics import CENTRE_RELEVANCE_WEIGHT, topics
from tf_vmf.report.context import DocumentContext
from tf_vmf.report.engine.encodings import label_centers
from tf_vmf.report.engine.excerpts import label_name
from tf_vmf.report.page.page import Section, Table, Text
from tf_vmf.report.section import ReportSection

_SHOWN_WORDS, _MOST_LABELS = 10, 24


@dataclass(frozen=True)
class WordsOfLabel:
    """The words that the model predicts at the center of the training codes of a label.

    Attributes:
        label: Its name.
        words: The most relevant words.
        size: Training documents with the label.
    """

    label: str
    words: tuple[str, ...]
    size: int


@dataclass(frozen=True)
class LabelWords(ReportSection):
    """What the decoder predicts at the center of the codes of each label.

    Attributes:
        labels: The 24 most frequent labels, in the order of the labels.
        num_labels: Labels of the training documents.
    """

    labels: tuple[WordsOfLabel, ...]
    num_labels: int

    @classmethod
    def find(cls, context: DocumentContext) -> Self | None:
        corpus = context.corpus
        if corpus.train.labels is None:
            return None
        labels, centers = label_centers(context.train, corpus.train.labels)
        sizes = np.array([int(np.sum(corpus.train.labels == label)) for label in labels])
        shown = np.sort(np.argsort(-sizes, kind="stable")[:_MOST_LABELS])
        codes = context.model.latent.nearest_codes(centers[shown]).numpy()
        found = words_at(context, codes)
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
                    f"The most relevant words that the model predicts at the center of the training codes of {which}. "
                    "Training did not "
                    "use labels: words that fit a label show that its documents lie together."
                ),
                Table(
                    ("Label", "Words", "Documents"),
                    [(label.label, ", ".join(label.words), f"{label.size:,}") for label in shown],
                    numeric=(2,),
                ),
            ],
        )


def words_at(context: DocumentContext, codes: np.ndarray) -> list[tuple[str, ...]]:
    """The most relevant words at some codes of shape (n, latent_dim)."""
    vocabulary = context.corpus.vocabulary
    found = topics(
        context.model,
        vocabulary,
        min(_SHOWN_WORDS, len(vocabulary)),
        codes=codes,
        relevance_weight=CENTRE_RELEVANCE_WEIGHT,
        word_probabilities=context.word_probabilities,
    )
    return [topic.words for topic in found]
