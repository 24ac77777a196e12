"""The words of topics: where a topic is decoded, how words are ranked, and which of them go together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from tf_vmf.evaluation.topics import relevance

_MODE_STEPS = 30


@dataclass(frozen=True)
class WordSettings:
    """How the words of a topic are chosen."""

    # weight w in relevance = w log p(word|topic) + (1 - w) log(p(word|topic) / p(word)), in [0, 1]
    relevance_weight: float = 0.8
    # weight e of a penalty for words that another topic makes likelier: relevance is lowered by e (max_j log p(word|topic j) - log
    # p(word|topic)). 0 leaves words that several topics share in all of them.
    exclusivity: float = 3.0
    # concentration of the kernel that finds the densest point among the codes of a topic; 0 decodes at their mean direction
    mode_concentration: float = 5.0
    candidates: int = 20  # how many most relevant words compete for the first `coherent` ranks
    # how many of these go first: those that occur together most. With `candidates` equal to `coherent` the order is that of
    # relevance alone.
    coherent: int = 10

    def by_relevance_alone(self) -> WordSettings:
        """The same without the choice of words that occur together."""
        return replace(self, candidates=self.coherent)


def word_settings(model: Any) -> WordSettings:
    """The settings among the parameters of a `TopicModel`."""
    settings = WordSettings(
        relevance_weight=model.relevance_weight,
        exclusivity=model.exclusivity,
        mode_concentration=model.mode_concentration,
    )
    return settings if model.coherent_words else settings.by_relevance_alone()


def topic_modes(
    codes: np.ndarray, proportions: np.ndarray, centres: np.ndarray, mode_concentration: float
) -> np.ndarray:
    """The densest point (K, d) of each topic's documents: mean shift with a vMF kernel, started at the center.

    z <- normalize(sum_i p(k|i) exp(c z.z_i) z_i). The decoder is sharpest where documents are: at the mean of a broad topic there
    may be none. With c = `mode_concentration` 0 the centers stay. Codes (n, d) and centers are unit vectors.
    """
    codes = np.asarray(codes, np.float64)
    modes = np.array(centres, np.float64)
    for topic in range(len(modes)) if mode_concentration else ():
        rows = np.flatnonzero(proportions[:, topic] > 1e-3)
        if not len(rows):
            continue
        near, weights = codes[rows], proportions[rows, topic]
        for _ in range(_MODE_STEPS):
            kernel = weights * np.exp(mode_concentration * (near @ modes[topic] - 1.0))
            shifted = kernel @ near
            shifted /= max(float(np.linalg.norm(shifted)), 1e-12)
            moved = 1.0 - float(shifted @ modes[topic])
            modes[topic] = shifted
            if moved < 1e-6:
                break
    return modes


def word_scores(log_probabilities: np.ndarray, log_reference: np.ndarray, settings: WordSettings) -> np.ndarray:
    """Relevance of words to topics, less the penalty for words of other topics: shape (K, V).

    w log p(word|topic) + (1 - w) log(p(word|topic) / p(word)) - e (max_j log p(word|topic j) - log p(word|topic)), where w is
    `relevance_weight` and e `exclusivity`.
    """
    scores: np.ndarray = relevance(log_probabilities, log_reference, settings.relevance_weight)
    return scores - settings.exclusivity * (log_probabilities.max(axis=0) - log_probabilities)


def rank_words(
    scores: np.ndarray, counts: sparse.csr_matrix, settings: WordSettings, likelier: np.ndarray | None = None
) -> np.ndarray:
    """Words by rank, shape (K, V).

    Of the `candidates` highest scores the word that occurs least with the others is dropped until `coherent` are left: these come
    first. "Together" is the normalized pointwise mutual information in whole documents. The rest follows by score. Only words that
    are `likelier` in the topic than elsewhere compete, however coherent others are among themselves; None: all compete.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    pool = min(settings.candidates, order.shape[1])
    kept_words = min(settings.coherent, pool)
    if kept_words == pool:
        return order
    candidates = order[:, :pool]
    distinct, position = np.unique(candidates, return_inverse=True)
    together = document_npmi(counts[:, distinct])
    ranked = np.empty_like(order)
    for topic, columns in enumerate(position.reshape(candidates.shape)):
        competes = np.arange(pool) if likelier is None else np.flatnonzero(likelier[topic, candidates[topic]])
        own = columns[competes]
        kept = competes[_most_coherent(together[np.ix_(own, own)], kept_words)]
        rest = np.setdiff1d(np.arange(order.shape[1]), kept, assume_unique=True)
        ranked[topic] = order[topic, np.concatenate([kept, rest])]
    return ranked


def document_npmi(counts: sparse.csr_matrix) -> np.ndarray:
    """Normalised pointwise mutual information of pairs of words with documents as windows, shape (V, V), in [-1, 1].

    log(p(a, b) / (p(a) p(b))) / -log p(a, b), where p is the share of documents that hold the word, or both. -1 where no
    document holds both; 1 on the diagonal.
    """
    present = (counts > 0).astype(np.float64)
    share = (present.T @ present).toarray() / counts.shape[0]
    single = np.diag(share)
    with np.errstate(divide="ignore", invalid="ignore"):
        npmi = np.log(share / np.outer(single, single)) / -np.log(share)
    npmi[share == 0] = -1.0
    npmi[share >= 1.0] = 0.0  # in every document: independent of all others
    np.fill_diagonal(npmi, 1.0)
    return npmi


def _most_coherent(together: np.ndarray, size: int) -> np.ndarray:
    """Positions, in rising order, that are left when the one with the smallest sum of NPMI is dropped repeatedly."""
    kept = np.arange(len(together))
    while len(kept) > size:
        sums = together[np.ix_(kept, kept)].sum(axis=1)
        kept = np.delete(kept, np.argmin(sums))
    return kept


# Words of a topic that compete for its label.
_LABEL_CANDIDATES = 6


def label_words(ranking: np.ndarray, totals: np.ndarray, vocabulary: Sequence[str], number: int = 3) -> np.ndarray:
    """The words of a topic that name it: of its first six words the most frequent, in the order of their rank.

    Of words like "metal" and "metals" the first one counts.
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
