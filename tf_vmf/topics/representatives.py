"""Words that stand for a topic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Words of a topic that compete for its label.
_LABEL_CANDIDATES = 6


def label_words(ranking: np.ndarray, totals: np.ndarray, vocabulary: Sequence[str], number: int = 3) -> np.ndarray:
    """The words of a topic that name it: of its first six words the most frequent, in the order of their rank.

    Of words like "metal" and "metals" the first one counts.

    Args:
        ranking: Columns of words by rank, shape (V,).
        totals: How often each word occurs in the training documents, shape (V,).
        vocabulary: The V words.
        number: Words per label.
    """
    distinct: list[int] = []
    for word in ranking.tolist():
        if not any(_are_forms_of_one(vocabulary[word], vocabulary[other]) for other in distinct):
            distinct.append(word)
        if len(distinct) == max(_LABEL_CANDIDATES, number):
            break
    first = np.array(distinct, int)
    frequent = np.sort(np.argsort(-totals[first], kind="stable")[:number])
    return np.asarray(first[frequent])


def _are_forms_of_one(a: str, b: str) -> bool:
    """Whether one word is the other with a short ending, as "metals" and "learning" are."""
    short, long = sorted((a, b), key=len)
    ending = long[len(short) :]
    return len(short) >= 4 and long.startswith(short) and (len(ending) <= 2 or ending == "ing")
