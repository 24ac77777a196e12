"""Guided topics: from seed words to columns of counts."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import sparse

from tf_vmf._errors import ArgumentError, check_unicode
from tf_vmf.text.lines import line_error, read_lines
from tf_vmf.topics.documents import word_number
from tf_vmf.topics.fitted import FittedTopics

SeedWords = Mapping[str, Sequence[str]] | Sequence[Sequence[str]]


def seed_labels(seed_words: SeedWords | None) -> list[str]:
    """The names of the groups; "" where they have none."""
    if seed_words is None:
        return []
    return list(seed_words) if isinstance(seed_words, Mapping) else [""] * len(seed_words)


def check_seed_words(seed_words: SeedWords | None, vocabulary: Sequence[str], counts: sparse.csr_matrix) -> None:
    """Refuses groups that cannot guide a topic: empty ones, words of two groups, of no document, or not in the vocabulary."""
    totals = np.asarray(counts.sum(axis=0)).ravel()
    for name in seed_words if isinstance(seed_words, Mapping) else ():
        check_unicode(name, "seed_words")
    for words in _groups(seed_words):
        if isinstance(words, str) or not len(words):
            raise ArgumentError("seed_words", "lists of words", repr(words))
        columns = [word_number(word, vocabulary, "seed_words") for word in words]
        if not totals[columns].any():
            raise ArgumentError("seed_words", "words of the documents", str(list(words)))
    in_groups = Counter(word for words in _groups(seed_words) for word in set(words))
    if twice := [word for word, number in in_groups.items() if number > 1]:
        raise ArgumentError("seed_words", "each word in one group", f"{twice[0]!r} in two")


def seeds_first(topics: FittedTopics, columns: Sequence[Sequence[int]]) -> FittedTopics:
    """The topics with the seeds of each guided one in front of its words, in their order; group g guides component g.

    A topic that lost the documents of its seeds keeps its own words.
    """
    ranking, seeds_of = topics.ranking.copy(), dict[int, list[int]]()
    for topic, words, found in zip(topics.topic_of, columns, _topics_with_seeds(topics, columns), strict=False):
        if _most(found, topic):
            seeds_of.setdefault(topic, []).extend(words)
    for topic, words in seeds_of.items():
        seeds = np.array(list(dict.fromkeys(words)))
        ranking[topic] = np.concatenate([seeds, ranking[topic][~np.isin(ranking[topic], seeds)]])
    return replace(topics, ranking=ranking)


def seed_names(
    seed_words: SeedWords | None, columns: Sequence[Sequence[int]], topics: FittedTopics, labels: Sequence[str]
) -> dict[int, str]:
    """The names of the guided topics that hold at least half of the documents with their words; warns of the others.

    Documents with words of several groups count where a group has no others. Topic g is that of group g.
    """
    names: dict[int, str] = {}
    for group, (name, found) in enumerate(
        zip(seed_labels(seed_words), _topics_with_seeds(topics, columns), strict=True)
    ):
        if _most(found, group):
            names |= {group: name} if name else {}
            continue
        elsewhere = int(np.bincount(found[found != group]).argmax())
        warnings.warn(
            f"Topic {group} ({labels[group]}) holds {np.sum(found == group)} of {len(found)} documents with its `seed_words`, "
            f"{name or ', '.join(_groups(seed_words)[group])!r}, and is not named by them; most of the others are in topic "
            f"{elsewhere} ({labels[elsewhere]}). Add words that these documents share, or raise `num_topics`.",
            stacklevel=4,
        )
    return names


def _most(topics_of_documents: np.ndarray, topic: int) -> bool:
    return bool(2 * np.sum(topics_of_documents == topic) >= len(topics_of_documents))


def _topics_with_seeds(topics: FittedTopics, columns: Sequence[Sequence[int]]) -> list[np.ndarray]:
    """The topics of the documents with seed words of each group, and of no other group where there are such documents."""
    counts = topics.documents.counts
    holds = np.stack([np.asarray(counts[:, list(words)].sum(axis=1)).ravel() > 0 for words in columns])
    alone = holds & (holds.sum(axis=0) == 1)
    return [topics.labels[own if own.any() else all_] for own, all_ in zip(alone, holds, strict=True)]


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
