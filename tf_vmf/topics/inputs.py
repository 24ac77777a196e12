"""What users pass as documents: lists, arrays, columns and data frames of any library, made into texts or counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np

from tf_vmf._errors import ArgumentError

_SNIPPET = 300  # characters of a training text that are kept for display


def plain_documents(documents: Any, vocabulary: Sequence[str] | None) -> Any:
    """Documents without what names their rows and columns: a list or an array of texts, or counts.

    Data frames hold counts: their columns are put into the order of the vocabulary.

    Args:
        documents: What the user has passed.
        vocabulary: The words that the columns of a data frame must name; None where none were given.

    Raises:
        TypeError: A mapping or a set, or a data frame of texts, which has to be one of its columns.
        ArgumentError: The columns of a data frame of counts are not the words of the vocabulary.
    """
    if isinstance(documents, Mapping | Set):
        remedy = "Pass list(texts.values())." if isinstance(documents, Mapping) else "Pass a list, which has an order."
        raise TypeError(f"Expected a list of texts, or counts. Received: {type(documents).__name__}. {remedy}")
    if hasattr(documents, "columns"):
        return _counts_of_frame(documents, vocabulary)
    if isinstance(documents, np.ndarray) and documents.ndim == 0:
        raise TypeError(f"Expected a list of texts, or counts. Received: an array of shape (), {documents!r:.60}.")
    return documents.to_pylist() if hasattr(documents, "to_pylist") else documents


def names_of_columns(documents: Any) -> np.ndarray | None:
    """The names of the columns of a data frame of counts, as scikit-learn's `feature_names_in_`; None without names."""
    if not hasattr(documents, "columns"):
        return None
    names = list(getattr(documents, "column_names", documents.columns))
    return np.array(names, object) if names and all(isinstance(name, str) for name in names) else None


def shortened(text: str) -> str:
    """The beginning of a text, for display."""
    return text if len(text) <= _SNIPPET else text[:_SNIPPET].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"


def _counts_of_frame(frame: Any, vocabulary: Sequence[str] | None) -> Any:
    if not hasattr(frame, "iloc"):
        frame = frame.to_pandas()
    import pandas

    names = list(frame.columns)
    if not all(pandas.api.types.is_numeric_dtype(kind) for kind in frame.dtypes):
        raise TypeError(
            "Expected texts, a list of strings or one column of a data frame as in frame['text'], or counts, numbers. "
            f"Received: a data frame with columns {names}."
        )
    if vocabulary is not None and names != list(range(len(vocabulary))):
        frame = _aligned(frame, vocabulary)
    if hasattr(frame, "sparse") and all(isinstance(kind, pandas.SparseDtype) for kind in frame.dtypes):
        return frame.sparse.to_coo()
    return frame.to_numpy(dtype=np.float32, na_value=np.nan)


def _aligned(frame: Any, vocabulary: Sequence[str]) -> Any:
    """The frame with its columns in the order of the vocabulary."""
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        twice = next(name for position, name in enumerate(names) if name in names[:position])
        raise ArgumentError("X", "a column per word", f"two columns {twice!r}")
    if missing := [word for word in vocabulary if word not in set(names)]:
        raise ArgumentError(
            "X", "a column for every word of the vocabulary", f"no column {missing[0]!r}", _count(missing)
        )
    if unknown := sorted(set(names) - set(vocabulary)):
        raise ArgumentError(
            "X", "columns named by words of the vocabulary alone", f"a column {unknown[0]!r}", _count(unknown)
        )
    position = {name: number for number, name in enumerate(names)}
    return frame.iloc[:, [position[word] for word in vocabulary]]


def _count(names: Sequence[str]) -> str:
    return f"{len(names)} are so: {', '.join(map(repr, names[:5]))}." if len(names) > 1 else ""
