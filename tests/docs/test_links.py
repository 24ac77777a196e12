"""Links of all pages lead to files and headings that exist."""

import re

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT


def headings(page):
    """The anchors of a page's headings, as the site and repository browsers make them."""
    prose = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_to_a_file_or_a_heading(page):
    prose = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        file, _, anchor = target.partition("#")
        if file.startswith("http"):
            continue
        linked = page if not file else page.parent / file
        assert linked.exists(), target
        if anchor:
            assert anchor in headings(linked), target


def test_every_page_is_reached_from_the_first():
    reached, new = set(), {DOCS / "index.md"}
    while new:
        reached |= new
        lists = {page: re.findall(r"```\{toctree\}\n(.*?)```", page.read_text("utf-8"), re.DOTALL) for page in new}
        entries = [
            (page.parent, re.sub(r".*<(.*)>$", r"\1", entry))  # "title <page>" or "page"
            for page, found in lists.items()
            for entry in "\n".join(found).splitlines()
            if entry and not entry.startswith(":")
        ]
        new = {file for folder, entry in entries for file in folder.glob(f"{entry}.md")} - reached
    pages = {page for page in DOCS.rglob("*.md") if not {"outside", "_build"} & set(page.relative_to(DOCS).parts)}
    assert pages <= reached, {page.relative_to(ROOT) for page in pages - reached}
