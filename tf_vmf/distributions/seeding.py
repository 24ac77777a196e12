"""First mean directions for clustering on the sphere."""

from typing import Any

import numpy as np
import scipy.sparse


def dense_rows(X: Any, indices: Any) -> np.ndarray:
    """Some rows of an array or a sparse matrix as an array."""
    rows = X[indices]
    return rows.toarray() if scipy.sparse.issparse(rows) else np.array(rows)


def spherical_k_means_plus_plus(
    X: Any, count: int, sample_weight: np.ndarray, random_state: np.random.RandomState
) -> np.ndarray:
    """Picks rows that lie far from each other, by the cosine distance `1 - x.y = ||x - y||^2 / 2`.

    Each next row is drawn with probability proportional to its distance from the nearest row picked so far, several times, of
    which the draw that lowers the sum of distances most is kept (greedy k-means++).

    Args:
        X: Unit rows `(n, d)`, array or scipy CSR matrix.
        count: Number of rows to pick.
        sample_weight: `(n,)`, >= 0.
        random_state: Source of randomness.

    Returns:
        Array `(count, d)`.

    References:
        D. Arthur, S. Vassilvitskii. k-means++: The Advantages of Careful Seeding. SODA 2007.
        Y. Endo, S. Miyamoto. Spherical k-Means++ Clustering. MDAI 2015.
    """
    trials = 2 + int(np.log(count))
    first = _draw(sample_weight, 1, random_state)
    picked = [dense_rows(X, first)]
    distance = _distances(X, picked[0])[:, 0]
    for _ in range(1, count):
        candidates = _draw(sample_weight * distance, trials, random_state)
        rows = dense_rows(X, candidates)
        nearest = np.minimum(distance[:, np.newaxis], _distances(X, rows))
        best = int(np.argmin(sample_weight @ nearest))
        picked.append(rows[best : best + 1])
        distance = nearest[:, best]
    return np.concatenate(picked)


def random_rows(X: Any, count: int, sample_weight: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
    """Picks different rows of positive weight at random, `(count, d)`."""
    candidates = np.flatnonzero(sample_weight > 0)
    return dense_rows(X, random_state.choice(candidates, count, replace=len(candidates) < count))


def _distances(X: Any, rows: np.ndarray) -> np.ndarray:
    return np.maximum(1 - X @ rows.T, 0)


def _draw(weights: np.ndarray, count: int, random_state: np.random.RandomState) -> np.ndarray:
    """Indices with probabilities proportional to the weights; uniform where all are zero, as for equal points."""
    cumulative = np.cumsum(weights)
    if cumulative[-1] <= 0:
        return random_state.randint(len(weights), size=count)
    drawn = np.searchsorted(cumulative, random_state.uniform(size=count) * cumulative[-1], side="right")
    return np.minimum(drawn, len(weights) - 1)
