"""Things by name, to which users add their own by a decorator: latent layers, likelihoods, corpora."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from tf_vmf._errors import ArgumentError

T = TypeVar("T")
_Class = TypeVar("_Class", bound=type)


class Registry(Generic[T]):
    """Things of one kind by name: `noun` is the kind, "latent layer"; `decorator` the public one that adds to it."""

    def __init__(self, noun: str, decorator: str) -> None:
        self._noun, self._decorator = noun, decorator
        self.entries: dict[str, T] = {}
        self._places: dict[str, str] = {}

    def add(self, name: str, entry: T, definition: Any) -> None:
        """Adds an entry, or replaces that of the same class or function: a notebook cell may run again; else the name is taken."""
        place = f"{definition.__module__}.{definition.__qualname__}"
        if name in self.entries and self._places[name] != place:
            expected, received = f"a name that no other {self._noun} has", f"{name!r}, which is {self._places[name]}"
            raise ArgumentError("name", expected, received, owner=self._decorator.rpartition(".")[2])
        self.entries[name], self._places[name] = entry, place

    def class_decorator(self, name: str, package: str) -> Callable[[_Class], _Class]:
        """A decorator that adds a class here, and to Keras for saved files."""

        def register(cls: _Class) -> _Class:
            import keras

            self.add(name, cls, cls)  # type: ignore[arg-type]
            return keras.saving.register_keras_serializable(package=package)(cls)

        return register

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self.entries))

    def find(self, name: str, argument: str = "name", owner: str = "", alternative: str = "") -> T:
        """The entry of a name; else an ArgumentError that lists all."""
        if name not in self.entries:
            remedy = f"A {self._noun} of your own is registered by {self._decorator}, once its module is imported."
            expected = f"one of {', '.join(self.names())}{alternative}"
            raise ArgumentError(argument, expected, repr(name), remedy, owner=owner)
        return self.entries[name]
