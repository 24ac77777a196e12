"""Findings as JSON, and back."""

from __future__ import annotations

import dataclasses
import json
import math
import types
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from tf_vmf._errors import ArgumentError

T = TypeVar("T")
_KIND = "findings"


def to_json(findings: Any, *, indent: int | None = None) -> str:
    """A findings dataclass as JSON: dataclasses as objects, arrays and tuples as lists, NaN as null, infinity as a string.

    Fields whose metadata say `"json": False` are left out.

    ```python
    from tf_vmf.report.engine.serialization import from_json, to_json

    points = [tf_vmf.report.SweepPoint({"latent_dim": "25"}, {"perplexity": (801.0, 803.0)})]
    text = to_json(tf_vmf.report.find_sweep(points))
    same = from_json(text, tf_vmf.report.SweepFindings)
    ```
    """
    content = {_KIND: type(findings).__name__, **plain(findings)}
    return json.dumps(content, indent=indent, ensure_ascii=False, allow_nan=False)


def from_json(text: str, kind: type[T]) -> T:
    """The findings that `to_json` wrote."""
    content = json.loads(text)
    if content.get(_KIND) != kind.__name__:
        raise ArgumentError("text", f"{kind.__name__} as JSON", repr(content.get(_KIND)), owner="from_json")
    return typed(content, kind)


def plain(value: Any) -> Any:
    """A record as values that `json.dumps` writes: see `to_json`."""
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in _in_json(value)}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)  # "inf" or "-inf", which float() reads
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"Findings hold dataclasses, arrays, numbers and strings. Received: {type(value).__name__}.")


def typed(value: Any, hint: Any) -> Any:
    """The inverse of `plain` for a value of a given type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{f.name: typed(value[f.name], hints[f.name]) for f in _in_json(hint)})  # type: ignore[operator]
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return typed(value, next(argument for argument in arguments if argument is not type(None)))
    if origin is tuple:
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(typed(item, kind) for item, kind in zip(value, kinds, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: typed(item, arguments[1]) for key, item in value.items()}
    if hint is np.ndarray:
        return np.asarray(_numbers(value))
    return _numbers(value) if hint is float else value


def _numbers(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_numbers(item) for item in value]
    return value if isinstance(value, bool | int) else float("nan" if value is None else value)


def _in_json(record: Any) -> list[dataclasses.Field[Any]]:
    """The fields of a dataclass but those whose metadata say `"json": False`, which have a default."""
    return [field for field in dataclasses.fields(record) if field.metadata.get("json", True)]
