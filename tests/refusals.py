"""Refusals of arguments, compared by their fields."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tf_vmf._errors import ArgumentError


@contextmanager
def refused(name: str, received: str = "", expected: str = "", remedy: str = "") -> Iterator[None]:
    """Asserts that the block refuses the argument `name`, and that the fields of the error hold these texts."""
    with pytest.raises(ArgumentError) as caught:
        yield
    error = caught.value
    assert error.name == name, str(error)
    for part, field in ((received, error.received), (expected, error.expected), (remedy, error.remedy)):
        assert part in field, str(error)
