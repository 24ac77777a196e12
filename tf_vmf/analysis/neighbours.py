"""Nearest neighbours in code space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest codes of each query, nearest first.

    Attributes:
        rows: Their positions, shape (queries, k).
        cosines: Cosines with the query, shape (queries, k).
    """

    rows: np.ndarray
    cosines: np.ndarray


def nearest_neighbours(codes: np.ndarray, queries: np.ndarray | None = None, k: int = 5) -> Neighbours:
    """The k codes with the largest cosine to each query, by exhaustive search with scikit-learn.

    On the sphere this is the order of great-circle distance; for a Gaussian the cosine of means compares topics, not the
    certainty with which a document has them, which is in their length.

    Args:
        codes: Codes to search, shape (n, d).
        queries: Codes to search for, shape (m, d). None: every code is searched for among the others, itself left out.
        k: Neighbours a query, at most n, without `queries` at most n - 1.

    Raises:
        ValueError: `k` is out of range, or codes and queries differ in width.
    """
    from sklearn.neighbors import NearestNeighbors

    most = len(codes) - (queries is None)
    if not 1 <= k <= most:
        raise ValueError(f"Argument `k`: expected a number from 1 to {most} for {len(codes)} codes. Received: k={k}.")
    if queries is not None and np.shape(queries)[1:] != np.shape(codes)[1:]:
        raise ValueError(
            f"`codes` and `queries` must have one width. Received: shapes {np.shape(codes)} and {np.shape(queries)}."
        )
    search = NearestNeighbors(n_neighbors=k, metric="cosine", algorithm="brute").fit(codes)
    distances, rows = search.kneighbors(queries)  # without queries scikit-learn leaves out each code itself
    return Neighbours(rows=rows, cosines=1.0 - distances)


def label_precision(neighbours: Neighbours, labels: np.ndarray, query_labels: np.ndarray | None = None) -> float:
    """The share of neighbours that have their query's label.

    Args:
        neighbours: What `nearest_neighbours` returned.
        labels: Labels of the codes searched, shape (n,).
        query_labels: Labels of the queries, shape (m,); None where the codes were searched for among themselves.
    """
    query_labels = labels if query_labels is None else query_labels
    return float(np.mean(np.asarray(labels)[neighbours.rows] == np.asarray(query_labels)[:, np.newaxis]))
