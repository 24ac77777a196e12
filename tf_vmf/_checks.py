"""Checks of arguments and of values, the same in every part of the package."""

from __future__ import annotations

import math
import numbers
import sys
from collections.abc import Collection
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf._errors import ArgumentError


def require(
    condition: tf.Tensor, value: tf.Tensor, name: str, expected: str, *data: Any, remedy: str = "", owner: str = ""
) -> tf.Tensor:
    """Returns `value`; where `condition`, a boolean scalar, does not hold, an ArgumentError that shows `data`.

    In a graph it is a `tf.errors.InvalidArgumentError` at run time with the same words; XLA leaves out such checks.
    """
    if tf.executing_eagerly():
        if not bool(condition):
            received = " ".join(str(each if isinstance(each, str) else np.asarray(each)) for each in data)
            raise ArgumentError(name, expected, received, remedy, owner=owner)
        return value
    of_owner = f" of {owner}" if owner else ""
    message = f"Argument `{name}`{of_owner}: expected {expected}. {remedy}{' ' if remedy else ''}Received:"
    with tf.control_dependencies([tf.debugging.Assert(condition, [message, *data])]):
        return tf.identity(value)


def whole_numbers(values: tf.Tensor, name: str) -> tf.Tensor:
    """Ids as int32; an error as of `require` where a floating one is not whole."""
    ids = tf.cast(values, tf.int32)
    if not values.dtype.is_floating:
        return ids
    return require(
        tf.reduce_all(tf.cast(ids, values.dtype) == values), ids, name, "ids, which are whole numbers", values
    )


def check_number(
    owner: str, name: str, value: Any, *, minimum: float = 0.0, above: bool = False, alternative: str = ""
) -> float:
    """A finite number >= `minimum`, or above it, as a Python float; else an ArgumentError that also names the `alternative`.

    It may be of Python or NumPy, or a tensor of shape (); a bool, a string, a variable and a symbolic tensor are none.
    """
    number = _as_float(owner, name, value)
    if number is None or not math.isfinite(number) or number < minimum or (above and number == minimum):
        expected = f"a finite number {'>' if above else '>='} {minimum:g}{alternative}"
        raise ArgumentError(name, expected, repr(value), owner=owner)
    return number


def check_integer(owner: str, name: str, value: Any, *, minimum: int = 0) -> int:
    """A whole number >= `minimum` of any kind, 5.0 included, as a Python int; else an ArgumentError."""
    number = _as_float(owner, name, value)
    if number is None or not number.is_integer() or number < minimum:
        raise ArgumentError(name, f"an integer >= {minimum}", repr(value), owner=owner)
    return int(number)


def check_rates(owner: str, **rates: Any) -> None:
    """Checks that every rate of dropout is in [0, 1)."""
    for name, rate in rates.items():
        number = _as_float(owner, name, rate)
        if number is None or not 0 <= number < 1:
            raise ArgumentError(name, "a rate in [0, 1)", repr(rate), owner=owner)


def check_choice(owner: str, name: str, value: Any, choices: Collection[str]) -> Any:
    """Returns the value, one of the choices; else an ArgumentError."""
    if not isinstance(value, str) or value not in choices:
        raise ArgumentError(name, f"one of {', '.join(map(repr, choices))}", repr(value), owner=owner)
    return value


def failed_check(error: tf.errors.InvalidArgumentError) -> str | None:
    """The message and data of the check that failed in a graph; None where an operation itself has refused its input.

    TensorFlow has no attribute for them. This is the one place that knows how an error of `tf.debugging.Assert` is written.
    """
    _, found, said = error.message.partition("assertion failed: ")
    if not found:
        return None
    said = said.partition("\n\t [[")[0].strip().removeprefix("[").removesuffix("]")
    return " ".join(part.strip() for part in said.split("] ["))


class SetOnce:
    """Write-once attribute: compiled graphs have captured its value."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        if self._name not in instance.__dict__:
            raise AttributeError(self._name)
        return instance.__dict__[self._name]

    def __set__(self, instance: Any, value: Any) -> None:
        if self._name in instance.__dict__ and instance.__dict__[self._name] != value:
            raise ArgumentError(
                self._name,
                "to be given to the constructor, as compiled functions would not obey",
                repr(value),
                f"Make another {type(instance).__name__} and take over the weights with `set_weights`.",
                owner=instance.name,
            )
        instance.__dict__[self._name] = value


def refuse_variable(owner: str, name: str, value: Any) -> None:
    """Refuses a variable where a number is read once: later changes of it would do nothing."""
    keras = sys.modules.get("keras")  # not imported for this: the functions and distributions do without it
    if isinstance(value, tf.Variable) or (keras is not None and isinstance(value, keras.Variable)):
        remedy = (
            "A variable would be read once, and changes to it ignored: give its value, float(variable). Of a latent layer "
            "`kl_weight` and `concentration` follow a floating variable of shape () that is given to the constructor."
        )
        raise ArgumentError(name, "a number", repr(value), remedy, owner=owner)


def _as_float(owner: str, name: str, value: Any) -> float | None:
    """The value as a float; None where it is no single real number whose value is known. A variable is refused."""
    refuse_variable(owner, name, value)
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return None
    if isinstance(value, (str, bytes, bool)) or not hasattr(value, "dtype") or getattr(value, "shape", None) != ():
        return None
    kind = tf.as_dtype(value.dtype)
    if not (kind.is_floating or kind.is_integer):
        return None
    try:
        return float(np.asarray(value))
    except (TypeError, NotImplementedError):  # symbolic
        return None
