"""Vectors of texts that the user brings: arrays, files, or a function of texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.preprocessing import normalize

from tf_vmf._errors import ArgumentError, MissingPlaceError
from tf_vmf.data.counts import without_mask
from tf_vmf.topics.documents import CountedDocuments, is_texts
from tf_vmf.topics.inputs import plain_documents

Encoder = Callable[[list[str]], Any]


def add_vectors(documents: CountedDocuments, X: Any, embeddings: Any, dim: int | None = None) -> CountedDocuments:
    """The documents with the unit vectors of `embeddings`.

    Args:
        documents: The counts of the words of X.
        X: What the user has passed as documents.
        embeddings: Numbers of shape (n, e), or a function from a list of texts to them.
        dim: The dimension that the vectors must have; None for any from 2 on.

    Raises:
        ArgumentError: There is no vector per document, one is not finite or zero, or has another dimension; or a function is given,
            and the documents are counts.
    """
    if callable(embeddings):
        plain = plain_documents(X, None)
        if len(documents) and not is_texts(plain):
            raise ArgumentError("embeddings", "an array, as the documents are counts and no texts", "a function")
        embeddings = embeddings(list(plain)) if len(documents) else []
    return replace(documents, vectors=checked_vectors(embeddings, len(documents), dim))


def add_new_vectors(documents: CountedDocuments, X: Any, embeddings: Any, dim: int | None) -> CountedDocuments:
    """New documents with their vectors where the model was fitted with some, of dimension `dim`.

    Raises:
        ArgumentError: As `add_vectors`; or there are vectors, and the model was fitted without.
    """
    if dim is not None:
        return add_vectors(documents, X, embeddings, dim)
    if embeddings is not None:
        raise ArgumentError("embeddings", "None, as `fit` was given none", type(embeddings).__name__)
    return documents


def checked_vectors(embeddings: Any, size: int, dim: int | None = None) -> np.ndarray:
    """Vectors scaled to length 1, float32 (n, e): they are directions.

    Args:
        embeddings: Numbers of shape (n, e).
        size: n, the number of documents.
        dim: e; None for any from 2 on.

    Raises:
        ArgumentError: The shape is another, or a vector is not finite or zero; the message names the first such rows. Or all
            training vectors have one direction.
    """
    if embeddings is None:
        remedy = "Pass them, or a function from texts to them: a saved model keeps no function."
        raise ArgumentError("embeddings", f"vectors of {dim} dimensions, as in `fit`", "None", remedy)
    expected = f"numbers of shape ({size}, {'e' if dim is None else dim}), a vector per document"
    if sparse.issparse(embeddings):
        raise ArgumentError("embeddings", expected, "a sparse matrix", "Pass embeddings.toarray().")
    try:
        given = np.asarray(without_mask(embeddings))
    except (TypeError, ValueError) as error:
        raise ArgumentError("embeddings", expected, f"{type(embeddings).__name__}: {error}") from None
    if not size and not given.size:
        return np.zeros((0, dim or 2), np.float32)
    if given.dtype.kind not in "fiu":
        raise ArgumentError("embeddings", expected, f"{type(embeddings).__name__} of type {given.dtype}")
    if given.ndim != 2 or len(given) != size:
        raise ArgumentError("embeddings", expected, f"shape {given.shape}")
    if given.shape[1] != dim and (dim is not None or given.shape[1] < 2):
        fits = f"vectors of {dim} dimensions, as in `fit`" if dim is not None else "vectors of 2 dimensions or more"
        raise ArgumentError("embeddings", fits, f"{given.shape[1]}")
    vectors = given.astype(np.float32 if given.dtype in (np.float16, np.float32) else np.float64)
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    _refuse_rows(~np.isfinite(largest[:, 0]), "finite numbers", "NaN or infinite ones")
    _refuse_rows(largest[:, 0] == 0, "vectors that are not zero", "zeros alone")
    directions = np.asarray(normalize(vectors / largest), np.float32)
    if dim is None and size > 1 and (directions == directions[0]).all():
        raise ArgumentError("embeddings", "vectors of several directions", "one direction in all rows")
    return directions


def read_embeddings(path: str | Path) -> np.ndarray:
    """The array of a file that `numpy.save` has written; its rows are read as they are needed.

    Raises:
        MissingPlaceError: There is no such file.
        ArgumentError: It holds no array of numbers.
    """
    if not Path(path).is_file():
        raise MissingPlaceError("a file of embeddings", Path(path), "where there is none")
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OSError) as error:
        remedy = "Write it with numpy.save(path, vectors)."
        raise ArgumentError("embeddings", "a file of numpy.save with numbers", f"{path}: {error}", remedy) from None


def _refuse_rows(wrong: np.ndarray, expected: str, received: str) -> None:
    if rows := np.flatnonzero(wrong).tolist():
        first = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
        some = f"row {first}" if len(rows) == 1 else f"{len(rows)} rows: {first}"
        raise ArgumentError("embeddings", expected, f"{received} in {some}")
