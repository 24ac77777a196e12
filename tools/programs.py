"""The programs of `trainers/`, with what their flags are made of, without running them."""

from __future__ import annotations

import dataclasses
import runpy
from collections.abc import Callable
from typing import Any
from unittest import mock

from tf_vmf.programs.configs import Config
from tools.results_table import ROOT
from trainers import program


@dataclasses.dataclass(frozen=True)
class Program:
    """A program.

    Attributes:
        name: As in `python -m trainers.NAME`.
        description: Its docstring.
        configs: The configurations whose options are its flags.
        rest: Whether it takes arguments after `--`.
    """

    name: str
    description: str
    configs: tuple[type[Config], ...]
    rest: bool


def programs() -> dict[str, Program]:
    """All programs by name."""
    found: dict[str, Program] = {}

    def record(
        _: Callable, name: str, description: str, *configs: type[Config], rest: bool = False, resumes: bool = False
    ) -> Any:
        del resumes
        found[name] = Program(name, description, configs, rest)

    with mock.patch.object(program, "run", record):
        for file in sorted((ROOT / "trainers").glob("*.py")):
            if "__main__" in file.read_text("utf-8"):
                runpy.run_path(str(file), run_name="__main__")
    return found
