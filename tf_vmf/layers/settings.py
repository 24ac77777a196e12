"""Numbers of a layer that may be set at any time: a scalar weight behind an attribute."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from tf_vmf._checks import require

# Orders of magnitude of the lengths of training.
_PROBED_STEPS = (0, *(10**power for power in range(7)))


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


def check_schedule(owner: str, name: str, schedule: Callable[[Any], Any]) -> None:
    """Refuses a schedule that leaves the numbers >= 0, as far as a few steps show; every step of training is `checked`.

    Raises:
        ValueError: A value is negative or NaN, or the first one infinite.
    """
    with tf.init_scope():
        for step in _PROBED_STEPS:
            value = float(keras.ops.convert_to_numpy(schedule(tf.constant(step, tf.int64))))
            if not value >= 0 or (step == 0 and math.isinf(value)):
                raise ValueError(
                    f"Argument `{name}` of {owner}: expected a schedule of finite numbers >= 0. Received: {value:g} at step {step} "
                    f"of {schedule!r}. Does an end value of 0, or tf.maximum(value, 0.0) in a schedule of your own, help?"
                )


def number_or_scheduled(setting: Any, scheduled: Any, what: str) -> tf.Tensor:
    """The number of a setting, or the value of its schedule where the setting is NaN: a float64 scalar that is `checked`."""
    setting = tf.cast(setting, tf.float64)
    return checked(tf.where(tf.math.is_nan(setting), tf.cast(scheduled, tf.float64), setting), what)


def checked(value: Any, what: str) -> tf.Tensor:
    """A float64 scalar that a schedule or a graph gives, if it is finite and >= 0.

    XLA leaves out the check. There the value becomes NaN, so that the loss shows it.

    Raises:
        ValueError: It is not, in eager mode; in a graph it is a `tf.errors.InvalidArgumentError` at run time.
    """
    value = tf.cast(value, tf.float64)
    ok = (value >= 0) & tf.math.is_finite(value)
    message = f"{what}: expected a finite number >= 0, and of a schedule one for every step. Received:"
    return require(ok, tf.where(ok, value, tf.constant(float("nan"), tf.float64)), message, value)
