"""Dropout whose mask is a function of a seed."""

import tensorflow as tf

from tf_vmf.math.noise import stateless_words
from tf_vmf.seeds import stateless_seed

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
