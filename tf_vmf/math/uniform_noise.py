"""Uniform noise from a stateless seed, the same numbers with and without XLA."""

import tensorflow as tf

from tf_vmf.math.xla import is_compiled_by_xla
from tf_vmf.seeds import in_graph


def stateless_uniform(shape: tf.Tensor, seed: tf.Tensor, dtype: tf.DType = tf.float32) -> tf.Tensor:
    """Draws independent numbers from the uniform distribution on [0, 1).

    They are those of `tf.random.stateless_uniform(shape, seed, alg="philox")`. That function makes a number from the low bits of a
    random word, but from the high ones where XLA compiles it. There the words are drawn, which are the same, and
    converted here; not in a `tf.function` that was traced before, outside of the one that XLA compiles.

    Args:
        shape: int32 tensor or a sequence of ints.
        seed: int32 tensor of shape `(2,)`.
        dtype: tf.float32, a multiple of 2^-23, or tf.float64, a multiple of 2^-52.

    Returns:
        Tensor of the given shape.

    References:
        J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw. Parallel Random Numbers: As Easy as 1, 2, 3. SC 2011 (Philox).
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
    """Integers whose bits are all random, the same with and without XLA.

    Args:
        shape: int32 tensor or a sequence of ints.
        seed: int32 tensor of shape `(2,)`.
        dtype: tf.int32 or tf.int64.
    """
    return tf.random.stateless_uniform(shape, seed, minval=None, maxval=None, dtype=dtype, alg="philox")
