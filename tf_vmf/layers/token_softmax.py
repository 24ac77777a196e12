"""The softmax layer over the vocabulary, and its cross-entropy, which never holds all logits at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.layers.lstm import sum_dtype
from tf_vmf.math.custom_gradient import custom_gradient


@keras.saving.register_keras_serializable(package="tf_vmf")
class TokenSoftmax(keras.layers.Layer):
    """p(token | h) = softmax(K h + b) with one row of K per token.

    Args:
        vocabulary_size: Number of classes.
        tied: True where K is another layer's embedding table, given at every call; False for a K of its own.
        **kwargs: Passed to `keras.layers.Layer`.

    Call arguments:
        inputs: Shape (..., units).
        kernel: K, shape (vocabulary_size, units); None unless tied.

    Returns:
        Logits, shape (..., vocabulary_size), float32; float64 under float64.
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
        dtype = sum_dtype(self.compute_dtype)
        return tf.cast(logits, dtype) + tf.cast(self.bias, dtype)

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
            expected = "the table of another layer" if self.tied else "None, as the layer has one of its own"
            raise ArgumentError("kernel", expected, repr(kernel), owner="TokenSoftmax")
        return self.kernel if kernel is None else kernel

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "vocabulary_size": self.vocabulary_size, "tied": self.tied}


# Rows of logits held at a time. Smaller chunks add up the kernel's gradient more often, larger ones leave the cache.
CHUNK_SIZE = 1024

# Below this probability the logarithm is taken from the logits: a float32 softmax underflows at 1e-38.
_TINY = 1e-30


def linear_cross_entropy(
    inputs: tf.Tensor,
    kernel: tf.Tensor,
    bias: tf.Tensor,
    labels: tf.Tensor,
    *,
    gradient_in_forward: bool = True,
    chunk_size: int = CHUNK_SIZE,
    compute_dtype: tf.DType = tf.float32,
) -> tf.Tensor:
    """-log softmax(inputs kernel^T + bias)[label] of every row, in nats.

    Rows are worked on in chunks, so memory is that of `chunk_size` rows of logits, however many rows there are. With
    `gradient_in_forward` the gradient is computed in the forward pass while a chunk's logits are at hand, which saves their
    recomputation: d loss / d logits = softmax - onehot needs nothing from above but a factor. That factor must be one number for
    all rows, as it is for the mean loss of a batch; where it is not, the gradient is recomputed in the backward pass and is as
    right, but slower. Differentiable once.

    Args:
        inputs: Shape (rows, units).
        kernel: Shape (classes, units).
        bias: Shape (classes,).
        labels: Integers in [0, classes), shape (rows,).
        gradient_in_forward: True for training; without it the value alone costs a third.
        chunk_size: Rows of logits held at a time.
        compute_dtype: Type of the operands of matrix products; softmax and losses are float32, or float64 of float64.
    """
    chunks = _Chunks(tf.shape(inputs)[0], labels, chunk_size, compute_dtype)

    @custom_gradient
    def cross_entropy(
        inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[..., tuple[tf.Tensor, ...]]]:
        operands = tf.cast(inputs, compute_dtype), tf.cast(kernel, compute_dtype), bias
        if not gradient_in_forward:
            return chunks.losses(*operands), lambda upstream: chunks.losses_and_gradients(*operands, upstream)[1:]

        losses, *gradients = chunks.losses_and_gradients(*operands, None)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
            factor = tf.where(
                tf.equal(chunks.rows, 0), tf.zeros([], upstream.dtype), tf.reduce_max(upstream)
            )  # the maximum of nothing is -inf
            return tf.cond(
                tf.reduce_all(tf.equal(upstream, factor)),
                lambda: tuple(factor * g for g in gradients),
                lambda: chunks.losses_and_gradients(*operands, upstream)[1:],
            )

        return losses, gradient

    return cross_entropy(*(tf.cast(each, sum_dtype(compute_dtype)) for each in (inputs, kernel, bias)))


class _Chunks:
    """The rows of a batch in chunks of equal size; see `linear_cross_entropy`."""

    def __init__(self, rows: tf.Tensor, labels: tf.Tensor, chunk_size: int, compute_dtype: tf.DType) -> None:
        self.rows, self.labels, self.compute_dtype = rows, labels, compute_dtype
        self.dtype = sum_dtype(compute_dtype)
        self.number = tf.maximum(1, -(-rows // chunk_size))
        self.size = -(-rows // self.number)  # equal chunks: no small remainder

    def bounds(self, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The first row of a chunk and the one after its last."""
        start = index * self.size
        return start, tf.minimum(start + self.size, self.rows)

    def losses(self, inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
        """The losses of all rows."""

        def add_chunk(index: tf.Tensor, losses: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            start, end = self.bounds(index)
            loss, _ = _softmax_losses(inputs[start:end], kernel, bias, self.labels[start:end])
            return index + 1, losses.write(index, loss)

        losses = tf.TensorArray(self.dtype, self.number, infer_shape=False, element_shape=[None])
        _, losses = _loop(self.number, add_chunk, (tf.constant(0), losses))
        return losses.concat()

    def losses_and_gradients(
        self, inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, factors: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """The losses of all rows and the gradients in inputs, kernel and bias of their sum, weighted by `factors` (rows,)."""

        def add_chunk(
            index: tf.Tensor,
            losses: tf.TensorArray,
            inputs_bar: tf.TensorArray,
            kernel_bar: tf.Tensor,
            bias_bar: tf.Tensor,
        ) -> tuple:
            loss, of_inputs, of_kernel, of_bias = self._chunk(index, inputs, kernel, bias, factors)
            arrays = losses.write(index, loss), inputs_bar.write(index, of_inputs)
            return index + 1, *arrays, kernel_bar + of_kernel, bias_bar + of_bias

        # The first chunk outside the loop: adding its kernel gradient to zeros would cost as much as a tenth of it.
        losses, inputs_bar, kernel_bar, bias_bar = self._chunk(tf.constant(0), inputs, kernel, bias, factors)
        arrays = [
            tf.TensorArray(self.dtype, self.number, infer_shape=False, element_shape=shape).write(0, value)
            for value, shape in ((losses, [None]), (inputs_bar, [None, inputs.shape[-1]]))
        ]
        _, losses, inputs_bar, kernel_bar, bias_bar = _loop(
            self.number, add_chunk, (tf.constant(1), *arrays, kernel_bar, bias_bar)
        )
        return losses.concat(), inputs_bar.concat(), kernel_bar, bias_bar

    def _chunk(
        self, index: tf.Tensor, inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, factors: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """The losses of a chunk and its part of the gradients."""
        start, end = self.bounds(index)
        chunk_inputs = inputs[start:end]
        losses, logits_bar = _softmax_losses(chunk_inputs, kernel, bias, self.labels[start:end], with_gradient=True)
        if factors is not None:
            logits_bar *= factors[start:end, tf.newaxis]
        ones = tf.ones([1, end - start], self.dtype)
        # As a matrix product a sum over rows is faster than `reduce_sum`.
        bias_bar = tf.matmul(ones, logits_bar)[0]
        logits_bar = tf.cast(logits_bar, self.compute_dtype)
        inputs_bar = tf.cast(tf.matmul(logits_bar, kernel), self.dtype)
        kernel_bar = tf.cast(tf.matmul(logits_bar, chunk_inputs, transpose_a=True), self.dtype)
        return losses, inputs_bar, kernel_bar, bias_bar


def _softmax_losses(
    inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, labels: tf.Tensor, with_gradient: bool = False
) -> tuple[tf.Tensor, tf.Tensor]:
    """Losses (rows,) and softmax (rows, classes), less one at the label with `with_gradient`: the gradient in the logits."""
    logits = tf.cast(tf.matmul(inputs, kernel, transpose_b=True), bias.dtype) + bias
    # The oneDNN softmax takes a tenth of the time of `sparse_softmax_cross_entropy_with_logits` (TensorFlow 2.21, AVX-512).
    probabilities = tf.nn.softmax(logits)
    indices = tf.stack([tf.range(tf.shape(labels)[0]), tf.cast(labels, tf.int32)], axis=1)
    label_probabilities = tf.gather_nd(probabilities, indices)

    def from_logits() -> tf.Tensor:
        # log sum exp = max logit - log max probability, which is never small.
        log_normalizer = tf.reduce_max(logits, axis=-1) - tf.math.log(tf.reduce_max(probabilities, axis=-1))
        return log_normalizer - tf.gather_nd(logits, indices)

    losses = tf.cond(tf.reduce_all(label_probabilities > _TINY), lambda: -tf.math.log(label_probabilities), from_logits)
    if with_gradient:
        with tf.control_dependencies([losses]):  # the buffer of the probabilities is then free for the result
            probabilities = tf.tensor_scatter_nd_sub(probabilities, indices, tf.ones_like(losses))
    return losses, probabilities


def _loop(num_chunks: tf.Tensor, body: Callable, start: tuple) -> tuple:
    # One chunk at a time bounds memory.
    return tf.while_loop(
        lambda index, *_: index < num_chunks, body, start, parallel_iterations=1, maximum_iterations=num_chunks
    )
