"""Guided topics: from seed words to columns of counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse

from tf_vmf.topics.documents import word_number

SeedWords = Mapping[str, Sequence[str]] | Sequence[Sequence[str]]


def seed_labels(seed_words: SeedWords | None) -> list[str]:
    """The names of the groups; "" where they have none."""
    if seed_words is None:
        return []
    return list(seed_words) if isinstance(seed_words, Mapping) else [""] * len(seed_words)


def check_seed_words(seed_words: SeedWords | None, vocabulary: Sequence[str], counts: sparse.csr_matrix) -> None:
    """Refuses groups that cannot guide a topic.

    Args:
        seed_words: Groups of words, or None.
        vocabulary: The V words.
        counts: Counts of the documents, shape (n, V).

    Raises:
        ValueError: A group is empty, a word is not in the vocabulary, or no document has a word of a group.
    """
    totals = np.asarray(counts.sum(axis=0)).ravel()
    for words in _groups(seed_words):
        if isinstance(words, str) or not len(words):
            raise ValueError(f"Argument `seed_words`: expected lists of words. Received: {words!r}.")
        try:
            columns = [word_number(word, vocabulary) for word in words]
        except ValueError as error:
            raise ValueError(f"Argument `seed_words`: {error}") from None
        if not totals[columns].any():
            raise ValueError(f"Argument `seed_words`: expected words of the documents. Received: {list(words)}.")


def seed_columns(seed_words: SeedWords | None, vocabulary: Sequence[str]) -> list[np.ndarray]:
    """The columns of the words of each group that `check_seed_words` allows."""
    return [np.array([word_number(word, vocabulary) for word in words]) for words in _groups(seed_words)]


def _groups(seed_words: SeedWords | None) -> list[Sequence[str]]:
    if seed_words is None:
        return []
    return list(seed_words.values() if isinstance(seed_words, Mapping) else seed_words)
