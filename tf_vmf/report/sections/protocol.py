"""The protocol behind the figures of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tf_vmf.report.context import DocumentContext, SentenceContext
from tf_vmf.report.page.page import Block, Code, Section, Table, Text
from tf_vmf.report.section import ReportSection


@dataclass(frozen=True, eq=False)
class Protocol(ReportSection):
    """The protocol of a run, and the command that repeats it.

    Attributes:
        command: The command, or None.
        protocol, training: Parts of `metrics.json`.
        config: The content of `config.json`.
    """

    command: str | None
    protocol: Mapping[str, Any]
    training: Mapping[str, Any]
    config: Mapping[str, Any]

    @classmethod
    def find(cls, context: DocumentContext | SentenceContext) -> Self:
        run = context.run
        return cls(run.command, run.metrics.get("protocol", {}), run.metrics.get("training", {}), run.config)

    def render(self) -> Section:
        blocks: list[Block] = []
        if self.command:
            blocks += [
                Text("This command repeats the run. With a new --workdir it starts from scratch."),
                Code(self.command),
            ]
        rows = _flatten(self.protocol) + _flatten(self.training, "training")
        if rows:
            blocks.append(Table(("Protocol", "Value"), rows))
        if self.config:
            blocks.append(Table(("Setting", "Value"), _flatten(self.config), folded="Configuration (config.json)"))
        return Section("Protocol", blocks)


def _flatten(mapping: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows = []
    for key, value in mapping.items():
        name = f"{prefix} {key}".strip().replace("_", " ")
        if isinstance(value, Mapping):
            rows += _flatten(value, name)
        else:
            rows.append((name, value if isinstance(value, str) else json.dumps(value)))
    return rows
