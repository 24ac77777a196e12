"""Random numbers from a stateless seed, the same with and without XLA; normal ones at half the cost of TensorFlow's on CPU."""

import math

import numpy as np
import tensorflow as tf
from tensorflow.python.ops import control_flow_util

from tf_vmf.seeds import in_graph, stateless_seed

# Terms of the Taylor series of sin(pi x) and cos(pi x), |x| <= 1/2: the first one left out is below rounding.
_TERMS = {tf.float32: 7, tf.float64: 12}


def stateless_normal(shape: tf.Tensor, seed: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Draws standard normal numbers by the transformation of Box and Muller, the same with and without XLA, up to rounding.

    Two uniform numbers become two normal ones, `sqrt(-2 log v) cos(a)` and `sqrt(-2 log v) sin(a)` with an angle a, by
    polynomials. `tf.random.stateless_normal` spends most of its time in one scalar function after the other. The
    largest magnitude that can occur is 5.8 in float32 and 8.6 in float64.
    """
    return _normal(tf.convert_to_tensor(shape, tf.int32), tf.convert_to_tensor(seed), dtype)


@in_graph
def _normal(shape: tf.Tensor, seed: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    size = tf.reduce_prod(shape)
    uniform = stateless_uniform([2, (size + 1) // 2], seed, dtype)
    # The middles of the uniform numbers' cells: never 0, so that the radius is neither 0 nor infinite.
    radius = tf.sqrt(-2 * tf.math.log(1 - np.finfo(dtype.as_numpy_dtype).eps / 2 - uniform[0]))
    sine, cosine = _half_turn(uniform[1] - 0.5)
    # The angle is twice that of the half turn.
    normal = tf.concat([radius - 2 * radius * sine * sine, 2 * radius * sine * cosine], axis=0)
    return tf.reshape(normal[:size], shape)


def _half_turn(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """sin(pi x) and cos(pi x) for |x| <= 1/2."""
    square = x * x
    sine, cosine = (
        _horner(
            [(-1) ** k * math.pi ** (2 * k + odd) / math.factorial(2 * k + odd) for k in range(_TERMS[x.dtype])], square
        )
        for odd in (1, 0)
    )
    return x * sine, cosine


def _horner(coefficients: list[float], x: tf.Tensor) -> tf.Tensor:
    value = coefficients[-1] * x + coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        value = value * x + coefficient
    return value


def stateless_uniform(shape: tf.Tensor, seed: tf.Tensor, dtype: tf.DType = tf.float32) -> tf.Tensor:
    """Draws independent numbers from the uniform distribution on [0, 1): multiples of 2^-23 in float32, of 2^-52 in float64.

    They are those of `tf.random.stateless_uniform(shape, seed, alg="philox")`. That function makes a number from the low bits of a
    random word, but from the high ones where XLA compiles it. There the words are drawn, which are the same, and
    converted here; not in a `tf.function` that was traced before, outside of the one that XLA compiles.
    """
    if not is_compiled_by_xla():
        return _uniform(tf.convert_to_tensor(shape, tf.int32), tf.convert_to_tensor(seed), dtype)
    if dtype == tf.float32:
        return tf.cast(tf.bitwise.bitwise_and(stateless_words(shape, seed, tf.int32), 0x7FFFFF), dtype) * 2.0**-23
    word = stateless_words(shape, seed, tf.int64)
    high = tf.bitwise.left_shift(tf.bitwise.bitwise_and(word, 0xFFFFF), tf.constant(32, tf.int64))
    # Two non-negative summands: the right shift keeps the sign of the word.
    low = tf.bitwise.bitwise_and(tf.bitwise.right_shift(word, tf.constant(32, tf.int64)), 0xFFFFFFFF)
    return tf.cast(high + low, dtype) * 2.0**-52


@in_graph
def _uniform(shape: tf.Tensor, seed: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    return tf.random.stateless_uniform(shape, seed, dtype=dtype, alg="philox")


def stateless_words(shape: tf.Tensor, seed: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Integers of an int dtype whose bits are all random, the same with and without XLA."""
    return tf.random.stateless_uniform(shape, seed, minval=None, maxval=None, dtype=dtype, alg="philox")


def is_compiled_by_xla() -> bool:
    """Whether the function that is being traced will be compiled by XLA, by itself or inside another one.

    It is not known of a `tf.function` that was traced before, outside of the one that XLA compiles.
    """
    return not tf.executing_eagerly() and control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


_LEVELS = 2**16


def dropout(
    x: tf.Tensor | tf.SparseTensor, rate: float, seed: tf.Tensor | None, layer: int = 0
) -> tf.Tensor | tf.SparseTensor:
    """Drops entries of x at `rate` and scales the rest by 1 / (1 - rate); x itself where seed is None or rate is 0.

    The rate is rounded to a multiple of 2^-16, but not to 0 or 1, in the mask and in the scale: two entries share the 32 bits of
    one random word, since the noise costs most of the time. `layer` tells the uses of one seed apart.
    """
    if seed is None or rate == 0:
        return x
    seed = stateless_seed(seed, layer)
    dropped = min(max(round(rate * _LEVELS), 1), _LEVELS - 1)  # of all levels

    def drop(values: tf.Tensor) -> tf.Tensor:
        # Not `tf.nn.experimental.stateless_dropout`, whose mask is another one under XLA.
        size = tf.size(values)
        halves = tf.reshape(tf.bitcast(stateless_words([(size + 1) // 2], seed, tf.int32), tf.int16), [-1])[:size]
        is_kept = tf.reshape(halves, tf.shape(values)) >= tf.constant(dropped - _LEVELS // 2, tf.int16)
        scale = _LEVELS / (_LEVELS - dropped)
        return tf.where(is_kept, values * tf.cast(scale, values.dtype), tf.zeros([], values.dtype))

    return tf.sparse.map_values(drop, x) if isinstance(x, tf.SparseTensor) else drop(x)
