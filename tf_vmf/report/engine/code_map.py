"""A map of codes: test examples on the circle, on the sphere, or projected to the plane, with what a reader asks of a point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tf_vmf.report.engine.excerpts import Excerpt
from tf_vmf.report.engine.neighbors import nearest_neighbors
from tf_vmf.report.engine.projection import project

# t-SNE takes seconds for so many, and a page stays small.
MOST_POINTS = 1500
_BEGINNING = 200
_NEIGHBOURS = 5


@dataclass(frozen=True, eq=False)
class CodeMap:
    """Examples as points.

    Attributes:
        points: shape (n, 2), or (n, 3) for codes on the sphere in three dimensions.
        method: How they were projected; see `tf_vmf.report.engine.Projection`.
        num_examples: Examples from which the n points were drawn at random.
        rows: Positions in their split, shape (n,).
        labels: Integer labels, shape (n,), or None.
        label_names: Names of the labels, or ().
        titles: Title of each point, or "".
        beginnings: The first 200 characters of each text; characteristic words where only counts are known.
        neighbors: Positions on this map of the nearest other points by the cosine of their codes, shape (n, k).
        cosines: These cosines, shape (n, k).
    """

    points: np.ndarray
    method: str
    num_examples: int
    rows: np.ndarray
    labels: np.ndarray | None
    label_names: tuple[str, ...]
    titles: tuple[str, ...]
    beginnings: tuple[str, ...]
    neighbors: np.ndarray
    cosines: np.ndarray


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
    """A map of at most 1,500 codes, drawn at random.

    Args:
        codes: shape (n, d).
        excerpts: Gives the excerpts of some positions in `codes`.
        spherical: Whether codes are unit vectors.
        candidates: Positions to draw from; None for all.
        labels: Integer labels, shape (n,), or None.
        label_names: Names of the labels.
        seed: Seed of the sample and of the projection.
    """
    candidates = np.arange(len(codes)) if candidates is None else np.asarray(candidates)
    rows = np.sort(np.random.default_rng(seed).permutation(candidates)[:MOST_POINTS])
    projection = project(codes[rows], spherical=spherical, seed=seed)
    found = nearest_neighbors(codes[rows], k=min(_NEIGHBOURS, len(rows) - 1)) if len(rows) > 1 else None
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
    text = " ".join((excerpt.text or words).split())
    if len(text) <= _BEGINNING:
        return text
    return text[:_BEGINNING].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"
