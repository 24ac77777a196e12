"""Proportions of topics in a text: maximum a posteriori estimates of an admixture, by expectation maximization."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

# Steps of expectation maximization: part of the definition, so that every backend computes the same.
STEPS = 5
# Proportions p are returned as p**SHARPNESS, scaled to sum 1.
SHARPNESS = 1.8
# Words that the prior of the proportions counts for.
PRIOR_WORDS = 5.0
# Elements of a matrix of words of texts by topics that are held at a time: 64 MB.
_BLOCK = 2**23


def admixture(counts: sparse.csr_matrix, words: np.ndarray, prior: np.ndarray, votes: np.ndarray) -> np.ndarray:
    """Proportions of topics, where every word of a text may come from another topic.

    ```
    theta[k] <- (sum_w x[w] theta[k] words[k, w] / sum_j theta[j] words[j, w] + vote[k] + prior[k]) / total
    ```

    in `STEPS` steps from the prior, then raised to the power `SHARPNESS` and scaled to sum 1. A mixture with one topic per text is
    certain of long texts, also of those of two topics; the admixture shares them out, and the power returns the certainty that
    texts of one topic deserve.

    Args:
        counts: Shape (n, V).
        words: p(word | topic), > 0, shape (K, V).
        prior: Mean proportions, shape (K,); they count for `PRIOR_WORDS` words.
        votes: Evidence beside the words, as words that were shared out already, shape (n, K) or a row of zeros (1, K).

    Returns:
        Shape (n, K); rows sum to 1. A text without words and votes has the sharpened prior.
    """
    proportions = np.empty((counts.shape[0], len(prior)))
    for block in row_blocks(counts, len(prior)):
        own = votes[block] if len(votes) > 1 else votes
        proportions[block] = _admixture(counts[block], words, PRIOR_WORDS * prior + own)
    return sharpened(proportions)


def _admixture(counts: sparse.csr_matrix, words: np.ndarray, given: np.ndarray) -> np.ndarray:
    of_words = np.ascontiguousarray(words.T)
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    there = of_words[counts.indices]
    theta = np.broadcast_to(given / given.sum(axis=1, keepdims=True), (counts.shape[0], words.shape[0]))
    for _ in range(STEPS):
        share = counts.data / np.einsum("wk,wk->w", theta[rows], there)
        weighted = sparse.csr_matrix((share, counts.indices, counts.indptr), counts.shape)
        theta = theta * (weighted @ of_words) + given
        theta = theta / theta.sum(axis=1, keepdims=True)
    return theta


def sharpened(proportions: np.ndarray) -> np.ndarray:
    """`proportions**SHARPNESS`, rows scaled to sum 1."""
    powers = proportions**SHARPNESS
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def word_responsibilities(counts: sparse.csr_matrix, words: np.ndarray, proportions: np.ndarray) -> np.ndarray:
    """p(topic | word, text) of every stored count, shape (counts.nnz, K); rows sum to 1.

    Args:
        counts: Shape (n, V).
        words: p(word | topic), shape (K, V).
        proportions: p(topic | text), shape (n, K).
    """
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    joint = proportions[rows] * words.T[counts.indices]
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def row_blocks(counts: sparse.csr_matrix, num_topics: int) -> Iterator[slice]:
    """Slices of rows with so few words that a matrix of words by topics takes 64 MB."""
    start, most = 0, max(1, _BLOCK // num_topics)
    while start < counts.shape[0]:
        end = int(np.searchsorted(counts.indptr, counts.indptr[start] + most, side="right")) - 1
        end = max(end, start + 1)
        yield slice(start, end)
        start = end
