"""Sections of reports: each finds its record in a context and renders it; users register further ones."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

from tf_vmf._errors import ArgumentError
from tf_vmf.report.engine.serialization import plain, typed
from tf_vmf.report.page.page import Section

Kind = Literal["document", "sentence"]
S = TypeVar("S", bound="ReportSection")
_FURTHER: dict[str, dict[str, type[ReportSection]]] = {"document": {}, "sentence": {}}
_KIND = "findings"


class ReportSection(ABC):
    """A section of a report: a frozen dataclass of what was found, with how it is found and shown.

    ```python
    import dataclasses

    @tf_vmf.report.register_section("document")
    @dataclasses.dataclass(frozen=True)
    class LongestDocument(tf_vmf.report.ReportSection):
        words: int

        @classmethod
        def find(cls, context):
            return cls(int(context.corpus.train.counts.sum(axis=1).max()))

        def render(self):
            return tf_vmf.report.Section("Longest document", [tf_vmf.report.Text(f"It has {self.words} words.")])
    ```

    The fields are what `findings.json` holds: dataclasses, arrays, tuples, mappings, numbers and strings.
    """

    @classmethod
    @abstractmethod
    def find(cls, context: Any) -> Self | None:
        """The record of a run; None where the section has nothing to say.

        Args:
            context: A `tf_vmf.report.DocumentContext` or `tf_vmf.report.SentenceContext`: the model, its corpus and its run.
        """

    @abstractmethod
    def render(self) -> Section | None:
        """The section as blocks of the page; None leaves it out."""


def register_section(kind: Kind) -> Callable[[type[S]], type[S]]:
    """Class decorator that adds a section to every later report of a kind of model, before its last section.

    A section registered under the same class name replaces the earlier one.

    Args:
        kind: "document" for reports of `BagOfWordsVAE`, "sentence" for reports of `LSTMVAE`.

    Raises:
        ArgumentError: There are no reports of this kind.
    """
    if kind not in _FURTHER:
        raise ArgumentError("kind", "'document' or 'sentence'", repr(kind), owner="register_section")

    def register(section: type[S]) -> type[S]:
        _FURTHER[kind][section.__name__] = section
        return section

    return register


def with_registered(kind: Kind, sections: Sequence[type[ReportSection]]) -> tuple[type[ReportSection], ...]:
    """The sections of a report, with those that users registered before the last one."""
    return (*sections[:-1], *_FURTHER[kind].values(), sections[-1])


@dataclass(frozen=True, eq=False)
class Findings:
    """The records of a report, in the order of the page.

    Attributes:
        records: A record per section that has something to say.
    """

    records: tuple[ReportSection, ...]

    @classmethod
    def find(cls, sections: Iterable[type[ReportSection]], context: Any) -> Self:
        """Asks each section for its record."""
        found = (section.find(context) for section in sections)
        return cls(tuple(record for record in found if record is not None))

    def get(self, section: type[S]) -> S | None:
        """The record of a section, or None."""
        return next((record for record in self.records if type(record) is section), None)

    def to_json(self, *, indent: int | None = None) -> str:
        """The records by the names of their classes, as JSON."""
        content = {type(record).__name__: plain(record) for record in self.records}
        return json.dumps({_KIND: list(content), **content}, indent=indent, allow_nan=False)

    @classmethod
    def from_json(cls, text: str, sections: Iterable[type[ReportSection]]) -> Self:
        """The findings that `to_json` wrote.

        Args:
            text: What `to_json` returned.
            sections: The classes of the records to read; others are left out.
        """
        content = json.loads(text)
        known = {section.__name__: section for section in sections}
        names = content.get(_KIND, ())
        if not isinstance(names, list):
            raise ArgumentError("text", "the findings of a report as JSON", repr(names), owner="Findings.from_json")
        return cls(tuple(typed(content[name], known[name]) for name in names if name in known))
