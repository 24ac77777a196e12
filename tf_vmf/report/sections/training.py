"""Curves and protocol of a training run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tf_vmf.measures import reads_mean_code
from tf_vmf.report.context import DocumentContext, SentenceContext
from tf_vmf.report.page import plots
from tf_vmf.report.page.page import Block, Code, Image, Section, Table, Text
from tf_vmf.report.section import ReportSection


@dataclass(frozen=True, eq=False)
class Training(ReportSection):
    """Curves over epochs."""

    history: tuple[Mapping[str, Any], ...]  # a row per epoch, as in `history.csv`
    best_epoch: int | None  # the epoch of the weights, or None
    unigram_perplexity: float | None  # that of the unigram model on the test split, or None
    noun: str  # what an example is called
    has_dropout: bool  # whether training drops activations or words
    reads_mean_code: bool  # whether the decoder reads the mean of several samples in training

    @classmethod
    def find(cls, context: DocumentContext | SentenceContext) -> Self | None:
        run = context.run
        if not run.history:
            return None
        return cls(
            history=run.history,
            best_epoch=run.metrics.get("training", {}).get("best_epoch"),
            unigram_perplexity=run.metrics.get("baseline", {}).get("unigram_perplexity"),
            noun=context.noun,
            has_dropout=run.has_dropout,
            reads_mean_code=reads_mean_code(run.metrics),
        )

    def render(self) -> Section:
        figure = plots.training_curves(
            self.history, best_epoch=self.best_epoch, unigram_perplexity=self.unigram_perplexity, example=self.noun
        )
        dropout = "with dropout and " if self.has_dropout else ""
        caption = (
            f"Training figures are measured {dropout}while the weights change, validation figures at the end of each epoch. Where "
            "validation rises while training falls, the model overfits."
        )
        if self.reads_mean_code:
            caption += (
                " The loss is not a bound: the decoder reads the mean of several samples, and the KL of one is charged."
            )
        return Section("Training", [Image(figure, caption)])


@dataclass(frozen=True, eq=False)
class Protocol(ReportSection):
    """The protocol of a run, and the command that repeats it."""

    command: str | None  # the command, or None
    protocol: Mapping[str, Any]  # protocol, training: parts of `metrics.json`
    training: Mapping[str, Any]
    config: Mapping[str, Any]  # the content of `config.json`

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
