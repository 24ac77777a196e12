"""The page of topics in a browser: Chromium, where the system has it."""

import csv
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.parameters import quick
from tests.report.test_page import assert_self_contained
from tests.report.topic_sources import HOSTILE, MONTHS, SOURCES, VIEWS
from tf_vmf.report.engine.topic_view import fingerprint, view_topics
from tf_vmf.report.sections.topics import topic_report

axe = pytest.importorskip("axe_playwright_python.sync_playwright")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("topics")
    for size, view in VIEWS.items():
        topic_report(found / f"{size}.html", view, title=f"reviews-{size}.csv")
    return found


@pytest.fixture
def visit(browser, folder):
    """Opens a page; in the end nothing has been logged, and nothing but the file requested."""
    contexts, faults, requests = [], [], []

    def open_page(size=5, **options):
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}))
        page = contexts[-1].new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((folder / f"{size}.html").as_uri())
        if options.get("java_script_enabled", True):
            page.locator(".explorer.works .names text").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults
    assert {url.split(":")[0] for url in requests} <= {"file", "data", "blob"}
    assert {Path(url).name for url in requests if url.startswith("file:")} <= {
        "cased.html",
        *(f"{size}.html" for size in VIEWS),
    }


def saved(page, button):
    with page.expect_download() as download:
        button.click()
    return Path(download.value.path()), download.value.suggested_filename


def boxes(page):
    return page.locator(".topic-map .names text").evaluate_all(
        "all => all.map(each => { const b = each.getBoundingClientRect(); "
        "return [Number(each.dataset.topic), b.left, b.top, b.right, b.bottom]; })"
    )


def overlaps(a, b):
    return a[1] < b[3] and b[1] < a[3] and a[2] < b[4] and b[2] < a[4]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("size", [20, pytest.param(50, marks=pytest.mark.slow), 100])
def test_names_on_the_map_do_not_overlap(visit, size, width):
    page = visit(size, viewport={"width": width, "height": 850})
    found = boxes(page)
    assert len({box[0] for box in found}) == len(found)
    assert len(found) >= {1280: 0.9, 390: 0.5}[width] * size
    assert [(a, b) for i, a in enumerate(found) for b in found[:i] if overlaps(a, b)] == []
    stage = page.locator(".topic-map .stage").bounding_box()
    assert all(box[1] >= stage["x"] - 1 and box[3] <= stage["x"] + stage["width"] + 1 for box in found)
    page.get_by_label("Zoom in").click()
    page.get_by_label("Zoom in").click()
    found = boxes(page)
    assert [(a, b) for i, a in enumerate(found) for b in found[:i] if overlaps(a, b)] == []


def test_names_are_sized_by_the_share_of_their_topic(visit):
    page = visit()
    sizes = dict(
        page.locator(".names text").evaluate_all(
            "all => all.map(each => [Number(each.dataset.topic), parseFloat(each.getAttribute('font-size'))])"
        )
    )
    order = sorted(sizes, key=lambda k: VIEWS[5].topics[k].size)
    assert [sizes[k] for k in order] == sorted(sizes.values())
    assert sizes[order[0]] < sizes[order[-1]]


def test_the_head_of_the_page_names_the_file_and_counts_its_texts(visit):
    page = visit()
    assert page.locator("h1").text_content() == "reviews-5.csv"
    assert page.locator(".subtitle").text_content() == "300 texts in 5 topics; 1 more text has no known word."
    assert "1 text without a known word: topic -1, counted nowhere" in page.locator(".topic-side").text_content()
    assert page.locator(".topic-map .stage").bounding_box()["y"] < 300  # above the fold


@pytest.mark.parametrize("size", [5, 100])
def test_every_topic_is_in_the_list_with_the_count_of_all_its_texts(visit, size):
    page = visit(size)
    counts = np.bincount(SOURCES[size].topic[:-1], minlength=size)
    lines = page.locator(".topic-list button")
    assert lines.locator("small").all_text_contents() == [f"{count:,}" for count in counts]
    lines.nth(size - 1).click()
    panel = page.locator(".panel")
    assert panel.locator("h3").text_content() == f"{size - 1}: {SOURCES[size].labels[-1]}"
    assert f"{counts[-1]} of {counts.sum():,} texts" in panel.text_content()
    assert f"words that belong together: {SOURCES[size].coherence[-1]:.2f} (0 chance, 1 always; within 10 words)" in (
        panel.text_content()
    )


def tokens(text):
    return set(re.findall(r"\w+", text.lower()))


@pytest.mark.parametrize(
    "query", quick(3, ["Kitten cat", "rare", "nowhere", "kitten", "cat, word3", "rare cat", "word1"])
)
def test_a_search_counts_all_texts_that_hold_all_words(visit, query):
    page = visit()
    wanted = tokens(query)
    rows = [row for row, text in enumerate(SOURCES[5].texts) if wanted <= tokens(text)]
    page.get_by_label("Search texts and topics").fill(query)
    assert page.locator(".topic-map [role=status]").text_content() == f"{len(rows)} of 301 texts"
    found = page.locator(".hits")
    assert found.locator("h3").text_content().startswith(f"{len(rows)} text")
    per_topic = Counter(int(SOURCES[5].topic[row]) for row in rows)
    sizes = np.bincount(SOURCES[5].topic[:-1], minlength=5)
    assert page.locator(".topic-list small").all_text_contents() == [f"{per_topic[k]} of {sizes[k]}" for k in range(5)]
    assert found.locator(".examples b").all_text_contents() == [f"id-{row}" for row in rows[:20]]
    unknown = sorted(wanted - set(SOURCES[5].vocabulary))
    assert ("Not among the words of the model" in found.text_content()) == bool(unknown)


def test_a_search_ignores_the_case_of_words_of_the_model(visit, folder):
    given = SOURCES[5]
    vocabulary = [{"word1": "Word1", "word2": "WORD1"}.get(word, word) for word in given.vocabulary]
    topic_report(folder / "cased.html", view_topics(replace(given, vocabulary=vocabulary)), title="t")
    page = visit("cased")
    page.get_by_label("Search texts and topics").fill("word1")
    rows = np.flatnonzero(given.counts[:, [1, 2]].sum(axis=1) > 0)
    assert page.locator(".topic-map [role=status]").text_content() == f"{len(rows)} of 301 texts"


def test_a_search_finds_topics_by_their_words(visit):
    page = visit()
    word = SOURCES[5].words[2][0]
    page.get_by_label("Search texts and topics").fill(word)
    assert page.locator(".topic-list .named").evaluate_all("all => all.map(each => each.dataset.topic)") == ["2"]


def test_a_text_that_is_chosen_shows_its_facts_and_is_never_interpreted(visit):
    page = visit()
    page.get_by_label("Search texts and topics").fill("img onerror")
    page.locator(".hits .examples button").click()
    chosen = page.locator(".chosen-text")
    assert chosen.locator("h3").text_content() == "id-3"
    assert HOSTILE in chosen.text_content()
    label = SOURCES[5].classes[2][3]
    assert (f"label: {'abc'[label]}" in chosen.text_content()) == (label >= 0)
    assert f"month: {MONTHS[SOURCES[5].times[2][3]]}" in chosen.text_content()


def test_the_slider_orders_words_by_relevance(visit):
    page = visit()
    words = SOURCES[5].by_relevance[0]
    p, overall = np.array(words.probabilities), np.array(words.overall)
    page.locator(".topic-list button").first.click()
    slider = page.get_by_label("Order of words")
    for weight in (0.6, 0.0, 0.35, 1.0):
        slider.fill(str(weight))
        relevance = weight * np.log(p) + (1 - weight) * np.log(p / overall)
        expected = [words.words[i] for i in np.argsort(-relevance, kind="stable")[:10]]
        assert page.locator(".panel .words .word").all_text_contents() == expected


def test_edits_are_saved_as_a_file_and_read_again(visit, tmp_path):
    page = visit()
    page.locator(".topic-list button").nth(1).click()
    page.get_by_text("Rename, merge, hide").click()
    page.get_by_label("Name of topic 1").fill("  space   travel ")
    page.get_by_role("button", name="Rename").click()
    page.locator(".topic-list button").nth(0).click()
    page.get_by_text("Rename, merge, hide").click()
    page.get_by_label("Topic to merge with").select_option("3")
    page.get_by_role("button", name="Merge", exact=True).click()
    page.locator(".topic-list button").last.click()
    page.get_by_text("Rename, merge, hide").click()
    page.get_by_role("button", name="Hide").click()
    sizes = np.bincount(SOURCES[5].topic[:-1], minlength=5)
    shown = page.locator(".topic-list button")
    assert shown.locator(".no").all_text_contents() == ["0", "1", "2", "4"]
    assert shown.locator("small").all_text_contents() == [
        str(sizes[0] + sizes[3]),
        str(sizes[1]),
        str(sizes[2]),
        str(sizes[4]),
    ]
    assert shown.locator(".label").all_text_contents()[1] == "space travel"
    path, name = saved(page, page.get_by_role("button", name="Save edits"))
    assert name == "edits.json"
    content = json.loads(path.read_text("utf-8"))
    assert content == {
        "format": "tf_vmf topic edits",
        "version": 1,
        "num_topics": 5,
        "fingerprint": fingerprint(SOURCES[5].words),
        "labels": {"1": "space travel"},
        "merge": [[0, 3]],
        "hide": [4],
    }
    other = visit()
    (tmp_path / "edits.json").write_text(json.dumps(content))
    other.locator(".edits input[type=file]").set_input_files(tmp_path / "edits.json")
    other.get_by_text("The edits of this file are shown.").wait_for()
    assert other.locator(".topic-list .label").all_text_contents() == shown.locator(".label").all_text_contents()
    (tmp_path / "edits.json").write_text(json.dumps({**content, "fingerprint": "0" * 16}))
    other.locator(".edits input[type=file]").set_input_files(tmp_path / "edits.json")
    other.get_by_text("These are edits of other topics.").wait_for()
    page.get_by_role("button", name="Undo all").click()
    assert shown.count() == 5


def test_a_merged_topic_that_is_hidden_is_written_as_hidden_topics(visit):
    page = visit()
    page.locator(".topic-list button").nth(1).click()
    page.get_by_text("Rename, merge, hide").click()
    page.get_by_label("Topic to merge with").select_option("2")
    page.get_by_role("button", name="Merge", exact=True).click()
    page.get_by_text("Rename, merge, hide").click()
    page.get_by_role("button", name="Hide").click()
    content = json.loads(saved(page, page.get_by_role("button", name="Save edits"))[0].read_text("utf-8"))
    assert (content["merge"], content["hide"], content["labels"]) == ([], [1, 2], {})


def test_a_merged_topic_mixes_the_words_of_its_members_by_their_shares(visit):
    page = visit()
    page.locator(".topic-list button").nth(0).click()
    page.get_by_text("Rename, merge, hide").click()
    page.get_by_label("Topic to merge with").select_option("3")
    page.get_by_role("button", name="Merge", exact=True).click()
    page.get_by_label("Order of words").fill("1")
    shares = SOURCES[5].shares[[0, 3]] / SOURCES[5].shares[[0, 3]].sum()
    mixed = Counter()
    for share, words in zip(shares, (SOURCES[5].by_relevance[k] for k in (0, 3)), strict=True):
        for word, p in zip(words.words, words.probabilities, strict=True):
            mixed[word] += share * p
    expected = [f"{100 * p:.2f}%" if p < 0.1 else f"{100 * p:.1f}%" for _, p in mixed.most_common(10)]
    assert page.locator(".panel .words .number:not(.soft)").all_text_contents() == expected


def test_the_fingerprint_is_that_of_the_first_five_words_of_every_topic():
    import hashlib

    lines = "\n".join(" ".join(words[:5]) for words in SOURCES[5].words)
    assert VIEWS[5].fingerprint == hashlib.sha256(lines.encode()).hexdigest()[:16]


def test_the_cut_of_the_tree_merges_what_scipy_merges(visit):
    from scipy.cluster.hierarchy import fcluster

    page = visit()
    tree = page.locator("[data-relation=tree]")
    tree.get_by_label("Number of topics after the cut").fill("2")
    tree.get_by_role("button", name="Merge into 2 topics").click()
    clusters = fcluster(VIEWS[5].tree, 2, "maxclust")
    smallest = sorted(int(np.flatnonzero(clusters == c)[0]) for c in set(clusters))
    assert page.locator(".topic-list .no").all_text_contents() == [str(k) for k in smallest]


def test_the_cut_follows_the_pointer(visit):
    page = visit()
    handle = page.locator("[data-relation=tree] .handle")
    handle.scroll_into_view_if_needed()
    box = page.locator("svg.tree").bounding_box()
    start = handle.bounding_box()
    page.mouse.move(start["x"] + start["width"] / 2, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 40, steps=4)
    page.mouse.up()
    assert "1 of 5 topics left" in page.locator("[data-relation=tree]").text_content()


def test_tables_of_pictures_count_texts_by_class_and_period(visit):
    page = visit()
    given = SOURCES[5]
    for kind, (name, values, of_text) in (("classes", given.classes), ("times", given.times)):
        path, _ = saved(page, page.locator(f"[data-relation={kind}]").get_by_role("button", name="Save as CSV").first)
        header, *rows = csv.reader(path.read_text("utf-8").splitlines())
        assert header == [name, *(f"{k}: {label}" for k, label in enumerate(given.labels))]
        for row, value in zip(rows, values, strict=True):
            here = given.topic[(of_text == values.index(value)) & (given.topic >= 0)]
            assert row == [value, *map(str, np.bincount(here, minlength=5))]


def test_pictures_are_saved_as_svg_and_png(visit):
    page = visit()
    for name in ("map of texts", "tree of topics", "similarity of topics", "topics over time", "label and topics"):
        path, file = saved(page, page.get_by_label(f"Save as SVG: {name}"))
        assert file.endswith(".svg")
        text = path.read_text("utf-8")
        assert text.startswith("<svg")
        assert "var(" not in text  # colors are written out
        path, file = saved(page, page.get_by_label(f"Save as PNG: {name}"))
        assert file.endswith(".png")
        assert path.read_bytes().startswith(b"\x89PNG")


def test_the_map_zooms_by_wheel_and_shows_all_again(visit):
    page = visit()
    box = page.locator(".topic-map .stage").bounding_box()
    before = boxes(page)
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 3)
    page.mouse.wheel(0, -500)
    page.locator(".stage.zoomed").wait_for()
    assert boxes(page) != before
    page.locator(".topic-map").get_by_role("button", name="Show all").click()
    assert boxes(page) == before


@pytest.mark.parametrize(
    ("width", "scheme"), quick(2, [(1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")])
)
def test_the_page_has_names_contrast_and_no_overflow(visit, width, scheme):
    page = visit(20, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.get_by_label("Search texts and topics").fill("kitten")
    page.locator(".hits .examples button").first.click()
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    found = axe.Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found] == []


def test_without_javascript_the_page_is_complete(visit):
    page = visit(java_script_enabled=False)
    assert page.locator(".still circle").count() == 300
    assert page.locator(".still text").all_text_contents() == list("01234")
    assert page.locator(".topic-list li").count() == page.locator(".topic-cards details").count() == 5
    assert page.locator("#topic-0 .word:visible").count() == 10
    assert page.locator("#topic-0 .examples li").count() == 3
    assert page.locator("[data-relation] table").count() == 4
    assert page.get_by_role("button").count() == 0
    page.locator(".topic-list a").nth(2).click()
    assert page.url.endswith("#topic-2")


def test_hidden_topics_are_not_shown_and_their_texts_have_a_known_word(tmp_path):
    given = SOURCES[5]
    hidden = int(np.sum(given.topic == 2))
    source = replace(given, topic=np.where(given.topic == 2, -1, given.topic), gone=(2,), num_unknown=1)
    topic_report(tmp_path / "page.html", view_topics(source), title="t")
    text = assert_self_contained((tmp_path / "page.html").read_text("utf-8")).text
    assert (
        f"{300 - hidden} texts in 4 topics; {hidden} more are in hidden topics; 1 more text has no known word." in text
    )
    assert f"near those that the model finds alike: {300 - hidden} texts. " in text
    assert f"2: {given.labels[2]} (" not in text


def test_the_page_is_one_file_that_loads_nothing(folder):
    for size in VIEWS:
        assert_self_contained((folder / f"{size}.html").read_text("utf-8"))


def test_a_period_without_texts_is_a_gap_in_the_line(visit):
    page = visit()
    drawn = page.evaluate(
        """(() => {
          const shares = [wilson(1, 2), wilson(1, 4), wilson(0, 0), wilson(2, 4), wilson(3, 4)];
          const line = topic => ({ topic, name: "t", shares });
          const draw = topics => lineChart(["a", "b", "c", "d", "e"], topics.map(line), { label: "x" });
          const svg = draw([0]), grid = [...draw([0, 1]).querySelectorAll("text.end")].map(each => each.textContent);
          const points = kind => svg.querySelector(kind).getAttribute("d").split("M").slice(1).map(run => run.split("L").length);
          return [points(".line"), points(".band"), svg.querySelectorAll(".dot").length, grid[2]];
        })()"""
    )
    assert drawn == [[2, 2], [4, 4], 4, "75%"]  # several lines have no bands, and are as high as their shares
