"""Between token ids and vectors: the table of embeddings and the softmax over the vocabulary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.layers.token_softmax import TokenSoftmax


class TokenEmbedding(keras.layers.Layer):
    """The embeddings of all token ids, and log p(token | h) = log softmax(K h + b), where K is the same table or one of its own.

    (`keras.layers.ReversibleEmbedding` ties them too. It has no bias and returns all logits at once: for a batch of 64 sentences of
    50 tokens and 10,000 words they and their gradient are 256 MB; `losses` holds a chunk of them.)

    Args:
        vocabulary_size: Number of token ids.
        embedding_dim: Width of the embeddings.
        units: Width of h.
        tied: K is the table of embeddings, and `units` has to be `embedding_dim`.
        initializer: Of the table.
        **kwargs: Passed to `keras.layers.Layer`.

    Call arguments:
        tokens: Ids of any shape.

    Returns:
        Their embeddings, of that shape and one more axis.
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        *,
        units: int,
        tied: bool,
        initializer: keras.initializers.Initializer,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"autocast": False, **kwargs})
        self.units = units
        self.tied = tied
        self.table = keras.layers.Embedding(vocabulary_size, embedding_dim, initializer, name="table")
        self.softmax = TokenSoftmax(vocabulary_size, tied, dtype=self.dtype_policy, name="softmax")

    def build(self, input_shape: Any) -> None:
        self.table.build(input_shape)
        self.softmax.build((None, self.units))
        super().build(input_shape)

    @property
    def embeddings(self) -> keras.Variable:
        """The table, shape (vocabulary_size, embedding_dim)."""
        return self.table.embeddings

    def call(self, tokens: tf.Tensor) -> tf.Tensor:
        return tf.gather(self.embeddings.value, tokens)

    def mean(self, tokens: tf.Tensor, counted: tf.Tensor) -> tf.Tensor:
        """The mean embedding of the tokens where `counted` (batch, length) is True: (batch, embedding_dim); zero of none."""
        weights = tf.cast(counted, tf.float32)[..., tf.newaxis]
        return tf.math.divide_no_nan(tf.reduce_sum(self(tokens) * weights, axis=1), tf.reduce_sum(weights, axis=1))

    def logits(self, hidden: tf.Tensor) -> tf.Tensor:
        """Logits of all tokens, shape (rows, vocabulary_size), for h of shape (rows, units)."""
        return self.softmax(hidden, self._kernel())

    def losses_of(self, hidden: tf.Tensor, tokens: tf.Tensor, *, gradient_in_forward: bool) -> tf.Tensor:
        """-log p(token | h) in nats, shape (rows,); see `tf_vmf.layers.TokenSoftmax.losses_of`."""
        return self.softmax.losses_of(hidden, tokens, self._kernel(), gradient_in_forward=gradient_in_forward)

    def _kernel(self) -> Any:
        return self.embeddings if self.tied else None

    def set_embeddings(self, vocabulary: Sequence[str], vectors: Mapping[str, np.ndarray]) -> int:
        """See `tf_vmf.models.LSTMVAE.set_embeddings`."""
        size, width = self.embeddings.shape
        if len(vocabulary) != size:
            raise ArgumentError("vocabulary", f"{size} strings", f"{len(vocabulary)}")
        ids = [i for i, word in enumerate(vocabulary) if word in vectors]
        if not ids:
            raise ArgumentError(
                "vectors",
                "vectors of words of the vocabulary",
                f"none of them, but of {', '.join(map(repr, list(vectors)[:3])) or 'no word'} and others",
                "Are they of this language and tokenization?",
            )
        embeddings = keras.ops.convert_to_numpy(self.embeddings).copy()
        for i in ids:
            vector = np.asarray(vectors[vocabulary[i]], np.float32)
            if vector.shape != (width,) or not np.all(np.isfinite(vector)):
                raise ValueError(
                    f"Argument `vectors`: expected finite numbers, embedding_dim={width} of them. Received for "
                    f"{vocabulary[i]!r}: shape {vector.shape}, {np.count_nonzero(~np.isfinite(vector))} of them not finite."
                )
            embeddings[i] = vector
        self.embeddings.assign(embeddings)
        return len(ids)
