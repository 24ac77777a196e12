"""Topics as a page shows them: the topics themselves, how they relate, and the texts behind them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from tf_vmf.evaluation.topics import representative_documents
from tf_vmf.report.engine.encodings import unit_rows
from tf_vmf.report.engine.excerpts import shortened
from tf_vmf.report.engine.maps import densest_points, lay_out
from tf_vmf.report.engine.words import RelevantWords

# So many texts are points of the map; a page of more stays too slow.
MOST_TEXTS = 100_000
NO_TOPIC = -1
# Labels of texts that pictures have room for: the most frequent ones.
MOST_LABELS = 40
_TYPICAL, _DIVERSE, _DIVERSE_POOL = 5, 5, 200
# Characters of texts in a page, and what is kept of one text at most and at least.
_CHARACTERS, _LONGEST, _SHORTEST = 8_000_000, 300, 60
_FINGERPRINT_WORDS, _FINGERPRINT_DIGITS = 5, 16


@dataclass(frozen=True)
class ViewedTopic:
    """A topic of a view.

    Attributes:
        number: Counted from 0.
        label: Its name.
        words: Its words in the order of the model.
        by_relevance: The words that are most relevant at some weight, with their probabilities.
        coherence: How much its words belong together: 0 chance, 1 always; nan where that is not known.
        size: Texts whose topic it is.
        share: Mean proportion of the topic over all texts with a topic.
        typical: Positions of texts near its center that are no near copies of each other, nearest first.
        diverse: Positions of texts that are near the center and far from each other.
    """

    number: int
    label: str
    words: tuple[str, ...]
    by_relevance: RelevantWords
    coherence: float
    size: int
    share: float
    typical: tuple[int, ...]
    diverse: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Grouping:
    """Texts of each topic in groups: those of a label, or of a period of time.

    Attributes:
        name: What a group is called, as "label" or "month".
        values: The groups in order.
        counts: Texts per group and topic, shape (groups, topics).
        num_values: Groups in all; of more labels than 40 the most frequent are shown.
        of_text: The group of each text, shape (n,), -1 for none; None where not all groups are shown. Not part of JSON.
    """

    name: str
    values: tuple[str, ...]
    counts: np.ndarray
    num_values: int
    of_text: np.ndarray | None = field(default=None, metadata={"json": False})


@dataclass(frozen=True, eq=False)
class ViewedTexts:
    """The texts of a view.

    Attributes:
        topic: The topic of each of the n texts, shape (n,); -1 for no known word.
        rows: Positions of the m texts that the map shows, shape (m,), rising.
        points: Where they lie, shape (m, 2), each coordinate from 0 to 1.
        centers: Where each topic is densest on the map, shape (topics, 2).
        beginnings: The beginnings of the m texts.
        complete: Whether these are whole texts, all n of them.
        longest: Characters of the longest beginning.
        titles: Title or identifier of each of the m texts; () for their positions.
        columns: Further columns of the user: a name, and a value for each of the m texts.
        counts: How often each text holds each word, shape (n, V).
        vocabulary: The V words.
    """

    topic: np.ndarray
    rows: np.ndarray
    points: np.ndarray
    centers: np.ndarray
    beginnings: tuple[str, ...]
    complete: bool
    longest: int
    titles: tuple[str, ...]
    columns: tuple[tuple[str, tuple[str, ...]], ...]
    counts: sparse.csr_matrix
    vocabulary: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class TopicView:
    """Topics as a page shows them.

    Attributes:
        topics: The topics.
        noun: What a text is called, as "text".
        topic_noun: What a topic is called, as "topic".
        num_texts: Texts in all.
        num_unknown: Texts without a known word, which have no topic.
        relevance_weight: Weight of the probability in the relevance of a word at first.
        window: Where words of a topic are counted as together, as "windows of 10 words"; "" without coherences.
        similarity: Cosines of the centers of topics, shape (topics, topics).
        tree: The merges of the topics in scipy's format, shape (topics - 1, 4).
        classes, times: Texts per label and per period, where there are any.
        gone: Topics that were hidden when the view was made: they have no texts and are not shown.
        fingerprint: Of the topics' first words: edits of other topics are told from edits of these.
        texts: The texts behind the topics. Not part of JSON.
    """

    topics: tuple[ViewedTopic, ...]
    noun: str
    topic_noun: str
    num_texts: int
    num_unknown: int
    relevance_weight: float
    window: str
    similarity: np.ndarray
    tree: np.ndarray
    classes: Grouping | None
    times: Grouping | None
    gone: tuple[int, ...]
    fingerprint: str
    texts: ViewedTexts | None = field(default=None, metadata={"json": False})


@dataclass(frozen=True, eq=False)
class TopicSource:
    """The source of a view: topics over the codes of n texts.

    Attributes:
        labels: The name of each of the K topics.
        words: The words of each topic in the order of the model, ten or more where there are as many.
        by_relevance: The words that are most relevant at some weight.
        coherence: shape (K,).
        shares: Mean proportion of each topic, shape (K,).
        topic: The topic of each text, shape (n,); -1 for none.
        codes: The codes of the texts, shape (n, d).
        centers: The centers of the topics, shape (K, d).
        spherical: Whether codes are unit vectors.
        counts: Counts of words, shape (n, V).
        vocabulary: The V words.
        texts: The texts or their beginnings; None where only counts are known.
        whole: Whether `texts` are whole.
        titles: Title or identifier of each text; None for its position.
        columns: Further columns to show with a text: a value of each text by name.
        tree: The merges of the topics in scipy's format; None for those by the average cosine of their centers.
        gone: Topics that are hidden, whose texts have topic -1.
        num_unknown: Texts without a known word; None for all without a topic.
        classes, times: Name of the groups, their values in order and the group of each text, -1 for none.
    """

    labels: Sequence[str]
    words: Sequence[Sequence[str]]
    by_relevance: Sequence[RelevantWords]
    coherence: np.ndarray
    shares: np.ndarray
    topic: np.ndarray
    codes: np.ndarray
    centers: np.ndarray
    spherical: bool
    counts: sparse.csr_matrix
    vocabulary: Sequence[str]
    texts: Sequence[str] | None = None
    whole: bool = False
    titles: Sequence[str] | None = None
    columns: Mapping[str, Sequence[Any]] | None = None
    tree: np.ndarray | None = None
    gone: Sequence[int] = ()
    num_unknown: int | None = None
    classes: tuple[str, Sequence[str], np.ndarray] | None = None
    times: tuple[str, Sequence[str], np.ndarray] | None = None


def view_topics(
    source: TopicSource,
    *,
    noun: str = "text",
    topic_noun: str = "topic",
    relevance_weight: float = 0.8,
    window: str = "",
    seed: int = 0,
) -> TopicView:
    """Makes the view of topics over the codes of texts."""
    topic, unit = np.asarray(source.topic), unit_rows(source.codes, np.float32)
    worded = np.diff(sparse.csr_matrix(source.counts).indptr) > 0
    centers = unit_rows(source.centers, np.float32)
    topics = []
    for number, label in enumerate(source.labels):
        members = np.flatnonzero(topic == number)
        # A text without a known word, which its vector alone has placed, has no code of its own.
        speaking = members[worded[members]] if worded[members].any() else members
        nearest = speaking[np.argsort(-(unit[speaking] @ centers[number]), kind="stable")]
        pool = nearest[: max(_TYPICAL, len(nearest) // 2)]
        typical = pool[representative_documents(unit[pool], centers[number], _TYPICAL)]
        topics.append(
            ViewedTopic(
                number=number,
                label=str(label),
                words=tuple(source.words[number]),
                by_relevance=source.by_relevance[number],
                coherence=float(source.coherence[number]),
                size=len(members),
                share=float(source.shares[number]),
                typical=_distinct(source.texts, typical),
                diverse=_diverse(unit, nearest[: max(_DIVERSE_POOL, len(nearest) // 2)][:2000]),
            )
        )
    similarity = np.clip(centers @ centers.T, -1.0, 1.0)
    return TopicView(
        topics=tuple(topics),
        noun=noun,
        topic_noun=topic_noun,
        num_texts=len(topic),
        num_unknown=int(np.sum(topic == NO_TOPIC)) if source.num_unknown is None else source.num_unknown,
        relevance_weight=relevance_weight,
        window=window,
        similarity=np.round(similarity.astype(np.float64), 4),
        tree=_tree(similarity) if source.tree is None else np.asarray(source.tree, np.float64),
        classes=_grouping(source.classes, topic, len(topics), MOST_LABELS),
        times=_grouping(source.times, topic, len(topics)),
        gone=tuple(source.gone),
        fingerprint=fingerprint([each.words for each in topics]),
        texts=_texts(source, topics, seed),
    )


def fingerprint(words: Sequence[Sequence[str]]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the first five words of all topics, a line per topic."""
    lines = (" ".join(row[:_FINGERPRINT_WORDS]) for row in words)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_FINGERPRINT_DIGITS]


def _texts(source: TopicSource, topics: Sequence[ViewedTopic], seed: int) -> ViewedTexts:
    topic = np.asarray(source.topic)
    known = np.flatnonzero(topic != NO_TOPIC)
    rows = known
    if len(known) > MOST_TEXTS:
        named = np.array([row for each in topics for row in (*each.typical, *each.diverse)], np.int64)
        drawn = np.random.default_rng(seed).permutation(known)[: MOST_TEXTS - len(np.unique(named))]
        rows = np.union1d(drawn, named)
    points = lay_out(source.codes[rows], spherical=source.spherical, seed=seed)
    longest = int(np.clip(_CHARACTERS / max(1, len(rows)), _SHORTEST, _LONGEST))
    columns = dict(source.columns or {})
    if source.classes is not None and len(source.classes[1]) > MOST_LABELS:
        name, values, of_text = source.classes
        columns = {name: [values[k] if k >= 0 else "" for k in of_text], **columns}
    texts = [""] * len(rows) if source.texts is None else [" ".join(source.texts[int(row)].split()) for row in rows]
    beginnings = tuple(shortened(text, longest) for text in texts)
    return ViewedTexts(
        topic=topic.astype(np.int32),
        rows=rows,
        points=points,
        centers=densest_points(points, topic[rows], len(topics)),
        beginnings=beginnings,
        complete=source.texts is not None
        and source.whole
        and len(rows) == len(known)
        and all(len(text) <= longest for text in texts),
        longest=longest,
        titles=() if source.titles is None else tuple(str(source.titles[int(row)]) for row in rows),
        columns=tuple((str(name), tuple(str(values[int(row)]) for row in rows)) for name, values in columns.items()),
        counts=source.counts,
        vocabulary=tuple(source.vocabulary),
    )


def _distinct(texts: Sequence[str] | None, rows: np.ndarray) -> tuple[int, ...]:
    """The rows whose texts differ from those before."""
    first: dict[object, int] = {}
    for row in rows.tolist():
        first.setdefault(row if texts is None else texts[row], row)
    return tuple(first.values())


def _diverse(unit: np.ndarray, nearest: np.ndarray) -> tuple[int, ...]:
    """Texts far from each other: the nearest to the center, then each time the one farthest from those chosen."""
    if not len(nearest):
        return ()
    chosen, codes = [0], unit[nearest]
    closest = codes @ codes[0]
    while len(chosen) < min(_DIVERSE, len(nearest)):
        closest[chosen] = np.inf
        chosen.append(int(np.argmin(closest)))
        closest = np.maximum(closest, codes @ codes[chosen[-1]])
    return tuple(int(nearest[i]) for i in chosen)


def _tree(similarity: np.ndarray) -> np.ndarray:
    from scipy.cluster.hierarchy import linkage

    if len(similarity) < 2:
        return np.zeros((0, 4))
    return np.asarray(linkage((1.0 - similarity)[np.triu_indices(len(similarity), 1)], "average"))


def _grouping(
    given: tuple[str, Sequence[str], np.ndarray] | None, topic: np.ndarray, size: int, most: int = sys.maxsize
) -> Grouping | None:
    if given is None:
        return None
    name, values, of_text = given
    counts = np.zeros((len(values), size), np.int64)
    counted = (topic != NO_TOPIC) & (of_text >= 0)
    np.add.at(counts, (of_text[counted], topic[counted]), 1)
    if len(values) <= most:
        return Grouping(name, tuple(map(str, values)), counts, len(values), np.asarray(of_text, np.int32))
    kept = np.sort(np.argsort(-np.bincount(of_text[of_text >= 0], minlength=len(values)), kind="stable")[:most])
    return Grouping(name, tuple(str(values[k]) for k in kept), counts[kept], len(values))
