"""Coherence and diversity of topics, and their agreement with labels and with each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tf_vmf._checks import check_choice
from tf_vmf._errors import ArgumentError
from tf_vmf._optional import optional
from tf_vmf.evaluation.topics import Topic, first_words

# Words per window, as in gensim and in the literature; None: the whole document.
COHERENCE_WINDOWS: dict[str, int | None] = {"c_npmi": 10, "c_v": 110, "u_mass": None}


def topic_coherence(
    topics: Sequence[Topic | Sequence[str]],
    documents: Sequence[Sequence[str]],
    measure: str = "c_npmi",
    *,
    num_words: int = 10,
) -> np.ndarray:
    """Coherence of each topic: how much its words occur together in documents (Röder et al., 2015).

    - `"c_npmi"`: mean normalised pointwise mutual information of pairs in windows of 10 words, in [-1, 1];
    - `"c_v"`: cosines of the NPMI vectors of the words in windows of 110 words, in [0, 1];
    - `"u_mass"`: mean log conditional probability of pairs in whole documents, <= about 0.

    In a sliding window gensim 4.4 drops a word that is still in it when an earlier occurrence of the word leaves.
    Figures for different windows cannot be compared: with documents as windows (`npmi_coherence`) NPMI is up to four times as high.

    ```python
    tf_vmf.evaluation.topic_coherence([["moon", "orbit"]], [["the", "moon", "orbit"], ["a", "moon"], ["an", "apple"]])
    ```

    Args:
        topics: Topics, or lists of words.
        documents: The words of each document in reading order.
        measure: `"c_npmi"`, `"c_v"` or `"u_mass"`.
        num_words: How many words of each topic to use.

    Returns:
        Shape (len(topics),), float64.

    Raises:
        ModuleNotFoundError: gensim is not installed.
        ArgumentError: No such measure, or a topic has fewer than two words or a word that occurs in no document.

    References:
        M. Röder, A. Both and A. Hinneburg. Exploring the Space of Topic Coherence Measures. WSDM 2015.
    """
    check_choice("topic_coherence", "measure", measure, COHERENCE_WINDOWS)
    with optional("demo", "Coherences of topics"):
        from gensim.corpora import Dictionary
        from gensim.models import CoherenceModel

    rows = first_words(topics, num_words, "topic_coherence", exact=False)
    dictionary = Dictionary(documents)
    for row in rows:
        unknown = [word for word in row if word not in dictionary.token2id]
        if unknown:
            raise ArgumentError("topics", "words of the documents", repr(unknown[0]), owner="topic_coherence")
    model = CoherenceModel(
        topics=rows, texts=documents, dictionary=dictionary, coherence=measure, topn=max(map(len, rows)), processes=1
    )
    return np.asarray(model.get_coherence_per_topic(), np.float64)


def purity(labels: Sequence[Any] | np.ndarray, clusters: Sequence[Any] | np.ndarray) -> float:
    """The share of documents that have the most frequent label of their cluster, in (0, 1].

    It rises with the number of clusters: compare at equal numbers.

    Raises:
        ArgumentError: There are no documents.
    """
    from sklearn.metrics.cluster import contingency_matrix

    if not len(labels):
        raise ArgumentError("labels", "at least one document", "none", owner="purity")
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
        ArgumentError: Fewer than two topics, or one has fewer than `num_words` words.

    References:
        W. Webber, A. Moffat and J. Zobel. A Similarity Measure for Indefinite Rankings. ACM TOIS 2010.
        F. Bianchi, S. Terragni and D. Hovy. Pre-training is a Hot Topic. ACL 2021.
    """
    if not 0 < p < 1:
        raise ArgumentError("p", "a number in (0, 1)", repr(p), owner="inverted_rbo")
    rows = first_words(topics, num_words, "inverted_rbo", exact=True)
    if len(rows) < 2:
        raise ArgumentError("topics", "two or more topics", "one", owner="inverted_rbo")
    overlaps = [_overlap(rows[a], rows[b], p) for a in range(len(rows)) for b in range(a)]
    return 1.0 - float(np.mean(overlaps))


def _overlap(first: Sequence[str], second: Sequence[str], p: float) -> float:
    depths = range(1, len(first) + 1)
    agreement = [len(set(first[:depth]) & set(second[:depth])) / depth for depth in depths]
    weighted = sum(p ** (depth - 1) * share for depth, share in zip(depths, agreement, strict=True))
    return p ** len(first) * agreement[-1] + (1.0 - p) * weighted
