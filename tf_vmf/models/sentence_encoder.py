"""From an embedded sentence to features of fixed width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_vmf.layers.lstm import TimeMajorLSTM

POOLINGS = ("final", "mean_max", "bow")


class SentenceEncoder(keras.layers.Layer):
    """LSTM over the sentence, pooled, then a dense layer. Padding reaches nothing.

    Args:
        units: Units of the LSTM (of each direction), and width of the features.
        pooling: "final": h and c after the last token. "mean_max": mean and maximum of h over the tokens. "bow": the mean
            embedding, without any LSTM.
        bidirectional: A second LSTM reads the sentence backwards; both are pooled.
        activation: Of the dense layer; a Keras name, None for linear.
        context_dim: Width of the context that joins the input of every step; 0 for none.
        **kwargs: Passed to `keras.layers.Layer`.

    Call arguments:
        inputs: Embeddings, time first: shape (length, batch, embedding_dim).
        lengths: Tokens of every sentence, shape (batch,).
        context: Shape (batch, context_dim), or None.

    Returns:
        Features, shape (batch, units).
    """

    def __init__(
        self,
        units: int,
        *,
        pooling: str = "final",
        bidirectional: bool = False,
        activation: str | None = None,
        context_dim: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"autocast": False, **kwargs})
        self.units = units
        self.pooling = pooling
        self.bidirectional = bidirectional
        self.activation = activation
        self.context_dim = context_dim
        directions = () if pooling == "bow" else ("forward", "backward")[: 1 + bidirectional]
        self.lstms = [TimeMajorLSTM(units, context_dim, dtype=self.dtype_policy, name=name) for name in directions]
        self.dense = keras.layers.Dense(units, activation, dtype=self.dtype_policy, name="dense")

    def build(self, input_shape: Sequence[Any]) -> None:
        for lstm in self.lstms:
            lstm.build(input_shape)
        width = 2 * self.units * len(self.lstms) if self.lstms else input_shape[-1] + self.context_dim
        self.dense.build((None, width))
        super().build(input_shape)

    def call(self, inputs: tf.Tensor, lengths: tf.Tensor, context: tf.Tensor | None = None) -> tf.Tensor:
        if not self.lstms:
            pooled = [masked_mean(inputs, lengths)]
            if context is not None:
                pooled.append(tf.cast(context, pooled[0].dtype))
            return self.dense(tf.concat(pooled, axis=-1))
        pooled = []
        # A shard without sentences may come with lengths of none; one without tokens has no last token.
        last = tf.maximum(lengths, 1)
        for lstm, backwards in zip(self.lstms, (False, True), strict=False):
            sequence = tf.reverse_sequence(inputs, last, seq_axis=0, batch_axis=1) if backwards else inputs
            outputs, state = lstm(sequence, lengths=last, context=context)
            if self.pooling == "final":
                pooled.extend(state)
            else:
                mask = tf.transpose(tf.sequence_mask(last, tf.shape(outputs)[0]))[..., tf.newaxis]
                pooled.append(masked_mean(outputs, last))
                pooled.append(tf.reduce_max(tf.where(mask, outputs, outputs.dtype.min), axis=0))
        return self.dense(tf.concat(pooled, axis=-1))


def masked_mean(sequence: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """Mean over the steps before padding: (length, batch, width) -> (batch, width); zero for a length of 0."""
    mask = tf.transpose(tf.sequence_mask(lengths, tf.shape(sequence)[0], dtype=sequence.dtype))[..., tf.newaxis]
    return tf.math.divide_no_nan(
        tf.reduce_sum(sequence * mask, axis=0), tf.cast(lengths, sequence.dtype)[:, tf.newaxis]
    )
