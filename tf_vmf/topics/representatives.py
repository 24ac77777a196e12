"""Texts and words that stand for a topic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Near documents of a topic that compete to represent it.
_CANDIDATES = 50
# Documents are near copies from this cosine of their codes on.
_NEAR_COPY = 0.98
# Words of a topic that compete for its label.
_LABEL_CANDIDATES = 6


def representative_documents(codes: np.ndarray, direction: np.ndarray, number: int) -> np.ndarray:
    """Positions of documents near a topic's direction that are no near copies of each other, nearest first.

    The nearest documents are often one text in several copies. A document is passed over whose code has a cosine of .98 or more
    with one that was taken before; where too few are left, the nearest of those passed over fill up.

    Args:
        codes: Unit vectors of the documents of the topic, shape (n, d).
        direction: Unit vector, shape (d,).
        number: How many documents.

    Returns:
        `min(number, n)` positions in `codes`.
    """
    nearest = np.argsort(-(codes @ direction), kind="stable")[: max(_CANDIDATES, number)]
    taken: list[int] = []
    for row in nearest:
        if len(taken) < number and all(codes[row] @ codes[other] < _NEAR_COPY for other in taken):
            taken.append(int(row))
    passed_over = [int(row) for row in nearest if row not in taken]
    chosen = set(taken + passed_over[: number - len(taken)])
    return np.array([row for row in nearest if int(row) in chosen], np.int64)


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
