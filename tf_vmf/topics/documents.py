"""Documents of a topic model: from texts or counts to a count matrix and, for texts, the words in order."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from tf_vmf._errors import ArgumentError
from tf_vmf.text.tokenization import Tokenizer
from tf_vmf.text.vocabulary import VocabularyChoice

_CHUNK = 512  # texts tokenized per call, which hides its cost


@dataclass(frozen=True, eq=False)
class CountedDocuments:
    """Word counts of documents.

    Attributes:
        counts: Shape (n, V), float32. Documents without a known word have an empty row.
        words: Numbers of the known words of all documents in reading order, int32, laid end to end; None for counts.
        offsets: int64 (n + 1,): document i is `words[offsets[i]:offsets[i + 1]]`; None for counts.
    """

    counts: sparse.csr_matrix
    words: np.ndarray | None = None
    offsets: np.ndarray | None = None

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

    def sequences(self, vocabulary: Sequence[str]) -> list[list[str]] | None:
        """The known words of each document in reading order; None where only counts are known."""
        if self.words is None or self.offsets is None:
            return None
        names = np.asarray(vocabulary, object)[self.words]
        return [part.tolist() for part in np.split(names, self.offsets[1:-1])]

    @classmethod
    def from_words(cls, words: np.ndarray, offsets: np.ndarray, num_words: int) -> CountedDocuments:
        """Counts the words of documents that are laid end to end."""
        ones = np.ones(len(words), np.float32)
        counts = sparse.csr_matrix((ones, words, offsets), (len(offsets) - 1, num_words), copy=True)
        counts.sum_duplicates()
        return cls(counts, words, offsets)


def is_texts(documents: Any) -> bool:
    """Whether documents are strings, in a list, an array or a data frame's column, and no counts.

    Raises:
        TypeError: A single string was passed, an iterator, or a list that mixes strings with something else.
    """
    if isinstance(documents, str | bytes):
        raise TypeError(f"Expected a list of texts. Received one string: {documents[:60]!r}. Pass [text].")
    if not (sparse.issparse(documents) or hasattr(documents, "__len__")):
        raise TypeError(
            f"Expected a list of texts, or counts. Received: {type(documents).__name__}. Pass list(texts) for an iterator."
        )
    if sparse.issparse(documents) or getattr(documents, "ndim", 1) != 1:
        return False
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
    return not (documents.shape[0] if sparse.issparse(documents) else len(documents))


def choose_words(
    texts: Sequence[str], tokenizer: Tokenizer, choice: VocabularyChoice
) -> tuple[tuple[str, ...], CountedDocuments]:
    """Chooses a vocabulary from texts and counts it in them, in one pass over the texts.

    Raises:
        ValueError: No word is left.
    """
    numbering: dict[bytes, int] = {}
    words, offsets = _numbered(texts, tokenizer, numbering, grow=True)
    names = [word.decode() for word in numbering]
    if choice.words is None:
        everything = CountedDocuments.from_words(words, offsets, len(names)).counts
        totals = np.asarray(everything.sum(axis=0)).ravel()
        in_texts = np.bincount(everything.indices, minlength=len(names))
        vocabulary = tuple(names[row] for row in choice.choose(names, totals, in_texts, len(offsets) - 1))
    else:
        vocabulary = choice.words
    columns = {word: column for column, word in enumerate(vocabulary)}
    renumbered = np.array([columns.get(name, -1) for name in names], np.int32)[words]
    known = renumbered >= 0
    kept = np.concatenate([[0], np.cumsum(known)])[offsets]
    return vocabulary, CountedDocuments.from_words(renumbered[known], kept, len(vocabulary))


def count_words(texts: Sequence[str], tokenizer: Tokenizer, vocabulary: Sequence[str]) -> CountedDocuments:
    """Counts the words of a vocabulary in texts."""
    numbering = {word.encode(): row for row, word in enumerate(vocabulary)}
    words, offsets = _numbered(texts, tokenizer, numbering, grow=False)
    return CountedDocuments.from_words(words, offsets, len(vocabulary))


def checked_counts(counts: Any, num_words: int) -> CountedDocuments:
    """Counts of any dense or sparse format.

    Raises:
        TypeError: They are no numbers.
        ArgumentError: The shape does not fit the vocabulary, or a count is negative, NaN or infinite.
    """
    try:
        given = counts if sparse.issparse(counts) else np.asarray(counts, np.float32)
    except (TypeError, ValueError) as error:
        raise TypeError(
            "Expected texts, a list of strings or one column of a data frame as in frame['text'], or counts, numbers. "
            f"Received: {type(counts).__name__}, {error}."
        ) from None
    if given.ndim != 2 or given.shape[1] != num_words:
        expected = f"counts of shape (n, {num_words}), a column for every word of `vocabulary`"
        raise ArgumentError("X", expected, f"shape {given.shape}")
    matrix = sparse.csr_matrix(given, dtype=np.float32, copy=True)
    wrong = ~(np.isfinite(matrix.data) & (matrix.data >= 0))
    if wrong.any():
        position = int(np.argmax(wrong))
        row = int(np.searchsorted(matrix.indptr, position, side="right")) - 1
        received = f"{matrix.data[position]} in row {row}, column {matrix.indices[position]}"
        raise ArgumentError("X", "counts that are finite and >= 0", received)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return CountedDocuments(matrix)


def word_number(word: str, vocabulary: Sequence[str], name: str = "words") -> int:
    """The position of a word, an entry of the argument `name`.

    Raises:
        ArgumentError: The vocabulary does not hold it; the message names similar words.
    """
    try:
        return list(vocabulary).index(word)
    except ValueError:
        close = difflib.get_close_matches(word, vocabulary, 3)
        hint = f"Similar words: {', '.join(close)}." if close else ""
        raise ArgumentError(name, "a word of the model's vocabulary", repr(word), hint) from None


def _numbered(
    texts: Sequence[str], tokenizer: Tokenizer, numbering: dict[bytes, int], *, grow: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of known words, laid end to end, and where each text begins; with `grow` every word becomes known."""
    parts, ends = [np.zeros(0, np.int32)], [0]
    for tokens in _tokens(texts, tokenizer):
        if grow:
            for token in tokens:
                numbering.setdefault(token, len(numbering))
        numbers = [numbering[token] for token in tokens if token in numbering]
        parts.append(np.array(numbers, np.int32))
        ends.append(ends[-1] + len(numbers))
    return np.concatenate(parts), np.array(ends, np.int64)


def _tokens(texts: Sequence[str], tokenizer: Tokenizer) -> Iterator[list[bytes]]:
    for start in range(0, len(texts), _CHUNK):
        yield from tokenizer(texts[start : start + _CHUNK])
