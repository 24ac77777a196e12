"""Groups of documents whose codes lie together."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from tf_vmf.report.engine.encodings import Encodings


@dataclass(frozen=True, eq=False)
class Clusters:
    """Groups, largest first.

    Attributes:
        centres: shape (k, latent_dim); unit vectors on the sphere.
        assignment: The group of each code, shape (n,).
        sizes: Codes in each group, shape (k,).
    """

    centres: np.ndarray
    assignment: np.ndarray
    sizes: np.ndarray


def cluster_codes(encodings: Encodings, k: int, *, seed: int = 0) -> Clusters:
    """K-means with scikit-learn; on the sphere with centres moved onto it.

    For unit vectors |x - c|^2 = 2 - 2 cos(x, c) where |c| = 1, so these are groups by cosine.

    Args:
        encodings: What `encode` returned.
        k: Number of groups, from 1 to the number of codes. Where fewer codes differ, as of a collapsed model, there are fewer.
        seed: Seed of the starting centres.

    Raises:
        ValueError: `k` is out of range.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits  # scikit-learn requires it

    if not 1 <= k <= len(encodings.codes):
        raise ValueError(f"Argument `k`: expected a number from 1 to {len(encodings.codes)}. Received: k={k}.")
    # On a busy machine threads wait for each other: 10,000 codes took 11 s with two, and 0.5 s with one, for the same groups.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # that codes coincide
        fitted = KMeans(k, n_init=4, random_state=seed).fit(encodings.codes)
    sizes = np.bincount(fitted.labels_, minlength=k)
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    position = np.zeros(k, np.int64)
    position[order] = np.arange(len(order))
    centres = fitted.cluster_centers_[order]
    if encodings.spherical:
        centres = centres / np.maximum(np.linalg.norm(centres, axis=-1, keepdims=True), 1e-12)
    return Clusters(centres=centres, assignment=position[fitted.labels_], sizes=sizes[order])


def nearest_centre(codes: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The position of the centre nearest to each code, shape (n,); on the sphere that of the largest cosine.

    Args:
        codes: shape (n, d).
        centres: shape (k, d).
    """
    squared = np.sum(centres**2, axis=-1) - 2.0 * codes @ centres.T  # less |code|^2, which is the same for all centres
    return np.asarray(np.argmin(squared, axis=-1))
