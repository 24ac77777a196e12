"""Guided topics: from seed words to columns of counts."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy import sparse

from tf_vmf._errors import ArgumentError
from tf_vmf.text.lines import line_error, read_lines
from tf_vmf.topics.documents import word_number

SeedWords = Mapping[str, Sequence[str]] | Sequence[Sequence[str]]


def seed_labels(seed_words: SeedWords | None) -> list[str]:
    """The names of the groups; "" where they have none."""
    if seed_words is None:
        return []
    return list(seed_words) if isinstance(seed_words, Mapping) else [""] * len(seed_words)


def check_seed_words(seed_words: SeedWords | None, vocabulary: Sequence[str], counts: sparse.csr_matrix) -> None:
    """Refuses groups that cannot guide a topic: empty ones, words that are not in the vocabulary, or in no document."""
    totals = np.asarray(counts.sum(axis=0)).ravel()
    for words in _groups(seed_words):
        if isinstance(words, str) or not len(words):
            raise ArgumentError("seed_words", "lists of words", repr(words))
        columns = [word_number(word, vocabulary, "seed_words") for word in words]
        if not totals[columns].any():
            raise ArgumentError("seed_words", "words of the documents", str(list(words)))


def seeds_first(ranking: np.ndarray, columns: Sequence[Sequence[int]], topic_of: np.ndarray) -> np.ndarray:
    """Ranked words (K, V) with the seeds of each guided topic in front, in their order; group g guides component g."""
    result = ranking.copy()
    for topic in np.unique(topic_of[: len(columns)]):
        groups = [words for group, words in enumerate(columns) if topic_of[group] == topic]
        seeds = np.array(list(dict.fromkeys(word for words in groups for word in words)))
        result[topic] = np.concatenate([seeds, ranking[topic][~np.isin(ranking[topic], seeds)]])
    return result


def warn_of_lost_seeds(
    columns: Sequence[Sequence[int]], labels: Sequence[str], counts: sparse.csr_matrix, topic_of_documents: np.ndarray
) -> None:
    """Warns of guided topics that hold fewer than half of the documents with their words.

    Documents with words of several groups count for none of them. Topic g is that of group g.
    """
    holds = np.stack([np.asarray(counts[:, list(words)].sum(axis=1)).ravel() > 0 for words in columns])
    alone = holds.sum(axis=0) == 1
    for group in range(len(columns)):
        found = topic_of_documents[holds[group] & alone & (topic_of_documents >= 0)]
        own = int(np.sum(found == group))
        if 2 * own < len(found):
            elsewhere = int(np.bincount(found[found != group]).argmax())
            warnings.warn(
                f"Topic {group} ({labels[group]}) holds {own} of {len(found)} documents with its `seed_words`; most of the others "
                f"are in topic {elsewhere} ({labels[elsewhere]}). Add words that these documents share, or raise `num_topics`.",
                stacklevel=5,
            )


def read_seed_words(path: str | Path) -> dict[str, list[str]]:
    """Reads groups of seed words from a file: a line per topic, `name: word, word`."""
    groups: dict[str, list[str]] = {}
    for number, line in read_lines(path):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, colon, rest = (part.strip() for part in line.partition(":"))
        words = [word for word in re.split(r"[,\s]+", rest) if word]
        if not (name and colon and words):
            raise line_error(path, number, "`name: word, word`", repr(line))
        if name in groups:
            raise line_error(path, number, "a name not yet given", repr(name))
        groups[name] = words
    if not groups:
        raise line_error(path, 1, "`name: word, word`", "no line")
    return groups


def seed_columns(seed_words: SeedWords | None, vocabulary: Sequence[str]) -> list[list[int]]:
    """The columns of the words of each group that `check_seed_words` allows."""
    return [[word_number(word, vocabulary) for word in words] for words in _groups(seed_words)]


def _groups(seed_words: SeedWords | None) -> list[Sequence[str]]:
    if seed_words is None:
        return []
    return list(seed_words.values() if isinstance(seed_words, Mapping) else seed_words)
