"""Test documents on the circle, on the sphere, or projected to the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tf_vmf.report.context import DocumentContext
from tf_vmf.report.engine.code_map import CodeMap, map_codes
from tf_vmf.report.engine.excerpts import document_excerpts
from tf_vmf.report.page.map import Map
from tf_vmf.report.page.page import Section
from tf_vmf.report.phrases import map_caption
from tf_vmf.report.section import ReportSection


@dataclass(frozen=True, eq=False)
class DocumentMap(ReportSection):
    """Test documents as points.

    Attributes:
        code_map: The points.
    """

    code_map: CodeMap

    @classmethod
    def find(cls, context: DocumentContext) -> Self:
        corpus = context.corpus
        return cls(
            map_codes(
                context.test.codes,
                lambda rows: document_excerpts(corpus, corpus.test, rows),
                spherical=context.test.spherical,
                labels=corpus.test.labels,
                label_names=corpus.label_names,
                seed=context.seed,
            )
        )

    def render(self) -> Section:
        caption = map_caption(self.code_map, "test document")
        return Section("Map of documents", [Map(self.code_map, "DocumentMap.code_map", caption, "document")])
