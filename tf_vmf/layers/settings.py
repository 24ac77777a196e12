"""Numbers of a layer that may be set at any time: a scalar weight behind an attribute."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def make_setting(value: float, name: str) -> keras.Variable:
    """A scalar weight in double precision that holds a setting.

    A graph reads the weight where it would freeze a Python number, so that a function traced before the setting changed obeys the
    change; and the weight is saved with the layer.
    """
    return keras.Variable(
        lambda shape, dtype=None: tf.constant(value, tf.float64, shape),
        shape=(),
        dtype="float64",
        trainable=False,
        autocast=False,
        aggregation="only_first_replica",
        name=name,
    )


def make_counter(name: str, shape: tuple[int, ...] = ()) -> keras.Variable:
    """Counts, a weight of zeros, that every replica keeps for itself.

    An assignment that waits for the others in the middle of the forward pass would make Keras collect the losses of one replica as
    those of another. (`add_weight` knows no synchronization.)
    """
    return keras.Variable(
        "zeros",
        shape=shape,
        dtype="int64",
        trainable=False,
        aggregation="only_first_replica",
        synchronization="on_read",
        name=name,
    )


def value_of(setting: keras.Variable) -> float:
    """The current value as a Python float, outside graphs and while one is traced."""
    with tf.init_scope():
        return float(keras.ops.convert_to_numpy(setting.value))


def is_symbolic(value: Any) -> bool:
    """Whether the value is a tensor of a graph, which has no value yet."""
    return tf.is_symbolic_tensor(value) if tf.is_tensor(value) else isinstance(value, keras.KerasTensor)
