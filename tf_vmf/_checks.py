"""Checks of arguments and of values, the same in every part of the package."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np
import tensorflow as tf


def require(condition: tf.Tensor, value: tf.Tensor, message: str, *data: Any) -> tf.Tensor:
    """Returns `value`; fails with `message` and `data` where `condition`, a boolean scalar, does not hold.

    Raises:
        ValueError: The condition does not hold, in eager mode. In a graph it is a `tf.errors.InvalidArgumentError` at run time;
            XLA leaves out such checks.
    """
    if tf.executing_eagerly():
        if not bool(condition):
            raise ValueError(" ".join([message, *(str(np.asarray(each)) for each in data)]))
        return value
    with tf.control_dependencies([tf.debugging.Assert(condition, [message, *data])]):
        return tf.identity(value)


def check_number(
    owner: str, name: str, value: Any, *, minimum: float = 0.0, above: bool = False, alternative: str = ""
) -> float:
    """A number of any kind - Python, NumPy, or a tensor or variable of shape () - as a Python float.

    Args:
        owner: The class or function whose argument it is.
        name: The argument.
        value: What was passed.
        minimum: Smallest value.
        above: Whether `minimum` itself is refused.
        alternative: What else the argument may be, for the message: ", or ...".

    Raises:
        ValueError: `value` is no finite number in the range; a bool, a string and a symbolic tensor are none.
    """
    number = _as_float(value)
    if number is None or not math.isfinite(number) or number < minimum or (above and number == minimum):
        raise ValueError(
            f"Argument `{name}` of {owner}: expected a finite number {'>' if above else '>='} {minimum:g}{alternative}. "
            f"Received: {name}={value!r}."
        )
    return number


def check_integer(owner: str, name: str, value: Any, *, minimum: int = 0) -> int:
    """A whole number of any kind, 5.0 included, as a Python int.

    Raises:
        ValueError: `value` is no integer >= `minimum`.
    """
    number = _as_float(value)
    if number is None or not number.is_integer() or number < minimum:
        raise ValueError(f"Argument `{name}` of {owner}: expected an integer >= {minimum}. Received: {name}={value!r}.")
    return int(number)


def check_rates(owner: str, **rates: Any) -> None:
    """Checks that every rate of dropout is in [0, 1).

    Raises:
        ValueError: One is not; the message names it.
    """
    for name, rate in rates.items():
        number = _as_float(rate)
        if number is None or not 0 <= number < 1:
            raise ValueError(f"Argument `{name}` of {owner}: expected a rate in [0, 1). Received: {name}={rate!r}.")


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
    """An attribute that the constructor alone sets: a traced graph would go on with the number that it was traced with."""

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
            raise ValueError(
                f"Attribute `{self._name}` of {instance.name}: expected to be given to the constructor, as compiled functions "
                f"would not obey. Received: {value!r}. Make another {type(instance).__name__} and take over the weights with "
                "`set_weights`."
            )
        instance.__dict__[self._name] = value


def _as_float(value: Any) -> float | None:
    """The value as a float; None where it is no single real number whose value is known."""
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
