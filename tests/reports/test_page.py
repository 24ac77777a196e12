import re
from html.parser import HTMLParser

import numpy as np
import pytest

from tf_vmf.reports import Code, Headline, Image, Passage, PassageList, Row, Section, Table, Text, plots, write_report

HOSTILE = "<script>alert('x')</script> & \"quoted\""


class Page(HTMLParser):
    """All tags with their attributes, and all text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def assert_self_contained(html):
    page = Page(html)
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base")
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "srcset", "data", "poster", "background"):
                assert value.startswith("data:image/")
            if name == "href":
                assert value.startswith("#")
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


def test_a_report_is_one_file_that_loads_nothing_and_runs_nothing(tmp_path):
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
    assert "<script" not in html
    page = assert_self_contained(html)
    # title twice, subtitle, summary, headline twice, section in navigation and heading, text, code, header, cell, caption of
    # table and figure, query title and text, found text, line of the folded list.
    assert page.text.count(HOSTILE) == 18


def test_links_of_the_navigation_lead_to_sections(tmp_path):
    write_report(tmp_path / "r.html", title="T", sections=everything())
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert [link["href"] for link in page.named("a")] == [f"#{section['id']}" for section in page.named("section")]


def test_a_report_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "r.html"
    write_report(path, title="old", sections=[])
    with pytest.raises(ValueError, match="image_format='gif'"):
        write_report(
            path, title="new", sections=[Section("s", [Image(plots.histogram(np.arange(3.0), "x"), "c", "gif")])]
        )
    assert "old" in path.read_text(encoding="utf-8")
    assert len(list(tmp_path.iterdir())) == 1
