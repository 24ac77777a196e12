"""Groups of documents whose codes lie together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tf_vmf.analysis.encodings import Encodings


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
        k: Number of groups, from 1 to the number of codes.
        seed: Seed of the starting centres.

    Raises:
        ValueError: `k` is out of range.
    """
    from sklearn.cluster import KMeans

    if not 1 <= k <= len(encodings.codes):
        raise ValueError(f"Argument `k`: expected a number from 1 to {len(encodings.codes)}. Received: k={k}.")
    fitted = KMeans(k, n_init=4, random_state=seed).fit(encodings.codes)
    sizes = np.bincount(fitted.labels_, minlength=k)
    order = np.argsort(-sizes, kind="stable")
    centres = fitted.cluster_centers_[order]
    if encodings.spherical:
        centres = centres / np.maximum(np.linalg.norm(centres, axis=-1, keepdims=True), 1e-12)
    return Clusters(centres=centres, assignment=np.argsort(order)[fitted.labels_], sizes=sizes[order])
