"""Tables of topics and documents as pandas data frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_vmf._optional import optional
from tf_vmf.data.documents import Documents
from tf_vmf.evaluation.coherence import topic_coherence
from tf_vmf.evaluation.topics import npmi_coherence
from tf_vmf.topics.fitted import FittedTopics
from tf_vmf.topics.representatives import representative_documents

if TYPE_CHECKING:
    import pandas as pd

_COHERENCE_WORDS = 10
REPRESENTATIVES = 3


def topic_info(
    topics: FittedTopics,
    vocabulary: Sequence[str],
    words: Sequence[Sequence[str]],
    labels: Sequence[str],
    topic_of_documents: np.ndarray,
) -> pd.DataFrame:
    """A row per topic; see `TopicModel.topic_info`."""
    pandas = _pandas()
    return pandas.DataFrame(
        {
            "topic": np.arange(topics.num_topics),
            "label": list(labels),
            "size": np.bincount(topic_of_documents[topics.known], minlength=topics.num_topics),
            "share": topics.weights,
            "words": [list(row) for row in words],
            "c_npmi": coherence(topics, vocabulary),
            "representative_documents": representatives(topics, topic_of_documents),
        }
    )


def coherence(topics: FittedTopics, vocabulary: Sequence[str]) -> np.ndarray:
    """NPMI of the first ten words of each topic in the training documents, shape (K,).

    In windows of 10 words where the order of words is known, otherwise in whole documents; nan where fewer than two words of the
    vocabulary occur.
    """
    # Words that no document holds come last in every topic.
    num_words = min(_COHERENCE_WORDS, int(np.count_nonzero(np.asarray(topics.documents.counts.sum(axis=0)))))
    if num_words < 2:
        return np.full(topics.num_topics, np.nan)
    words = [[vocabulary[word] for word in row[:num_words]] for row in topics.ranking]
    sequences = topics.documents.sequences(vocabulary)
    if sequences is None:
        return npmi_coherence(words, Documents(topics.documents.counts), vocabulary, num_words)
    return topic_coherence(words, sequences, "c_npmi", num_words=num_words)


def representatives(topics: FittedTopics, topic_of_documents: np.ndarray) -> list[list[int]]:
    """Positions of the documents of each topic that lie nearest to the point at which it is decoded, nearest first."""
    result = []
    for topic in range(topics.num_topics):
        rows = np.flatnonzero((topic_of_documents == topic) & topics.known)
        result.append(rows[representative_documents(topics.codes[rows], topics.modes[topic], REPRESENTATIVES)].tolist())
    return result


def document_info(
    texts: Sequence[str] | None, proportions: np.ndarray, labels: Sequence[str], known_tokens: np.ndarray
) -> pd.DataFrame:
    """A row per document; see `TopicModel.document_info`."""
    pandas = _pandas()
    topic = proportions.argmax(axis=1)
    return pandas.DataFrame(
        {
            "text": [None] * len(proportions) if texts is None else list(texts),
            "topic": topic,
            "label": [labels[k] for k in topic],
            "probability": proportions.max(axis=1),
            "known_tokens": known_tokens,
        }
    )


def topics_by(column: str, groups: Sequence[Any], proportions: np.ndarray, labels: Sequence[str]) -> pd.DataFrame:
    """Sums and shares of the proportions in groups of documents, a row per group and topic.

    Documents whose group is None or NaN are left out.

    Args:
        column: The name of the groups' column.
        groups: The group of each document.
        proportions: Shape (n, K).
        labels: The label of each topic.

    Raises:
        ValueError: The number of groups is not n.
    """
    pandas = _pandas()
    if len(groups) != len(proportions):
        raise ValueError(f"Expected a {column} for each of the {len(proportions)} documents. Received: {len(groups)}.")
    frame = pandas.DataFrame(proportions)
    sums = frame.groupby(pandas.Series(list(groups)), sort=True).sum()
    shares = sums.div(sums.sum(axis=1), axis=0)
    num_topics = proportions.shape[1]
    return pandas.DataFrame(
        {
            column: np.repeat(sums.index.to_numpy(), num_topics),
            "topic": np.tile(np.arange(num_topics), len(sums)),
            "label": list(labels) * len(sums),
            "documents": sums.to_numpy().ravel(),
            "share": shares.to_numpy().ravel(),
        }
    )


def periods(timestamps: Sequence[Any], bins: int | None) -> list[Any]:
    """The start of the period of each timestamp: one of `bins` of equal length, or with None the timestamp itself.

    Missing timestamps stay missing.
    """
    pandas = _pandas()
    times = pandas.Series(list(timestamps))
    if not pandas.api.types.is_numeric_dtype(times):
        try:
            times = pandas.to_datetime(times)
        except (TypeError, ValueError) as error:
            raise ValueError(f"Argument `timestamps`: expected numbers or dates that pandas reads. {error}") from None
    if bins is None or not len(times):
        return list(times)
    first, width = times.min(), (times.max() - times.min()) / bins
    if not width:
        return [first] * len(times)
    number = np.minimum((times - first) // width, bins - 1)
    return [None if pandas.isna(i) else first + width * int(i) for i in number]


def _pandas() -> Any:
    with optional("topics", "Tables of topics"):
        import pandas
    return pandas
