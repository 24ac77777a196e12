"""The baseline of every document model: words drawn independently at their frequencies in the training documents."""

from __future__ import annotations

import numpy as np

from tf_vmf.data.documents import Documents


def unigram_log_probabilities(word_counts: np.ndarray) -> np.ndarray:
    """Add-one smoothed log p(w) = log((n_w + 1) / (N + V)) from how often each word occurs, shape (V,), float64."""
    counts = np.asarray(word_counts, np.float64) + 1.0
    return np.log(counts / counts.sum())


def unigram_perplexity(word_counts: np.ndarray, test: Documents) -> dict[str, float]:
    """Perplexity of `test` under the add-one smoothed word frequencies of the training documents, in both conventions.

    On 20 Newsgroups (2,000 words, trained on all 11,268 training documents) they are 1205.4 and 1205.8: the 1205 of the
    literature, which does not tell the conventions apart.

    Args:
        word_counts: (V,): how often each word occurs in the training documents; see `Documents.word_counts`.
        test: Documents over the same V words, none of them empty.

    Returns:
        unigram_perplexity: exp(sum of -log p over all tokens / number of tokens).
        unigram_document_perplexity: exp(mean over documents of -log p a token).

    Raises:
        ValueError: The vocabularies differ in size, or a test document is empty.
    """
    if np.shape(word_counts) != (test.vocabulary_size,):
        raise ValueError(
            f"`word_counts` must have the shape ({test.vocabulary_size},) of `test`. Received: {np.shape(word_counts)}."
        )
    tokens = np.asarray(test.counts.sum(axis=1, dtype=np.int64)).ravel()
    if not len(tokens) or not tokens.all():
        raise ValueError(
            f"`test` must hold documents of at least one word. Received: {len(tokens)} documents, "
            f"{int((tokens == 0).sum())} of them empty. Use `Documents.without_empty()`."
        )
    nats = -(test.counts @ unigram_log_probabilities(word_counts))
    return {
        "unigram_perplexity": float(np.exp(nats.sum() / tokens.sum())),
        "unigram_document_perplexity": float(np.exp(np.mean(nats / tokens))),
    }
