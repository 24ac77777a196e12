"""The topics of a model: a map to explore, and how topics relate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tf_vmf.report.context import DocumentContext
from tf_vmf.report.engine.topic_view import TopicView
from tf_vmf.report.page.page import Block, Heading, Section
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
    plural = explorer.plural
    blocks: list[Block] = [explorer]
    if view.times is not None:
        blocks += [Heading(f"{plural.capitalize()} over time"), Relation(explorer, "times")]
    if view.classes is not None:
        blocks += [Heading(f"{plural.capitalize()} of each {view.classes.name}"), Relation(explorer, "classes")]
    if several:
        blocks += [Heading(f"Tree of {plural}"), Relation(explorer, "tree")]
        blocks += [Heading(f"Similarity of {plural}"), Relation(explorer, "similarity")]
    return blocks
