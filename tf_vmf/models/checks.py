"""Checks of arguments that constructors of models share."""

from typing import Any


def check_integers(**arguments: tuple[Any, int]) -> None:
    """Checks that each value, given with its minimum, is an integer of at least that.

    Raises:
        ValueError: One is not; the message names it.
    """
    for name, (value, minimum) in arguments.items():
        try:
            is_integer = not isinstance(value, bool) and int(value) == value
        except (TypeError, ValueError, OverflowError):
            is_integer = False
        if not is_integer or value < minimum:
            raise ValueError(f"Argument `{name}`: expected an integer >= {minimum}. Received: {name}={value!r}.")


def check_rates(**rates: Any) -> None:
    """Checks that every rate of dropout is in [0, 1).

    Raises:
        ValueError: One is not; the message names it.
    """
    for name, rate in rates.items():
        if rate is None or not 0 <= rate < 1:
            raise ValueError(f"Argument `{name}`: expected a rate in [0, 1). Received: {name}={rate!r}.")
