"""What a wrong argument raises."""

from contextlib import contextmanager

import pytest

from tf_vmf._errors import ArgumentError


@contextmanager
def argument_error(name, received):
    """Expects an ArgumentError about an argument, by its fields."""
    with pytest.raises(ArgumentError) as error:
        yield
    assert (error.value.name, error.value.received) == (name, received)
