"""Groups of sentences whose codes lie together, and the words that are frequent in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tf_vmf.data.sentences import Sentences
from tf_vmf.evaluation.clustering import normalized_mutual_information
from tf_vmf.report.engine.clusters import Clusters, cluster_codes
from tf_vmf.report.engine.encodings import Encodings
from tf_vmf.report.engine.excerpts import Excerpt
from tf_vmf.report.engine.relevant_words import RelevantWords, relevant_words
from tf_vmf.text.tokens import SPECIAL_TOKENS

SHOWN_WORDS = 10
# Sentences are full of function words; at this weight words are frequent in a group and rare elsewhere.
RELEVANCE_WEIGHT = 0.2
_GROUPS, _REPRESENTATIVES, _LABELS_PER_GROUP, _NAME_WORDS = 12, 3, 3, 3
# Words of fewer occurrences say little about a group, and a group's frequencies are drawn to those of all by so many tokens.
_FEWEST_OCCURRENCES, _PRIOR_TOKENS = 5, 500.0


@dataclass(frozen=True)
class SentenceGroup:
    """A cluster of training sentences.

    Attributes:
        number: 1 for the largest group, 2 for the next, ...
        name: Its three most relevant words.
        words: Its most relevant words, most relevant first.
        size: Training sentences in the group.
        share: The same as a share of all that were clustered.
        labels: The most frequent labels of its sentences with their counts; () without labels.
        representatives: The sentences nearest to the centre, nearest first.
        by_relevance: The words that are most relevant at other weights, with their frequencies.
    """

    number: int
    name: str
    words: tuple[str, ...]
    size: int
    share: float
    labels: tuple[tuple[str, int], ...]
    representatives: tuple[Excerpt, ...]
    by_relevance: RelevantWords


@dataclass(frozen=True, eq=False)
class SentenceGroups:
    """The groups.

    Attributes:
        clusters: The groups, largest first.
        centres: Their centres, shape (number of groups, latent_dim); unit vectors on the sphere.
        num_sentences: Training sentences that were clustered.
        relevance_weight: Weight of the frequency in the relevance of a word.
        nmi: Normalised mutual information of groups and labels, 0 to 1; None without labels.
    """

    clusters: tuple[SentenceGroup, ...]
    centres: np.ndarray
    num_sentences: int
    relevance_weight: float
    nmi: float | None


def find_groups(
    sentences: Sentences,
    encodings: Encodings,
    vocabulary: Sequence[str],
    excerpt: Callable[[int], Excerpt],
    *,
    seed: int = 0,
) -> SentenceGroups:
    """Clusters sentences by their codes and describes every group.

    The frequency of a word in a group of n tokens that holds it c times is (c + 500 p) / (n + 500), where p is its frequency in
    all sentences. Special tokens and words of fewer than five occurrences are left out.

    Args:
        sentences: Training sentences.
        encodings: Their codes.
        vocabulary: The words of the ids.
        excerpt: Gives the excerpt of a position in `sentences`.
        seed: Seed of the clustering.
    """
    groups = cluster_codes(encodings, min(_GROUPS, len(sentences)), seed=seed)
    counts = np.zeros((len(groups.sizes), len(vocabulary)))
    np.add.at(counts, (np.repeat(groups.assignment, sentences.lengths), sentences.tokens), 1)
    counts[:, : len(SPECIAL_TOKENS)] = 0
    frequent = np.flatnonzero(counts.sum(axis=0) >= _FEWEST_OCCURRENCES)
    if len(frequent) < SHOWN_WORDS:
        frequent = np.flatnonzero(counts.sum(axis=0))
    overall = counts.sum(axis=0) / max(1.0, counts.sum())
    smoothed = (counts + _PRIOR_TOKENS * overall) / (counts.sum(axis=-1, keepdims=True) + _PRIOR_TOKENS)
    words = relevant_words(
        smoothed[:, frequent], overall[frequent], [vocabulary[int(word)] for word in frequent], SHOWN_WORDS
    )
    return SentenceGroups(
        clusters=tuple(_group(groups, encodings, position, found, excerpt) for position, found in enumerate(words)),
        centres=groups.centres,
        num_sentences=len(sentences),
        relevance_weight=RELEVANCE_WEIGHT,
        nmi=None if sentences.labels is None else normalized_mutual_information(sentences.labels, groups.assignment),
    )


def _group(
    groups: Clusters, encodings: Encodings, position: int, words: RelevantWords, excerpt: Callable[[int], Excerpt]
) -> SentenceGroup:
    rows = np.flatnonzero(groups.assignment == position)
    distances = np.linalg.norm(encodings.codes[rows] - groups.centres[position], axis=-1)
    members = [excerpt(int(row)) for row in rows[np.argsort(distances, kind="stable")]]
    labels = Counter(member.label for member in members if member.label).most_common(_LABELS_PER_GROUP)
    shown = tuple(words.words[i] for i in words.order(RELEVANCE_WEIGHT)[:SHOWN_WORDS])
    return SentenceGroup(
        number=position + 1,
        name=", ".join(shown[:_NAME_WORDS]),
        words=shown,
        size=int(groups.sizes[position]),
        share=float(groups.sizes[position] / len(groups.assignment)),
        labels=tuple(labels),
        representatives=tuple(members[:_REPRESENTATIVES]),
        by_relevance=words,
    )
