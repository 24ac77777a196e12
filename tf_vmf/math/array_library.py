"""Elementary functions by the kind of array, so that a formula serves tensors and NumPy arrays alike."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf

_TENSORFLOW = SimpleNamespace(
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


def library(x: Any) -> Any:
    """NumPy for NumPy arrays and numbers, else the functions of TensorFlow under NumPy's names."""
    return np if isinstance(x, np.ndarray | np.generic) else _TENSORFLOW
