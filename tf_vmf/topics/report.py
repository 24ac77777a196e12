"""The report of a topic model as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_vmf.evaluation.clustering import normalized_mutual_information, purity
from tf_vmf.evaluation.topics import topic_diversity
from tf_vmf.report.engine.code_map import CodeMap, map_codes
from tf_vmf.report.engine.excerpts import Excerpt
from tf_vmf.report.map_block import Map
from tf_vmf.report.page import Block, Headline, Passage, PassageList, Section, Table, Text, write_report
from tf_vmf.report.phrases import map_caption
from tf_vmf.topics.fitted import FittedTopics

if TYPE_CHECKING:
    import pandas as pd

_DIVERSITY_WORDS = 10
_MOST_CLASSES = 24


@dataclass(frozen=True, eq=False)
class TopicModelFindings:
    """The data of the page.

    Attributes:
        code_map: Training documents as points.
    """

    code_map: CodeMap


def write_topic_report(
    path: str | Path,
    topics: FittedTopics,
    info: pd.DataFrame,
    labels: Sequence[str],
    topic_of_documents: np.ndarray,
    texts: Sequence[str] | None,
    classes: Sequence[Any] | None,
    title: str,
    *,
    coherent_words: bool,
) -> None:
    """Writes the page; see `TopicModel.report`.

    Args:
        path: The file.
        topics: The topics.
        info: `TopicModel.topic_info()`.
        labels: The label of each topic.
        topic_of_documents: The topic of each training document, shape (n,).
        texts: The beginnings of the training texts, or None.
        classes: The class of each training document, or None.
        title: The heading.
        coherent_words: Whether the words were chosen by their coherence.

    Raises:
        ValueError: The number of classes is not that of the training documents.
    """
    if classes is not None and len(classes) != len(topics.documents):
        raise ValueError(
            f"Argument `classes`: expected one for each of the {len(topics.documents)} training documents. "
            f"Received: {len(classes)}."
        )
    sections = [_topic_table(topics, info, coherent_words), _documents(topics, info, texts)]
    if classes is not None and not any(map(_is_present, classes)):
        classes = None
    if classes is not None:
        sections.append(_classes(topics, topic_of_documents, classes, labels))
    code_map = _code_map(topics, topic_of_documents, labels, texts, classes)
    sections.append(
        Section(
            "Map of documents",
            [Map(code_map, "code_map", map_caption(code_map, "document"), "document", first="topic")],
        )
    )
    words = min(_DIVERSITY_WORDS, min(map(len, info["words"])))
    write_report(
        path,
        title=title,
        subtitle=f"{topics.num_topics} topics of {len(topics.documents):,} documents",
        headlines=[
            Headline(f"{info['c_npmi'].mean():.3f}", "mean coherence", f"c_npmi of 10 words, {_window(topics)}"),
            Headline(f"{topic_diversity(list(info['words']), words):.0%}", "diversity", f"of {words} words per topic"),
        ],
        sections=sections,
        findings=TopicModelFindings(code_map),
    )


def _window(topics: FittedTopics) -> str:
    return "whole documents as windows" if topics.documents.words is None else "windows of 10 words"


def _topic_table(topics: FittedTopics, info: pd.DataFrame, coherent_words: bool) -> Section:
    rows = [
        (f"{row.topic}: {row.label}", ", ".join(row.words), f"{row.size:,}", f"{row.share:.1%}", f"{row.c_npmi:.2f}")
        for row in info.itertuples()
    ]
    text = (
        "Topics are clusters of documents with similar codes. Size: documents whose most probable topic it is. Share: mean "
        "proportion. Coherence: normalised pointwise mutual information of the first ten words in the training documents, "
        f"{_window(topics)}; 0 is chance, and above 0.1 the words usually read as one topic. Coherences with other windows cannot "
        "be compared."
    )
    quote = (
        "To quote the topics, give the mean coherence with its window, and the diversity: the share of distinct words among the "
        "first ones of every topic, where 100% is best and values near 0 mean that topics repeat each other."
    )
    if coherent_words:
        quote += (
            " The words were chosen by this coherence, in these documents. To compare models, measure it in other documents, or "
            "fit with coherent_words=False."
        )
    table = Table(("Topic", "Words", "Size", "Share", "Coherence"), rows, numeric=(2, 3, 4))
    return Section("Topics", [Text(text), table, Text(quote)])


def _documents(topics: FittedTopics, info: pd.DataFrame, texts: Sequence[str] | None) -> Section:
    """Representative documents of each topic."""
    blocks: list[Block] = [Text("The documents nearest to the densest point of each topic.")]
    for row in info.itertuples():
        passages = [_passage(number, texts) for number in row.representative_documents]
        blocks.append(PassageList(Passage(f"{row.topic}: {row.label}", ", ".join(row.words)), passages))
    return Section("Representative documents", blocks)


def _passage(number: int, texts: Sequence[str] | None) -> Passage:
    return Passage(f"Document {number}", "" if texts is None else texts[number])


def _classes(
    topics: FittedTopics, topic_of_documents: np.ndarray, given: Sequence[Any], labels: Sequence[str]
) -> Section:
    """The most frequent topics of each class, and the agreement of topics and classes."""
    present = np.array([_is_present(value) for value in given], bool)
    classes = np.array([str(value) for value in given])
    known = topics.known & present
    names, sizes = np.unique(classes[present], return_counts=True)
    shown = names[np.sort(np.argsort(-sizes, kind="stable")[:_MOST_CLASSES])]
    proportions = topics.training_proportions()
    rows = []
    for name in shown:
        mean = proportions[(classes == name) & present].mean(axis=0)
        top = np.argsort(-mean, kind="stable")[:3]
        rows.append(
            (name, int(np.sum((classes == name) & present)), "; ".join(f"{labels[k]} ({mean[k]:.0%})" for k in top))
        )
    found, true = topic_of_documents[known], classes[known]
    text = (
        f"Normalised mutual information of topics and classes: {normalized_mutual_information(true, found):.3f}. "
        f"Purity: {purity(true, found):.3f}. The model has not seen the classes."
    )
    if not present.all():
        text += f" {np.sum(~present):,} documents without a class are left out."
    return Section("Classes", [Text(text), Table(("Class", "Documents", "Main topics"), rows, numeric=(1,))])


def _code_map(
    topics: FittedTopics,
    topic_of_documents: np.ndarray,
    labels: Sequence[str],
    texts: Sequence[str] | None,
    classes: Sequence[Any] | None,
) -> CodeMap:
    """Training documents with a known word as points."""
    names: list[str] = []
    numbers = None
    if classes is not None:
        given = [str(value) if _is_present(value) else "no class" for value in classes]
        names = sorted(set(given))
        numbers = np.array([names.index(name) for name in given])
    return map_codes(
        topics.codes,
        lambda rows: [Excerpt(int(row), "", "", "" if texts is None else texts[row]) for row in rows],
        spherical=True,
        candidates=np.flatnonzero(topics.known),
        labels=numbers,
        label_names=names,
        topics=topic_of_documents,
        topic_names=[f"{number}: {label}" for number, label in enumerate(labels)],
    )


def _is_present(value: Any) -> bool:
    """Whether a document has a class, which is neither None nor one of the missing values of pandas."""
    import pandas as pd

    return bool(pd.notna(value))
