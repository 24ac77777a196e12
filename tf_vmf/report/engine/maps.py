"""Codes on paper: a projection to the plane, a map of test examples, and the layout of a map of many texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.report.engine.excerpts import Excerpt, shortened
from tf_vmf.report.engine.neighbors import nearest_neighbors

METHODS = ("auto", "codes", "pca", "tsne")
# t-SNE takes seconds for so many, and a page stays small.
MOST_POINTS = 1500
_BEGINNING, _NEIGHBORS = 200, 5  # characters and neighbors of a point
_NEAREST = 3  # projected codes beside which another one is laid out
# Points of a topic among which the densest is searched, and the width of the kernel as a share of the map.
_SEARCHED, _KERNEL = 400, 0.03


@dataclass(frozen=True, eq=False)
class Projection:
    """Points to draw.

    Attributes:
        points: shape (n, 2), or (n, 3) for codes on the sphere itself.
        method: "codes" (nothing was projected), "pca" or "tsne".
    """

    points: np.ndarray
    method: str


def project(codes: np.ndarray, *, spherical: bool, method: str = "auto", seed: int = 0) -> Projection:
    """Brings codes to the plane, or leaves them where they can be drawn as they are.

    Args:
        codes: shape (n, d).
        spherical: Whether they are unit vectors.
        method: "auto": codes in the plane, on the circle or on the sphere in three dimensions stay as they are; others go
            through t-SNE on cosine distances. It keeps neighborhoods: of the five points next to a test document of 20
            Newsgroups 51 to 55 % are of its group, against 19 % on two principal components. Distances between far groups
            mean nothing there. Or one of "codes", "pca", "tsne".
        seed: Seed of t-SNE.

    Raises:
        ValueError: The method is unknown, or "codes" is asked for codes that cannot be drawn.
    """
    codes = np.asarray(codes, np.float64)
    if method not in METHODS:
        raise ArgumentError("method", f"one of {', '.join(METHODS)}", repr(method), owner="project")
    drawable = codes.shape[-1] == 2 or (spherical and codes.shape[-1] == 3)
    if method == "codes" and not drawable:
        raise ArgumentError(
            "codes",
            "2 dimensions, or 3 on the sphere, for method='codes'",
            f"{codes.shape[-1]} dimensions",
            "Use 'pca' or 'tsne'.",
            owner="project",
        )
    if method == "codes" or (method == "auto" and drawable):
        return Projection(codes, "codes")
    if not np.ptp(codes, axis=0).any():  # a single code, or those of a collapsed model
        return Projection(np.zeros((len(codes), 2)), "pca")
    if method == "auto":
        # A perplexity of 30 neighbors wants a few times as many points.
        method = "tsne" if codes.shape[-1] > 2 and len(codes) >= 100 else "pca"
    return Projection(_pca(codes) if method == "pca" else _tsne(codes, seed), method)


def _pca(codes: np.ndarray) -> np.ndarray:
    from sklearn.decomposition import PCA

    components = min(2, *codes.shape)
    points = PCA(n_components=components, svd_solver="full").fit_transform(codes)
    return np.pad(points, ((0, 0), (0, 2 - components)))


def _tsne(codes: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # scikit-learn requires it

    perplexity = min(30.0, (len(codes) - 1) / 3)
    # Of 1,500 points threads gain little, and on a busy machine they wait for each other: 9 s became 74 s.
    with threadpool_limits(1):
        return TSNE(metric="cosine", init="random", perplexity=perplexity, random_state=seed).fit_transform(codes)


@dataclass(frozen=True, eq=False)
class CodeMap:
    """Examples as points."""

    points: np.ndarray  # shape (n, 2), or (n, 3) for codes on the sphere in three dimensions
    method: str  # how they were projected; see `tf_vmf.report.engine.Projection`
    num_examples: int  # examples from which the n points were drawn at random
    rows: np.ndarray  # positions in their split, shape (n,)
    labels: np.ndarray | None  # integer labels, shape (n,), or None
    label_names: tuple[str, ...]  # names of the labels, or ()
    titles: tuple[str, ...]  # title of each point, or ""
    # the first 200 characters of each text; characteristic words where only counts are known
    beginnings: tuple[str, ...]
    # positions on this map of the nearest other points by the cosine of their codes, shape (n, k)
    neighbors: np.ndarray
    cosines: np.ndarray  # these cosines, shape (n, k)


def map_codes(
    codes: np.ndarray,
    excerpts: Callable[[np.ndarray], Sequence[Excerpt]],
    *,
    spherical: bool,
    candidates: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    label_names: Sequence[str] = (),
    seed: int = 0,
) -> CodeMap:
    """A map of at most 1,500 codes, drawn at random."""
    candidates = np.arange(len(codes)) if candidates is None else np.asarray(candidates)
    rows = np.sort(np.random.default_rng(seed).permutation(candidates)[:MOST_POINTS])
    projection = project(codes[rows], spherical=spherical, seed=seed)
    found = nearest_neighbors(codes[rows], k=min(_NEIGHBORS, len(rows) - 1)) if len(rows) > 1 else None
    shown = excerpts(rows)
    return CodeMap(
        points=np.asarray(projection.points, np.float64),
        method=projection.method,
        num_examples=len(candidates),
        rows=rows,
        labels=None if labels is None else np.asarray(labels[rows], np.int64),
        label_names=tuple(label_names),
        titles=tuple(excerpt.title for excerpt in shown),
        beginnings=tuple(beginning(excerpt) for excerpt in shown),
        neighbors=np.zeros((len(rows), 0), np.int64) if found is None else found.rows,
        cosines=np.zeros((len(rows), 0)) if found is None else np.round(found.cosines, 4),
    )


def beginning(excerpt: Excerpt) -> str:
    """The first 200 characters of a text, cut at a word; characteristic words where there is no text."""
    words = f"Characteristic words: {', '.join(excerpt.words)}" if excerpt.words else ""
    return shortened(" ".join((excerpt.text or words).split()), _BEGINNING)


def lay_out(codes: np.ndarray, *, spherical: bool, seed: int = 0) -> np.ndarray:
    """Positions of codes on a map, shape (n, 2), each coordinate from 0 to 1.

    At most 1,500 codes, drawn at random, are projected. Each other code lies at the mean of its three nearest ones among these,
    weighted by its cosine with them, a little apart from it.
    """
    rng = np.random.default_rng(seed)
    landmarks = np.sort(rng.permutation(len(codes))[:MOST_POINTS])
    projected = project(codes[landmarks], spherical=spherical, seed=seed).points
    flat = _flattened(np.asarray(projected, np.float64))
    points = np.empty((len(codes), 2))
    points[landmarks] = flat
    others = np.setdiff1d(np.arange(len(codes)), landmarks, assume_unique=True)
    if len(others):
        near = nearest_neighbors(codes[landmarks], codes[others], k=min(_NEAREST, len(landmarks)))
        weights = np.exp(20.0 * (near.cosines - near.cosines[:, :1]))[..., np.newaxis]
        spread = 0.006 * np.ptp(flat, axis=0)
        points[others] = np.sum(weights * flat[near.rows], axis=1) / weights.sum(axis=1)
        points[others] += spread * rng.normal(size=(len(others), 2))
    if not len(points):
        return points
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    return np.where(span > 0, (points - low) / np.where(span > 0, span, 1.0), 0.5)


def densest_points(points: np.ndarray, topic: np.ndarray, num_topics: int) -> np.ndarray:
    """The point of each topic around which most of its points lie, shape (num_topics, 2); the middle for a topic without points."""
    centers = np.full((num_topics, 2), 0.5)
    for number in range(num_topics):
        members = points[topic == number]
        if not len(members):
            continue
        members = members[:: max(1, len(members) // _SEARCHED)][:_SEARCHED]
        squared = np.sum((members[:, np.newaxis] - members) ** 2, axis=-1)
        centers[number] = members[np.argmax(np.exp(-squared / (2 * _KERNEL**2)).sum(axis=1))]
    return centers


def _flattened(points: np.ndarray) -> np.ndarray:
    """Points of the sphere in Lambert's equal-area projection: the front beside the back, which is seen from behind."""
    if points.shape[-1] == 2:
        return points
    front = points[:, 2] >= 0
    flat = np.where(front[:, np.newaxis], points[:, :2], points[:, :2] * [-1.0, 1.0]) / np.sqrt(
        1.0 + np.abs(points[:, 2:])
    )
    return flat + np.where(front, -1.1, 1.1)[:, np.newaxis] * [1.0, 0.0]
