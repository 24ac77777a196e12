"""The tree of topics: which of them are alike, and what their union is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist

from tf_vmf.evaluation.topics import relevance


@dataclass(frozen=True, eq=False)
class TopicTree:
    """K topics, merged two by two until one is left."""

    # shape (K - 1, 4), as `scipy.cluster.hierarchy.dendrogram` reads it: row i merges the nodes `linkage[i, 0]` and `linkage[i, 1]`
    # into node K + i at the distance `linkage[i, 2]`; nodes below K are topics. The distance is the mean Jensen-Shannon distance
    # between the word distributions of their topics, in [0, 1] (natural logarithm: at most 0.83).
    linkage: np.ndarray
    members: list[list[int]]  # the topics below each merge
    words: list[list[str]]  # the words of each merge, most relevant first

    def groups(self, num_topics: int) -> list[list[int]]:
        """The groups of two topics or more that leave `num_topics` topics when they are merged."""
        merges = len(self.members) + 1 - num_topics
        below: dict[int, list[int]] = {}
        for row in range(merges):
            size = len(self.members) + 1
            for node in self.linkage[row, :2].astype(int):
                below.pop(node - size, None)
            below[row] = sorted(self.members[row])
        return sorted(below.values())


def topic_tree(
    log_probabilities: np.ndarray,
    weights: np.ndarray,
    log_reference: np.ndarray,
    vocabulary: Sequence[str],
    num_words: int,
    relevance_weight: float,
) -> TopicTree:
    """Merges topics by average linkage of Jensen-Shannon distances of their words, by p(word|topic) (K, V) and shares (K,)."""
    probabilities = np.exp(log_probabilities)
    size = len(probabilities)
    if size == 1:
        return TopicTree(np.zeros((0, 4)), [], [])
    merges = linkage(pdist(probabilities, "jensenshannon"), "average")
    members: list[list[int]] = []
    words = []
    for left, right in merges[:, :2].astype(int).tolist():
        below = [[node] if node < size else members[node - size] for node in (left, right)]
        members.append(sorted(below[0] + below[1]))
        share = np.maximum(weights[members[-1]], 1e-12)
        log_p = np.log(np.maximum(share @ probabilities[members[-1]] / share.sum(), 1e-300))
        scores = relevance(log_p, log_reference, relevance_weight)
        words.append([vocabulary[word] for word in np.argsort(-scores, kind="stable")[:num_words]])
    return TopicTree(merges, members, words)
