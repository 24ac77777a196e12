"""Speed of the page of topics in Chromium, with made texts: until it answers, and until a search is shown.

    python -m benchmarks.topic_page --texts=100000 --topics=50

Nothing is trained: words are drawn by Zipf's law, a third of them from a topic's own, and codes lie around the topics' centers.
"""

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy import sparse

from tf_vmf.report.engine.topic_view import TopicSource, view_topics
from tf_vmf.report.engine.words import relevant_words
from tf_vmf.report.sections.topics import topic_report

_SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "on", "is")]


def made_source(
    num_texts: int, num_topics: int, vocabulary_size: int = 5000, length: int = 60, seed: int = 0
) -> TopicSource:
    """Texts of `length` words about topics that own words."""
    rng = np.random.default_rng(seed)
    syllables = rng.choice(_SYLLABLES, (3 * vocabulary_size, 3))
    vocabulary = sorted({"".join(row) for row in syllables})[:vocabulary_size]
    rng.shuffle(vocabulary)
    frequent = 1.0 / np.arange(2, vocabulary_size + 2)
    topic = np.sort(rng.integers(num_topics, size=num_texts))
    drawn = rng.choice(vocabulary_size, (num_texts, length), p=frequent / frequent.sum())
    own = (
        100 + topic[:, np.newaxis] + num_topics * rng.integers((vocabulary_size - 100) // num_topics, size=drawn.shape)
    )
    drawn = np.where(rng.random(drawn.shape) < 1 / 3, own, drawn)
    rows = np.repeat(np.arange(num_texts), length)
    shape = (num_texts, vocabulary_size)
    counts = sparse.coo_matrix((np.ones(drawn.size, np.int64), (rows, drawn.ravel())), shape).tocsr()
    words = np.array(vocabulary)
    texts = [" ".join(row).capitalize() + "." for row in words[drawn]]
    centers = rng.normal(size=(num_topics, 16))
    totals = np.stack([np.asarray(counts[topic == k].sum(axis=0)).ravel() for k in range(num_topics)]) + 0.05
    overall = totals.sum(axis=0) / totals.sum()
    relevant = relevant_words(totals / totals.sum(axis=1, keepdims=True), overall, vocabulary)
    first = [[each.words[i] for i in each.order(0.8)[:10]] for each in relevant]
    return TopicSource(
        labels=[", ".join(row[:3]) for row in first],
        words=first,
        by_relevance=relevant,
        coherence=np.full(num_topics, 0.2),
        shares=np.bincount(topic, minlength=num_topics) / num_texts,
        topic=topic,
        codes=centers[topic] + 0.5 * rng.normal(size=(num_texts, 16)),
        centers=centers,
        spherical=True,
        counts=counts,
        vocabulary=vocabulary,
        texts=texts,
        whole=True,
        classes=("label", ("a", "b", "c"), rng.integers(3, size=num_texts)),
        times=("month", [f"2024-{month:02d}" for month in range(1, 13)], rng.integers(12, size=num_texts)),
    )


def measure(page_file: Path, words: list[str]) -> dict[str, float]:
    """Seconds until the page answers, and until searches and a selection are drawn."""
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        began = time.perf_counter()
        page.goto(page_file.as_uri())
        page.locator(".explorer.works").wait_for(timeout=120_000)
        found = {"load": time.perf_counter() - began}
        # The time of the handler and of the frame that follows.
        timed = """() => new Promise(resolve => {{ const began = performance.now(); {};
            requestAnimationFrame(() => setTimeout(() => resolve((performance.now() - began) / 1000))); }})"""
        field = "document.querySelector('.topic-search input')"
        enter = f"{field}.value = {{}}; {field}.dispatchEvent(new Event('input'))"
        for name, query in zip(("search", "search_two_words", "search_unknown_word"), words, strict=True):
            found[name] = page.evaluate(timed.format(enter.format(json.dumps(query))))
            page.wait_for_timeout(700)
        page.evaluate(timed.format(enter.format("''")))
        found["select"] = page.evaluate(timed.format("document.querySelectorAll('.topic-list button')[3].click()"))
        found["zoom"] = page.evaluate(timed.format("document.querySelector('[aria-label=\"Zoom in\"]').click()"))
        browser.close()
    return {name: round(value, 3) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--topics", type=int, default=50)
    parser.add_argument("--page", type=Path, help="Keep the page in this file, or measure the one that is there.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = (options.page or Path(folder) / "page.html").resolve()
        began, source = time.perf_counter(), made_source(options.texts, options.topics)
        if not file.exists():
            topic_report(file, view_topics(source), title="Made texts")
        made = time.perf_counter() - began
        first, second = source.words[0][:2]
        found = measure(file, [first, f"{first} {second}", "zebra"])
        print(
            json.dumps(
                {"texts": options.texts, "MB": round(file.stat().st_size / 1e6, 1), "made": round(made, 1), **found}
            )
        )


if __name__ == "__main__":
    main()
