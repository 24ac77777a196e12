"""The topics of a model, a map to explore and how topics relate: a section of a report, or a page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tf_vmf.report.context import DocumentContext
from tf_vmf.report.engine.serialization import to_json
from tf_vmf.report.engine.topic_view import TopicView
from tf_vmf.report.page.page import Block, Section, write_report
from tf_vmf.report.page.topics import Relation, TopicExplorer
from tf_vmf.report.section import ReportSection


@dataclass(frozen=True, eq=False)
class Topics(ReportSection):
    """Topics of texts."""

    view: TopicView  # the topics as a page shows them

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


def topic_report(
    path: str | Path, view: TopicView, *, title: str, notes: str = "", sections: Sequence[Section] = ()
) -> None:
    """Writes the page of topics: a map to explore, and how the topics relate."""
    counted = sum(topic.size for topic in view.topics)
    subtitle = f"{counted:,} {view.noun}s in {len(view.topics) - len(view.gone)} {view.topic_noun}s"
    hidden = view.num_texts - view.num_unknown - counted
    if hidden:
        subtitle += f"; {hidden:,} more {'are' if hidden > 1 else 'is'} in hidden {view.topic_noun}s"
    if view.num_unknown:
        unknown = f"{view.noun}s have" if view.num_unknown > 1 else f"{view.noun} has"
        subtitle += f"; {view.num_unknown:,} more {unknown} no known word"
    write_report(
        path,
        title=title,
        subtitle=f"{subtitle}. {notes}".strip(),
        sections=[Section(f"{view.topic_noun.capitalize()}s", topic_blocks(view)), *sections],
        findings=to_json(view),
        footer="",
    )
