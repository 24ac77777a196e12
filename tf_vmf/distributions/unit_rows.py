"""Rows of a matrix, dense or sparse, as points on the unit sphere."""

from typing import Any

import numpy as np
import scipy.sparse
from sklearn.utils.extmath import row_norms

# The norm of a row that counts as 1 when rows are not scaled: that of float32 data, with room.
_TOLERANCE = 1e-5
_SHOWN = 5


def unit_rows(X: Any, normalize: bool) -> Any:
    """Returns the rows scaled to unit length, or the matrix as it is after a check.

    Args:
        X: float64 array or scipy CSR matrix `(n, d)`, finite.
        normalize: Whether to scale; otherwise rows must have norm 1 to 1e-5.

    Returns:
        A matrix of the same kind, a copy where it is scaled.

    Raises:
        ValueError: If rows are zero, or not of unit length with `normalize=False`.
    """
    if not normalize:
        off = np.flatnonzero(np.abs(row_norms(X) - 1) > _TOLERANCE)
        if off.size:
            raise ValueError(
                f"Expected rows of unit length, as normalize=False. Received: {_rows(off)} of norm "
                f"{row_norms(X[off[:1]])[0]:.4g} and the like. Scale them with `sklearn.preprocessing.normalize(X)`, or set "
                f"normalize=True."
            )
        return X
    largest = abs(X).max(axis=1)
    largest = largest.toarray().ravel() if scipy.sparse.issparse(X) else largest
    zero = np.flatnonzero(largest == 0)
    if zero.size:
        raise ValueError(
            f"Rows of zeros (empty rows of a sparse matrix) have no direction. Expected rows with at least one element other "
            f"than 0. Received: {_rows(zero)} of zeros. Leave them out."
        )
    # By the largest element first: the squares of small and large numbers under- and overflow.
    X = _divide_rows(X, largest)
    return _divide_rows(X, row_norms(X))


def _divide_rows(X: Any, divisor: np.ndarray) -> Any:
    if not scipy.sparse.issparse(X):
        return X / divisor[:, np.newaxis]
    X = X.copy()
    X.data /= np.repeat(divisor, np.diff(X.indptr))
    return X


def _rows(indices: np.ndarray) -> str:
    shown = ", ".join(str(i) for i in indices[:_SHOWN])
    more = f" and {indices.size - _SHOWN} more" if indices.size > _SHOWN else ""
    return f"{'row' if indices.size == 1 else 'rows'} {shown}{more}"
