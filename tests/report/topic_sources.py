"""Texts about topics for tests of their page: the texts, and what a page shows of them."""

import numpy as np
from scipy import sparse

from tf_vmf.report.engine.topic_view import TopicSource, view_topics
from tf_vmf.report.engine.words import relevant_words

HOSTILE = "</script><img src=x onerror=alert(1)> kitten"
MONTHS = [f"2024-{month:02d}" for month in range(1, 13)]


def source(num_topics=5, size=300, hostile=True):
    """Texts of topics with words of their own and shared ones: "kitten" and "cat" anywhere, "rare" unknown to the model."""
    rng = np.random.default_rng(num_topics)
    vocabulary = [f"word{i}" for i in range(10 * num_topics)] + ["kitten", "cat"]
    topic = np.sort(rng.choice(num_topics, size, p=np.linspace(2, 1, num_topics) / (1.5 * num_topics)))
    counts = np.zeros((size, len(vocabulary)), np.int64)
    texts = []
    for row, own in enumerate(topic):
        words = [*rng.integers(10 * own, 10 * own + 10, 6), *rng.choice([-1, -2], rng.integers(0, 3))]
        np.add.at(counts[row], words, 1)
        texts.append(
            "A text: " + ", ".join(vocabulary[w].capitalize() for w in words) + (" rare" if row % 7 == 0 else "")
        )
    if hostile:
        texts[3] = HOSTILE
        counts[3] = 0
        counts[3, -2] = 1
    texts.append("")
    counts, topic = np.vstack([counts, np.zeros_like(counts[:1])]), np.append(topic, -1)
    centers = rng.normal(size=(num_topics, 2))
    codes = centers[topic] + 0.1 * rng.normal(size=(size + 1, 2))  # in the plane: nothing has to be projected
    totals = np.stack([counts[topic == k].sum(axis=0) for k in range(num_topics)]) + 0.05
    found = relevant_words(
        totals / totals.sum(axis=1, keepdims=True), (counts.sum(axis=0) + 0.5) / (counts + 0.5).sum(), vocabulary, 10
    )
    words = [[each.words[i] for i in each.order(0.5)[:10]] for each in found]
    return TopicSource(
        labels=[", ".join(row[:3]) for row in words],
        words=words,
        by_relevance=found,
        coherence=np.linspace(0.3, 0.1, num_topics),
        shares=np.bincount(topic[:-1], minlength=num_topics) / size,
        topic=topic,
        codes=codes,
        centers=centers,
        spherical=False,
        counts=sparse.csr_matrix(counts),
        vocabulary=vocabulary,
        texts=texts,
        whole=True,
        titles=[f"id-{row}" for row in range(size + 1)],
        classes=("label", ("a", "b", "c"), rng.integers(-1, 3, size + 1)),
        times=("month", MONTHS, rng.integers(12, size=size + 1)),
    )


SOURCES = {size: source(size, 300 if size == 5 else 20 * size) for size in (5, 20, 50, 100)}
VIEWS = {size: view_topics(each, relevance_weight=0.5, window="within 10 words") for size, each in SOURCES.items()}
