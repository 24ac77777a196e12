"""Reports in a browser: Chromium, where the system has it."""

import csv
import json
from pathlib import Path

import pytest

from tests.report import findings as made
from tf_vmf.report import document_report, sentence_report

axe = pytest.importorskip("axe_playwright_python.sync_playwright")

HOSTILE = "</script><script>document.title = 'changed'</script><img src=x onerror=alert(1)>"


DOCUMENTS = made.document_findings(
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
    box = page.locator("figure.map .marks path").nth(position).bounding_box()
    getattr(page.mouse, action)(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def clear(page):
    """Which marks are not dimmed."""
    return [
        i
        for i, mark in enumerate(page.locator("figure.map .marks path").all())
        if "dim" not in mark.get_attribute("class")
    ]


def saved(page, button):
    with page.expect_download() as download:
        button.click()
    return list(csv.reader(Path(download.value.path()).read_text("utf-8").splitlines(keepends=True)))


def test_pointing_at_a_mark_shows_its_text_and_a_click_its_neighbors(visit):
    page = visit()
    tip = page.locator("figure.map .tip")
    assert not tip.is_visible()
    at(page, 2, "move")
    assert tip.locator("> *").all_text_contents() == ["comet", "red", "A comet, of ice."]
    at(page, 2, "click")
    assert page.locator("figure.map .side h3").text_content() == "comet"
    assert page.locator("figure.map .side .details li").all_text_contents() == [
        "0.50cake · blue · A cake is baked.",
        "0.50orbit · blue · An orbit is an ellipse.",
    ]
    page.locator("figure.map .side .details li button").first.click()
    assert page.locator("figure.map .side h3").text_content() == "cake"


def test_text_of_documents_is_shown_and_never_interpreted(visit):
    page = visit()
    at(page, 4, "click")
    assert page.locator("figure.map .side h3").text_content() == HOSTILE
    assert page.title() != "changed"


def test_search_and_filters_leave_what_they_ask_for(visit):
    page = visit()
    search = page.get_by_label("Search the documents")
    search.fill("An ORBIT")
    assert clear(page) == [1]
    assert page.locator(".map [role=status]").text_content() == "1 of 5 documents"
    assert page.locator("figure.map .found li").all_text_contents() == ["orbit · blue · An orbit is an ellipse."]
    search.fill("")
    page.get_by_role("button", name="red 3").click()
    assert clear(page) == [0, 2, 4]
    page.get_by_role("button", name="blue 2").click()
    page.get_by_role("button", name="red 3").click()
    search.fill("cake")
    assert clear(page) == [3]  # of both the label and the word
    assert page.locator(".map [role=status]").text_content() == "1 of 5 documents: blue"
    rows = saved(page, page.get_by_label("Save as CSV: the documents that are shown"))
    assert rows == [["row", "title", "label", "text"], ["3", "cake", "blue", "A cake is baked."]]
    page.locator("figure.map").get_by_role("button", name="Show all").click()
    assert clear(page) == [0, 1, 2, 3, 4]


def test_marks_are_those_of_the_legend(visit):
    page = visit()
    look = "(path) => [path.getAttribute('d'), path.getAttribute('class')]"
    legend = [path.evaluate(look) for path in page.locator(".legend path").all()]
    assert legend[0][0] != legend[1][0]  # color is not the only sign
    marks = [mark.evaluate(look) for mark in page.locator("figure.map .marks path").all()]
    assert marks == [legend[i] for i in (0, 1, 0, 1, 0)]


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
    titles = [page.locator("figure.map .tip b").text_content()]
    for key in ("ArrowRight", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
        titles.append(page.locator("figure.map .tip b").text_content())
    # Points (3, 1), (9, 8), (2, 1) of a plane 9 wide and 8 high, drawn 612 wide and 492 high: from the first there is none
    # within 45 degrees to the right, the second is within 45 degrees upwards, and from there the third to the left.
    assert titles == ["cake", "cake", HOSTILE, "comet"]
    page.keyboard.press("Enter")
    assert page.locator("figure.map .side h3").text_content() == titles[-1]
    page.keyboard.press("Escape")
    assert page.locator("figure.map .side h3").count() == 0


def test_the_map_zooms_and_marks_keep_their_size(visit):
    page = visit()
    size = lambda: page.locator("figure.map .marks path").first.bounding_box()["width"]  # noqa: E731
    before, whole = size(), page.locator("svg.points").get_attribute("viewBox")
    at(page, 0, "click")
    page.locator("figure.map").get_by_label("Zoom in").click()
    assert page.locator("svg.points").get_attribute("viewBox") != whole
    assert size() == pytest.approx(before, rel=0.02)
    page.locator("figure.map").get_by_label("Zoom out").click()
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
    page.locator(".legend button").first.click()
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
    assert page.locator("figure.map .marks path").count() == 5
    assert page.locator(".legend li").all_text_contents() == ["red3", "blue2"]
    assert page.locator("table").count() > 5
    assert page.locator("#topic-0 .word:visible").count() == 10
    assert page.get_by_role("button").count() == 0


def test_the_data_of_the_page_are_the_findings(visit):
    text = visit().evaluate("document.getElementById('findings').textContent")
    assert json.loads(text) == json.loads(DOCUMENTS.to_json())
