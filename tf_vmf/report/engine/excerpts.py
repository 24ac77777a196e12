"""Documents and sentences as a reader sees them, alone or with their nearest neighbors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tf_vmf.data import BagOfWordsCorpus, Documents

_CHARACTERISTIC_WORDS = 18


@dataclass(frozen=True)
class Excerpt:
    """One document or sentence."""

    row: int  # its position in its split
    title: str  # its title, or ""
    label: str  # the name of its label, or ""
    text: str  # the beginning of its text, or "" where only counts are known
    words: tuple[str, ...] = ()  # its characteristic words where there is no text, otherwise ()


@dataclass(frozen=True)
class Neighbor:
    """A training example near a test example."""

    excerpt: Excerpt  # the training example
    cosine: float  # cosine of the two codes
    same_label: bool | None  # whether it has the label of the test example; None without labels


@dataclass(frozen=True)
class NeighborList:
    """A test example with the training examples whose codes are nearest, nearest first."""

    query: Excerpt
    found: tuple[Neighbor, ...]


def document_excerpts(corpus: BagOfWordsCorpus, documents: Documents, rows: Iterable[int]) -> tuple[Excerpt, ...]:
    """Documents of one split of a corpus; without texts their words of largest TF-IDF stand for them."""
    words = None if documents.texts is not None else _CharacteristicWords(corpus, documents)
    return tuple(
        Excerpt(
            row=int(row),
            title=documents.titles[row] if documents.titles is not None else "",
            label="" if documents.labels is None else label_name(corpus.label_names, documents.labels[row]),
            text=documents.texts[row] if documents.texts is not None else "",
            words=() if words is None else words.of(row),
        )
        for row in rows
    )


def label_name(label_names: tuple[str, ...], label: int) -> str:
    """The name of a label; its number where labels have no names."""
    return label_names[int(label)] if label_names else str(label)


def shortened(text: str, longest: int) -> str:
    """The beginning of a text, cut at a word."""
    if len(text) <= longest:
        return text
    return text[:longest].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"


class _CharacteristicWords:
    """The words of largest TF-IDF of documents of one split."""

    def __init__(self, corpus: BagOfWordsCorpus, documents: Documents) -> None:
        self._vocabulary, self._counts, self._documents = corpus.vocabulary, documents.counts, len(documents)
        self._holders = np.bincount(documents.counts.indices, minlength=documents.vocabulary_size)

    def of(self, row: int) -> tuple[str, ...]:
        counts = self._counts[[row]]
        weights = counts.data * np.log(self._documents / self._holders[counts.indices])
        top = counts.indices[np.argsort(-weights, kind="stable")[:_CHARACTERISTIC_WORDS]]
        return tuple(self._vocabulary[word] for word in top)
