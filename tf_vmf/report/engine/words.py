"""Words of topics at every weight between lift and probability (Sievert and Shirley, 2014), and words that set texts apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.evaluation.topics import relevance

# Weights whose most relevant words are kept: those that the slider of a report can take.
_WEIGHTS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class RelevantWords:
    """All words of a topic that are among its most relevant ones at some weight, with what their relevance is made of."""

    words: tuple[str, ...]  # the words, most probable first
    probabilities: tuple[float, ...]  # p(w|topic) of each
    overall: tuple[float, ...]  # p(w) of each, over all topics

    def order(self, weight: float) -> list[int]:
        """Positions of the words, most relevant first; weight 1 orders by p(w|topic), 0 by the lift p(w|topic) / p(w)."""
        if not self.words:
            return []
        scores = relevance(np.log(self.probabilities), np.log(self.overall), weight)
        return [int(position) for position in np.argsort(-scores, kind="stable")]


def relevant_words(
    probabilities: np.ndarray, overall: np.ndarray, vocabulary: Sequence[str], num_words: int = 10
) -> list[RelevantWords]:
    """Per topic the words that are among its `num_words` most relevant at any weight 0, 0.01, ..., 1.

    `probabilities` are p(w|topic), (topics, V), `overall` p(w), (V,), both positive.
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


@dataclass(frozen=True)
class DistinctiveWords:
    """Words of one group that are more frequent there than in the others, most significant first.

    Attributes:
        ids: Their ids.
        scores: Their log-odds ratios, in standard deviations.
    """

    ids: tuple[int, ...]
    scores: tuple[float, ...]


def distinctive_words(
    counts: np.ndarray, num_words: int = 10, *, prior_tokens: float = 500.0
) -> list[DistinctiveWords]:
    """The most distinctive words of every group, by log-odds ratio with an informative Dirichlet prior.

    For group i and word w, with counts y and n in the group and y', n' in all others, and pseudo-counts a_w in proportion to the
    frequency of w in all groups, of sum a,

        delta = log[(y + a_w) / (n + a - y - a_w)] - log[(y' + a_w) / (n' + a - y' - a_w)]
        score = delta / sqrt(1 / (y + a_w) + 1 / (y' + a_w)),

    close to a standard normal where the groups do not differ: rare words are not preferred, as by a plain ratio, nor frequent
    ones, as by a plain difference.

    Args:
        counts: Counts of every word in every group, shape (groups, V), at least two groups.
        num_words: Words per group, at most; words with a score of 0 or less are left out.
        prior_tokens: a, the weight of the prior in tokens.

    References:
        B. L. Monroe, M. P. Colaresi and K. M. Quinn. Fightin' Words. Political Analysis 16, 2008, equations 15, 16, 22.
    """
    counts = np.asarray(counts, np.float64)
    if counts.ndim != 2 or len(counts) < 2:
        raise ArgumentError("counts", "shape (groups >= 2, V)", f"shape {counts.shape}", owner="distinctive_words")
    total = counts.sum(axis=0)
    seen = total > 0
    if not seen.any():
        return [DistinctiveWords((), ())] * len(counts)
    prior = prior_tokens * total / total.sum()
    result = []
    for group in counts:
        ours, theirs = group + prior, total - group + prior
        with np.errstate(divide="ignore", invalid="ignore"):  # words never seen, and a group of one word alone
            delta = np.log(ours / (ours.sum() - ours)) - np.log(theirs / (theirs.sum() - theirs))
            scores = delta / np.sqrt(1.0 / ours + 1.0 / theirs)
        scores = np.where(seen & np.isfinite(scores), scores, 0.0)
        order = [int(word) for word in np.argsort(-scores, kind="stable")[:num_words] if scores[word] > 0]
        result.append(DistinctiveWords(tuple(order), tuple(float(scores[word]) for word in order)))
    return result
