"""The site builds without a warning; its pages lead nowhere that is missing, and ask nothing of another machine."""

import itertools
import re
import subprocess
import sys
import urllib.parse

import pytest

from tests.docs.pages import DOCS, ROOT

pytest.importorskip("sphinx")
pytest.importorskip("myst_parser")
pytest.importorskip("pydata_sphinx_theme")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-b", "html", str(DOCS), str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-5000:]
    return folder


@pytest.mark.slow
def test_no_link_of_the_site_is_dead_and_nothing_is_loaded_from_elsewhere(site):
    pages = {page: page.read_text("utf-8") for page in sorted(site.rglob("*.html")) if "_static" not in page.parts}
    assert len(pages) > 40
    anchors = {page: set(re.findall(r'\bid="([^"]+)"', text)) for page, text in pages.items()}
    for page, text in pages.items():
        assert not re.findall(r'<(?:script|img|iframe)[^>]*\ssrc="(?:https?:)?//[^"]*"', text), page.name
        assert not re.findall(r'<link[^>]*rel="(?:stylesheet|preload)"[^>]*href="(?:https?:)?//', text), page.name
        for link in re.findall(r'\b(?:href|src)="([^"]+)"', text):
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else page
            assert target.exists(), (page.name, link)
            if parts.fragment and target in anchors:
                assert urllib.parse.unquote(parts.fragment) in anchors[target], (page.name, link)


@pytest.mark.slow
def test_pages_are_accessible_and_fit_a_phone_in_light_and_dark(site, browser):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    for width, scheme in itertools.product((1280, 390), ("light", "dark")):
        page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
        asked = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        for name in ("index", "gallery", "tutorials/keras_layer", "reference/tf_vmf.layers", "RESULTS"):
            page.goto((site / f"{name}.html").as_uri())
            # Sphinx gives the parts of a docstring as lists with headings inside.
            found = axe.Axe().run(page, options={"rules": {"definition-list": {"enabled": False}}})
            assert not found.response["violations"], (name, width, scheme, found.generate_report())
            scrolls = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            assert not page.evaluate(scrolls), (name, width)
        assert all(url.startswith(("file:", "data:")) for url in asked)
    page.goto((site / "search.html").as_uri() + "?q=collapse")
    page.wait_for_selector("#search-results li")
    assert "VAEs and the vMF" in page.inner_text("#search-results")


@pytest.mark.slow
def test_the_cards_of_the_first_page_show_the_focus_and_are_named_after_their_pages(site, browser):
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto((site / "index.html").as_uri())
    names = page.locator(".sd-card a").all_text_contents()
    assert len(names) >= 4
    page.locator("article em a").focus()
    for name in names:
        page.keyboard.press("Tab")
        focus = page.evaluate(
            "[document.activeElement.textContent, getComputedStyle(document.activeElement.closest('.sd-card')).outlineStyle]"
        )
        assert focus == [name, "solid"]
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "tutorials" in url)
    assert page.title().startswith(names[-1])


@pytest.mark.slow
def test_the_gallery_leads_to_three_pages_of_topics_that_work_from_files(site, browser):
    page = browser.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto((site / "gallery.html").as_uri())
    links = page.locator(".sd-card a").evaluate_all("all => all.map(each => each.href)")
    assert len(links) == 3
    for link in links:
        page.goto(link)
        page.locator(".explorer.works").wait_for()
        assert page.locator(".names text").count() >= 8
    assert not faults
