"""Elementary functions by the kind of array, so that a formula serves tensors and NumPy arrays alike."""

import functools
from types import SimpleNamespace
from typing import Any

import numpy as np


def library(x: Any) -> Any:
    """NumPy for NumPy arrays and numbers, else the functions of TensorFlow under NumPy's names."""
    return np if isinstance(x, np.ndarray | np.generic) else _tensorflow()


@functools.lru_cache(maxsize=1)
def _tensorflow() -> SimpleNamespace:
    import tensorflow as tf

    return SimpleNamespace(
        exp=tf.exp,
        log=tf.math.log,
        log1p=tf.math.log1p,
        maximum=tf.maximum,
        minimum=tf.minimum,
        ones_like=tf.ones_like,
        sqrt=tf.sqrt,
        where=tf.where,
        zeros_like=tf.zeros_like,
    )
