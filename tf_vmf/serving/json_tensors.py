"""Tensors from JSON and back, by the rules of TensorFlow Serving's REST interface; and the names of labels beside them."""

from __future__ import annotations

import base64
import binascii
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.files import write_json
from tf_vmf.serving.requests import Limits, RequestError

BINARY = "b64"  # {"b64": ...} is a string of bytes in base64
_BINARY_SUFFIX = "_bytes"  # outputs whose names end so are answered as {"b64": ...}
_JSON_NAMES = {type(None): "null", bool: "a boolean", str: "a string", list: "a list", dict: "an object"}

LABELS_FILE = Path("assets.extra") / "labels.json"
"""A JSON list of strings, the name of label 0 first; an export without names has no such file."""

LABELS_INPUT = "labels"
_SHOWN = 20


def to_tensor(name: str, value: Any, spec: tf.TensorSpec, limits: Limits) -> tf.Tensor:
    """A tensor from nested lists."""
    expected = f"Input {name!r}: expected {spec.dtype.name} of shape {[-1 if n is None else n for n in spec.shape]}."
    shape, flat = _flattened(value, spec.shape.rank, expected)
    if not spec.shape.is_compatible_with(shape):
        raise RequestError(f"{expected} Received: shape {shape}.")
    if shape and not 1 <= shape[0] <= limits.examples:
        raise RequestError(f"Input {name!r}: expected 1 to {limits.examples} rows. Received: {shape[0]}.", 413)
    if not flat:
        raise RequestError(f"{expected} Received: shape {shape}, which holds nothing.")
    if spec.dtype == tf.string:
        return tf.reshape(tf.constant([_bytes(item, expected, limits) for item in flat], tf.string), shape)
    array = _numbers(flat, spec.dtype, expected)
    largest = limits.numbers.get(name)
    if not shape and largest is not None and array[0] > largest:
        raise RequestError(f"Input {name!r}: expected at most {largest}. Received: {array[0]}.")
    return tf.constant(array.reshape(shape), spec.dtype)


def to_json(name: str, value: np.ndarray) -> Any:
    """Nested lists of an output; strings are decoded, or {"b64": ...} where the name ends in `_bytes`."""
    if value.dtype != object:
        return value.tolist()
    binary = name.endswith(_BINARY_SUFFIX)

    def convert(item: Any) -> Any:
        if isinstance(item, list):
            return [convert(each) for each in item]
        return {BINARY: base64.b64encode(item).decode()} if binary else item.decode("utf-8", "replace")

    return convert(value.tolist())


def _flattened(value: Any, rank: int, expected: str) -> tuple[list[int], Sequence[Any]]:
    """The shape of nested lists and their items in one sequence.

    Lists are opened down to the rank and no further, so their depth does not matter.
    """
    shape: list[int] = []
    items: Sequence[Any] = [value]
    for _ in range(rank):
        if not all(isinstance(item, list) for item in items):
            other = next(item for item in items if not isinstance(item, list))
            raise RequestError(f"{expected} Received: {_kind(other)} in place of a list, at depth {len(shape)}.")
        lengths = {len(item) for item in items} or {0}
        if len(lengths) > 1:
            raise RequestError(f"{expected} Received: lists of different lengths, at depth {len(shape)}.")
        shape.append(lengths.pop())
        items = list(itertools.chain.from_iterable(items))
    if any(isinstance(item, list) for item in items):
        raise RequestError(f"{expected} Received: lists nested more than {rank} deep.")
    return shape, items


def _kind(item: Any) -> str:
    return _JSON_NAMES.get(type(item), "a number")


def _bytes(item: Any, expected: str, limits: Limits) -> bytes:
    try:
        if isinstance(item, str):
            data = item.encode("utf-8")
        elif isinstance(item, Mapping) and set(item) == {BINARY}:
            data = base64.b64decode(item[BINARY], validate=True)
            data.decode("utf-8")
        else:
            raise RequestError(f"{expected} Received: {_kind(item)}.")
    except (UnicodeError, binascii.Error, TypeError, ValueError) as error:
        if isinstance(error, RequestError):
            raise
        raise RequestError(f"{expected} Received a string that is not UTF-8: {error}.") from error
    if len(data) > limits.text_bytes:
        raise RequestError(
            f"Expected strings of at most {limits.text_bytes:,} bytes. Received: {len(data):,} bytes.", 413
        )
    return data


def _numbers(items: Sequence[Any], dtype: tf.DType, expected: str) -> np.ndarray:
    # Types are compared, as `isinstance` takes a boolean for an integer.
    accepted = {bool} if dtype.is_bool else {int} if dtype.is_integer else {int, float}
    others = set(map(type, items)) - accepted
    if others:
        received = next(item for item in items if type(item) in others)
        raise RequestError(f"{expected} Received: {received if type(received) is float else _kind(received)}.")
    if dtype.is_integer and items:
        bounds = np.iinfo(dtype.as_numpy_dtype)
        if min(items) < bounds.min or max(items) > bounds.max:
            raise RequestError(f"{expected} Received: numbers outside of {bounds.min} to {bounds.max}.")
    try:
        with np.errstate(over="ignore"):  # checked below
            array = np.array(items, None if dtype.is_integer or dtype.is_bool else np.float64)
            array = array.astype(dtype.as_numpy_dtype)
    except OverflowError as error:
        raise RequestError(f"{expected} Received: numbers that are not finite.") from error
    if not np.all(np.isfinite(array)):
        raise RequestError(f"{expected} Received: numbers that are not finite.")
    return array


def read_labels(path: Path) -> tuple[str, ...] | None:
    """The names of the labels by number; None where the export at the path holds none."""
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
    """Writes the names of the labels into the folder of an export."""
    if len({*names}) != num_labels or len(names) != num_labels:
        raise ArgumentError(
            "label_names", f"{num_labels} distinct names, one per label of the model", str(list(names)), owner="export"
        )
    write_json(path / LABELS_FILE, list(names))


def label_ids(value: Any, names: Sequence[str] | None) -> Any:
    """The value of the input `labels` with names replaced by numbers."""
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
