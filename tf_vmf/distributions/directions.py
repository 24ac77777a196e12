"""Rows of a matrix, dense or sparse, as points on the unit sphere, without a scaled copy of the matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.utils.extmath import row_norms

from tf_vmf._errors import ArgumentError

# The norm of a row that counts as 1 when rows are not scaled: that of float32 data, with room.
_TOLERANCE = 1e-5
_SHOWN = 5
# Up to this dimension products are taken in float64 whatever the dtype of the rows: they cost little, and concentrations are large.
_SMALL_DIM = 64
# Elements of the matrix rows x components that are held at a time, and bounds of the number of rows: what fits a cache is fastest.
_BLOCK, _FEWEST, _MOST = 2**16, 256, 2**12
# Norms whose squares, and products with unit vectors, neither under- nor overflow in the dtype.
_SAFE_NORMS = {"float32": (1e-15, 1e15), "float64": (1e-140, 1e140)}


class Directions:
    """Rows of a matrix, dense or CSR `(n, d)`, as points on the sphere: the matrix as it is, and the inverse norm of every row.

    `X` is the one passed, but where rows have to be cleared or their norms are extreme; `scale` `(n,)` is 0 for rows without a
    direction. With `normalize=False` rows must have norm 1 to 1e-5. `zero_rows` is "error" or "uniform", which takes rows of zeros
    for points without a direction; rows of weight 0 may hold anything. An ArgumentError names the numbers of bad rows.
    """

    def __init__(
        self, X: Any, *, owner: str, normalize: bool = True, zero_rows: str = "error", weight: np.ndarray | None = None
    ) -> None:
        if scipy.sparse.issparse(X) and not X.has_canonical_format:
            X = X.copy()  # not the caller's
            X.sum_duplicates()
        ignored = np.zeros(X.shape[0], bool) if weight is None else weight == 0
        if ignored.any():
            X = _cleared(X, ignored)
        norms, divisor = _norms(X), np.ones(X.shape[0])
        low, high = _SAFE_NORMS[X.dtype.name]
        suspect = np.flatnonzero(~((norms >= low) & (norms <= high)))  # NaN is
        if suspect.size:
            largest = np.asarray(_largest(X[suspect]), np.float64)
            bad = suspect[~np.isfinite(largest)]
            if bad.size:
                kind = "NaN" if np.isnan(largest).any() else "infinity"
                raise ArgumentError("X", "finite numbers (no NaN, no inf)", f"{kind} in {named_rows(bad)}", owner=owner)
            divisor[suspect] = np.where(largest > 0, largest, 1.0)
        extreme = divisor != 1
        if extreme.any():  # by the largest element first: the squares of small and large numbers under- and overflow
            X = _divided(X, divisor.astype(X.dtype))
            norms[suspect] = _norms(X[suspect])
        # What is smaller than rounding of the largest row's elements is a direction, too: only zeros are none.
        zero = norms == 0
        if zero_rows == "error" and (zero & ~ignored).any():
            raise ArgumentError(
                "X",
                "rows with a direction, at least one element other than 0",
                f"{named_rows(np.flatnonzero(zero & ~ignored))} of zeros (empty rows of a sparse matrix)",
                "Leave them out, or set zero_rows='uniform'.",
                owner=owner,
            )
        if not normalize:
            original = np.where(extreme, np.inf, norms)
            off = np.flatnonzero((np.abs(original - 1) > _TOLERANCE) & ~zero)
            if off.size:
                raise ArgumentError(
                    "X",
                    f"rows of unit length to {_TOLERANCE:g}, as normalize=False",
                    f"{named_rows(off)}, the first of norm {(norms * divisor)[off[0]]:.9g}",
                    "Scale them with `sklearn.preprocessing.normalize(X)`, or set normalize=True.",
                    owner=owner,
                )
        self.X = X
        self.scale = np.divide(1.0, norms, out=np.zeros(len(norms)), where=~zero)
        small = X.shape[1] <= _SMALL_DIM
        self.dtype = np.dtype(np.float64 if small else X.dtype)

    def __len__(self) -> int:
        return int(self.X.shape[0])

    @property
    def dim(self) -> int:
        """Dimension of the space that holds the sphere."""
        return int(self.X.shape[1])

    @property
    def has_direction(self) -> np.ndarray:
        """Whether every row has a direction, `(n,)` bools."""
        return self.scale > 0

    def blocks(self, components: int) -> Iterator[slice]:
        """Slices of rows, few enough for a matrix rows x components of a few megabytes."""
        rows = max(_FEWEST, min(_MOST, _BLOCK // components))
        for start in range(0, len(self), rows):
            yield slice(start, min(start + rows, len(self)))

    def block(self, rows: slice) -> Block:
        """Some of the points, for matrix products."""
        return Block(self.X[rows], self.scale[rows], self.dtype)

    def cosines(self, rows: slice, directions: np.ndarray) -> np.ndarray:
        """Inner products of the points with vectors `(K, d)`: shape `(b, K)`, in `dtype`; 0 for rows without a direction."""
        functions = np.zeros((len(directions), self.dim + 1), self.dtype)
        functions[:, :-1] = directions
        return self.block(rows).products(functions)

    def nearest(self, rows: slice, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest of the unit vectors `(K, d)` to every point, `(b,)` int32, and the cosine with it, `(b,)`."""
        product = self._block(rows) @ directions.T.astype(self.dtype, copy=False)
        labels = np.argmax(product, axis=1)
        return labels.astype(np.int32), product[np.arange(len(labels)), labels] * self.scale[rows]

    def sums_by_label(self, rows: slice, labels: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
        """Weighted sums of the points of every label: float64, shape `(count, d)`."""
        scaled = (weight * self.scale[rows]).astype(self.dtype, copy=False)
        # One entry per row: this product reads the points once, whatever the number of labels.
        membership = scipy.sparse.csr_matrix(
            (scaled, labels, np.arange(len(labels) + 1, dtype=labels.dtype)), shape=(len(labels), count)
        ).T
        total = membership @ self._block(rows)
        return np.asarray(total.toarray() if scipy.sparse.issparse(total) else total, np.float64)

    def take(self, indices: Any) -> np.ndarray:
        """Some points as a float64 array of unit rows, zeros where there is no direction."""
        picked = self.X[indices]
        picked = np.asarray(picked.toarray() if scipy.sparse.issparse(picked) else picked, np.float64)
        return picked * self.scale[indices, np.newaxis]

    def subset(self, indices: np.ndarray) -> Directions:
        """Some of the points, copied."""
        subset = object.__new__(Directions)
        subset.X, subset.scale, subset.dtype = self.X[indices], self.scale[indices], self.dtype
        return subset

    def _block(self, rows: slice) -> Any:
        return self.X[rows].astype(self.dtype, copy=False)


class Block:
    """Some of the points of `Directions`: their products with matrices, in `dtype`, with few passes over the larger side.

    Rows of few columns are scaled, and a column of ones beside them adds offsets and sums weights within the products. Rows of many
    columns, or sparse ones, are left as they are, and the products are scaled.
    """

    def __init__(self, X: Any, scale: np.ndarray, dtype: np.dtype) -> None:
        count, dim = X.shape
        self._extended = dim <= _SMALL_DIM
        if self._extended:
            self._X = np.ones((count, dim + 1), dtype)
            dense = X.toarray() if scipy.sparse.issparse(X) else X
            np.multiply(dense, scale[:, np.newaxis], out=self._X[:, :dim])
        else:
            self._X = X.astype(dtype, copy=False)
        self._scale, self._dtype = scale.astype(dtype, copy=False), dtype

    def products(self, functions: np.ndarray) -> np.ndarray:
        """Values of linear functions `(K, d + 1)`, in the dtype of the block: coefficients and values at 0. Shape `(b, K)`."""
        if self._extended:
            return self._X @ functions.T
        product = self._X @ functions[:, :-1].T
        product *= self._scale[:, np.newaxis]
        product += functions[:, -1]
        return product

    def moments(self, weights: np.ndarray, per_row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sums of `weights * per_row`, `(b, K)` and `(b,)`, and of the points weighted by them: float64, `(K,)` and `(K, d)`.

        Weights are in the dtype of the block, and are changed.
        """
        per_row = per_row.astype(self._dtype, copy=False)
        if self._extended:
            moments = ((self._X * per_row[:, np.newaxis]).T @ weights).T.astype(np.float64, copy=False)
            return moments[:, -1], moments[:, :-1]
        sums = per_row @ weights
        weights *= (per_row * self._scale)[:, np.newaxis]
        return sums.astype(np.float64, copy=False), np.asarray((self._X.T @ weights).T, np.float64)


def named_rows(indices: np.ndarray) -> str:
    """The first row numbers in words: "rows 3, 17 and 5 more"."""
    shown = ", ".join(str(i) for i in indices[:_SHOWN])
    more = f" and {indices.size - _SHOWN} more" if indices.size > _SHOWN else ""
    return f"{'row' if indices.size == 1 else 'rows'} {shown}{more}"


def unit_vectors(directions: np.ndarray, name: str, owner: str) -> np.ndarray:
    """Rows of a float64 array scaled to unit length; an ArgumentError about `name` where one is zero or not finite."""
    bad = np.flatnonzero(~np.isfinite(directions).all(axis=1) | ~directions.any(axis=1))
    if bad.size:
        raise ArgumentError(
            name,
            "finite mean directions other than 0",
            f"{named_rows(bad)} of `{name}` that {'is' if bad.size == 1 else 'are'} zero or not finite",
            owner=owner,
        )
    directions = directions / np.abs(directions).max(axis=1, keepdims=True)
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def _cleared(X: Any, ignored: np.ndarray) -> Any:
    """The matrix with zeros in the ignored rows, a copy only where one of them holds what is not finite."""
    if scipy.sparse.issparse(X):
        of_ignored = np.repeat(ignored, np.diff(X.indptr))
        if np.isfinite(X.data[of_ignored]).all():
            return X
        X = X.copy()
        X.data[of_ignored] = 0
        return X
    bad = np.flatnonzero(ignored)[~np.isfinite(X[ignored]).all(axis=1)]
    if bad.size:
        X = np.array(X)
        X[bad] = 0
    return X


def _largest(X: Any) -> np.ndarray:
    """The largest absolute element of every row, without a matrix of absolute values."""
    if scipy.sparse.issparse(X):
        return np.maximum(X.max(axis=1).toarray().ravel(), -X.min(axis=1).toarray().ravel())
    return np.maximum(X.max(axis=1), -X.min(axis=1))


def _norms(X: Any) -> np.ndarray:
    """Euclidean norms in float64; rows are read in blocks, as float32 squares lose digits."""
    norms = np.empty(X.shape[0])
    for start in range(0, X.shape[0], _FEWEST):
        rows = slice(start, start + _FEWEST)
        norms[rows] = row_norms(X[rows].astype(np.float64, copy=False))
    return norms


def _divided(X: Any, divisor: np.ndarray) -> Any:
    if not scipy.sparse.issparse(X):
        return X / divisor[:, np.newaxis]
    X = X.copy()
    X.data /= np.repeat(divisor, np.diff(X.indptr))
    return X
