"""Agreement of topics with labels, and of topics with each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tf_vmf.evaluation.topics import Topic, first_words


def normalized_mutual_information(labels: Sequence[Any] | np.ndarray, clusters: Sequence[Any] | np.ndarray) -> float:
    """Mutual information of labels and clusters divided by the mean of their entropies, in [0, 1]; scikit-learn's.

    Args:
        labels: The true class of each document.
        clusters: The topic of each document, such as `model.transform(texts).argmax(axis=1)`.
    """
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(labels, clusters))


def purity(labels: Sequence[Any] | np.ndarray, clusters: Sequence[Any] | np.ndarray) -> float:
    """The share of documents that have the most frequent label of their cluster, in (0, 1].

    It rises with the number of clusters: compare at equal numbers.

    Raises:
        ValueError: The lengths differ, or there are no documents.
    """
    from sklearn.metrics.cluster import contingency_matrix

    if not len(labels):
        raise ValueError("Expected at least one document. Received none.")
    table = contingency_matrix(np.asarray(labels), np.asarray(clusters))
    return float(table.max(axis=0).sum() / table.sum())


def inverted_rbo(topics: Sequence[Topic | Sequence[str]], num_words: int = 10, p: float = 0.9) -> float:
    """One minus the mean rank-biased overlap of pairs of topics, in [0, 1]: 1 where no two topics share a word.

    Unlike `topic_diversity` it weighs words by rank. For two lists of n words, with A_i the share of words that their first i words
    have in common,

        RBO = p^n A_n + (1 - p) sum_{i=1..n} p^(i-1) A_i,

    the extrapolated overlap of Webber et al. (equation 32) for lists of equal length: 1 for equal lists.

    Args:
        topics: Two or more topics, or lists of words.
        num_words: Words per topic.
        p: Persistence, in (0, 1): how fast weights fall with rank.

    Raises:
        ValueError: Fewer than two topics, or one has fewer than `num_words` words.

    References:
        W. Webber, A. Moffat and J. Zobel. A Similarity Measure for Indefinite Rankings. ACM TOIS 2010.
        F. Bianchi, S. Terragni and D. Hovy. Pre-training is a Hot Topic. ACL 2021.
    """
    if not 0 < p < 1:
        raise ValueError(f"Argument `p`: expected a number in (0, 1). Received: p={p!r}.")
    rows = first_words(topics, num_words, "inverted_rbo", exact=True)
    if len(rows) < 2:
        raise ValueError("Argument `topics`: expected two or more topics. Received: one.")
    overlaps = [_overlap(rows[a], rows[b], p) for a in range(len(rows)) for b in range(a)]
    return 1.0 - float(np.mean(overlaps))


def _overlap(first: Sequence[str], second: Sequence[str], p: float) -> float:
    depths = range(1, len(first) + 1)
    agreement = [len(set(first[:depth]) & set(second[:depth])) / depth for depth in depths]
    weighted = sum(p ** (depth - 1) * share for depth, share in zip(depths, agreement, strict=True))
    return p ** len(first) * agreement[-1] + (1.0 - p) * weighted
