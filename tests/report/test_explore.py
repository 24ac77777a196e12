"""Reports in a browser: Chromium, where the system has it."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.report import findings as made
from tf_vmf.report import document_report, sentence_report
from tf_vmf.report.engine.relevant_words import RelevantWords

axe = pytest.importorskip("axe_playwright_python.sync_playwright")

HOSTILE = "</script><script>document.title = 'changed'</script><img src=x onerror=alert(1)>"


def words(number, seed):
    rng = np.random.default_rng(seed)
    shares = np.sort(rng.uniform(0.001, 0.1, size=40))[::-1]
    names = tuple(f"word{number}-{i}" for i in range(40))
    return RelevantWords(names, tuple(shares.tolist()), tuple(rng.uniform(1e-4, 0.1, size=40).tolist()))


DOCUMENTS = made.document_findings(
    topics=made.document_topics(
        clusters=tuple(replace(made.cluster_topic(number), by_relevance=words(number, number)) for number in (1, 2))
    ),
    code_map=made.code_map(
        titles=("moon", "orbit", "comet", "cake", HOSTILE),
        beginnings=("The moon rises.", "An orbit is an ellipse.", "A comet, of ice.", "A cake is baked.", "Odd."),
    ),
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    document_report(folder / "documents.html", DOCUMENTS)
    sentence_report(folder / "sentences.html", made.sentence_findings())
    return folder


@pytest.fixture
def visit(browser, pages):
    """Opens a page; in the end nothing has been logged, and nothing but the file requested."""
    contexts, faults, requests = [], [], []

    def open_page(name="documents", **options):
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}))
        page = contexts[-1].new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((pages / f"{name}.html").as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults
    assert {url.split(":")[0] for url in requests} <= {"file", "data", "blob"}
    assert {Path(url).name for url in requests if url.startswith("file:")} <= {"documents.html", "sentences.html"}


def at(page, position, action):
    """Moves the mouse to a mark of the map, or clicks there."""
    page.locator("figure.map").scroll_into_view_if_needed()
    box = page.locator(".marks path").nth(position).bounding_box()
    getattr(page.mouse, action)(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def clear(page):
    """Which marks are not dimmed."""
    return [i for i, mark in enumerate(page.locator(".marks path").all()) if "dim" not in mark.get_attribute("class")]


def saved(page, button):
    with page.expect_download() as download:
        button.click()
    return list(csv.reader(Path(download.value.path()).read_text("utf-8").splitlines(keepends=True)))


def test_pointing_at_a_mark_shows_its_text_and_a_click_its_neighbors(visit):
    page = visit()
    tip = page.locator(".tip")
    assert not tip.is_visible()
    at(page, 2, "move")
    assert tip.locator("> *").all_text_contents() == ["comet", "red", "1. word1a", "A comet, of ice."]
    at(page, 2, "click")
    assert page.locator(".side h3").text_content() == "comet"
    assert page.locator(".side .details li").all_text_contents() == [
        "0.50cake · blue · A cake is baked.",
        "0.50orbit · blue · An orbit is an ellipse.",
    ]
    page.locator(".side .details li button").first.click()
    assert page.locator(".side h3").text_content() == "cake"
    page.get_by_role("link", name="2. word2a").click()
    assert page.locator("#topic-2").get_attribute("open") is not None


def test_text_of_documents_is_shown_and_never_interpreted(visit):
    page = visit()
    at(page, 4, "click")
    assert page.locator(".side h3").text_content() == HOSTILE
    assert page.title() != "changed"


def test_search_and_filters_leave_what_they_ask_for(visit):
    page = visit()
    search = page.get_by_label("Search the documents")
    search.fill("An ORBIT")
    assert clear(page) == [1]
    assert page.locator(".map [role=status]").text_content() == "1 of 5 documents"
    assert page.locator(".found li").all_text_contents() == ["orbit · blue · An orbit is an ellipse."]
    search.fill("")
    page.get_by_role("button", name="red 3").click()
    assert clear(page) == [0, 2, 4]
    page.get_by_label("Color by").select_option("topic")
    page.get_by_role("button", name="2. word2a").click()
    assert clear(page) == [4]  # of both the label and the topic
    assert page.locator(".map [role=status]").text_content() == "1 of 5 documents: red; 2. word2a"
    rows = saved(page, page.get_by_label("Save as CSV: the documents that are shown"))
    assert rows == [["row", "title", "label", "topic", "text"], ["4", HOSTILE, "red", "2. word2a", "Odd."]]
    page.get_by_role("button", name="Show all").click()
    assert clear(page) == [0, 1, 2, 3, 4]


def test_marks_of_a_coloring_are_those_of_its_legend(visit):
    page = visit()
    look = "(path) => [path.getAttribute('d'), path.getAttribute('class')]"
    for kind, values in (("label", [0, 1, 0, 1, 0]), ("topic", [0, 0, 0, 1, 1])):
        page.get_by_label("Color by").select_option(kind)
        legend = [path.evaluate(look) for path in page.locator(f".legend[data-kind={kind}] path").all()]
        assert legend[0][0] != legend[1][0]  # color is not the only sign
        assert [mark.evaluate(look) for mark in page.locator(".marks path").all()] == [legend[i] for i in values]


def test_a_topic_is_shown_on_the_map(visit):
    page = visit()
    page.get_by_role("button", name="Unfold all").click()
    page.get_by_label("Show on the map: topic 2").click()
    assert clear(page) == [3, 4]
    assert page.get_by_label("Color by").input_value() == "topic"


def test_a_topic_without_a_point_on_the_map_hides_no_other_and_says_so(visit):
    page = visit()
    before = clear(page)
    page.evaluate("document.dispatchEvent(new CustomEvent('showtopic', { detail: 7 }))")
    assert clear(page) == before
    assert "No document of the map is in topic" in page.locator("figure.map").get_by_role("status").text_content()


def test_the_slider_orders_words_by_relevance(visit):
    page = visit()
    slider = page.get_by_role("slider")
    shown = page.locator("#topic-1 .word")
    p, overall = (np.array(values) for values in (words(1, 1).probabilities, words(1, 1).overall))
    for weight in (0.6, 0.0, 0.35, 1.0):
        slider.fill(str(weight))
        relevance = weight * np.log(p) + (1 - weight) * np.log(p / overall)
        expected = np.argsort(-relevance)[:10]
        assert shown.all_text_contents() == [f"word1-{i}" for i in expected]
        assert page.locator("#topic-1 .number").all_text_contents()[::2] == [f"{100 * p[i]:.2f} %" for i in expected]
    slider.press("Home")
    assert shown.first.text_content() == f"word1-{np.argmax(p / overall)}"
    rows = saved(page, page.get_by_label("Save as CSV: words of topics"))
    assert rows[0] == ["topic", "word", "share_in_topic", "share_overall"]
    np.testing.assert_allclose([float(row[2]) for row in rows[1:41]], p[np.argsort(-p / overall)], rtol=1e-15)


def test_a_table_sorts_and_is_saved_as_it_stands(visit):
    page = visit()
    table = page.locator("#words-of-each-label table")
    column = lambda: table.locator("td:last-child").all_text_contents()  # noqa: E731
    heading = table.get_by_role("button", name="Documents")
    assert column() == ["500", "400"]
    heading.click()
    assert column() == ["400", "500"]
    assert table.locator("th[aria-sort=ascending]").count() == 1
    rows = saved(page, page.locator("#words-of-each-label").get_by_role("button", name="Save as CSV"))
    assert rows == [["Label", "Words", "Documents"], ["blue", "c, d", "400"], ["red", "a, b", "500"]]
    heading.click()
    heading.click()
    assert column() == ["500", "400"]  # as it was
    assert table.locator("th[aria-sort]").count() == 0


def test_the_map_works_by_keyboard_alone(visit):
    page = visit()
    page.get_by_label("Save as CSV: the documents that are shown").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "application"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    page.keyboard.press("ArrowRight")  # the mark next to the center
    titles = [page.locator(".tip b").text_content()]
    for key in ("ArrowRight", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
        titles.append(page.locator(".tip b").text_content())
    # Points (3, 1), (9, 8), (2, 1) of a plane 9 wide and 8 high, drawn 612 wide and 492 high: from the first there is none
    # within 45 degrees to the right, the second is within 45 degrees upwards, and from there the third to the left.
    assert titles == ["cake", "cake", HOSTILE, "comet"]
    page.keyboard.press("Enter")
    assert page.locator(".side h3").text_content() == titles[-1]
    page.keyboard.press("Escape")
    assert page.locator(".side h3").count() == 0


def test_the_map_zooms_and_marks_keep_their_size(visit):
    page = visit()
    size = lambda: page.locator(".marks path").first.bounding_box()["width"]  # noqa: E731
    before, whole = size(), page.locator("svg.points").get_attribute("viewBox")
    at(page, 0, "click")
    page.get_by_label("Zoom in").click()
    assert page.locator("svg.points").get_attribute("viewBox") != whole
    assert size() == pytest.approx(before, rel=0.02)
    page.get_by_label("Zoom out").click()
    assert page.locator("svg.points").get_attribute("viewBox") == whole


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("documents", 1280, "light"),
        ("documents", 390, "dark"),
        ("sentences", 1280, "dark"),
        ("sentences", 390, "light"),
    ],
)
def test_a_report_has_names_contrast_and_no_overflow(visit, name, scheme, width):
    page = visit(name, color_scheme=scheme, viewport={"width": width, "height": 800})
    at(page, 0, "click")
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.locator(".legend:not([hidden]) button").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    background = "getComputedStyle(document.body).backgroundColor"
    assert (page.evaluate(background) == "rgb(255, 255, 255)") == (scheme == "light")
    found = axe.Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found] == []
    page.get_by_role("button", name="Dark mode").click()
    assert (page.evaluate(background) == "rgb(255, 255, 255)") == (scheme == "dark")
    page.emulate_media(media="print")
    assert page.evaluate(background) == "rgb(255, 255, 255)"


def test_without_javascript_the_page_is_complete(visit):
    page = visit(java_script_enabled=False)
    assert page.locator(".marks path").count() == 5
    assert page.locator(".legend:visible li").all_text_contents() == ["red3", "blue2"]
    assert page.locator("table").count() > 5
    assert page.locator("#topic-1 .word:visible").count() == 10
    assert page.get_by_role("button").count() == 0


def test_the_data_of_the_page_are_the_findings(visit):
    text = visit().evaluate("document.getElementById('findings').textContent")
    assert json.loads(text) == json.loads(DOCUMENTS.to_json())
