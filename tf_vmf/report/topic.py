"""The page of a topic model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tf_vmf.report.engine.serialization import to_json
from tf_vmf.report.engine.topic_view import TopicView
from tf_vmf.report.page.page import Section, write_report
from tf_vmf.report.sections.topics import topic_blocks


def topic_report(
    path: str | Path, view: TopicView, *, title: str, notes: str = "", sections: Sequence[Section] = ()
) -> None:
    """Writes the page of topics: a map to explore, and how the topics relate.

    Args:
        path: The file to write.
        view: The topics.
        title: The heading, as the name of the file of texts.
        notes: A sentence below it.
        sections: Further sections, after the topics.

    Raises:
        ModuleNotFoundError: jinja2 or matplotlib is not installed.
    """
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
