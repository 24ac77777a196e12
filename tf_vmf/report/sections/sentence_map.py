"""Test sentences as points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tf_vmf.report.context import SentenceContext
from tf_vmf.report.engine.code_map import CodeMap, map_codes
from tf_vmf.report.page.map import Map
from tf_vmf.report.page.page import Section
from tf_vmf.report.phrases import map_caption
from tf_vmf.report.section import ReportSection


@dataclass(frozen=True, eq=False)
class SentenceMap(ReportSection):
    """Test sentences on the circle, on the sphere, or projected to the plane.

    Attributes:
        code_map: The points.
    """

    code_map: CodeMap

    @classmethod
    def find(cls, context: SentenceContext) -> Self | None:
        if context.latent is None:
            return None
        corpus = context.corpus
        return cls(
            map_codes(
                context.test.codes,
                lambda rows: [context.excerpt(corpus.test, row) for row in rows],
                spherical=context.test.spherical,
                labels=corpus.test.labels,
                label_names=corpus.label_names,
                seed=context.seed,
            )
        )

    def render(self) -> Section:
        caption = map_caption(self.code_map, "test sentence")
        return Section("Map of sentences", [Map(self.code_map, "SentenceMap.code_map", caption, "sentence")])
