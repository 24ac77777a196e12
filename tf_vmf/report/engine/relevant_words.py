"""The words of a topic at every weight between lift and probability (Sievert and Shirley, 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tf_vmf.evaluation.topics import relevance

# Weights whose most relevant words are kept: those that the slider of a report can take.
_WEIGHTS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class RelevantWords:
    """All words of a topic that are among its most relevant ones at some weight, with what their relevance is made of.

    Attributes:
        words: The words, most probable first.
        probabilities: p(w|topic) of each.
        overall: p(w) of each, over all topics.
    """

    words: tuple[str, ...]
    probabilities: tuple[float, ...]
    overall: tuple[float, ...]

    def order(self, weight: float) -> list[int]:
        """Positions of the words, most relevant first.

        Args:
            weight: Of the probability, in [0, 1]: 1 orders by p(w|topic), 0 by the lift p(w|topic) / p(w).
        """
        if not self.words:
            return []
        scores = relevance(np.log(self.probabilities), np.log(self.overall), weight)
        return [int(position) for position in np.argsort(-scores, kind="stable")]


def relevant_words(
    probabilities: np.ndarray, overall: np.ndarray, vocabulary: Sequence[str], num_words: int = 10
) -> list[RelevantWords]:
    """The words that are among the `num_words` most relevant of a topic at any weight 0, 0.01, ..., 1.

    Args:
        probabilities: p(w|topic), shape (topics, V), positive.
        overall: p(w), shape (V,), positive.
        vocabulary: The V words.
        num_words: Words per topic and weight.

    Returns:
        One entry per topic.
    """
    log_p, log_overall = np.log(probabilities), np.log(overall)
    number = min(num_words, len(vocabulary))
    kept = np.zeros(log_p.shape, bool)
    for weight in _WEIGHTS:
        scores = relevance(log_p, log_overall, weight)
        top = np.argsort(-scores, axis=-1, kind="stable")[:, :number]
        np.put_along_axis(kept, top, True, axis=-1)
    result = []
    for row, chosen in zip(probabilities, kept, strict=True):
        words = np.flatnonzero(chosen)
        words = words[np.argsort(-row[words], kind="stable")]
        result.append(
            RelevantWords(
                tuple(vocabulary[int(word)] for word in words),
                tuple(float(p) for p in row[words]),
                tuple(float(p) for p in overall[words]),
            )
        )
    return result
