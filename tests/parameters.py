"""Parameters of which the quick suite takes some."""

from collections.abc import Iterable
from typing import Any

import pytest


def quick(number: int, values: Iterable[Any]) -> list[Any]:
    """The values as parameters; all but the first `number` are slow: they take the same way through the code with other numbers."""
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=() if i < number else pytest.mark.slow)
        for i, value in enumerate(values)
    ]
