"""Documents of a topic model: from texts or counts to a count matrix and, for texts, the words in order."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from tf_vmf._errors import ArgumentError
from tf_vmf.data import counts as counts_of_words
from tf_vmf.data import numbering
from tf_vmf.text.files import text_remedy
from tf_vmf.text.tokenization import Tokenizer
from tf_vmf.text.vocabulary import VocabularyChoice


@dataclass(frozen=True, eq=False)
class CountedDocuments:
    """Word counts of documents."""

    counts: sparse.csr_matrix  # shape (n, V), float32. Documents without a known word have an empty row.
    # numbers of the known words of all documents in reading order, int32, laid end to end; None for counts
    words: np.ndarray | None = None
    # int64 (n + 1,): document i is `words[offsets[i]:offsets[i + 1]]`; None for counts
    offsets: np.ndarray | None = None
    vectors: np.ndarray | None = None  # unit vectors of any encoder, float32 (n, e); None without them

    def __len__(self) -> int:
        return int(self.counts.shape[0])

    @property
    def lengths(self) -> np.ndarray:
        """The number of known tokens of each document, int64 (n,); fractional counts are rounded."""
        return np.rint(np.asarray(self.counts.sum(axis=1)).ravel()).astype(np.int64)

    @property
    def known(self) -> np.ndarray:
        """Whether each document has a known word, bool (n,)."""
        return np.diff(self.counts.indptr) > 0

    @property
    def placed(self) -> np.ndarray:
        """Whether each document has a topic, bool (n,): with a known word or a vector."""
        return self.known if self.vectors is None else np.ones(len(self), bool)

    def sequences(self, vocabulary: Sequence[str]) -> list[list[str]] | None:
        """The known words of each document in reading order; None where only counts are known."""
        if self.words is None or self.offsets is None:
            return None
        names = np.asarray(vocabulary, object)[self.words]
        return [part.tolist() for part in np.split(names, self.offsets[1:-1])]

    def take(self, rows: np.ndarray) -> CountedDocuments:
        """The documents at the positions `rows`."""
        counts, vectors = self.counts[rows], None if self.vectors is None else self.vectors[rows]
        if self.words is None or self.offsets is None:
            return CountedDocuments(counts, vectors=vectors)
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return CountedDocuments(counts, self.words[places], offsets, vectors)

    def extended(self, other: CountedDocuments) -> CountedDocuments:
        """These documents, and others after them."""
        counts = sparse.vstack([self.counts, other.counts], format="csr")
        vectors = None if self.vectors is None or other.vectors is None else np.vstack([self.vectors, other.vectors])
        if self.words is None or self.offsets is None or other.words is None or other.offsets is None:
            return CountedDocuments(counts, vectors=vectors)
        offsets = np.concatenate([self.offsets, other.offsets[1:] + self.offsets[-1]])
        return CountedDocuments(counts, np.concatenate([self.words, other.words]), offsets, vectors)


def nonempty(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """The rows that hold a count, without a copy of the counts, which may lie in a file."""
    kept = np.diff(counts.indptr) > 0
    ends = np.concatenate([counts.indptr[:1], counts.indptr[1:][kept]])
    return sparse.csr_matrix((counts.data, counts.indices, ends), (int(kept.sum()), counts.shape[1]))


def is_texts(documents: Any) -> bool:
    """True of strings in a list, an array, a column or an iterator, False of counts; a TypeError for a string or a mixture."""
    if isinstance(documents, str | bytes):
        raise TypeError(f"Expected a list of texts. Received one string: {documents[:60]!r}. Pass [text].")
    if isinstance(documents, Iterator):
        return True
    if not (sparse.issparse(documents) or hasattr(documents, "__len__")):
        raise TypeError(f"Expected a list of texts, or counts. Received: {type(documents).__name__}.")
    if sparse.issparse(documents) or getattr(documents, "ndim", 1) != 1:
        return False
    others = [text for text in documents if not isinstance(text, str)]
    if others and isinstance(others[0], bytes | list | tuple) and not np.ndim(others[0]) > 1:
        first = np.asarray(others[0])
        if first.dtype.kind in "SU":
            raise TypeError(
                f"Expected texts: all strings. Received: a {type(others[0]).__name__}, {others[0]!r:.60}. {text_remedy(others[0])}"
            )
    kinds = {isinstance(text, str) for text in documents}
    if kinds == {True, False}:
        wrong = next(i for i, text in enumerate(documents) if not isinstance(text, str))
        raise TypeError(
            f"Expected texts: all strings. Received: documents[{wrong}] of type {type(list(documents)[wrong]).__name__}. "
            "Replace missing texts by ''."
        )
    return kinds == {True}


def is_empty(documents: Any) -> bool:
    """Whether there is no document."""
    return not isinstance(documents, Iterator) and not (
        documents.shape[0] if sparse.issparse(documents) else len(documents)
    )


def choose_words(
    texts: Any, tokenizer: Tokenizer, choice: VocabularyChoice
) -> tuple[tuple[str, ...], CountedDocuments]:
    """Chooses a vocabulary from texts and counts it in them, in one pass over the texts; see `data.numbering.read_texts`."""
    vocabulary, found = numbering.read_texts(texts, tokenizer, choice)
    return vocabulary, CountedDocuments(found.counts, found.words, found.offsets)


def count_words(texts: Any, tokenizer: Tokenizer, vocabulary: Sequence[str]) -> CountedDocuments:
    """Counts the words of a vocabulary in texts."""
    found = numbering.count_words(texts, tokenizer, vocabulary)
    return CountedDocuments(found.counts, found.words, found.offsets)


def checked_counts(counts: Any, num_words: int) -> CountedDocuments:
    """Counts of any format; an ArgumentError where they are no counts or their shape does not fit the vocabulary."""
    return CountedDocuments(counts_of_words.checked_counts(counts, num_words, "X").astype(np.float32))


def word_numbers(words: str | Sequence[str], vocabulary: Sequence[str]) -> list[int]:
    """The positions of a word, or of several."""
    numbers = [word_number(word, vocabulary) for word in ([words] if isinstance(words, str) else words)]
    if not numbers:
        raise ArgumentError("words", "a word or more", "none")
    return numbers


def word_number(word: str, vocabulary: Sequence[str], name: str = "words") -> int:
    """The position of a word, an entry of the argument `name`; the error names similar words."""
    try:
        return list(vocabulary).index(word)
    except ValueError:
        close = difflib.get_close_matches(word, vocabulary, 3)
        hint = f"Similar words: {', '.join(close)}." if close else ""
        raise ArgumentError(name, "a word of the model's vocabulary", repr(word), hint) from None
