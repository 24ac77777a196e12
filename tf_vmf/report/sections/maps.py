"""Test examples on the circle, on the sphere, or projected to the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from tf_vmf.report.context import DocumentContext, SentenceContext
from tf_vmf.report.engine.maps import CodeMap, map_codes
from tf_vmf.report.page.map import Map
from tf_vmf.report.page.page import Section
from tf_vmf.report.phrases import map_caption
from tf_vmf.report.section import ReportSection


@dataclass(frozen=True, eq=False)
class _ExampleMap(ReportSection):
    """Test examples as points."""

    code_map: CodeMap  # the points

    @classmethod
    def find(cls, context: DocumentContext | SentenceContext) -> Self | None:
        if context.latent is None:
            return None
        test: Any = context.corpus.test
        found = map_codes(
            context.test.codes,
            lambda rows: context.excerpts(test, rows),
            spherical=context.test.spherical,
            labels=test.labels,
            label_names=context.corpus.label_names,
            seed=context.seed,
        )
        return cls(found)

    def _render(self, noun: str) -> Section:
        caption = map_caption(self.code_map, f"test {noun}")
        return Section(f"Map of {noun}s", [Map(self.code_map, f"{type(self).__name__}.code_map", caption, noun)])


class DocumentMap(_ExampleMap):
    """Test documents as points."""

    def render(self) -> Section:
        return self._render("document")


class SentenceMap(_ExampleMap):
    """Test sentences as points."""

    def render(self) -> Section:
        return self._render("sentence")
