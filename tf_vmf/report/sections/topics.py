"""The topics of a model: a map to explore, and how topics relate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tf_vmf.report.context import DocumentContext
from tf_vmf.report.engine.topic_view import TopicView
from tf_vmf.report.page.page import Block, Section
from tf_vmf.report.page.topics import Relation, TopicExplorer
from tf_vmf.report.section import ReportSection


@dataclass(frozen=True, eq=False)
class Topics(ReportSection):
    """Topics of texts.

    Attributes:
        view: The topics as a page shows them.
    """

    view: TopicView

    @classmethod
    def find(cls, context: DocumentContext) -> Self | None:
        """None where the context has no topics."""
        return None if context.topics is None else cls(context.topics)

    def render(self) -> Section:
        return Section(self.view.topic_noun.capitalize() + "s", topic_blocks(self.view))


def topic_blocks(view: TopicView) -> list[Block]:
    """The explorer of topics, and the pictures of how they relate."""
    explorer, several = TopicExplorer(view), len(view.topics) > 1
    shown = {
        "times": view.times is not None,
        "classes": view.classes is not None,
        "tree": several,
        "similarity": several,
    }
    return [explorer, *(Relation(explorer, relation) for relation, there in shown.items() if there)]  # type: ignore[arg-type]
