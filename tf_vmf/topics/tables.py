"""Tables of topics and documents as pandas data frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from tf_vmf._errors import ArgumentError
from tf_vmf._optional import optional
from tf_vmf.data.documents import Documents
from tf_vmf.evaluation.topics import npmi_coherence, representative_documents, topic_coherence
from tf_vmf.topics.documents import CountedDocuments
from tf_vmf.topics.fitted import FittedTopics
from tf_vmf.topics.fitting import sample_of
from tf_vmf.topics.groups import in_order

if TYPE_CHECKING:
    import pandas as pd

NO_TOPIC, NO_TOPIC_LABEL = -1, "no known word"
REPRESENTATIVES = 3
DOCUMENT_COLUMNS = ("topic", "topic_label", "probability", "known_tokens")
_COHERENCE_WORDS = 10
_PERIOD_WORDS = 5
_Z = 1.959964  # of the two-sided 95 % interval of a normal distribution


def topic_info(
    topics: FittedTopics,
    vocabulary: Sequence[str],
    words: Sequence[Sequence[str]],
    labels: Sequence[str],
    topic_of_documents: np.ndarray,
    hidden: Sequence[int] = (),
) -> pd.DataFrame:
    """A row per topic that is not hidden; see `TopicModel.topic_info`."""
    pandas = import_pandas()
    frame = pandas.DataFrame(
        {
            "topic": np.arange(topics.num_topics),
            "label": list(labels),
            "size": np.bincount(topic_of_documents[topic_of_documents >= 0], minlength=topics.num_topics),
            "share": topics.weights,
            "words": [list(row) for row in words],
            "c_npmi": coherence(topics, vocabulary),
            "representative_documents": representatives(topics, topic_of_documents),
        }
    )
    return frame[~frame["topic"].isin(list(hidden))].reset_index(drop=True)


def coherence(topics: FittedTopics, vocabulary: Sequence[str]) -> np.ndarray:
    """NPMI of the first ten words of each topic in the training documents, shape (K,).

    In windows of 10 words where the order of words is known, there in a sample of 50,000 documents of more; otherwise in whole
    documents. nan where fewer than two words of the
    vocabulary occur.
    """
    # Words that no document holds come last in every topic.
    num_words = min(_COHERENCE_WORDS, int(np.count_nonzero(np.asarray(topics.documents.counts.sum(axis=0)))))
    if num_words < 2:
        return np.full(topics.num_topics, np.nan)
    words = [[vocabulary[word] for word in row[:num_words]] for row in topics.ranking]
    documents = topics.documents.take(sample_of(len(topics.documents), 0))
    sequences = documents.sequences(vocabulary)
    if sequences is None:
        return npmi_coherence(words, Documents(topics.documents.counts), vocabulary, num_words)
    return topic_coherence(words, sequences, "c_npmi", num_words=num_words)


def representatives(topics: FittedTopics, topic_of_documents: np.ndarray) -> list[list[int]]:
    """Positions of the documents of each topic that lie nearest to the point at which it is decoded, nearest first."""
    result = []
    for topic in range(topics.num_topics):
        rows = np.flatnonzero(topic_of_documents == topic)
        result.append(rows[representative_documents(topics.codes[rows], topics.modes[topic], REPRESENTATIVES)].tolist())
    return result


def topic_words(topics: FittedTopics, document: CountedDocuments, vocabulary: Sequence[str]) -> pd.DataFrame:
    """A row per known word of one document; see `TopicModel.topic_words`."""
    assert document.words is not None
    shares = topics.topics_of_tokens(document)
    words = [vocabulary[word] for word in document.words]
    columns = {"word": words, "topic": shares.argmax(axis=1), "weight": shares.max(axis=1, initial=0.0)}
    return import_pandas().DataFrame(columns)


def document_info(
    topics: FittedTopics,
    documents: CountedDocuments,
    texts: Sequence[str] | None,
    columns: Any,
    labels: Sequence[str],
) -> pd.DataFrame:
    """A row per document, with the user's columns; see `TopicModel.document_info`."""
    pandas = import_pandas()
    if columns is None:
        columns = pandas.DataFrame({} if texts is None else {"text": list(texts)}, index=range(len(documents)))
    if not isinstance(columns, pandas.DataFrame):
        columns = columns.to_pandas() if hasattr(columns, "to_pandas") else pandas.DataFrame(columns)
    if len(columns) != len(documents):
        raise ArgumentError("columns", f"a row for each of the {len(documents)} documents", f"{len(columns)} rows")
    if taken := [name for name in DOCUMENT_COLUMNS if name in columns.columns]:
        raise ArgumentError("columns", f"other names than {', '.join(DOCUMENT_COLUMNS)}", f"{taken[0]!r}", "Rename it.")
    result = columns.copy()
    proportions = topics.proportions(documents)
    topic = np.where(documents.placed, proportions.argmax(axis=1), NO_TOPIC)
    result["topic"] = topic
    result["topic_label"] = [labels[k] if k >= 0 else NO_TOPIC_LABEL for k in topic]
    result["probability"] = np.where(documents.placed, proportions.max(axis=1, initial=0.0), np.nan)
    result["known_tokens"] = documents.lengths
    return result


def topics_by(
    column: str,
    groups: Sequence[Any],
    proportions: np.ndarray,
    labels: Sequence[str],
    categories: Any = None,
) -> pd.DataFrame:
    """Sums and shares of the proportions in groups of documents, a row per group and topic, in the order of the categories.

    Documents of the group None, and without a topic, with proportions of NaN, are left out.
    """
    pandas = import_pandas()
    members = _members(groups, ~np.isnan(proportions).any(axis=1), categories)
    num_topics = proportions.shape[1]
    rows = []
    for group, documents in members.items():
        sums = proportions[documents].sum(axis=0)
        low, high = share_interval(sums, len(documents))
        rows.append((group, len(documents), sums, sums / len(documents), low, high))
    return pandas.DataFrame(
        {
            column: pandas.Series([row[0] for row in rows for _ in range(num_topics)]),
            "topic": np.tile(np.arange(num_topics), len(rows)),
            "topic_label": list(labels) * len(rows),
            "documents": _flat([row[2] for row in rows]),
            "share": _flat([row[3] for row in rows]),
            "share_low": _flat([row[4] for row in rows]),
            "share_high": _flat([row[5] for row in rows]),
        }
    )


def share_interval(sums: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval of 95 % (1927) for sums of proportions over `size` documents, as shares.

    Proportions between 0 and 1 vary less than whole documents, for which the interval is made: it is rather too wide.
    """
    share, z2 = sums / size, _Z**2
    center = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = _Z / (1 + z2 / size) * np.sqrt(share * (1 - share) / size + z2 / (4 * size**2))
    return np.clip(center - half, 0.0, 1.0), np.clip(center + half, 0.0, 1.0)


def words_by_group(
    groups: Sequence[Any], proportions: np.ndarray, counts: sparse.csr_matrix, vocabulary: Sequence[str]
) -> list[list[str]]:
    """The words of each topic in each group, in the order of the rows of `topics_by`.

    Words are ranked by n log(p(word | topic, group) / p(word)), where n is how often the topic says the word in the group.
    """
    totals = np.asarray(counts.sum(axis=0), np.float64).ravel()
    background = (totals + 1e-9) / (totals + 1e-9).sum()
    result = []
    for documents in _members(groups, ~np.isnan(proportions).any(axis=1)).values():
        often = np.asarray(counts[documents].T.dot(proportions[documents])).T  # (K, V)
        for row in often:
            scores = row * np.log(np.maximum(row / max(row.sum(), 1e-12), 1e-12) / background)
            best = np.argsort(-scores, kind="stable")[:_PERIOD_WORDS]
            result.append([vocabulary[word] for word in best if scores[word] > 0])
    return result


def as_matrix(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """A table of `topics_by` as shares with a row per group and a column per topic."""
    result = table.pivot(index=column, columns="topic", values="share")
    return result.loc[table[column].drop_duplicates()]


def _members(groups: Sequence[Any], counted: np.ndarray, categories: Any = None) -> dict[Any, np.ndarray]:
    """The positions of the documents of each group."""
    rows: dict[Any, list[int]] = {}
    for row, group in enumerate(groups):
        if group is not None and counted[row]:
            rows.setdefault(group, []).append(row)
    return {group: np.array(rows[group]) for group in in_order(rows, categories)}


def _flat(rows: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(rows) if rows else np.zeros(0)


def import_pandas() -> Any:
    """Pandas, or what to install."""
    with optional("topics", "Tables of topics"):
        import pandas
    return pandas
