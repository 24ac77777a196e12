"""The block of topics: what a reader sees without JavaScript, and the data that the page's script works with."""

from __future__ import annotations

import base64
import colorsys
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from scipy import sparse

from tf_vmf.report.engine.serialization import plain
from tf_vmf.report.engine.topic_view import NO_TOPIC, Grouping, TopicView, ViewedTopic, shortened

SHOWN_WORDS = 10
# Without JavaScript the map shows so many texts, and each topic so many characters of a text.
_STILL_POINTS, _STILL_TEXT, _STILL_TEXTS = 1500, 200, 3
_WIDTH, _HEIGHT = 640, 440
_MARGIN = 14
# Papers of light and dark pages: `--paper` and `--tint` of the style sheet.
_PAPERS = (("#ffffff", "#f5f7f9"), ("#14191f", "#1d242c"))
_CONTRAST = 3.2


@dataclass(frozen=True)
class Bar:
    """A word of a topic; lengths are percentages of the longest bar that is shown."""

    word: str
    probability: str
    overall: str
    length: float
    overall_length: float


@dataclass(frozen=True)
class TopicExplorer:
    """Topics to work with: a map, their words and texts, a search, and how topics relate to each other."""

    view: TopicView  # the topics
    number: int = 0  # its number among the explorers of the page
    kind: str = field(default="topics", init=False)

    @property
    def still_size(self) -> tuple[int, int]:
        """Width and height of the map without JavaScript."""
        return _WIDTH, _HEIGHT

    @property
    def caption(self) -> str:
        """What the map shows, how much of it, and what its distances mean."""
        view, texts = self.view, self.view.texts
        assert texts is not None
        shown, known = len(texts.rows), int(np.sum(texts.topic != NO_TOPIC))
        if shown < known:
            which = f"{shown:,} {self.texts}, drawn at random from {known:,}; all of them are counted."
        else:
            which = f"{shown:,} {self.texts}."
        return (
            f"A point per {view.noun}, near those that the model finds alike: {which} Far distances and the extent of a "
            f"{view.topic_noun} mean little. Names stand where a {view.topic_noun} is densest, sized by its share."
        )

    def facts(self, topic: ViewedTopic) -> str:
        """Share and coherence of a topic."""
        known = max(1, self.view.num_texts - self.view.num_unknown)
        text = f"{topic.size:,} of {known:,} {self.texts} ({percent(topic.size / known)})"
        if self.view.window and not np.isnan(topic.coherence):
            text += f"; words that belong together: {topic.coherence:.2f} (0 chance, 1 always; {self.view.window})"
        return f"{text}. Wide bar: share of the word in the {self.view.topic_noun}; thin bar: in all {self.texts}."

    @property
    def shown(self) -> list[ViewedTopic]:
        """The topics that are not hidden."""
        return [topic for topic in self.view.topics if topic.number not in self.view.gone]

    @property
    def texts(self) -> str:
        """What texts are called, in the plural."""
        return f"{self.view.noun}s"

    @property
    def plural(self) -> str:
        """What topics are called, in the plural."""
        return f"{self.view.topic_noun}s"

    @cached_property
    def colors(self) -> list[tuple[str, str]]:
        """A color per topic for light and for dark pages; similar topics have similar hues."""
        return topic_colors(self.view.tree, len(self.view.topics))

    @property
    def style(self) -> str:
        """Rules that give classes k0, k1, ... these colors."""
        rules = (f".k{k}{{--k:light-dark({light},{dark})}}" for k, (light, dark) in enumerate(self.colors))
        return "".join(rules)

    @cached_property
    def still(self) -> list[tuple[float, float, int]]:
        """Position and topic of some texts."""
        texts = self.view.texts
        assert texts is not None
        rows = np.arange(len(texts.rows))
        if len(rows) > _STILL_POINTS:
            rows = np.sort(np.random.default_rng(0).permutation(rows)[:_STILL_POINTS])
        x, y = self._placed(texts.points[rows])
        return [(*place, int(k)) for *place, k in zip(x, y, texts.topic[texts.rows[rows]], strict=True)]  # type: ignore[misc]

    @cached_property
    def still_centers(self) -> list[tuple[float, float]]:
        """X and y of the centers of the topics."""
        assert self.view.texts is not None
        return list(zip(*self._placed(self.view.texts.centers), strict=True))

    def _placed(self, points: np.ndarray) -> tuple[list[float], list[float]]:
        size = np.array([_WIDTH, _HEIGHT]) - 2 * _MARGIN
        placed = np.round(np.array([0, _HEIGHT]) + [1, -1] * (points * size + _MARGIN), 1)
        return placed[:, 0].tolist(), placed[:, 1].tolist()

    def bars(self, topic: ViewedTopic) -> list[Bar]:
        """The first words of a topic with their probabilities."""
        found = topic.by_relevance
        shown = found.order(self.view.relevance_weight)[:SHOWN_WORDS]
        longest = max((found.probabilities[i] for i in shown), default=1.0)
        return [
            Bar(
                found.words[i],
                percent(found.probabilities[i]),
                percent(found.overall[i]),
                round(100 * found.probabilities[i] / longest, 1),
                round(min(100.0, 100 * found.overall[i] / longest), 1),
            )
            for i in shown
        ]

    def passages(self, topic: ViewedTopic) -> list[tuple[str, str]]:
        """Title and beginning of the first typical texts of a topic."""
        texts = self.view.texts
        assert texts is not None
        places = np.searchsorted(texts.rows, topic.typical[:_STILL_TEXTS])
        return [(self.title(int(place)), shortened(texts.beginnings[place], _STILL_TEXT)) for place in places]

    def title(self, place: int) -> str:
        """The title of a text of the map, or its position in the data."""
        texts = self.view.texts
        assert texts is not None
        return texts.titles[place] if texts.titles else f"{self.view.noun.capitalize()} {texts.rows[place]}"

    @cached_property
    def data(self) -> str:
        """The data of the page's script: gzip in base64 of a JSON header and arrays, each at a multiple of 8 bytes.

        The first four bytes are the length of the header, little-endian.
        """
        view, texts = self.view, self.view.texts
        assert texts is not None
        parts = [*texts.beginnings, *texts.titles, *(value for _, values in texts.columns for value in values)]
        strings = "\n".join(part.replace("\n", " ") for part in parts).encode()
        words, offsets = _postings(texts.counts)
        arrays: dict[str, np.ndarray] = {
            "topic": texts.topic.astype(np.int16),
            "rows": texts.rows.astype(np.int32),
            "points": np.round(texts.points * 65535).astype(np.uint16).ravel(),
            "strings": np.frombuffer(strings, np.uint8),
            "postings": words,
            "offsets": offsets,
        }
        for kind in ("classes", "times"):
            groups = getattr(view, kind)
            if groups is not None and groups.of_text is not None:
                arrays[f"of_{kind}"] = groups.of_text.astype(np.int16)
        body, places = b"", {}
        for key, values in arrays.items():
            body += b"\0" * (-len(body) % 8)
            places[key] = [values.dtype.name, len(body), len(values)]
            body += values.tobytes()
        header: dict[str, Any] = {
            **plain(view),
            "arrays": places,
            "centers": np.round(texts.centers, 4).tolist(),
            "colors": self.colors,
            "complete": texts.complete,
            "longest": texts.longest,
            "titled": bool(texts.titles),
            "columns": [name for name, _ in texts.columns],
            "vocabulary": list(texts.vocabulary),
        }
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-(len(text) + 4) % 8)
        packed = gzip.compress(len(text).to_bytes(4, "little") + text + body, 6, mtime=0)
        return base64.b64encode(packed).decode("ascii")


@dataclass(frozen=True)
class Relation:
    """How the topics of an explorer relate: a picture, and without JavaScript a table."""

    explorer: TopicExplorer  # the explorer
    relation: Literal["tree", "similarity", "classes", "times"]  # the picture
    kind: str = field(default="relation", init=False)

    @property
    def heading(self) -> str:
        """The heading of the picture."""
        plural, groups = self.explorer.plural, self.explorer.view.classes
        if self.relation == "classes":
            return f"{plural.capitalize()} of each {groups.name if groups else ''}"
        return (
            f"{plural.capitalize()} over time"
            if self.relation == "times"
            else f"{self.relation.capitalize()} of {plural}"
        )

    @property
    def table(self) -> TopicTable:
        """What the picture shows, in words and numbers."""
        view = self.explorer.view
        noun, plural = view.topic_noun, self.explorer.plural
        if self.relation == "tree":
            return TopicTable((f"{plural.capitalize()} left", "Joined", "Distance"), self._merges(), (0, 2))
        if self.relation == "similarity":
            return TopicTable((noun.capitalize(), f"Most similar {noun}", "Similarity"), self._most_similar(), (2,))
        groups = getattr(view, self.relation)
        header = (groups.name.capitalize(), self.explorer.texts.capitalize(), f"Largest {plural}")
        few = len(groups.values) < groups.num_values
        caption = f"The {len(groups.values)} most frequent of {groups.num_values} {groups.name}s" if few else ""
        return TopicTable(header, self._largest(groups), (1,), caption)

    def _merges(self) -> list[tuple[str, str, str]]:
        topics, rows = self.explorer.view.topics, []
        members = [[topic.number] for topic in topics]
        for step, (a, b, height, _) in enumerate(self.explorer.view.tree):
            left, right = members[int(a)], members[int(b)]
            members.append([*left, *right])
            joined = " + ".join(" and ".join(str(k) for k in sorted(part)) for part in (left, right))
            rows.append((str(len(topics) - step - 1), joined, f"{height:.2f}"))
        return rows

    def _most_similar(self) -> list[tuple[str, str, str]]:
        similarity, topics = np.array(self.explorer.view.similarity, np.float64), self.explorer.view.topics
        np.fill_diagonal(similarity, -np.inf)
        return [
            (name(topic), name(topics[int(other)]), f"{similarity[topic.number, other]:.2f}")
            for topic, other in zip(topics, similarity.argmax(axis=1), strict=True)
        ]

    def _largest(self, groups: Grouping) -> list[tuple[str, str, str]]:
        rows = []
        for value, counts in zip(groups.values, groups.counts, strict=True):
            total, top = int(counts.sum()), np.argsort(-counts, kind="stable")[:3]
            shares = (f"{name(self.explorer.view.topics[k])} ({counts[k] / total:.0%})" for k in top if counts[k])
            rows.append((value, f"{total:,}", "; ".join(shares)))
        return rows


@dataclass(frozen=True)
class TopicTable:
    """A table as the page's template draws it."""

    header: tuple[str, ...]
    rows: list[tuple[str, str, str]]
    numeric: tuple[int, ...]
    caption: str = ""
    folded: str = ""
    highlight: tuple[int, ...] = ()
    explained: bool = False
    sortable: bool = True


def name(topic: ViewedTopic) -> str:
    """Number and label of a topic."""
    return f"{topic.number}: {topic.label}"


def percent(share: float) -> str:
    """A probability as a percentage with three digits or fewer, as the page's script writes it too."""
    return f"{100 * share:.2f}%" if share < 0.1 else f"{100 * share:.1f}%"


def topic_colors(tree: np.ndarray, num_topics: int) -> list[tuple[str, str]]:
    """A color per topic for light and dark pages, each with a contrast of at least 3 to the paper.

    Hues follow the leaves of the tree, (num_topics - 1, 4), and neighbors differ in lightness.
    """
    from scipy.cluster.hierarchy import leaves_list

    order: Sequence[int] = leaves_list(tree).tolist() if len(tree) else range(num_topics)
    colors: list[tuple[str, str]] = [("", "")] * num_topics
    for place, topic in enumerate(order):
        hue, step = place / max(1, num_topics), place % 3
        colors[topic] = (
            _readable(hue, (0.46, 0.36, 0.27)[step], -0.01, _PAPERS[0]),
            _readable(hue, (0.6, 0.72, 0.82)[step], 0.01, _PAPERS[1]),
        )
    return colors


def _readable(hue: float, lightness: float, step: float, papers: Sequence[str]) -> str:
    """A color of a hue that stands out from all papers, as near to a lightness as that allows."""
    while True:
        red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, lightness, 0.68))
        color = f"#{red:02x}{green:02x}{blue:02x}"
        if all(contrast(color, paper) >= _CONTRAST for paper in papers) or not 0.02 < lightness < 0.98:
            return color
        lightness += step


def contrast(a: str, b: str) -> float:
    """The contrast of two colors as WCAG 2 defines it."""
    low, high = sorted(map(_luminance, (a, b)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _postings(counts: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """The texts that hold each word: differences of their rising positions as base-128 numbers, and where each word begins."""
    columns = sparse.csc_matrix(counts)
    columns.eliminate_zeros()
    columns.sort_indices()
    steps = np.diff(columns.indices, prepend=0).astype(np.int64)
    first = columns.indptr[:-1][np.diff(columns.indptr) > 0]
    steps[first] = columns.indices[first]
    width = np.ones(len(steps), np.int64)
    for bits in (7, 14, 21, 28):
        width += steps >= 1 << bits
    ends = np.cumsum(width)
    packed = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    for place in range(5):
        has = width > place
        packed[ends[has] - width[has] + place] = ((steps[has] >> (7 * place)) & 127) | (128 * (width[has] > place + 1))
    offsets = np.concatenate([[0], ends])[columns.indptr]
    return packed, offsets.astype(np.uint32)
