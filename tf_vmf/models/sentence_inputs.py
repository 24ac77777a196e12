"""Inputs of a sentence model: token ids, their embeddings, labels and other conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_vmf._checks import whole_numbers
from tf_vmf._errors import ArgumentError
from tf_vmf.layers.lstm import sum_dtype
from tf_vmf.layers.token_softmax import TokenSoftmax
from tf_vmf.text.vocabulary import EOS_ID, PAD_ID


def tokens_of(x: Any) -> tf.Tensor:
    """The token ids of a batch, shape (batch, length), int32."""
    tokens = x["tokens"] if isinstance(x, Mapping) else x
    if isinstance(tokens, tf.RaggedTensor):
        tokens = tokens.to_tensor(PAD_ID)
    tokens = whole_numbers(tf.convert_to_tensor(tokens), "x")
    if tokens.shape.rank not in (None, 2):
        raise ArgumentError("x", "token ids of shape (batch, length)", f"shape {tokens.shape}")
    return tokens


def lengths_of(tokens: tf.Tensor) -> tf.Tensor:
    """The number of tokens of every sentence, shape (batch,), int32."""
    return tf.math.count_nonzero(tokens, axis=-1, dtype=tf.int32)


def padded_at_the_end(tokens: tf.Tensor) -> tf.Tensor:
    """The ids themselves; an error at run time where padding comes before a word, as `keras.utils.pad_sequences` puts it."""
    ok = tf.reduce_all((tokens[:, 1:] == PAD_ID) | (tokens[:, :-1] != PAD_ID))
    message = "Expected padding (id 0) at the end of sentences only; pad_sequences needs padding='post'. Received:"
    with tf.control_dependencies([tf.debugging.Assert(ok, [message, tokens])]):
        return tf.identity(tokens)


def ended(tokens: tf.Tensor) -> tf.Tensor:
    """The ids themselves; an error at run time where a sentence does not end with `EOS_ID`: the model would not learn to end."""
    after = tf.pad(tokens[:, 1:], [[0, 0], [0, 1]], constant_values=PAD_ID)
    ok = tf.reduce_all((tokens == EOS_ID) | (after != PAD_ID) | (tokens == PAD_ID))
    message = f"Expected every sentence to end with <eos> (id {EOS_ID}), before the padding. Received:"
    with tf.control_dependencies([tf.debugging.Assert(ok, [message, tokens])]):
        return tf.identity(tokens)


def concat(first: tf.Tensor | None, second: tf.Tensor | None) -> tf.Tensor | None:
    """The two side by side in the type of the first, the one that there is, or None."""
    parts = [part for part in (first, second) if part is not None]
    return tf.concat([tf.cast(part, parts[0].dtype) for part in parts], axis=-1) if parts else None


class TokenEmbedding(keras.layers.Layer):
    """The embeddings of all token ids, and log p(token | h) = log softmax(K h + b), where K is the same table or one of its own.

    (`keras.layers.ReversibleEmbedding` ties them too. It has no bias and returns all logits at once: for a batch of 64 sentences of
    50 tokens and 10,000 words they and their gradient are 256 MB; `losses_of` holds a chunk of them.)

    Called with ids of any shape it returns their embeddings. `units` is the width of h, that of the embeddings if they are `tied`.
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
        self.table = keras.layers.Embedding(
            vocabulary_size, embedding_dim, initializer, dtype=self.dtype_policy, name="table"
        )
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
        weights = tf.cast(counted, self.embeddings.dtype)[..., tf.newaxis]
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
            received = f"none of them, but of {', '.join(map(repr, list(vectors)[:3])) or 'no word'} and others"
            remedy = "Are they of this language and tokenization?"
            raise ArgumentError("vectors", "vectors of words of the vocabulary", received, remedy)
        embeddings = keras.ops.convert_to_numpy(self.embeddings).copy()
        for i in ids:
            vector = np.asarray(vectors[vocabulary[i]], np.float32)
            if vector.shape != (width,) or not np.all(np.isfinite(vector)):
                wrong = np.count_nonzero(~np.isfinite(vector))
                received = f"shape {vector.shape}, {wrong} of them not finite, for {vocabulary[i]!r}"
                raise ArgumentError("vectors", f"finite numbers, embedding_dim={width} of them", received)
            embeddings[i] = vector
        self.embeddings.assign(embeddings)
        return len(ids)


class Conditioning(keras.layers.Layer):
    """The vector that joins the inputs of every step of encoder and decoder; see `LSTMVAE` for the options."""

    def __init__(
        self,
        num_labels: int,
        label_dim: int,
        bag_of_words_units: int,
        *,
        initializer: keras.initializers.Initializer,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"autocast": False, **kwargs})
        self.num_labels = num_labels
        self.bag_of_words_units = bag_of_words_units
        self.width = (label_dim if num_labels else 0) + bag_of_words_units
        self.label_embedding = self.bag_of_words_layer = None
        if num_labels:
            self.label_embedding = keras.layers.Embedding(
                num_labels, label_dim, initializer, dtype=self.dtype_policy, name="label"
            )
        if bag_of_words_units:
            self.bag_of_words_layer = keras.layers.Dense(
                bag_of_words_units, dtype=sum_dtype(self.compute_dtype).name, name="bag_of_words"
            )

    def build(self, input_shape: Any) -> None:
        """Makes the weights; the shape is that of the token embeddings."""
        if self.label_embedding is not None:
            self.label_embedding.build((None,))
        if self.bag_of_words_layer is not None:
            self.bag_of_words_layer.build((None, input_shape[-1]))
        super().build(input_shape)

    def of_batch(self, x: Any, embedding: TokenEmbedding) -> tf.Tensor | None:
        """The vectors of a batch of sentences, (batch, width), or None where the model is not conditional."""
        tokens = tokens_of(x)
        words = tokens if self.bag_of_words_units else None
        labels = x.get("labels") if isinstance(x, Mapping) else None
        return self.vectors(labels, words, tf.shape(tokens)[0], embedding)

    def of_arguments(
        self, labels: Any, bag_of_words: Any, batch: tf.Tensor, embedding: TokenEmbedding
    ) -> tf.Tensor | None:
        """The vectors for labels (batch,), or one for all, and bags of words (batch, any) that a caller names."""
        if labels is not None and not self.num_labels:
            raise ArgumentError("labels", "None, as this model was made with num_labels=0", f"{labels!r:.60}")
        if bag_of_words is not None and not self.bag_of_words_units:
            expected = "None, as this model was made with bag_of_words_units=0"
            raise ArgumentError("bag_of_words", expected, f"{bag_of_words!r:.60}")
        return self.vectors(labels, bag_of_words, batch, embedding)

    def vectors(self, labels: Any, bag_of_words: Any, batch: tf.Tensor, embedding: TokenEmbedding) -> tf.Tensor | None:
        """The vectors, (batch, width), or None where the model is not conditional."""
        condition = None
        if self.label_embedding is not None:
            if labels is None:
                expected = (
                    f"labels of shape (batch,), as this model is conditional on a label (num_labels={self.num_labels})"
                )
                remedy = 'Give them as x = {"tokens": ..., "labels": ...} or labels=...'
                raise ArgumentError("labels", expected, "None", remedy)
            condition = tf.gather(self.label_embedding.embeddings.value, self._checked_labels(labels, batch))
        if self.bag_of_words_layer is not None:
            if bag_of_words is None:
                units = self.bag_of_words_units
                expected = f"token ids (batch, length), as this model is conditional on a bag of words ({units} units)"
                raise ArgumentError("bag_of_words", expected, "None")
            words = tf.cast(bag_of_words, tf.int32)
            condition = concat(condition, self.bag_of_words_layer(embedding.mean(words, words != PAD_ID)))
        return condition

    def _checked_labels(self, labels: Any, batch: tf.Tensor) -> tf.Tensor:
        """Labels as int32 of shape (batch,); an error at run time where one is none of the model's."""
        labels = tf.convert_to_tensor(labels)
        is_number = labels.dtype.is_integer or labels.dtype.is_floating  # Keras traces exports with floats
        if not is_number or labels.shape.rank not in (None, 0, 1):
            expected = f"integers from 0 to {self.num_labels - 1}, one per row: shape (batch,)"
            raise ArgumentError("labels", expected, f"shape {labels.shape}, {labels.dtype.name}")
        integers = tf.cast(labels, tf.int32)
        whole = tf.reduce_all(tf.cast(integers, labels.dtype) == labels)
        if labels.shape.rank == 0:
            integers = tf.broadcast_to(integers, [batch])
        known = whole & tf.reduce_all((integers >= 0) & (integers < self.num_labels))
        message = f"Expected labels from 0 to {self.num_labels - 1}, one for each of"
        ok = known & (tf.shape(integers)[0] == batch)
        with tf.control_dependencies([tf.debugging.Assert(ok, [message, batch, "rows. Received:", integers])]):
            return tf.identity(integers)
