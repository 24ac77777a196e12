"""One self-contained HTML file out of sections of text, tables and figures."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_vmf._optional import optional
from tf_vmf.files import write_text
from tf_vmf.report.page.figures import data_uri
from tf_vmf.report.page.map import Map
from tf_vmf.report.page.topics import Relation, TopicExplorer
from tf_vmf.version import __version__

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# In this order; the first holds what the others share.
_SCRIPTS = (
    "dom.js",
    "theme.js",
    "tables.js",
    "map.js",
    "pictures.js",
    "topic-data.js",
    "topic-map.js",
    "topic-panel.js",
    "topic-relations.js",
    "topic-explorer.js",
)
_STYLES, _PAGES = ("report.css", "topics.css"), ("topics.html", "report.html")


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text."""

    text: str
    kind: str = field(default="text", init=False)


@dataclass(frozen=True)
class Code:
    """Text to copy, such as a command."""

    text: str
    kind: str = field(default="code", init=False)


@dataclass(frozen=True)
class Table:
    """A table; cells are strings or numbers.

    Attributes:
        header: Titles of the columns.
        rows: Cells; a row may be shorter than the header.
        caption: A line above the table.
        numeric: Positions of the columns to align right.
        highlight: Positions of the rows to stress.
        folded: If set, the table is folded away behind this line.
        explained: Whether the last column explains the others: a line of its own on a narrow screen.
        sortable: Whether readers may sort it; False where the order of the rows is what it shows.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    caption: str = ""
    numeric: Sequence[int] = ()
    highlight: Sequence[int] = ()
    folded: str = ""
    explained: bool = False
    sortable: bool = True
    kind: str = field(default="table", init=False)


@dataclass(frozen=True)
class Image:
    """A figure.

    Attributes:
        figure: The matplotlib figure.
        caption: What to see in it; also its text for readers who see no image.
        image_format: "svg" for lines, "png" for thousands of points.
    """

    figure: Figure
    caption: str
    image_format: str = "svg"
    kind: str = field(default="image", init=False)

    @property
    def uri(self) -> str:
        return data_uri(self.figure, self.image_format)

    @property
    def wide(self) -> bool:
        """Whether it keeps a readable width on a phone, where it is moved sideways."""
        return bool(self.figure.get_figwidth() > 5.0)


@dataclass(frozen=True)
class Row:
    """Blocks side by side where the page is wide enough."""

    blocks: Sequence[Text | Code | Table | Image]
    kind: str = field(default="row", init=False)


@dataclass(frozen=True)
class Passage:
    """A document of a list.

    Attributes:
        title: Its heading.
        text: The beginning of its text.
        score: A number beside it, such as its cosine with the query.
        same: Whether to stress the number.
    """

    title: str
    text: str
    score: str = ""
    same: bool = False


@dataclass(frozen=True)
class PassageList:
    """A heading passage and the passages that belong to it, such as a query and its neighbors.

    Attributes:
        query: The passage on top.
        found: The others, nearest first.
        folded: If set, the list is folded away behind this line.
    """

    query: Passage
    found: Sequence[Passage]
    folded: str = ""
    kind: str = field(default="passages", init=False)


@dataclass(frozen=True)
class Headline:
    """A number on top of the report, with its name and what to compare it with."""

    value: str
    name: str
    note: str = ""


@dataclass(frozen=True)
class Headlines:
    """Numbers side by side."""

    headlines: Sequence[Headline]
    kind: str = field(default="headlines", init=False)


Block = Text | Headlines | Code | Table | Image | Row | PassageList | Map | TopicExplorer | Relation


@dataclass(frozen=True)
class Section:
    """A titled part of the report."""

    title: str
    blocks: Sequence[Block]

    @property
    def anchor(self) -> str:
        return "".join(c if c.isalnum() else "-" for c in self.title.lower()).strip("-")


def write_report(
    path: str | Path,
    *,
    title: str,
    subtitle: str = "",
    summary: Sequence[str] = (),
    headlines: Sequence[Headline] = (),
    sections: Sequence[Section | None],
    findings: str = "null",
    footer: str = "All logarithms are natural: 1 nat = 1.44 bits.",
) -> None:
    """Writes an HTML report: one file that loads nothing. All text is escaped.

    The page is complete without JavaScript. Its own script makes tables sort, and maps and topics respond; a content security
    policy forbids all other scripts and every request.

    Args:
        path: The file. It is replaced as a whole: a reader sees the old report or the new one.
        title: The heading.
        subtitle: A line below it.
        summary: Paragraphs for someone who reads nothing else.
        headlines: The few numbers that matter.
        sections: The parts, in order; None is left out.
        findings: The findings behind the page as JSON: a `Map` reads its data from them.

        footer: A sentence at the end of the page.

    Raises:
        ModuleNotFoundError: jinja2 or matplotlib is not installed.
    """
    with optional("demo", "Reports"):
        import jinja2
        from markupsafe import Markup  # Jinja requires it

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    parts = [section for section in sections if section is not None]
    explorers = [block for part in parts for block in part.blocks if isinstance(block, TopicExplorer)]
    style = "".join([*map(_template, _STYLES), *(explorer.style for explorer in explorers[:1])])
    script = "".join(map(_template, _SCRIPTS))
    page = environment.from_string("".join(map(_template, _PAGES))).render(
        title=title,
        subtitle=subtitle,
        summary=summary,
        headlines=headlines,
        sections=parts,
        wide=bool(explorers),
        footer=f" {footer}" if footer else "",
        version=__version__,
        policy=f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'",
        style=Markup(style),
        script=Markup(script),
        findings=Markup(inline_json(findings)),
    )
    write_text(path, page)


def inline_json(text: str) -> str:
    """JSON that can stand in a `<script>`: the same values, without a character that ends or opens a tag."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _template(name: str) -> str:
    return files("tf_vmf.report.page").joinpath("scripts", name).read_text("utf-8")


def _hash(text: str) -> str:
    """The source expression of a content security policy for an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
