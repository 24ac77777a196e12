"""The topics of a model as a page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import normalized_mutual_info_score

from tf_vmf._errors import ArgumentError, check_unicode
from tf_vmf.evaluation.topics import purity, topic_diversity
from tf_vmf.report.engine.topic_view import NO_TOPIC, TopicSource, TopicView, view_topics
from tf_vmf.report.engine.words import relevant_words
from tf_vmf.report.page.page import Block, Section, Table, Text
from tf_vmf.report.page.topics import name
from tf_vmf.report.sections.topics import topic_report
from tf_vmf.text.files import TextList
from tf_vmf.topics.groups import in_order, read_column, read_times
from tf_vmf.topics.tables import coherence

_WORDS = 10
# Periods of a chart over time: as many as are read at a glance, by the longest calendar period that gives more than a few.
_MOST_PERIODS, _FEWEST_PERIODS = 60, 6
_PERIODS = (("Y", "year"), ("Q", "quarter"), ("M", "month"), ("W", "week"), ("D", "day"), ("h", "hour"))

Groups = tuple[str, Sequence[str], np.ndarray]


def topic_view(
    model: Any,
    *,
    classes: Sequence[Any] | None = None,
    times: Sequence[Any] | None = None,
    datetime_format: str | None = None,
    titles: Sequence[Any] | None = None,
    columns: Any = None,
    texts: Sequence[str] | None = None,
    whole: bool = False,
    noun: str = "text",
) -> TopicView:
    """The topics of a fitted `TopicModel` over its training documents, for whose columns see `TopicModel.report`.

    `times` are read as by `TopicModel.topics_over_time`. Without `texts` those beginnings are shown that the model keeps. In
    `whole` texts a word that the model does not know is counted.
    """
    topics = model._topics
    size = len(topics.documents)
    if texts is not None:
        listed = list(TextList(texts))
        for text in listed:
            text.check_unicode()
        texts = [text.text for text in listed]
        if len(texts) != size:
            raise ArgumentError("texts", f"one for each of the {size} training documents", f"{len(texts)}")
    named = None if titles is None else read_column("titles", titles, size)
    totals = np.asarray(topics.documents.counts.sum(axis=0), np.float64).ravel() + 0.5
    words = relevant_words(np.exp(topics.log_probabilities), totals / totals.sum(), model.vocabulary_, _WORDS)
    placed = topics.documents.placed
    placed_alone = placed & ~topics.documents.known
    source = TopicSource(
        labels=model.topic_labels(),
        words=model.topics(min(_WORDS, len(model.vocabulary_))),
        by_relevance=words,
        coherence=coherence(topics, model.vocabulary_),
        shares=topics.weights,
        topic=np.where(placed & ~np.isin(model.labels_, model.hidden_topics_), model.labels_, NO_TOPIC),
        gone=model.hidden_topics_,
        num_unknown=int(np.sum(~placed)),
        # Without a known word there is no code: the map shows such a text, placed by its vector, at the center of its topic.
        tree=model.hierarchy(1).linkage,
        codes=np.where(placed_alone[:, np.newaxis], topics.modes[model.labels_], topics.codes),
        centers=topics.modes,
        spherical=True,
        counts=topics.documents.counts,
        vocabulary=model.vocabulary_,
        texts=model._texts if texts is None else texts,
        whole=whole,
        titles=named and [f"{noun.capitalize()} {row}" if title is None else title for row, title in enumerate(named)],
        columns={} if columns is None else _columns(columns, size),
        classes=None if classes is None else _classes(classes, size),
        times=None if times is None else _periods(read_times(times, size, datetime_format)),
    )
    window = "in whole texts" if topics.documents.words is None else "within 10 words"
    return view_topics(source, noun=noun, relevance_weight=model.relevance_weight, window=window)


def write_topic_report(
    path: str | Path, model: Any, *, classes: Sequence[Any] | None = None, title: str = "Topics", **given: Any
) -> None:
    """Writes the page of a fitted model; see `TopicModel.report`. `given` are further arguments of `topic_view`."""
    view = topic_view(model, classes=classes, whole=given.get("texts") is not None, **given)
    groups = None if classes is None else _classes(classes, view.num_texts)
    topic_report(path, view, title=title, sections=[_details(view, model, groups)])


def _details(view: TopicView, model: Any, classes: Groups | None) -> Section:
    """The figures that a researcher quotes."""
    measured = [topic.coherence for topic in view.topics]
    num_words = min(_WORDS, min(len(topic.words) for topic in view.topics))
    diversity = topic_diversity([topic.words for topic in view.topics], num_words)
    window = "whole texts as windows" if view.window == "in whole texts" else "windows of 10 words"
    quote = (
        f"Mean coherence {np.mean(measured):.3f} (normalized pointwise mutual information, c_npmi, of the first {num_words} "
        f"words in these texts, {window}): 0 is chance, and above 0.1 the words usually read as one topic. Coherences "
        f"with other windows cannot be compared. Diversity {diversity:.0%}: the share of distinct words among the first "
        f"{num_words} of every topic, where 100% is best and values near 0 mean that topics repeat each other. To quote the "
        "topics, give both, with the window."
    )
    if model.coherent_words:
        quote += (
            " The words were chosen by this coherence, in these texts. To compare models, measure it in other texts, or "
            "fit with coherent_words=False."
        )
    rows = [
        (name(topic), ", ".join(topic.words), f"{topic.size:,}", f"{topic.share:.1%}", f"{topic.coherence:.2f}")
        for topic in view.topics
    ]
    blocks: list[Block] = [
        Text(
            "Topics are clusters of texts with similar codes. Size: texts whose most probable topic it is. Share: mean proportion "
            "of the topic over all texts."
        ),
        Table(("Topic", "Words", "Size", "Share", "Coherence"), rows, numeric=(2, 3, 4)),
        Text(quote),
    ]
    if classes is not None:
        blocks.append(Text(_agreement(view, classes[2])))
    return Section("Details for researchers", blocks)


def _agreement(view: TopicView, labels: np.ndarray) -> str:
    """How well topics and labels agree."""
    assert view.texts is not None
    both = (view.texts.topic != NO_TOPIC) & (labels >= 0)
    true, found = labels[both], view.texts.topic[both]
    text = (
        f"Normalized mutual information of topics and labels: {normalized_mutual_info_score(true, found):.3f}. "
        f"Purity: {purity(true, found):.3f}. The model has not seen the labels."
    )
    missing = int(np.sum(labels < 0))
    return text + (f" {missing:,} texts without a label are left out." if missing else "")


def _classes(given: Sequence[Any], size: int) -> Groups | None:
    """The labels in their order; None where no document has one."""
    categories = getattr(getattr(given, "cat", given), "categories", None)
    entries = read_column("classes", given, size)
    ordered = in_order((entry for entry in entries if entry is not None), categories)
    values = list(dict.fromkeys(map(str, ordered)))
    number = {value: place for place, value in enumerate(values)}
    of_text = np.array([-1 if entry is None else number[str(entry)] for entry in entries])
    return ("label", values, of_text) if values else None


def _columns(columns: Any, size: int) -> dict[str, list[Any]]:
    """The columns of a data frame of any library, or of a mapping, each with an entry per document; "" for a missing one."""
    if not isinstance(columns, Mapping) and not hasattr(columns, "columns"):
        raise ArgumentError("columns", "a data frame, or a mapping from names to columns", type(columns).__name__)
    names = getattr(columns, "column_names", getattr(columns, "columns", columns))
    for each in names:
        check_unicode(each, "columns")
    read = {str(name): read_column(f"columns[{name!r}]", columns[name], size, nested=True) for name in names}
    return {name: ["" if entry is None else entry for entry in entries] for name, entries in read.items()}


def _periods(times: Any) -> Groups | None:
    """Calendar periods of dates, or distinct numbers or intervals of equal length; None where no document has a time."""
    import pandas as pd

    if not times.notna().any():
        return None
    if times.dtype == object:
        times = times.astype(float)
        values = np.sort(times.dropna().unique())
        if len(values) > _MOST_PERIODS:
            edges = np.linspace(values[0], values[-1], 21)
            place = np.clip(np.searchsorted(edges, times.to_numpy(float), "right") - 1, 0, 19)
            return "interval", [f"{a:.12g}" for a in edges[:-1]], np.where(times.isna(), -1, place)
        place = np.searchsorted(values, times.fillna(values[0]).to_numpy())
        names = [f"{value:.12g}" for value in values.astype(float)]
        return "time", names, np.where(times.isna(), -1, place)
    dates = times.dt.start_time if isinstance(times.dtype, pd.PeriodDtype) else times.dt.tz_localize(None)
    span, called = pd.PeriodIndex([], freq="Y"), "year"
    for frequency, called in _PERIODS:  # noqa: B007
        span = pd.period_range(dates.min(), dates.max(), freq=frequency)
        if len(span) >= _FEWEST_PERIODS:
            break
    periods = dates.dt.to_period(span.freqstr)
    place = np.asarray(span.get_indexer(pd.PeriodIndex(periods)))
    return called, [str(period) for period in span], place
