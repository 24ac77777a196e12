"""Where texts lie on a map: a projection of some codes, and all others beside their nearest ones."""

from __future__ import annotations

import numpy as np

from tf_vmf.report.engine.neighbors import nearest_neighbors
from tf_vmf.report.engine.projection import project

# t-SNE takes seconds for so many codes.
_LANDMARKS = 1500
_NEAREST = 3
# Points of a topic among which the densest is searched, and the width of the kernel as a share of the map.
_SEARCHED, _KERNEL = 400, 0.03


def lay_out(codes: np.ndarray, *, spherical: bool, seed: int = 0) -> np.ndarray:
    """Positions of codes on a map, shape (n, 2), each coordinate from 0 to 1.

    At most 1,500 codes, drawn at random, are projected. Each other code lies at the mean of its three nearest ones among these,
    weighted by its cosine with them, a little apart from it.

    Args:
        codes: shape (n, d).
        spherical: Whether they are unit vectors.
        seed: Seed of the draw and of the projection.
    """
    rng = np.random.default_rng(seed)
    landmarks = np.sort(rng.permutation(len(codes))[:_LANDMARKS])
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
