"""Errors about arguments and places, with their parts as attributes."""

from __future__ import annotations

import os
from typing import Any


class ArgumentError(ValueError):
    """An argument, attribute or option has a value that it cannot have.

    Programs print it as a message about the flag of the same name; tests compare its fields.

    ```python
    raise ArgumentError("dropout", "a rate in [0, 1)", repr(dropout), owner="BagOfWordsVAE")
    # Argument `dropout` of BagOfWordsVAE: expected a rate in [0, 1). Received: 1.5.
    ```

    `expected` is a phrase without a full stop, `received` text such as `repr(value)`, `remedy` whole sentences or "", and `owner`
    the class or function; "" for an option of a program. `problem` is the message without the name of the argument.
    """

    # AutoGraph and Keras make a new error of one that comes out of a `tf.function` or a layer's call, by its message alone; of one
    # that takes several arguments they make a StagingError or a RuntimeError, which is no ValueError. They let errors with these
    # attributes through.
    ag_pass_through = True
    _keras_call_info_injected = True

    def __init__(self, name: str, expected: str, received: str, remedy: str = "", *, owner: str = "") -> None:
        self.name, self.expected, self.received, self.remedy, self.owner = name, expected, received, remedy, owner
        self.problem = f"expected {expected}. Received: {received}.{' ' if remedy else ''}{remedy}"
        super().__init__(f"Argument `{name}`{f' of {owner}' if owner else ''}: {self.problem}")

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are pickled by their message alone, from which the fields could not be made again.
        return _make, (self.name, self.expected, self.received, self.remedy, self.owner)


def _make(name: str, expected: str, received: str, remedy: str, owner: str) -> ArgumentError:
    return ArgumentError(name, expected, received, remedy, owner=owner)


def half_of_a_pair(text: str) -> str:
    """A phrase about half of a surrogate pair in a text, which no file can hold; "" where there is none."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"half of a surrogate pair, {error.object[error.start]!a}, at character {error.start}"
    return ""


def check_unicode(text: Any, name: str, owner: str = "") -> None:
    """Refuses a string with half of a surrogate pair; takes anything else."""
    if isinstance(text, str) and (half := half_of_a_pair(text)):
        raise ArgumentError(name, "valid Unicode", half, owner=owner)


class PlaceError(OSError):
    """A file or folder cannot be used. Programs print it as a message about the flag that named the place.

    ```python
    raise MissingPlaceError("a text file", path, remedy="Name another.")
    # Expected a text file. Received: missing.txt. Name another.
    ```

    `expected` is a phrase, `received` what is wrong with the place, such as "which is a folder"; "" where `expected` says it.
    `name` and `owner` are those of the argument that holds the place, where it has a name for the user. `problem` is the message
    without it.
    """

    def __init__(
        self,
        expected: str,
        place: str | os.PathLike[str],
        received: str = "",
        remedy: str = "",
        *,
        name: str = "",
        owner: str = "",
    ) -> None:
        self.expected, self.place, self.received, self.remedy = expected, os.fspath(place), received, remedy
        self.name, self.owner = name, owner
        details = f"{f', {received}' if received else ''}.{' ' if remedy else ''}{remedy}"
        self.problem = f"expected {expected}. Received: {self.place}{details}"
        argument = f"Argument `{name}`{f' of {owner}' if owner else ''}: " if name else ""
        super().__init__(f"{argument}{self.problem}" if name else f"{self.problem[0].upper()}{self.problem[1:]}")

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = (self.expected, self.place, self.received, self.remedy)
        return _make_place_error, (type(self), arguments, self.name, self.owner)


class MissingPlaceError(PlaceError, FileNotFoundError):
    """There is no such file or folder, or not what was expected in it."""


class TakenPlaceError(PlaceError, FileExistsError):
    """There is something where a new file or folder is to be."""


class FolderPlaceError(PlaceError, IsADirectoryError):
    """There is a folder where a file was expected."""


def _make_place_error(kind: type[PlaceError], arguments: tuple[str, ...], name: str, owner: str) -> PlaceError:
    return kind(*arguments, name=name, owner=owner)
