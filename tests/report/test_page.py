import base64
import hashlib
import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

import tf_vmf.report
from tests.report.errors import argument_error
from tf_vmf.report import Code, Headline, Image, Passage, PassageList, Row, Section, Table, Text, write_report
from tf_vmf.report.engine.serialization import to_json
from tf_vmf.report.page import plots

TEMPLATES = Path(tf_vmf.report.__file__).parent / "page" / "scripts"
SCRIPTS = (
    "dom.js", "theme.js", "tables.js", "map.js", "pictures.js", "topic-data.js", "topic-map.js", "topic-panel.js",
    "topic-relations.js", "topic-explorer.js",
)  # fmt: skip
SCRIPT = "".join((TEMPLATES / name).read_text("utf-8") for name in SCRIPTS)
HOSTILE = "<script>alert('x')</script> & \"quoted\""


class Page(HTMLParser):
    """All tags with their attributes, all text that a reader sees, and the contents of scripts and style sheets."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.inside = [], "", {"script": [], "style": []}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.cdata_elem is None:
            self.text += data
        else:
            self.inside[self.cdata_elem].append(data)

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def source(text):
    """What a content security policy calls an inline script or style sheet."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def assert_self_contained(html):
    page = Page(html)
    # The data, which no browser runs, and the page's own script, the same in every report.
    data = {"type": "text/plain", "id": "topics-0"}
    scripts = [each for each in page.named("script") if each != data]
    assert scripts == [{"type": "application/json", "id": "findings"}, {}]
    assert page.inside["script"][-1] == SCRIPT
    assert page.named("link") == [{"rel": "icon", "href": "data:,"}]
    for tag, attributes in page.tags:
        assert tag not in ("iframe", "object", "embed", "base")
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "srcset", "data", "poster", "background"):
                assert value.startswith("data:image/")
            if name == "href" and tag != "link":
                assert value.startswith("#")
    (policy,) = [each["content"] for each in page.named("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert policy == (
        f"default-src 'none'; img-src data:; style-src {source(page.inside['style'][0])}; script-src {source(SCRIPT)}; "
        "base-uri 'none'; form-action 'none'"
    )
    styles = re.findall(r"<style>(.*?)</style>", html, re.DOTALL) + re.findall(r'style="([^"]*)"', html)
    assert not any(re.search(r"url\(|@import|https?:", style) for style in styles)
    return page


def everything():
    figure = plots.histogram(np.arange(5.0), "x")
    return [
        Section(
            f"First {HOSTILE}",
            [
                Text(HOSTILE),
                Code(HOSTILE),
                Table((HOSTILE, "n"), [(HOSTILE, 1), ("b", 2)], caption=HOSTILE, numeric=(1,), highlight=(0,)),
                Table(("a",), [("folded cell",)], folded="More"),
            ],
        ),
        Section(
            "Second",
            [
                Row([Image(figure, HOSTILE), Image(figure, "b", "png")]),
                PassageList(Passage(HOSTILE, HOSTILE), [Passage("found", HOSTILE, "0.93", same=True)]),
                PassageList(Passage("query", "text"), [Passage("found", "folded passage")], folded=HOSTILE),
            ],
        ),
    ]


def test_a_report_is_one_file_that_loads_nothing_and_runs_its_own_script_alone(tmp_path):
    path = tmp_path / "report.html"
    write_report(path, title="T", summary=["S"], headlines=[Headline("1", "n", "note")], sections=everything())
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    page = assert_self_contained(path.read_text(encoding="utf-8"))
    assert len(page.named("img")) == 2
    assert all(image["alt"] for image in page.named("img"))


def test_text_from_documents_is_shown_and_never_interpreted(tmp_path):
    write_report(
        tmp_path / "r.html", title=HOSTILE, subtitle=HOSTILE, summary=[HOSTILE], headlines=[Headline(HOSTILE, HOSTILE)],
        sections=everything(),
    )  # fmt: skip
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    page = assert_self_contained(html)
    # title twice, subtitle, summary, headline twice, section in navigation and heading, text, code, header, cell, caption of
    # table and figure, query title and text, found text, line of the folded list.
    assert page.text.count(HOSTILE) == 18


@dataclass(frozen=True)
class Hostile:
    text: str


def test_the_data_of_the_page_are_the_findings_whatever_they_hold(tmp_path):
    text = "</script><script>alert(1)</script><!-- \u2028 \u2029 & \\u003c größer"
    write_report(tmp_path / "r.html", title="T", sections=[], findings=to_json(Hostile(text)))
    page = assert_self_contained((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert json.loads(page.inside["script"][0]) == {"findings": "Hostile", "text": text}


def test_links_of_the_navigation_lead_to_sections(tmp_path):
    write_report(tmp_path / "r.html", title="T", sections=everything())
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert [link["href"] for link in page.named("a")] == [f"#{section['id']}" for section in page.named("section")]


def test_a_report_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "r.html"
    write_report(path, title="old", sections=[])
    with argument_error("image_format", "'gif'"):
        write_report(
            path, title="new", sections=[Section("s", [Image(plots.histogram(np.arange(3.0), "x"), "c", "gif")])]
        )
    assert "old" in path.read_text(encoding="utf-8")
    assert len(list(tmp_path.iterdir())) == 1
