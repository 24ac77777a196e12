"""Normalising to the unit sphere, where the vector may be zero."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tf_vmf.math.custom_gradient import custom_gradient

# Shorter vectors get the gradient of one of this length in their direction: that of the norm grows without bound towards 0.
SHORTEST = 1e-3


@custom_gradient
def unit_vector(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Divides by the norm over the last axis: of unit length for every finite x, with a gradient that is bounded; NaN for others.

    The gradient (I - u u^T) g / max(||x||, `SHORTEST`) is exact from that length on. The zero vector, which a layer makes of a row
    of zeros as long as its bias is zero, becomes the first axis, and its gradient moves it away from there.
    """
    largest = tf.reduce_max(tf.abs(x), axis=-1, keepdims=True)
    # Scaled first: squares of large numbers overflow, those of small ones vanish.
    scaled = tf.math.divide_no_nan(x, largest)
    first = tf.one_hot(tf.zeros(tf.shape(x)[:-1], tf.int32), x.shape[-1], dtype=x.dtype)
    is_zero = tf.reduce_all(tf.equal(x, 0), axis=-1, keepdims=True)  # not by comparing `largest`: NaN compares as false
    scaled = tf.where(is_zero, first, scaled)
    scaled_norm = tf.norm(scaled, axis=-1, keepdims=True)
    unit = scaled / scaled_norm
    norm = largest * scaled_norm

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        tangent = upstream - tf.reduce_sum(upstream * unit, axis=-1, keepdims=True) * unit
        return tangent / tf.maximum(norm, SHORTEST)

    return unit, gradient
