"""The softmax layer over the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_vmf.layers.cross_entropy import linear_cross_entropy


@keras.saving.register_keras_serializable(package="tf_vmf")
class TokenSoftmax(keras.layers.Layer):
    """p(token | h) = softmax(K h + b) with one row of K a token; see `tf_vmf.layers.cross_entropy` for how losses are computed.

    Args:
        vocabulary_size: Number of classes.
        tied: True where K is another layer's embedding table, given at every call; False for a K of its own.
        **kwargs: Passed to `keras.layers.Layer`.

    Call arguments:
        inputs: Shape (..., units).
        kernel: K, shape (vocabulary_size, units); None unless tied.

    Returns:
        Logits, shape (..., vocabulary_size), float32.
    """

    def __init__(self, vocabulary_size: int, tied: bool = False, **kwargs: Any) -> None:
        super().__init__(**{"autocast": False, **kwargs})
        self.vocabulary_size = int(vocabulary_size)
        self.tied = tied

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.kernel = None
        if not self.tied:
            self.kernel = self.add_weight(
                name="kernel",
                shape=(self.vocabulary_size, input_shape[-1]),
                initializer=keras.initializers.RandomUniform(-0.1, 0.1),
            )
        self.bias = self.add_weight(name="bias", shape=(self.vocabulary_size,), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor, kernel: tf.Tensor | None = None) -> tf.Tensor:
        kernel = tf.cast(self._kernel(kernel), self.compute_dtype)
        logits = tf.matmul(tf.cast(inputs, kernel.dtype), kernel, transpose_b=True)
        return tf.cast(logits, tf.float32) + tf.cast(self.bias, tf.float32)

    def losses_of(
        self, inputs: tf.Tensor, labels: tf.Tensor, kernel: tf.Tensor | None = None, *, gradient_in_forward: bool = True
    ) -> tf.Tensor:
        """-log p(label | h) in nats, shape (rows,), for h of shape (rows, units) and labels of shape (rows,)."""
        return linear_cross_entropy(
            inputs,
            self._kernel(kernel),
            self.bias,
            labels,
            gradient_in_forward=gradient_in_forward,
            compute_dtype=tf.as_dtype(self.compute_dtype),
        )

    def _kernel(self, kernel: tf.Tensor | None) -> Any:
        if (kernel is None) == self.tied:
            raise ValueError(
                f"Expected a kernel if and only if tied=True. Received: tied={self.tied}, kernel={kernel!r}."
            )
        return self.kernel if kernel is None else kernel

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "vocabulary_size": self.vocabulary_size, "tied": self.tied}
