"""The page of the service in a browser: Chromium, where the system has it."""

import csv
import json
import shlex

import pytest

from tests.serving.plain_exports import PlainDocuments, PlainSentences, save_texts
from tests.serving.running import running
from tf_vmf import serving

pytest.importorskip("fastapi")
httpx = pytest.importorskip("httpx")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")


LABELS = ["negative", "positive"]


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    sentences = save_texts(PlainSentences(), folder / "sentences" / "7")
    (sentences / "assets.extra").mkdir()
    (sentences / "assets.extra" / "labels.json").write_text(json.dumps(LABELS))
    return {"sentences": sentences, "documents": save_texts(PlainDocuments(), folder / "documents" / "1")}


@pytest.fixture(scope="module")
def urls(exports):
    apps = {name: serving.make_app(serving.Served(path), name) for name, path in exports.items()}
    with running(apps["sentences"]) as sentences, running(apps["documents"]) as documents:
        yield {"sentences": sentences, "documents": documents}


class Visit:
    """An open page that keeps what went wrong. `expected` holds a part of each message that a test asks for."""

    def __init__(self, browser, url, **options):
        self.faults, self.requests, self.url, self.expected = [], [], url, []
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path):
        """Goes to a page of the service; the one with the boxes is read only once it has asked for all that it shows."""
        self.page.goto(f"{self.url}/{path}")
        if not path:
            self.page.locator("#state:not(:text('Asking for'))").wait_for()

    def box(self, title):
        return self.page.get_by_role("region", name=title, exact=True)

    def run(self, title):
        box = self.box(title)
        box.locator("button.run").click()
        box.locator(".result > *").first.wait_for()
        box.locator("button.run:not([aria-disabled])").wait_for()
        return box.locator(".result")

    def close(self):
        self.context.close()
        # The browser may log a message long after the answer that caused it: only here have all arrived.
        faults = [fault for fault in self.faults if not any(part in fault for part in self.expected)]
        assert not faults
        assert {url.startswith(f"{self.url}/") or url.startswith("data:") for url in self.requests} == {True}


@pytest.fixture
def visit(browser, urls):
    visits = []

    def open_page(name, path="", **options):
        visits.append(Visit(browser, urls[name], **options))
        visits[-1].open(path)
        return visits[-1]

    yield open_page
    for each in visits:
        each.close()


def test_a_text_is_encoded_and_reconstructed_under_the_label_of_a_name(visit):
    here = visit("sentences")
    box = here.box("A text")
    assert here.page.get_by_role("status").text_content() == "Version 7, 6 endpoints."
    box.get_by_label("Text").fill("it's <b>néw</b>")
    box.get_by_label("Label").select_option("positive")
    answer = here.run("A text")
    assert answer.locator(".sentence").text_content() == "IT'S <B>NéW</B> label 1"
    assert "Words that the model knows: 16" in answer.text_content()
    assert answer.locator("pre").text_content() == "16.000  1.000"


def test_the_slider_moves_between_two_texts_by_keyboard(visit):
    here = visit("sentences")
    box = here.box("Between two texts")
    box.get_by_label("First text").fill("a")
    box.get_by_label("Second text").fill("b")
    answer = here.run("Between two texts")
    slider = answer.get_by_role("slider")
    assert answer.locator(".sentence").text_content() == "a | 5 | b"
    for key, point in (("ArrowRight", 6), ("End", 10), ("Home", 0)):
        slider.press(key)
        assert answer.locator(".sentence").text_content() == f"a | {point} | b"
        assert slider.get_attribute("aria-valuetext") == f"{10 * point} percent of the way to the second text"


def test_sentences_are_sampled_with_what_was_asked_for(visit):
    here = visit("sentences")
    box = here.box("New sentences")
    for label, value in (("Sentences", 2), ("Temperature", 0.5), ("Top-p", 0.9), ("Most words", 12), ("Seed", 3)):
        box.get_by_label(label, exact=True).fill(str(value))
    box.get_by_label("Label").select_option("positive")
    assert here.run("New sentences").locator("li").all_text_contents() == ["sample 0.50 0.90 12 0 3 1"] * 2


def test_nearest_training_examples_are_shown_where_the_export_holds_them(visit):
    here = visit("sentences")
    box = here.box("Nearest examples")
    box.get_by_label("Text").fill("moon")
    box.get_by_label("Examples").fill("2")
    answer = here.run("Nearest examples")
    assert answer.locator("li").all_text_contents() == ["1.000  moon neighbor 0", "0.900  moon neighbor 1"]
    assert "Words that the model knows: 4" in answer.text_content()
    other = visit("documents")
    assert other.page.get_by_role("heading", level=2).all_text_contents() == [
        "Topics",
        "A text",
        "Many texts",
        "Between two texts",
    ]


def test_a_document_model_shows_topics_and_words_of_a_text_and_words_of_the_points_between_two(visit):
    here = visit("documents")
    here.box("A text").get_by_label("Text").fill("moon orbit")
    answer = here.run("A text")
    assert answer.locator(".word").all_text_contents() == ["space", "cooking", "moon", "orbit"]
    assert answer.locator(".number").all_text_contents() == ["75.00 %", "25.00 %", *["36.79 %"] * 2]  # exp(-1)
    answer = here.run("Between two texts")
    answer.get_by_role("slider").press("ArrowLeft")
    assert answer.locator(".word").all_text_contents() == [f"word-4-{i}" for i in range(10)]


def test_topics_are_listed_and_the_first_example_is_the_models_own(visit):
    here = visit("documents")
    topics = here.box("Topics")
    assert topics.locator("tbody tr").all_text_contents() == ["0cooking", "1space"]
    assert here.box("A text").get_by_label("Text").input_value() == "cooking"
    assert "Words that the model knows: 1" in here.run("A text").text_content()


def test_a_text_without_a_known_word_has_no_topic(visit):
    here = visit("documents")
    here.box("A text").get_by_label("Text").fill("unknown unknown")
    answer = here.run("A text").text_content()
    assert "Words that the model knows: 0" in answer
    assert "Topic -1: no known word." in answer


def test_pasted_lines_get_their_topics_and_a_csv_file(visit, tmp_path):
    here = visit("documents")
    texts = ["the moon", 'bread, "fresh"', "unknown", "=HYPERLINK(1)", *["moon again"] * 250]
    here.box("Many texts").get_by_label("Texts").fill("\n\n".join(texts))
    answer = here.run("Many texts")
    assert "254 texts, 1 without a known word; the first 100 are shown" in answer.text_content()
    cells = [row.locator("td").all_text_contents() for row in answer.locator("tbody tr").all()[:3]]
    assert cells == [
        ["0", "1", "space", "0.7500", "2", "the moon"],
        ["1", "0", "cooking", "0.8750", "2", 'bread, "fresh"'],
        ["2", "-1", "no known word", "", "0", "unknown"],
    ]
    with here.page.expect_download() as started:
        answer.get_by_role("link", name="Save as CSV").click()
    started.value.save_as(tmp_path / "topics.csv")
    with (tmp_path / "topics.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == [*texts[:3], "'=HYPERLINK(1)", *texts[4:]]
    assert [row["topic"] for row in rows[:4]] == ["1", "0", "-1", "0"]
    assert (rows[253]["row"], rows[253]["topic_label"]) == ("253", "space")


def test_on_a_phone_a_long_text_is_cut_in_the_table_which_keeps_room_for_it(visit):
    here = visit("documents", viewport={"width": 390, "height": 800})
    here.box("Many texts").get_by_label("Texts").fill("moon " * 300)
    answer = here.run("Many texts")
    assert answer.locator("p").first.text_content() == "1 text"
    label, text = (answer.locator("td").nth(i) for i in (2, 5))
    assert text.text_content() == "moon " * 31 + "moon …"
    assert text.bounding_box()["width"] > 150
    assert label.bounding_box()["height"] < 300
    assert here.page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_command_beside_each_box_gives_what_the_box_shows(visit):
    here = visit("sentences")
    titles = ["A text", "Between two texts", "New sentences", "Nearest examples"]
    for title in titles:
        box = here.box(title)
        if title == "A text":
            box.get_by_label("Text").fill('it\'s "so"')
        shown = here.run(title).text_content()
        box.get_by_text("The same with curl").click()
        program, option, body, url = shlex.split(box.locator("pre").last.text_content())
        assert (program, option) == ("curl", "-d")
        outputs = httpx.post(url, content=body).json()["outputs"]
        text = outputs.get("texts", outputs.get("neighbors"))
        while isinstance(text, list):
            text = text[len(text) // 2]  # the slider starts in the middle
        assert text in shown


def test_an_error_of_the_service_is_shown_and_the_next_request_is_answered(visit):
    here = visit("sentences")
    here.expected.append("status of 413")  # the browser logs every status of 400 and above
    box = here.box("A text")
    box.get_by_label("Text").fill("x" * 300_000)
    assert "Error: Expected strings of at most 262,144 bytes" in here.run("A text").text_content()
    box.get_by_label("Text").fill("x")
    assert here.run("A text").locator(".sentence").text_content() == "X label 0"


def test_the_page_works_by_keyboard_alone(visit):
    here = visit("documents")
    box = here.box("A text")
    box.get_by_label("Text").focus()
    here.page.keyboard.press("Tab")
    assert here.page.evaluate("document.activeElement.textContent") == "Find topics"
    outline = here.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    here.page.keyboard.press("Enter")
    box.locator(".word").first.wait_for()
    here.page.keyboard.press("Tab")
    assert here.page.evaluate("document.activeElement.textContent") == "Position"
    here.page.keyboard.press("Enter")
    box.locator(".result pre").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_has_names_contrast_and_no_overflow(visit, scheme, width):
    here = visit("sentences", color_scheme=scheme, viewport={"width": width, "height": 800})
    for title in ("A text", "Between two texts", "New sentences", "Nearest examples"):
        here.run(title)
        here.box(title).get_by_text("The same with curl").click()
    assert here.page.evaluate("document.documentElement.scrollWidth") == width
    background = here.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    found = axe.Axe().run(here.page).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


def test_the_description_of_the_interface_works_without_another_machine(visit):
    here = visit("documents", "docs")
    here.page.get_by_text("/v1/models/documents:predict").first.wait_for()
