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
    """A topic of a view."""

    number: int  # counted from 0
    label: str  # its name
    words: tuple[str, ...]  # its words in the order of the model
    by_relevance: RelevantWords  # the words that are most relevant at some weight, with their probabilities
    coherence: float  # how much its words belong together: 0 chance, 1 always; nan where that is not known
    size: int  # texts whose topic it is
    share: float  # mean proportion of the topic over all texts with a topic
    typical: tuple[int, ...]  # positions of texts near its center that are no near copies, nearest first
    diverse: tuple[int, ...]  # positions of texts that are near the center and far from each other


@dataclass(frozen=True, eq=False)
class Grouping:
    """Texts of each topic in groups: those of a label, or of a period of time."""

    name: str  # what a group is called, as "label" or "month"
    values: tuple[str, ...]  # the groups in order
    counts: np.ndarray  # texts per group and topic, shape (groups, topics)
    num_values: int  # groups in all; of more labels than 40 the most frequent are shown
    # the group of each text, shape (n,), -1 for none; None where not all groups are shown. Not part of JSON.
    of_text: np.ndarray | None = field(default=None, metadata={"json": False})


@dataclass(frozen=True, eq=False)
class ViewedTexts:
    """The texts of a view."""

    topic: np.ndarray  # the topic of each of the n texts, shape (n,); -1 for no known word
    rows: np.ndarray  # positions of the m texts that the map shows, shape (m,), rising
    points: np.ndarray  # where they lie, shape (m, 2), each coordinate from 0 to 1
    centers: np.ndarray  # where each topic is densest on the map, shape (topics, 2)
    beginnings: tuple[str, ...]  # the beginnings of the m texts
    complete: bool  # whether these are whole texts, all n of them
    longest: int  # characters of the longest beginning
    titles: tuple[str, ...]  # title or identifier of each of the m texts; () for their positions
    # further columns of the user: a name, and a value for each of the m texts
    columns: tuple[tuple[str, tuple[str, ...]], ...]
    counts: sparse.csr_matrix  # how often each text holds each word, shape (n, V)
    vocabulary: tuple[str, ...]  # the V words


@dataclass(frozen=True, eq=False)
class TopicView:
    """Topics as a page shows them."""

    topics: tuple[ViewedTopic, ...]  # the topics
    noun: str  # what a text is called, as "text"
    topic_noun: str  # what a topic is called, as "topic"
    num_texts: int  # texts in all
    num_unknown: int  # texts without a known word, which have no topic
    relevance_weight: float  # weight of the probability in the relevance of a word at first
    window: str  # where words of a topic are counted as together, as "windows of 10 words"; "" without coherences
    similarity: np.ndarray  # cosines of the centers of topics, shape (topics, topics)
    tree: np.ndarray  # the merges of the topics in scipy's format, shape (topics - 1, 4)
    classes: Grouping | None  # texts per label, where there are labels
    times: Grouping | None  # texts per period, where there are times
    gone: tuple[int, ...]  # topics that were hidden when the view was made: they have no texts and are not shown
    fingerprint: str  # of the topics' first words: edits of other topics are told from edits of these
    # the texts behind the topics; not part of JSON
    texts: ViewedTexts | None = field(default=None, metadata={"json": False})


@dataclass(frozen=True, eq=False)
class TopicSource:
    """The source of a view: topics over the codes of n texts."""

    labels: Sequence[str]  # the name of each of the K topics
    # the words of each topic in the order of the model, ten or more where there are as many
    words: Sequence[Sequence[str]]
    by_relevance: Sequence[RelevantWords]  # the words that are most relevant at some weight
    coherence: np.ndarray  # shape (K,)
    shares: np.ndarray  # mean proportion of each topic, shape (K,)
    topic: np.ndarray  # the topic of each text, shape (n,); -1 for none
    codes: np.ndarray  # the codes of the texts, shape (n, d)
    centers: np.ndarray  # the centers of the topics, shape (K, d)
    spherical: bool  # whether codes are unit vectors
    counts: sparse.csr_matrix  # counts of words, shape (n, V)
    vocabulary: Sequence[str]  # the V words
    texts: Sequence[str] | None = None  # the texts or their beginnings; None where only counts are known
    whole: bool = False  # whether `texts` are whole
    titles: Sequence[str] | None = None  # title or identifier of each text; None for its position
    # further columns to show with a text: a value of each text by name
    columns: Mapping[str, Sequence[Any]] | None = None
    # the merges of the topics in scipy's format; None for those by the average cosine of their centers
    tree: np.ndarray | None = None
    gone: Sequence[int] = ()  # topics that are hidden, whose texts have topic -1
    num_unknown: int | None = None  # texts without a known word; None for all without a topic
    # the two groupings: name of the groups, their values in order and the group of each text, -1 for none
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
