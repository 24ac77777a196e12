"""Cross-entropy of a large softmax layer that never holds all logits at once."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

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
        kernel: One row a class: shape (classes, units).
        bias: Shape (classes,).
        labels: Integers in [0, classes), shape (rows,).
        gradient_in_forward: True for training; False where mostly the value is wanted: it then costs a third.
        chunk_size: Rows of logits held at a time.
        compute_dtype: Type of the operands of matrix products; the softmax is taken in float32.

    Returns:
        Losses, shape (rows,), float32.
    """
    rows = tf.shape(inputs)[0]
    num_chunks = tf.maximum(1, -(-rows // chunk_size))
    rows_a_chunk = -(-rows // num_chunks)  # equal chunks: no small remainder

    def slice_of(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        start = index * rows_a_chunk
        return start, tf.minimum(start + rows_a_chunk, rows)

    def losses_of(inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
        def add_chunk(index: tf.Tensor, losses: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            start, end = slice_of(index)
            loss, _ = _softmax_losses(inputs[start:end], kernel, bias, labels[start:end])
            return index + 1, losses.write(index, loss)

        losses = tf.TensorArray(tf.float32, num_chunks, infer_shape=False, element_shape=[None])
        _, losses = _loop(num_chunks, add_chunk, (tf.constant(0), losses))
        return losses.concat()

    def losses_and_gradients_of(
        inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, factors: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        def chunk(index: tf.Tensor) -> tuple[tf.Tensor, ...]:
            start, end = slice_of(index)
            chunk_inputs = inputs[start:end]
            losses, logits_bar = _softmax_losses(chunk_inputs, kernel, bias, labels[start:end], with_gradient=True)
            if factors is not None:
                logits_bar *= factors[start:end, tf.newaxis]
            ones = tf.ones([1, end - start], tf.float32)
            # As a matrix product a sum over rows is faster than `reduce_sum`.
            bias_bar = tf.matmul(ones, logits_bar)[0]
            logits_bar = tf.cast(logits_bar, compute_dtype)
            inputs_bar = tf.cast(tf.matmul(logits_bar, kernel), tf.float32)
            kernel_bar = tf.cast(tf.matmul(logits_bar, chunk_inputs, transpose_a=True), tf.float32)
            return losses, inputs_bar, kernel_bar, bias_bar

        def add_chunk(
            index: tf.Tensor,
            losses: tf.TensorArray,
            inputs_bar: tf.TensorArray,
            kernel_bar: tf.Tensor,
            bias_bar: tf.Tensor,
        ) -> tuple:
            loss, *gradients = chunk(index)
            return (
                index + 1,
                losses.write(index, loss),
                inputs_bar.write(index, gradients[0]),
                kernel_bar + gradients[1],
                bias_bar + gradients[2],
            )

        # The first chunk outside the loop: adding its kernel gradient to zeros would cost as much as a tenth of it.
        losses, inputs_bar, kernel_bar, bias_bar = chunk(tf.constant(0))
        arrays = [
            tf.TensorArray(tf.float32, num_chunks, infer_shape=False, element_shape=shape).write(0, value)
            for value, shape in ((losses, [None]), (inputs_bar, [None, inputs.shape[-1]]))
        ]
        _, losses, inputs_bar, kernel_bar, bias_bar = _loop(
            num_chunks, add_chunk, (tf.constant(1), *arrays, kernel_bar, bias_bar)
        )
        return losses.concat(), inputs_bar.concat(), kernel_bar, bias_bar

    @tf.custom_gradient
    def cross_entropy(
        inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[..., tuple[tf.Tensor, ...]]]:
        operands = tf.cast(inputs, compute_dtype), tf.cast(kernel, compute_dtype), bias
        if not gradient_in_forward:
            return losses_of(*operands), lambda upstream: losses_and_gradients_of(*operands, upstream)[1:]

        losses, *gradients = losses_and_gradients_of(*operands, None)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
            factor = tf.where(tf.equal(rows, 0), 0.0, tf.reduce_max(upstream))  # the maximum of nothing is -inf
            return tf.cond(
                tf.reduce_all(tf.equal(upstream, factor)),
                lambda: tuple(factor * g for g in gradients),
                lambda: losses_and_gradients_of(*operands, upstream)[1:],
            )

        return losses, gradient

    return cross_entropy(tf.cast(inputs, tf.float32), tf.cast(kernel, tf.float32), tf.cast(bias, tf.float32))


def _softmax_losses(
    inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, labels: tf.Tensor, with_gradient: bool = False
) -> tuple[tf.Tensor, tf.Tensor]:
    """Losses (rows,) and softmax (rows, classes), less one at the label with `with_gradient`: the gradient in the logits."""
    logits = tf.cast(tf.matmul(inputs, kernel, transpose_b=True), tf.float32) + bias
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
