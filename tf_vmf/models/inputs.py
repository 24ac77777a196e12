"""Conversion of inputs - lists, arrays, sparse matrices of any kind - to the form that Keras and TensorFlow take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse
import tensorflow as tf

from tf_vmf._errors import ArgumentError


def canonical(x: Any) -> Any:
    """Arrays as Keras's `fit` takes them; what holds no data of its own, such as a `tf.data.Dataset`, as it is.

    A scipy matrix or array of any format becomes a CSR matrix with sorted indices and no entry twice, a sparse tensor is put into
    row-major order, lists of numbers and data frames become arrays, and a data frame of sparse columns a CSR matrix.
    """
    if hasattr(x, "to_numpy") and hasattr(x, "columns"):  # of pandas, which is not imported here
        x = x.sparse.to_coo() if all(hasattr(dtype, "fill_value") for dtype in x.dtypes) else x.to_numpy()
    if scipy.sparse.issparse(x):  # one format of which is a mapping, too
        matrix = scipy.sparse.csr_matrix(x)  # shares the data of a CSR matrix, which is not to be changed
        if not matrix.has_canonical_format:
            matrix = matrix.copy()
            matrix.sum_duplicates()  # sorts, too
        return matrix
    if isinstance(x, Mapping):
        return {name: canonical(value) for name, value in x.items()}
    check_no_text(x)
    if isinstance(x, tf.SparseTensor) and tf.executing_eagerly():
        return tf.sparse.reorder(x)
    if isinstance(x, (list, tuple)) and _is_number(_first_leaf(x)):
        return np.asarray(x)
    return x


def check_no_text(x: Any) -> None:
    """Refuses strings and words.

    Raises:
        ArgumentError: x holds text.
    """
    first = _first_leaf(x)
    kind = getattr(getattr(first, "dtype", None), "kind", "")
    if kind == "O" and getattr(first, "size", 0):
        first = _first_leaf(first.tolist())
    if (isinstance(first, (str, bytes)) or kind in ("U", "S")) and np.size(first):
        first = np.ravel(first)[0]
        dtype = getattr(x, "dtype", type(first).__name__)
        tokenized = isinstance(x, (list, tuple)) and isinstance(x[0], (list, tuple))
        raise ArgumentError(
            "x",
            "counts of words, or ids of tokens, which are numbers",
            f"{'lists of words' if tokenized else 'texts'} (dtype {dtype}), the first of which begins with {first!r:.60}",
            "tf_vmf.data.load_bag_of_words(texts=...) and tf_vmf.data.load_sentences(texts=...) turn strings into numbers, "
            "tf_vmf.TopicModel does it by itself. Join words that are tokenized already by spaces, and give "
            "tokenization='whitespace'; decode bytes; of a data frame take the column: frame['text'].",
        )


def to_tensors(x: Any) -> Any:
    """One batch in `canonical` form, with scipy matrices as sparse tensors, float32."""
    x = canonical(x)
    if isinstance(x, Mapping):
        return {name: to_tensors(value) for name, value in x.items()}
    if not scipy.sparse.issparse(x):
        return x
    matrix = x.tocoo()
    indices = np.stack([matrix.row, matrix.col], axis=1).astype(np.int64)
    return tf.SparseTensor(indices, matrix.data.astype(np.float32), matrix.shape)


def check_counts(x: Any) -> None:
    """Checks a batch in `canonical` form that is at hand as an array: counts are finite numbers >= 0.

    Raises:
        ArgumentError: A count is negative, NaN or infinite.
    """
    values = x.data if scipy.sparse.issparse(x) else x.values if isinstance(x, tf.SparseTensor) else x
    if tf.is_tensor(values) and hasattr(values, "numpy"):
        values = values.numpy()
    if not isinstance(values, np.ndarray) or not values.size:
        return
    if values.dtype.kind not in "iuf" and values.dtype.name != "bfloat16":
        raise ArgumentError("x", "counts, which are finite numbers >= 0", f"values of dtype {values.dtype}")
    smallest, largest = values.min(), values.max()  # NaN if one is
    if not (smallest >= 0 and largest < np.inf):
        received = f"a smallest value of {smallest:g} and a largest of {largest:g}"
        raise ArgumentError("x", "counts, which are finite numbers >= 0", received)


def check_not_empty(x: Any, method: str) -> None:
    """Refuses nothing, and no examples, of which Keras makes errors that do not say so.

    Raises:
        ArgumentError: x is None or an array without rows.
    """
    shape = getattr(x, "shape", None)
    if x is None or (shape is not None and len(shape) > 0 and shape[0] == 0):
        received = "None" if shape is None else f"shape {tuple(shape)}"
        raise ArgumentError("x", "at least one example", received, owner=method)


def _first_leaf(x: Any) -> Any:
    while isinstance(x, (list, tuple)) and x:
        x = x[0]
    return x


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float, np.number))
