"""Checks of flag values."""

import math
from collections.abc import Callable


def number_or(*words: str) -> Callable[[str], bool]:
    """A validator for a finite number >= 0 or one of some words."""

    def check(value: str) -> bool:
        if value in words:
            return True
        try:
            return math.isfinite(float(value)) and float(value) >= 0
        except ValueError:
            return False

    return check


def positive_integers(values: list[str]) -> bool:
    """A validator for a list of integers >= 1."""
    return all(value.isdecimal() and int(value) >= 1 for value in values)
