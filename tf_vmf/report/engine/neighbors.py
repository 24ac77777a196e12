"""Nearest neighbors in code space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.report.engine.encodings import unit_rows

# Cosines held at a time: 32 MB, whatever the number of queries.
_BLOCK_COSINES = 4_000_000


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The nearest codes of each query, nearest first.

    Attributes:
        rows: Their positions, shape (queries, k).
        cosines: Cosines with the query, shape (queries, k).
    """

    rows: np.ndarray
    cosines: np.ndarray


@dataclass(frozen=True)
class LabelAgreement:
    """The share of neighbors that have the label of their example.

    Attributes:
        precision: Share of neighbors with the label of their query.
        chance: The same for examples picked at random.
        k: Neighbors per query.
    """

    precision: float
    chance: float
    k: int


def nearest_neighbors(codes: np.ndarray, queries: np.ndarray | None = None, k: int = 5) -> Neighbors:
    """The k codes with the largest cosine to each query, by exhaustive search in blocks of queries.

    On the sphere this is the order of great-circle distance. For a Gaussian the cosine of means compares their directions and
    ignores their lengths.

    Args:
        codes: Codes to search, shape (n, d).
        queries: Codes to search for, shape (m, d). None: every code is searched for among the others, itself left out.
        k: Neighbors per query, at most n, without `queries` at most n - 1.

    Returns:
        The neighbors. The search is exact; equal cosines are in the order of `codes`, except where they tie for the last place.

    Raises:
        ValueError: `k` is out of range, or codes and queries differ in width.
    """
    most = len(codes) - (queries is None)
    if not 1 <= k <= most:
        raise ArgumentError(
            "k", f"a number from 1 to {most} for {len(codes)} codes", repr(k), owner="nearest_neighbors"
        )
    if queries is not None and np.shape(queries)[1:] != np.shape(codes)[1:]:
        raise ArgumentError(
            "queries", f"rows of {np.shape(codes)[-1]} numbers", f"shape {np.shape(queries)}", owner="nearest_neighbors"
        )
    searched = unit_rows(codes)
    asked = searched if queries is None else unit_rows(queries)
    size = max(1, _BLOCK_COSINES // len(searched))
    rows, cosines = [], []
    for start in range(0, len(asked), size):
        block = np.clip(asked[start : start + size] @ searched.T, -1.0, 1.0)
        if queries is None:
            block[np.arange(len(block)), np.arange(start, start + len(block))] = -np.inf
        nearest = np.sort(np.argpartition(-block, k - 1, axis=1)[:, :k], axis=1)
        found = np.take_along_axis(block, nearest, axis=1)
        order = np.argsort(-found, axis=1, kind="stable")
        rows.append(np.take_along_axis(nearest, order, axis=1))
        cosines.append(np.take_along_axis(found, order, axis=1))
    if not rows:
        return Neighbors(np.zeros((0, k), np.int64), np.zeros((0, k)))
    return Neighbors(rows=np.concatenate(rows), cosines=np.concatenate(cosines))


def label_precision(neighbors: Neighbors, labels: np.ndarray, query_labels: np.ndarray | None = None) -> float:
    """The share of neighbors that have their query's label.

    Args:
        neighbors: What `nearest_neighbors` returned.
        labels: Labels of the codes searched, shape (n,).
        query_labels: Labels of the queries, shape (m,); None where the codes were searched for among themselves.
    """
    query_labels = labels if query_labels is None else query_labels
    return float(np.mean(np.asarray(labels)[neighbors.rows] == np.asarray(query_labels)[:, np.newaxis]))


def label_agreement(neighbors: Neighbors, labels: np.ndarray, query_labels: np.ndarray) -> LabelAgreement:
    """The share of neighbors with their query's label, beside that of codes picked at random.

    Args:
        neighbors: What `nearest_neighbors` returned.
        labels: Labels of the codes searched, integers of shape (n,).
        query_labels: Labels of the queries, integers of shape (m,).
    """
    share = np.bincount(labels, minlength=int(np.max(query_labels)) + 1) / len(labels)
    return LabelAgreement(
        precision=label_precision(neighbors, labels, query_labels),
        chance=float(np.mean(share[query_labels])),
        k=int(neighbors.rows.shape[1]),
    )
