"""Dropout whose mask is a function of a seed."""

import tensorflow as tf

from tf_vmf.math.uniform_noise import stateless_uniform
from tf_vmf.seeds import stateless_seed


def dropout(
    x: tf.Tensor | tf.SparseTensor, rate: float, seed: tf.Tensor | None, layer: int = 0
) -> tf.Tensor | tf.SparseTensor:
    """Drops entries of x at `rate` and scales the rest by 1 / (1 - rate); x itself where seed is None or rate is 0.

    Args:
        x: Dense or sparse; of a sparse tensor the stored values are dropped, which is the same.
        rate: In [0, 1).
        seed: Stateless seed of shape (2,), or None outside training.
        layer: A number that tells the uses of one seed apart.
    """
    if seed is None or rate == 0:
        return x
    seed = stateless_seed(seed, layer)

    def drop(values: tf.Tensor) -> tf.Tensor:
        # Not `tf.nn.experimental.stateless_dropout`, whose mask is another one under XLA.
        is_kept = stateless_uniform(tf.shape(values), seed) >= rate
        return tf.where(is_kept, values * tf.cast(1 / (1 - rate), values.dtype), tf.zeros([], values.dtype))

    return tf.sparse.map_values(drop, x) if isinstance(x, tf.SparseTensor) else drop(x)
