"""The names of the labels that a conditional model was trained with, as its export holds them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tf_vmf._errors import ArgumentError
from tf_vmf.files import write_json
from tf_vmf.serving.limits import RequestError

LABELS_FILE = Path("assets.extra") / "labels.json"
"""A JSON list of strings, the name of label 0 first; an export without names has no such file."""

LABELS_INPUT = "labels"
_SHOWN = 20


def read_labels(path: Path) -> tuple[str, ...] | None:
    """The names of the labels by number; None where the export at the path holds none.

    Raises:
        ValueError: The file is no list of distinct strings.
    """
    file = path / LABELS_FILE
    if not file.is_file():
        return None
    try:
        names = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArgumentError("path", f"a JSON list of names in {file}", str(error), owner="Served") from error
    if (
        not isinstance(names, list)
        or not all(isinstance(name, str) for name in names)
        or len({*names}) < len(names)
        or not names
    ):
        raise ArgumentError("path", f"a JSON list of distinct names in {file}", repr(names)[:200], owner="Served")
    return tuple(names)


def write_labels(path: Path, names: Sequence[str], num_labels: int) -> None:
    """Writes the names of the labels into the folder of an export.

    Raises:
        ValueError: They are not distinct, or not as many as the model has labels.
    """
    if len({*names}) != num_labels or len(names) != num_labels:
        raise ArgumentError(
            "label_names", f"{num_labels} distinct names, one per label of the model", str(list(names)), owner="export"
        )
    write_json(path / LABELS_FILE, list(names))


def label_ids(value: Any, names: Sequence[str] | None) -> Any:
    """The value of the input `labels` with names replaced by numbers.

    Args:
        value: What JSON held: a list of names or numbers.
        names: The names by number, or None where they are unknown.

    Raises:
        RequestError: There is no such label.
    """
    return [_id(item, names) for item in value] if isinstance(value, list) else value


def _id(item: Any, names: Sequence[str] | None) -> Any:
    if names is None:
        if isinstance(item, str):
            raise RequestError(
                f"Input '{LABELS_INPUT}': expected numbers, as this export holds no names of labels. Received: {item!r}."
            )
        return item
    known = names.index(item) if isinstance(item, str) and item in names else item
    if isinstance(known, str) or (type(known) is int and not 0 <= known < len(names)):
        shown = ", ".join(map(repr, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")
        raise RequestError(
            f"Input '{LABELS_INPUT}': expected one of {shown}, or a number from 0 to {len(names) - 1}. Received: {item!r}."
        )
    return known
