"""Conditions of a sentence model: a label, a bag of words, both or neither."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from tf_vmf.models.sentence_batch import PAD_ID, concat, labels_of, tokens_of
from tf_vmf.models.token_embedding import TokenEmbedding


class Conditioning(keras.layers.Layer):
    """The vector that joins the inputs of every step of encoder and decoder.

    Args:
        num_labels: Number of labels; 0: not conditional on one.
        label_dim: Width of a label's embedding.
        bag_of_words_units: Units of the dense layer over the mean embedding of the words; 0: not conditional on words.
        initializer: Of the labels' embeddings.
        **kwargs: Passed to `keras.layers.Layer`.
    """

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
            self.label_embedding = keras.layers.Embedding(num_labels, label_dim, initializer, name="label")
        if bag_of_words_units:
            self.bag_of_words_layer = keras.layers.Dense(bag_of_words_units, dtype="float32", name="bag_of_words")

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
        return self.vectors(labels_of(x), words, tf.shape(tokens)[0], embedding)

    def of_arguments(
        self, labels: Any, bag_of_words: Any, batch: tf.Tensor, embedding: TokenEmbedding
    ) -> tf.Tensor | None:
        """The vectors for labels (batch,), or one for all, and bags of words (batch, any) that a caller names.

        Raises:
            ValueError: The model is not conditional on what is given, or what it is conditional on is missing.
        """
        if labels is not None and not self.num_labels:
            raise ValueError("Argument `labels`: expected None, as this model was made with num_labels=0.")
        if bag_of_words is not None and not self.bag_of_words_units:
            raise ValueError(
                "Argument `bag_of_words`: expected None, as this model was made with bag_of_words_units=0."
            )
        return self.vectors(labels, bag_of_words, batch, embedding)

    def vectors(self, labels: Any, bag_of_words: Any, batch: tf.Tensor, embedding: TokenEmbedding) -> tf.Tensor | None:
        """The vectors, (batch, width), or None where the model is not conditional."""
        condition = None
        if self.label_embedding is not None:
            if labels is None:
                raise ValueError(
                    f"This model is conditional on a label (num_labels={self.num_labels}): expected labels of shape (batch,), as "
                    'x = {"tokens": ..., "labels": ...} or labels=... Received none.'
                )
            condition = tf.gather(self.label_embedding.embeddings.value, self._checked_labels(labels, batch))
        if self.bag_of_words_layer is not None:
            if bag_of_words is None:
                raise ValueError(
                    f"This model is conditional on a bag of words (bag_of_words_units={self.bag_of_words_units}): expected "
                    "bag_of_words=... with token ids of shape (batch, length). Received none."
                )
            words = tf.cast(bag_of_words, tf.int32)
            condition = concat(condition, self.bag_of_words_layer(embedding.mean(words, words != PAD_ID)))
        return condition

    def _checked_labels(self, labels: Any, batch: tf.Tensor) -> tf.Tensor:
        """Labels as int32 of shape (batch,); an error at run time where one is none of the model's."""
        labels = tf.convert_to_tensor(labels)
        is_number = labels.dtype.is_integer or labels.dtype.is_floating  # Keras traces exports with floats
        if not is_number or labels.shape.rank not in (None, 0, 1):
            raise ValueError(
                f"Expected labels as integers from 0 to {self.num_labels - 1}, one per row: shape (batch,). Received: shape "
                f"{labels.shape}, {labels.dtype.name}."
            )
        integers = tf.cast(labels, tf.int32)
        whole = tf.reduce_all(tf.cast(integers, labels.dtype) == labels)
        if labels.shape.rank == 0:
            integers = tf.broadcast_to(integers, [batch])
        known = whole & tf.reduce_all((integers >= 0) & (integers < self.num_labels))
        message = f"Expected labels from 0 to {self.num_labels - 1}, one for each of"
        ok = known & (tf.shape(integers)[0] == batch)
        with tf.control_dependencies([tf.debugging.Assert(ok, [message, batch, "rows. Received:", integers])]):
            return tf.identity(integers)
