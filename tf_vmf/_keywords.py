"""Misspelt arguments of constructors: an error that names the closest one."""

import difflib
import inspect
from collections.abc import Sequence
from typing import Any, Self

# What Keras's own layers and models take by name.
_OF_KERAS = frozenset(
    {
        "activity_regularizer",
        "autocast",
        "batch_size",
        "dtype",
        "input_dim",
        "input_dtype",
        "input_shape",
        "name",
        "trainable",
    }
)


class CheckedKeywords:
    """Mixin for layers and models whose constructors pass `**kwargs` on: refuses a keyword that no constructor knows.

    Keras names the keywords that it does not know, but not those that it does. To be inherited before the Keras class.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        check_positions(cls, args)
        check_keywords(cls, kwargs)
        return super().__new__(cls, *args, **kwargs)


def check_positions(cls: type, args: Sequence[Any]) -> None:
    """A TypeError for more arguments by position than the constructor takes; it names those that are given by name."""
    owner = next(base for base in cls.__mro__ if "__init__" in vars(base))
    parameters = list(inspect.signature(vars(owner)["__init__"]).parameters.values())[1:]
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return
    by_position = [
        each.name for each in parameters if each.kind is not each.KEYWORD_ONLY and each.kind is not each.VAR_KEYWORD
    ]
    by_name = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
    if len(args) > len(by_position):
        given = args[len(by_position)]
        raise TypeError(
            f"{cls.__name__} takes by position {', '.join(by_position) or 'nothing'}. Received: {given!r} besides. Give it by "
            f"name: {f'{by_name[0]}={given!r}, if that is meant' if by_name else 'it has none'}."
        )


def check_keywords(cls: type, kwargs: dict[str, Any]) -> None:
    """A TypeError with the closest known one for a keyword that neither `cls` nor a class it passes them on to takes."""
    known = _known_keywords(cls)
    for name in kwargs:
        if name not in known:
            closest = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {closest[0]!r}?" if closest else f"Expected one of: {', '.join(sorted(known))}."
            raise TypeError(f"{cls.__name__} got an unexpected keyword argument {name!r}. {hint}")


def _known_keywords(cls: type) -> set[str]:
    known = set(_OF_KERAS)
    for base in cls.__mro__:
        if "__init__" in vars(base) and not base.__module__.startswith("keras."):
            parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
            known |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
            if not any(p.kind is p.VAR_KEYWORD for p in parameters):
                break  # passes nothing on
    return known - {"self"}
