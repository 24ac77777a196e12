"""Groups of sentences whose codes lie together, and the words that are frequent in each."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse
from sklearn.metrics import normalized_mutual_info_score

from tf_vmf.data.sentences import Sentences
from tf_vmf.report.context import SentenceContext
from tf_vmf.report.engine.encodings import Encodings, unit_rows
from tf_vmf.report.engine.topic_view import TopicSource, TopicView, view_topics
from tf_vmf.report.engine.words import relevant_words
from tf_vmf.report.page.page import Block, Section, Text
from tf_vmf.report.section import ReportSection
from tf_vmf.report.sections.topics import topic_blocks
from tf_vmf.text.vocabulary import SPECIAL_TOKENS

SHOWN_WORDS = 10
# Sentences are full of function words; at this weight words are frequent in a group and rare elsewhere.
RELEVANCE_WEIGHT = 0.2
_GROUPS, _NAME_WORDS = 12, 3
# Words of fewer occurrences say little about a group, and a group's frequencies are drawn to those of all by so many tokens.
_FEWEST_OCCURRENCES, _PRIOR_TOKENS = 5, 500.0


@dataclass(frozen=True, eq=False)
class SentenceGroups(ReportSection):
    """Clusters of training sentences.

    The frequency of a word in a group of n tokens that holds it c times is (c + 500 p) / (n + 500), where p is its frequency in
    all sentences. Special tokens and words of fewer than five occurrences are left out.
    """

    view: TopicView  # the groups, largest first, as a page shows them
    centers: np.ndarray  # their centers, shape (number of groups, latent_dim); unit vectors on the sphere
    reads_label: bool  # whether the encoder reads the label
    nmi: float | None  # normalized mutual information of groups and labels, 0 to 1; None without labels

    @classmethod
    def find(cls, context: SentenceContext) -> Self | None:
        if context.latent is None:
            return None
        sentences, vocabulary, corpus = context.searched, context.corpus.vocabulary, context.corpus
        group, centers = cluster(context.train, min(_GROUPS, len(sentences)), seed=context.seed)
        counts = np.zeros((len(centers), len(vocabulary)))
        np.add.at(counts, (np.repeat(group, sentences.lengths), sentences.tokens), 1)
        counts[:, : len(SPECIAL_TOKENS)] = 0
        frequent = np.flatnonzero(counts.sum(axis=0) >= _FEWEST_OCCURRENCES)
        if len(frequent) < SHOWN_WORDS:
            frequent = np.flatnonzero(counts.sum(axis=0))
        overall = counts.sum(axis=0) / max(1.0, counts.sum())
        smoothed = (counts + _PRIOR_TOKENS * overall) / (counts.sum(axis=-1, keepdims=True) + _PRIOR_TOKENS)
        names = [vocabulary[int(word)] for word in frequent]
        words = relevant_words(smoothed[:, frequent], overall[frequent], names, SHOWN_WORDS)
        first = [tuple(each.words[i] for i in each.order(RELEVANCE_WEIGHT)[:SHOWN_WORDS]) for each in words]
        labels = sentences.labels
        source = TopicSource(
            labels=[group_name(each) for each in first],
            words=first,
            by_relevance=words,
            coherence=np.full(len(centers), np.nan),
            shares=np.bincount(group, minlength=len(centers)) / len(group),
            topic=group,
            codes=context.train.codes,
            centers=centers,
            spherical=context.train.spherical,
            counts=_counts(sentences, len(vocabulary)),
            vocabulary=vocabulary,
            texts=[corpus.to_text(sentences[row]) for row in range(len(sentences))],
            whole=True,
            classes=None if labels is None else ("label", corpus.label_names, np.asarray(labels)),
        )
        return cls(
            view=view_topics(
                source, noun="sentence", topic_noun="group", relevance_weight=RELEVANCE_WEIGHT, seed=context.seed
            ),
            centers=centers,
            reads_label=context.setting.reads_label,
            nmi=None if labels is None else normalized_mutual_info_score(labels, group),
        )

    def render(self) -> Section:
        about = (
            f"{len(self.view.topics)} clusters of {self.view.num_texts:,} training sentences, found by k-means on their codes: a "
            "partition to look at, even where codes form no groups of their own. A group lists the words that are frequent in "
            "its sentences and rarer in the others; the first words are its name."
        )
        if self.nmi is not None:
            about += (
                f" Normalized mutual information of groups and labels {self.nmi:.2f}: 0 means that they are independent, 1 that "
                "each determines the other."
            )
            if self.reads_label:
                about += " The encoder is given the label, so this figure says nothing about the words."
        blocks: list[Block] = [*topic_blocks(self.view), Text(about)]
        return Section("Groups of sentences", blocks)


def cluster(encodings: Encodings, k: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """K-means of n codes with scikit-learn; on the sphere with centers moved onto it: the group of each code, and the centers.

    Groups are numbered by falling size; where fewer codes differ, as of a collapsed model, there are fewer than k. For unit vectors
    |x - c|^2 = 2 - 2 cos(x, c) where |c| = 1, so these are groups by cosine.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits  # scikit-learn requires it

    # On a busy machine threads wait for each other: 10,000 codes took 11 s with two, and 0.5 s with one, for the same groups.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # that codes coincide
        fitted = KMeans(k, n_init=4, random_state=seed).fit(encodings.codes)
    sizes = np.bincount(fitted.labels_, minlength=k)
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    position = np.zeros(k, np.int64)
    position[order] = np.arange(len(order))
    centers = fitted.cluster_centers_[order]
    if encodings.spherical:
        centers = unit_rows(centers)
    return position[fitted.labels_], centers


def group_name(words: Sequence[str]) -> str:
    """The first words of a group that are no punctuation; where there are none, its first tokens."""
    spoken = [word for word in words if any(map(str.isalnum, word))]
    return ", ".join((spoken or list(words))[:_NAME_WORDS])


def _counts(sentences: Sentences, vocabulary_size: int) -> sparse.csr_matrix:
    """Counts of words without special tokens, shape (sentences, vocabulary)."""
    ones = np.ones(len(sentences.tokens), np.float32)
    counts = sparse.csr_matrix(
        (ones, sentences.tokens, sentences.offsets), (len(sentences), vocabulary_size), copy=True
    )
    counts.data[counts.indices < len(SPECIAL_TOKENS)] = 0
    counts.sum_duplicates()
    counts.eliminate_zeros()
    return counts
