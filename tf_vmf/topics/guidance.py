"""Guided topics: from seed words to directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse
from sklearn.preprocessing import normalize

from tf_vmf.topics.documents import word_number

SeedWords = Mapping[str, Sequence[str]] | Sequence[Sequence[str]]


def seed_labels(seed_words: SeedWords | None) -> list[str]:
    """The names of the groups; "" where they have none."""
    if seed_words is None:
        return []
    return list(seed_words) if isinstance(seed_words, Mapping) else [""] * len(seed_words)


def anchors(
    seed_words: SeedWords | None, vocabulary: Sequence[str], counts: sparse.csr_matrix, codes: np.ndarray
) -> np.ndarray:
    """A direction for each group of words: the mean code of the documents, weighted by the share of their tokens in the group.

    Args:
        seed_words: Groups of words, or None.
        vocabulary: The V words.
        counts: Shape (n, V), no empty row.
        codes: Unit vectors, shape (n, d).

    Returns:
        Unit vectors, shape (groups, d).

    Raises:
        ValueError: A group is empty, or a word is not in the vocabulary.
    """
    groups = [] if seed_words is None else list(seed_words.values() if isinstance(seed_words, Mapping) else seed_words)
    directions = np.zeros((len(groups), codes.shape[1]))
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    for row, words in enumerate(groups):
        if isinstance(words, str) or not len(words):
            raise ValueError(f"Argument `seed_words`: expected lists of words. Received: {words!r}.")
        columns = [word_number(word, vocabulary) for word in words]
        share = np.asarray(counts[:, columns].sum(axis=1)).ravel() / lengths
        directions[row] = share @ codes
    return np.asarray(normalize(directions)) if groups else directions
