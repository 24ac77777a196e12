"""Edits of topics as a file: labels, merges and topics to hide, written by the page or by hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tf_vmf._errors import ArgumentError, MissingPlaceError, half_of_a_pair

FORMAT, VERSION = "tf_vmf topic edits", 1
FINGERPRINT_WORDS = 5
_FIELDS = ("format", "version", "num_topics", "fingerprint", "labels", "merge", "hide")


@dataclass(frozen=True)
class TopicEdits:
    """Edits of the topics of a model; all numbers are those before the edits."""

    labels: dict[int, str]  # names of topics
    merge: list[list[int]]  # groups of topics to merge
    hide: list[int]  # topics to leave out of tables of topics and of the page


def fingerprint(topics: Sequence[Sequence[str]]) -> str:
    """Identifies topics: the first 16 hexadecimal digits of the SHA-256 of the first five words of each."""
    text = "\n".join(" ".join(words[:FINGERPRINT_WORDS]) for words in topics)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_edits(path: str | Path, topics: Sequence[Sequence[str]]) -> TopicEdits:
    """Reads a file of edits for the topics whose first words are given, five or more each where the vocabulary has as many.

    ```json
    {"format": "tf_vmf topic edits", "version": 1, "num_topics": 20, "fingerprint": "0f3a6c1b9e8d7f42",
     "labels": {"0": "space"}, "merge": [[0, 3]], "hide": [4]}
    ```

    A file written by hand needs `labels`, `merge` or `hide` alone; the page writes all fields. An ArgumentError names the line or
    field that does not fit, or says that the file was made for other topics.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingPlaceError("a file of edits", file, name="edits")
    try:
        value = json.loads(file.read_text("utf-8-sig"), object_pairs_hook=_without_repeats)
    except UnicodeDecodeError as error:
        raise ArgumentError("edits", "a file in UTF-8", f"{file}, {error}") from None
    except json.JSONDecodeError as error:
        received = f"{file}, line {error.lineno}, column {error.colno}: {error.msg}"
        raise ArgumentError("edits", "a JSON object", received) from None
    except ValueError as error:
        raise ArgumentError("edits", "an object whose keys differ", f"{file}: {error} twice") from None
    if not isinstance(value, dict) or not value:
        received = f"{file}, which holds {type(value).__name__ if value else 'nothing'}"
        raise ArgumentError("edits", "a JSON object with edits", received)
    fields = _Fields(file, len(topics))
    if unknown := [name for name in value if name not in _FIELDS]:
        raise fields.error(unknown[0], f"only the fields {', '.join(_FIELDS)}", repr(value[unknown[0]]))
    expected = {"format": FORMAT, "version": VERSION, "num_topics": len(topics), "fingerprint": fingerprint(topics)}
    for name, right in expected.items():
        if name in value and (value[name] != right or isinstance(value[name], bool)):
            remedy = "The edits were made for other topics." if name in ("num_topics", "fingerprint") else ""
            raise fields.error(name, repr(right), repr(value.get(name)), remedy)
    return fields.edits(value)


class _Fields:
    """The checks of the fields of a file of edits."""

    def __init__(self, file: Path, num_topics: int) -> None:
        self._file, self._num_topics = file, num_topics

    def error(self, field: str, expected: str, received: str, remedy: str = "") -> ArgumentError:
        return ArgumentError("edits", f"{expected} as {field!r} in {self._file}", received[:80], remedy)

    def edits(self, value: dict[str, Any]) -> TopicEdits:
        labels, merge, hide = value.get("labels", {}), value.get("merge", []), value.get("hide", [])
        if not isinstance(labels, dict):
            raise self.error("labels", "an object from topics to names", repr(labels))
        named: dict[int, str] = {}
        for key, label in labels.items():
            number = int(key) if key.isascii() and key.isdigit() else key
            if not isinstance(label, str) or not label.strip():
                raise self.error(f"labels.{key}", "a name", repr(label))
            if half := half_of_a_pair(label):
                raise self.error(f"labels.{key}", "valid Unicode", half)
            named[self._topic(number, f"labels.{key}")] = label
        if not isinstance(merge, list):
            raise self.error("merge", "a list of groups of topics", repr(merge))
        groups = []
        for position, group in enumerate(merge):
            field = f"merge[{position}]"
            if not isinstance(group, list) or len(group) < 2:
                raise self.error(field, "a list of two topics or more", repr(group))
            groups.append([self._topic(topic, field) for topic in group])
        if not isinstance(hide, list):
            raise self.error("hide", "a list of topics", repr(hide))
        hidden = [self._topic(topic, f"hide[{position}]") for position, topic in enumerate(hide)]
        merged = [topic for group in groups for topic in group]
        if len(set(merged)) < len(merged):
            raise self.error("merge", "each topic once", repr(merge))
        if both := sorted(set(merged) & set(hidden)):
            raise self.error("hide", "topics that are not merged", str(both[0]))
        return TopicEdits(named, groups, sorted(set(hidden)))

    def _topic(self, number: Any, field: str) -> int:
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < self._num_topics:
            raise self.error(field, f"topics from 0 to {self._num_topics - 1}", repr(number))
        return number


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise ValueError(repr(name))
    return dict(pairs)
