"""The help text of a program: its flags in groups, with their defaults."""

from __future__ import annotations

import dataclasses
import inspect
import shutil
import textwrap
from collections.abc import Sequence
from typing import Any

from tf_vmf.programs.configs import Config
from tf_vmf.programs.configs.options import alternatives, option_types

_INDENT = 30


def help_text(program: str, description: str, configs: Sequence[type[Config]]) -> str:
    """All flags of a program.

    Args:
        program: The command, as in `python -m trainers.bow_vae`.
        description: What it does, with examples.
        configs: The configurations whose options are its flags.
    """
    width = max(60, min(120, shutil.get_terminal_size((100, 24)).columns))
    parts = [description.strip(), f"usage: {program} [--flag=value ...] [--flagfile=FILE]"]
    for config in configs:
        kinds = option_types(config)
        for title, fields in _groups(config).items():
            lines = [f"{title}:"]
            lines += [_line(each, kinds[each.name], width) for each in fields]
            parts.append("\n".join(lines))
    common = [
        ("--flagfile=FILE", "Read flags from a file, one per line; a name of a shipped recipe will do."),
        (
            "--import=MODULE,...",
            "Import modules or files of your own; their registered latents and corpora then have names.",
        ),
        ("--version", "Show the version."),
        ("--debug", "Show where an error was raised."),
        ("--help", "Show this text."),
    ]
    parts.append("\n".join(["Common flags:", *(_entry(name, text, width) for name, text in common)]))
    return "\n\n".join(parts) + "\n"


def _groups(config: type[Config]) -> dict[str, list[dataclasses.Field]]:
    """The options of a configuration by the class that defines them; its docstring is the title."""
    groups: dict[str, list[dataclasses.Field]] = {}
    for field in dataclasses.fields(config):
        owner = [each for each in config.__mro__ if field.name in inspect.get_annotations(each)][-1]
        title = (owner.__doc__ or owner.__name__).strip().splitlines()[0].rstrip(".")
        groups.setdefault(title, []).append(field)
    return groups


def _line(field: dataclasses.Field, kind: Any, width: int) -> str:
    first = alternatives(kind)[0]
    name = f"--[no]{field.name}" if first is bool else f"--{field.name}"
    metadata = field.metadata
    text = metadata["help"]
    if metadata["choices"] and not all(choice in text for choice in metadata["choices"]):
        text += f" One of {', '.join(metadata['choices'])}."
    if field.default is dataclasses.MISSING:
        return _entry(name, f"{text} (required)", width)
    return _entry(name, f"{text} (default: {_shown(field.default, int not in alternatives(kind))})", width)


def _shown(default: Any, float_alone: bool) -> str:
    if default is None or default == ():
        return "none"
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    if isinstance(default, bool):
        return str(default).lower()
    if not isinstance(default, float):
        return str(default)
    # Where a number and a share differ by their point, the point is shown.
    return f"{default:g}" if default != 1 or float_alone else "1.0"


def _entry(name: str, text: str, width: int) -> str:
    lines = textwrap.wrap(text, width - _INDENT)
    head = f"  {name}"
    first = f"{head:<{_INDENT}}{lines[0]}" if len(head) < _INDENT - 1 else f"{head}\n{'':<{_INDENT}}{lines[0]}"
    return "\n".join([first, *(f"{'':<{_INDENT}}{line}" for line in lines[1:])])
