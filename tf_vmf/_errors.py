"""The error for an argument that cannot be used."""

from __future__ import annotations

from typing import Any


class ArgumentError(ValueError):
    """An argument, attribute or option has a value that it cannot have.

    Programs print it as a message about the flag of the same name; tests compare its fields.

    ```python
    raise ArgumentError("dropout", "a rate in [0, 1)", repr(dropout), owner="BagOfWordsVAE")
    # Argument `dropout` of BagOfWordsVAE: expected a rate in [0, 1). Received: 1.5.
    ```

    Args:
        name: The name of the argument.
        expected: What was expected, a phrase without a full stop: "a number >= 0".
        received: What was received, as text: `repr(value)`, or a shape, or words.
        remedy: What to do, whole sentences; "" where that is plain.
        owner: The class or function whose argument it is; "" for an option of a program.

    Attributes:
        name, expected, received, remedy, owner: The arguments.
        problem: The message without the name of the argument.
    """

    def __init__(self, name: str, expected: str, received: str, remedy: str = "", *, owner: str = "") -> None:
        self.name, self.expected, self.received, self.remedy, self.owner = name, expected, received, remedy, owner
        self.problem = f"expected {expected}. Received: {received}.{' ' if remedy else ''}{remedy}"
        super().__init__(f"Argument `{name}`{f' of {owner}' if owner else ''}: {self.problem}")

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are pickled by their message alone, from which the fields could not be made again.
        return _make, (self.name, self.expected, self.received, self.remedy, self.owner)


def _make(name: str, expected: str, received: str, remedy: str, owner: str) -> ArgumentError:
    return ArgumentError(name, expected, received, remedy, owner=owner)
