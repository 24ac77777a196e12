"""Configurations as dataclasses whose fields carry a help text, choices and bounds."""

from __future__ import annotations

import dataclasses
import difflib
import gzip
import inspect
import math
import numbers
import os
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tf_vmf._errors import ArgumentError, MissingPlaceError

_PATTERN = frozenset("*?[")
_MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16, which the reader refuses in words of its own
_LONGEST_HEADER = 2**16


class UnusedOptionError(ArgumentError):
    """An option is given that would do nothing beside the others."""


def option(
    default: Any,
    help: str,
    *,
    choices: Sequence[str] | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    identity: bool = True,
    words: Sequence[str] = (),
    repeated: bool = False,
    texts: bool = False,
) -> Any:
    """A field of a `Config`, with a help text, choices and bounds; `dataclasses.MISSING` as the default of one that must be given.

    `identity` is False for folders, and for what only says how often something is saved: they do not define what is computed.
    `words` are strings that may stand for a number, `repeated` says that a list's entries are flags given several times, and
    `texts` that they are files, folders or patterns, each with a label or without.
    """
    metadata = {
        "help": help,
        "choices": None if choices is None else tuple(choices),
        "minimum": minimum,
        "maximum": maximum,
        "identity": identity,
        "words": tuple(words),
        "repeated": repeated,
        "texts": texts,
    }
    return dataclasses.field(default=default, metadata=metadata, kw_only=True)


def with_default(config: type[Config], name: str, default: Any) -> Any:
    """The option of another configuration with another default."""
    inherited = {each.name: each for each in dataclasses.fields(config)}[name]
    return dataclasses.field(default=default, metadata=dict(inherited.metadata), kw_only=True)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Base of all configurations: a frozen dataclass of `option`s that checks its values.

    Types of options are str, bool, int, float, tuples of them, `float | str` with `words`, and each of these or None.

    Raises:
        ArgumentError: A value has the wrong type, is no choice or out of bounds.
        TypeError: There is no option of a name; the message names the closest.
    """

    def __new__(cls, *args: Any, **options: Any) -> Config:
        names = [each.name for each in dataclasses.fields(cls)]
        for name in options:
            if name not in names:
                closest = difflib.get_close_matches(name, names, 1)
                hint = f"Did you mean {closest[0]!r}?" if closest else f"Its options are {', '.join(names)}."
                raise TypeError(f"{cls.__name__} has no option {name!r}. {hint}")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        types_of = option_types(type(self))
        for each in dataclasses.fields(self):
            value = _checked(each, types_of[each.name], getattr(self, each.name))
            object.__setattr__(self, each.name, value)
        self.check()

    def check(self) -> None:
        """Checks options against each other; a subclass extends it.

        Raises:
            ArgumentError: Two options do not go together.
        """

    def check_places(self) -> None:
        """Checks that files of text are there and have the columns that are named: what can be known before anything is read.

        Raises:
            FileNotFoundError: One is missing.
            ArgumentError: A header lacks the name of a column.
        """
        for each in dataclasses.fields(self):
            for entry in getattr(self, each.name) if each.metadata["texts"] else ():
                columns = {name: getattr(self, name, None) for name in ("text_column", "label_column")}
                _check_text(entry, {name: column for name, column in columns.items() if isinstance(column, str)})

    def as_dict(self) -> dict[str, Any]:
        """All options by name, as JSON holds them."""
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def arguments_of(self, function: Callable[..., Any], *own: str) -> dict[str, Any]:
        """The options that a function takes as arguments of the same names, but for its `own`."""
        names = {each.name for each in dataclasses.fields(self)} & inspect.signature(function).parameters.keys()
        return {name: getattr(self, name) for name in sorted(names - set(own))}

    def identity(self) -> dict[str, Any]:
        """The options that define what is computed, by name, as JSON holds them."""
        defining = {each.name for each in dataclasses.fields(self) if each.metadata["identity"]}
        return {name: value for name, value in self.as_dict().items() if name in defining}


def refuse_unused(config: Config, names: Sequence[str], reason: str) -> None:
    """Refuses options that would do nothing."""
    defaults = {each.name: each.default for each in dataclasses.fields(config)}
    for name in names:
        value = getattr(config, name)
        if value != defaults[name]:
            raise UnusedOptionError(name, f"none, as {reason}", repr(value), "It would do nothing: leave it out.")


def option_types(config: type[Config]) -> dict[str, Any]:
    """The types of the options of a configuration, by name."""
    hints = typing.get_type_hints(config)
    return {each.name: hints[each.name] for each in dataclasses.fields(config)}


def alternatives(kind: Any) -> tuple[Any, ...]:
    """The types of a union, None left out; of any other type the type itself."""
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return tuple(each for each in typing.get_args(kind) if each is not type(None))
    return (kind,)


def _checked(field: dataclasses.Field, kind: Any, value: Any) -> Any:
    if value is None and type(None) in typing.get_args(kind):
        return None
    kinds, metadata = alternatives(kind), field.metadata
    if typing.get_origin(kinds[0]) is tuple:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ArgumentError(field.name, "a list", repr(value))
        return tuple(_checked_one(field.name, typing.get_args(kinds[0])[:1], metadata, each) for each in value)
    return _checked_one(field.name, kinds, metadata, value)


def _checked_one(name: str, kinds: tuple[Any, ...], metadata: Mapping[str, Any], value: Any) -> Any:
    """The value as a plain Python object of one of the types, within the bounds."""
    words = metadata["words"]
    if isinstance(value, str) and value in words:
        return value
    converted = _converted(tuple(kind for kind in kinds if not (words and kind is str)), value)
    choices, minimum, maximum = metadata["choices"], metadata["minimum"], metadata["maximum"]
    wrong = converted is None or (choices is not None and converted not in choices)
    if not wrong and isinstance(converted, int | float) and not isinstance(converted, bool):
        too_small = minimum is not None and not converted >= minimum
        wrong = too_small or (maximum is not None and not converted <= maximum) or not math.isfinite(converted)
    if wrong:
        raise ArgumentError(name, describe(kinds, metadata), repr(value))
    return converted


def _converted(kinds: tuple[Any, ...], value: Any) -> Any:
    """The value as an int, float, bool or str; None where it is of none of the types."""
    if bool in kinds or isinstance(value, bool):
        return value if bool in kinds and isinstance(value, bool) else None
    if isinstance(value, numbers.Integral) and int in kinds:
        return int(value)
    if isinstance(value, numbers.Real) and float in kinds:
        return float(value)
    if str in kinds and hasattr(value, "__fspath__"):
        return str(value)
    return value if str in kinds and isinstance(value, str) else None


def describe(kinds: tuple[Any, ...], metadata: Mapping[str, Any]) -> str:
    """The expectation of an option, in words."""
    if metadata["choices"] is not None:
        return f"one of {', '.join(metadata['choices'])}"
    name = {bool: "True or False", int: "an integer", float: "a number", str: "a string"}[
        float if metadata["words"] and float in kinds else kinds[0]
    ]
    bounds = [
        f"{relation} {bound:,}" if isinstance(bound, int) else f"{relation} {bound:g}"
        for relation, bound in ((">=", metadata["minimum"]), ("<=", metadata["maximum"]))
        if bound is not None
    ]
    words = "".join(f", or {word!r}" for word in metadata["words"])
    return " ".join([name, " and ".join(bounds)]).strip() + words


def _check_text(entry: str, columns: Mapping[str, str]) -> None:
    """Checks one entry of an option that names texts: a path, `label=path` or a pattern."""
    if _PATTERN & set(entry):
        return
    rest = entry.partition("=")[2]
    path = Path(entry) if os.path.exists(entry) or not rest else Path(rest)
    if not path.exists():
        raise MissingPlaceError("a text file, a folder of text files, or label=path", entry, remedy=_remedy(entry))
    name = path.name.lower().removesuffix(".gz")
    if columns and path.is_file() and name.endswith((".csv", ".tsv")):
        header = _header(path)
        for option, column in columns.items():
            # Whatever separates them: a name that is nowhere in the line is no column.
            if header is not None and column not in header.replace('""', '"'):
                raise ArgumentError(option, f"a column of {path}", repr(column), f"Its first line is {header!r}.")


def _remedy(entry: str) -> str:
    return "A path is no place for a line break." if "\n" in entry else ""


def _header(path: Path) -> str | None:
    """The first line that is not blank; None where it is not known."""
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            lines = islice(iter(lambda: file.readline(_LONGEST_HEADER), b""), 100)
            first = next((line for line in lines if line.strip()), b"")
        if first.startswith(_MARKS) or first.count(b'"') % 2:  # a quoted name with a line break
            return None
        return first.decode("utf-8-sig").strip()
    except (OSError, EOFError, UnicodeDecodeError):
        return None
