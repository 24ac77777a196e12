"""absl flags from the options of configurations, and configurations from parsed flags."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import typing
from collections.abc import Sequence
from typing import Any

from absl import flags

from tf_vmf._errors import ArgumentError
from tf_vmf.programs.configs import Config
from tf_vmf.programs.configs.options import alternatives, option_types

# Of every program: modules of the user's own to import.
IMPORT = "import"


class _Number(flags.ArgumentParser):
    """A number; any other text stays as it is, and the configuration says what it expects."""

    def __init__(self, kind: type[int] | type[float]) -> None:
        super().__init__()
        self._kind = kind

    def parse(self, argument: Any) -> Any:
        with contextlib.suppress(ValueError):
            return self._kind(argument) if isinstance(argument, str) else argument
        return argument


class _Paths(flags.ListParser):
    """Paths separated by commas. A comma or a line break belongs to a path where there is a file or folder of that name."""

    def parse(self, argument: str | list[str]) -> list[str]:
        if not isinstance(argument, str) or '"' in argument:
            return list(super().parse(argument))
        paths: list[str] = []
        parts = argument.split(",")
        while parts:
            joined = (",".join(parts[:number]) for number in range(len(parts), 0, -1))
            path = next((each for each in joined if _exists(each)), parts[0])
            paths.append(path if _exists(path) else path.strip())
            del parts[: path.count(",") + 1]
        return [path for path in paths if path]


def _exists(entry: str) -> bool:
    """True where there is something at `path` or `label=path`."""
    try:
        return os.path.exists(entry) or os.path.exists(entry.partition("=")[2])
    except ValueError:  # a null character
        return False


def define(configs: Sequence[type[Config]]) -> flags.FlagValues:
    """The flags of a program: one per option of its configurations, with the option's name, default and help.

    They are values of their own and not absl's global `FLAGS`, so that one process may hold the flags of several programs.
    """
    values = flags.FlagValues()
    for config in configs:
        kinds = option_types(config)
        for field in dataclasses.fields(config):
            _define(values, field, kinds[field.name])
    flags.DEFINE_list(IMPORT, [], "Modules of your own to import.", flag_values=values)
    return values


def read(config: type[Config], values: flags.FlagValues) -> Config:
    """The configuration that parsed flags describe.

    Raises:
        ArgumentError: A value is not possible, or a flag that must be given is missing.
    """
    for field in dataclasses.fields(config):
        if field.default is dataclasses.MISSING and values[field.name].value is None:
            raise ArgumentError(field.name, "a value", "none", field.metadata["help"])
    kinds = option_types(config)
    return config(**{name: _typed(name, kind, values[name].value) for name, kind in kinds.items()})


def _define(values: flags.FlagValues, field: dataclasses.Field, kind: Any) -> None:
    """One flag; bounds and choices are checked by the configuration."""
    default = None if field.default is dataclasses.MISSING else field.default
    help_text, first = field.metadata["help"], alternatives(kind)[0]
    if field.metadata["repeated"]:
        flags.DEFINE_multi_string(field.name, default, help_text, flag_values=values)
    elif field.metadata["texts"]:
        serializer = flags.CsvListSerializer(",")
        flags.DEFINE(_Paths(), field.name, list(default or ()), help_text, values, serializer)
    elif typing.get_origin(first) is tuple:
        flags.DEFINE_list(field.name, [str(each) for each in default or ()], help_text, flag_values=values)
    elif first is bool:
        flags.DEFINE_boolean(field.name, default, help_text, flag_values=values)
    elif (kinds := alternatives(kind)) in ((int,), (float,)):
        flags.DEFINE(_Number(kinds[0]), field.name, default, help_text, values, flags.ArgumentSerializer())
    else:
        flags.DEFINE_string(field.name, None if default is None else str(default), help_text, flag_values=values)


def _typed(name: str, kind: Any, value: Any) -> Any:
    """The parsed string, or list of strings, as the type of the option."""
    kinds = alternatives(kind)
    if typing.get_origin(kinds[0]) is tuple and typing.get_args(kinds[0])[0] is int:
        try:
            return tuple(int(each) for each in value)
        except ValueError as error:
            raise ArgumentError(name, "integers separated by commas", repr(",".join(value))) from error
    if not isinstance(value, str):
        return value
    for number in (int, float):  # a share is written with a point, so that it is no integer
        if number in kinds:
            with contextlib.suppress(ValueError):
                return number(value)
    return value  # a string; the configuration knows which ones there are
