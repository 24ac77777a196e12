"""Word counts: counting, the check of counts that are given, and the columns of data frames of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from tf_vmf._errors import ArgumentError
from tf_vmf.data.arrays import BLOCK, IN_MEMORY, Store, blocks

ROWS = 2**14  # examples counted at once


def checked_counts(
    counts: Any, num_words: int | None = None, name: str = "counts", owner: str = ""
) -> sparse.csr_matrix:
    """Counts (n, V) of any dense or sparse format as a `csr_matrix` with sorted indices, each once, and without zeros.

    It is a copy where they are not so already. `name` and `owner` are for errors.
    """
    expected = "counts, an array of shape (n, V)" if num_words is None else f"counts of shape (n, {num_words})"
    if sparse.issparse(counts):
        _check_indices(counts, name, owner)
    else:
        try:
            counts = np.asarray(without_mask(counts))
        except ValueError:  # rows of different lengths
            raise ArgumentError(
                name, expected, f"{type(counts).__name__} with rows of different lengths", owner=owner
            ) from None
        if counts.dtype == object:
            try:
                counts = counts.astype(np.float64)
            except (TypeError, ValueError) as error:
                raise ArgumentError(name, expected, str(error), owner=owner) from None
    if counts.ndim != 2 or (num_words is not None and counts.shape[1] != num_words):
        raise ArgumentError(name, expected, f"shape {counts.shape}", owner=owner)
    if counts.dtype.kind not in "biuf":
        raise ArgumentError(name, "counts, real numbers", f"dtype {counts.dtype}", owner=owner)
    matrix = sparse.csr_matrix(counts)
    if matrix.dtype == np.bool_:
        matrix = matrix.astype(np.int32)
    check_counts(matrix, name, owner)
    if not (matrix.has_canonical_format and all(matrix.data[block].all() for block in blocks(matrix.nnz, BLOCK))):
        matrix = matrix.copy()
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
    return matrix


def check_counts(counts: Any, name: str, owner: str) -> None:
    """An ArgumentError with the place of a count that is NaN, infinite or below 0; a symbolic tensor has none yet."""
    values = counts.data if sparse.issparse(counts) else getattr(counts, "values", counts)
    values = values.numpy() if hasattr(values, "numpy") else values
    if not isinstance(values, np.ndarray):
        return
    if values.dtype.kind not in "biuf" and values.dtype.name != "bfloat16":
        raise ArgumentError(name, "counts, real numbers", f"dtype {values.dtype}", owner=owner)
    flat = values.reshape(-1)
    for block in blocks(len(flat), BLOCK):
        wrong = ~(np.isfinite(flat[block]) & (flat[block] >= 0))
        if wrong.any():
            position = block.start + int(np.argmax(wrong))
            if sparse.issparse(counts):
                place = (np.searchsorted(counts.indptr, position, side="right") - 1, counts.indices[position])
            elif hasattr(counts, "values"):  # a tf.SparseTensor
                place = tuple(np.asarray(counts.indices)[position])
            else:
                place = np.unravel_index(position, values.shape)
            received = f"{flat[position]} in row {place[0]}, column {place[-1]}"
            raise ArgumentError(name, "counts that are finite and >= 0", received, owner=owner)


def names_of_columns(counts: Any) -> np.ndarray | None:
    """The names of the columns of a data frame of counts, as scikit-learn's `feature_names_in_`; None without names."""
    if not hasattr(counts, "columns"):
        return None
    names = list(getattr(counts, "column_names", counts.columns))
    return np.array(names, object) if names and all(isinstance(name, str) for name in names) else None


def aligned_columns(frame: Any, vocabulary: Sequence[str], name: str, owner: str = "") -> Any:
    """A pandas or polars frame with its columns in the order of the vocabulary; each word must have one, and each column a word."""
    names = [str(each) for each in getattr(frame, "column_names", frame.columns)]
    twice = [each for each, count in Counter(names).items() if count > 1]
    missing = [word for word in vocabulary if word not in set(names)]
    unknown = sorted(set(names) - set(vocabulary))
    for wrong, expected, received in (
        (twice, "a column per word", "two columns"),
        (missing, "a column for every word of the vocabulary", "no column"),
        (unknown, "columns named by words of the vocabulary alone", "a column"),
    ):
        if wrong:
            others = f"{len(wrong)} are so: {', '.join(map(repr, wrong[:5]))}." if len(wrong) > 1 else ""
            raise ArgumentError(name, expected, f"{received} {wrong[0]!r}", others, owner=owner)
    if not hasattr(frame, "iloc"):
        return frame.select(list(vocabulary))
    position = {each: number for number, each in enumerate(names)}
    return frame.iloc[:, [position[word] for word in vocabulary]]


def numbers_of_frame(frame: Any) -> Any:
    """A data frame of any library as an array, or of sparse columns as a scipy matrix; NaN where a number is missing.

    Where a column holds no numbers the array is one of objects.
    """
    if not hasattr(frame, "iloc"):
        frame = frame.to_pandas()
    import pandas

    kinds = list(frame.dtypes)
    if not all(pandas.api.types.is_numeric_dtype(kind) for kind in kinds):
        return frame.to_numpy(object)
    if kinds and all(isinstance(kind, pandas.SparseDtype) and kind.fill_value == 0 for kind in kinds):
        return frame.sparse.to_coo()
    if all(isinstance(kind, np.dtype) for kind in kinds):
        return frame.to_numpy()
    return frame.to_numpy(np.float64, na_value=np.nan)


def without_mask(values: Any) -> Any:
    """A masked array with NaN in place of what it masks; any other value as it is."""
    if not isinstance(values, np.ma.MaskedArray):
        return values
    if not np.ma.is_masked(values):
        return values.data
    return np.ma.filled(values.astype(np.result_type(values.dtype, np.float32)), np.nan)


def _check_indices(matrix: Any, name: str, owner: str) -> None:
    """Refuses indices outside the matrix, at which scipy would read and write foreign memory."""
    try:
        if matrix.format in ("csr", "csc", "bsr"):
            matrix.check_format(full_check=True)
        elif matrix.format == "coo" and matrix.nnz:
            for indices, size in zip((matrix.row, matrix.col), matrix.shape, strict=True):
                if indices.min() < 0 or indices.max() >= size:
                    raise ValueError(f"index {indices.max()} in an axis of size {size}")
    except ValueError as error:
        raise ArgumentError(
            name, "a sparse matrix whose indices lie within its shape", f"shape {matrix.shape}: {error}", owner=owner
        ) from None


def counts_of(
    tokens: np.ndarray,
    offsets: np.ndarray,
    num_words: int,
    store: Store = IN_MEMORY,
    name: str | None = None,
    dtype: str = "int32",
) -> sparse.csr_matrix:
    """Counts of each word in each example: shape (n, num_words), with sorted indices, each once."""
    data, indices, ends = (
        store.column(kind, None if name is None else f"{name}-{array}")
        for kind, array in ((dtype, "counts"), ("int32", "words"), ("int64", "offsets"))
    )
    ends.append(0)
    for part in blocks(len(offsets) - 1, ROWS):
        first, last = offsets[part.start], offsets[part.stop]
        block = csr(tokens[first:last], offsets[part.start : part.stop + 1] - first, num_words)
        ends.extend(len(data) + block.indptr[1:].astype(np.int64))
        data.extend(block.data)
        indices.extend(block.indices)
    return sparse.csr_matrix((data.array(), indices.array(), ends.array()), (len(offsets) - 1, num_words))


def csr(tokens: np.ndarray, offsets: np.ndarray, num_words: int) -> sparse.csr_matrix:
    """Counts of each word in each example, in memory."""
    ones = np.ones(len(tokens), np.int32)
    counts = sparse.csr_matrix((ones, tokens, offsets), (len(offsets) - 1, num_words), copy=True)
    counts.sum_duplicates()
    return counts
