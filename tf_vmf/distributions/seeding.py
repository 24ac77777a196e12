"""First mean directions for clustering on the sphere."""

import numpy as np

from tf_vmf.distributions.directions import Directions


def spherical_k_means_plus_plus(
    points: Directions, count: int, sample_weight: np.ndarray, random_state: np.random.RandomState
) -> np.ndarray:
    """Picks points that lie far from each other, by the cosine distance `1 - x.y = ||x - y||^2 / 2`.

    Each next point is drawn with probability proportional to its distance from the nearest one picked so far, several times, of
    which the draw that lowers the sum of distances most is kept (greedy k-means++).

    Args:
        points: n points.
        count: Number of points to pick.
        sample_weight: `(n,)`, >= 0; 0 for points without a direction.
        random_state: Source of randomness.

    Returns:
        Array `(count, d)`.

    References:
        D. Arthur, S. Vassilvitskii. k-means++: The Advantages of Careful Seeding. SODA 2007.
        Y. Endo, S. Miyamoto. Spherical k-Means++ Clustering. MDAI 2015.
    """
    trials = 2 + int(np.log(count))
    picked = [points.take(_draw(sample_weight, 1, random_state))]
    distance = _distances(points, picked[0])[:, 0]
    for _ in range(1, count):
        candidates = points.take(_draw(sample_weight * distance, trials, random_state, sample_weight))
        nearest = np.minimum(distance[:, np.newaxis], _distances(points, candidates))
        best = int(np.argmin(sample_weight @ nearest))
        picked.append(candidates[best : best + 1])
        distance = nearest[:, best]
    return np.concatenate(picked)


def random_rows(
    points: Directions, count: int, sample_weight: np.ndarray, random_state: np.random.RandomState
) -> np.ndarray:
    """Picks different points of positive weight at random, `(count, d)`."""
    candidates = np.flatnonzero(sample_weight > 0)
    return points.take(random_state.choice(candidates, count, replace=len(candidates) < count))


def _distances(points: Directions, directions: np.ndarray) -> np.ndarray:
    distances = np.empty((len(points), len(directions)))
    for rows in points.blocks(len(directions)):
        distances[rows] = 1 - points.cosines(rows, directions)
    return np.maximum(distances, 0, out=distances)


def _draw(
    weights: np.ndarray, count: int, random_state: np.random.RandomState, fallback: np.ndarray | None = None
) -> np.ndarray:
    """Indices with probabilities proportional to the weights; to the fallback where all are zero, as for equal points."""
    cumulative = np.cumsum(weights / max(weights.max(), np.finfo(float).tiny))
    if not cumulative[-1] > 0 and fallback is not None:
        return _draw(fallback, count, random_state)
    drawn = np.searchsorted(cumulative, random_state.uniform(size=count) * cumulative[-1], side="right")
    return np.minimum(drawn, len(weights) - 1)
