"""Dropout whose mask is a function of a seed."""

import tensorflow as tf

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
    if isinstance(x, tf.SparseTensor):
        return tf.sparse.map_values(lambda v: tf.nn.experimental.stateless_dropout(v, rate, seed, rng_alg="philox"), x)
    return tf.nn.experimental.stateless_dropout(x, rate, seed, rng_alg="philox")
