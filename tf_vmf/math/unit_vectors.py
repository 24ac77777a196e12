"""Unit vectors: normalizing where the vector may be zero, a check, and paths between points, along great circles or straight."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tf_vmf._checks import require
from tf_vmf._errors import ArgumentError
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


# Closer to opposite than this, rounding of float32 codes decides which of the great circles is taken.
_SMALLEST_SUM = 1e-6
_NORM_TOLERANCE = 1e-3  # codes that went through text or half precision


def check_unit_vectors(x: tf.Tensor, name: str = "x") -> tf.Tensor:
    """Returns `x`; fails where a row has a norm that is not 1 to within 1e-3.

    Args:
        x: Shape (..., d).
        name: What the rows are called in the message.

    Raises:
        ArgumentError: A row is no unit vector (in a graph `tf.errors.InvalidArgumentError`).
    """
    off = tf.abs(tf.norm(x, axis=-1) - 1.0)
    return require(tf.reduce_all(off <= _NORM_TOLERANCE), x, name, "unit vectors", "norms off by", off)


def great_circle(start: tf.Tensor, end: tf.Tensor, fractions: tf.Tensor) -> tf.Tensor:
    """Points on the shorter great circle from `start` to `end` (slerp; Shoemake, 1985).

    p(t) = [sin((1 - t) a) start + sin(t a) end] / sin(a), where a is the angle between the two. It is accurate at all angles, as
    a = 2 atan2(|start - end|, |start + end|) (arccos of the scalar product loses half the digits at small angles). Computed in
    double precision, in eager mode and in graphs.

    Args:
        start: Unit vectors, shape (..., d).
        end: Unit vectors of a shape that broadcasts with it.
        fractions: t, shape (k,): 0 is `start`, 1 is `end`.

    Returns:
        Unit vectors of shape (..., k, d), in the dtype of `start`.

    Raises:
        ValueError: A row is no unit vector; or two are opposite, so that infinitely many great circles join them: go by way of
            a third point. (In a graph `tf.errors.InvalidArgumentError`.)

    Example:
    ```python
    tf_vmf.math.great_circle([1.0, 0.0], [0.0, 1.0], [0.0, 0.5, 1.0])  # [[1, 0], [0.71, 0.71], [0, 1]]
    ```
    """
    start, end, fractions, dtype = _arguments(start, end, fractions)
    start = tf.math.l2_normalize(check_unit_vectors(start, "start"), axis=-1, epsilon=0.0)
    end = tf.math.l2_normalize(check_unit_vectors(end, "end"), axis=-1, epsilon=0.0)
    together = tf.norm(start + end, axis=-1, keepdims=True)
    opposite = together[..., 0] < _SMALLEST_SUM
    together = require(
        tf.logical_not(tf.reduce_any(opposite)),
        together,
        "end",
        "points that are not opposite to those of `start`, as no single great circle joins these",
        "opposite points in rows",
        tf.where(tf.reshape(opposite, [-1]))[:, 0],
        remedy="Interpolate by way of a third point.",
    )
    angle = 2.0 * tf.atan2(tf.norm(start - end, axis=-1, keepdims=True), together)[..., tf.newaxis, :]
    t = fractions[:, tf.newaxis]
    # sin(t a) / sin(a) = t sinc(t a) / sinc(a), which is t at a = 0.
    of_end = t * _sinc(t * angle) / _sinc(angle)
    of_start = (1.0 - t) * _sinc((1.0 - t) * angle) / _sinc(angle)
    points = of_start * start[..., tf.newaxis, :] + of_end * end[..., tf.newaxis, :]
    return tf.cast(tf.math.l2_normalize(points, axis=-1, epsilon=0.0), dtype)


def straight_line(start: tf.Tensor, end: tf.Tensor, fractions: tf.Tensor) -> tf.Tensor:
    """Points (1 - t) start + t end, shape (..., k, d), for start and end of shape (..., d) and t of shape (k,)."""
    start, end, fractions, dtype = _arguments(start, end, fractions)
    t = fractions[:, tf.newaxis]
    return tf.cast((1.0 - t) * start[..., tf.newaxis, :] + t * end[..., tf.newaxis, :], dtype)


def _arguments(
    start: tf.Tensor, end: tf.Tensor, fractions: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.DType]:
    """The arguments in double precision, and the dtype of the result."""
    start = tf.convert_to_tensor(start)
    fractions = tf.cast(fractions, tf.float64)
    if fractions.shape.rank not in (None, 1):
        raise ArgumentError("fractions", "shape (k,)", f"shape {fractions.shape}")
    return tf.cast(start, tf.float64), tf.cast(end, tf.float64), fractions, start.dtype


def _sinc(x: tf.Tensor) -> tf.Tensor:
    """sin(x) / x."""
    small = tf.abs(x) < 1e-4
    safe = tf.where(small, tf.ones_like(x), x)
    return tf.where(small, 1.0 - x * x / 6.0, tf.sin(safe) / safe)
