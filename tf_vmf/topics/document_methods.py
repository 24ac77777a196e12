"""What a topic model says about documents: proportions, codes, bounds and outliers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from tf_vmf.topics import codes as document_codes
from tf_vmf.topics.state import TopicEstimator


class DocumentMethods(TopicEstimator):
    """The methods of `TopicModel` that take documents."""

    def transform(self, X: Any) -> np.ndarray:
        """Topic proportions p(topic|document), shape (n, num_topics); rows sum to 1.

        A document without a known word gets the mean proportions of the training documents: see `known_tokens`.

        Args:
            X: Texts, or counts over `vocabulary_`.
        """
        documents = self._read(X)
        return self._topics.proportions(self._encode(documents), documents.known)

    def known_tokens(self, X: Any) -> np.ndarray:
        """How many tokens of each document the vocabulary holds, int64 (n,); sums of fractional counts are rounded."""
        return self._read(X).lengths

    def embed(self, X: Any) -> np.ndarray:
        """The code of each document: a unit vector, shape (n, latent_dim), float32; zeros for one without a known word."""
        return self._encode(self._read(X))

    def score(self, X: Any, y: Any = None) -> float:
        """A lower bound on the log-likelihood per token, in nats; higher is better.

        The evidence lower bound of the document model with one sample per document, divided by the number of known tokens. It
        depends on the vocabulary: compare models over the same words. It does not depend on the topics.

        Raises:
            ValueError: No document has a known word.
        """
        del y
        documents = self._read(X)
        tokens = float(documents.counts.sum(dtype=np.float64))
        if not tokens:
            raise ValueError("Expected a document with a word of the vocabulary. Received none.")
        return float(document_codes.log_likelihood_bounds(self.model_, documents.counts).sum() / tokens)

    def outliers(self, X: Any = None, *, share: float = 0.05) -> np.ndarray:
        """Whether each document lies far from all topics, bool (n,).

        A document is an outlier if the mixture's density at its code is below the `share` quantile of the training documents, or
        if it has no known word.

        Args:
            X: Documents; None for the training documents.
            share: The share of training documents that count as outliers, in [0, 1].
        """
        check_is_fitted(self, "model_")
        if not 0 <= share <= 1:
            raise ValueError(f"Argument `share`: expected a number in [0, 1]. Received: {share!r}.")
        topics = self._topics
        reference = topics.mixture.log_density(topics.codes[topics.known])
        codes, known = topics.codes, topics.known
        if X is not None:
            documents = self._read(X)
            codes, known = self._encode(documents), documents.known
        result = ~known
        result[known] = topics.mixture.log_density(codes[known]) < np.quantile(reference, share)
        return result
