"""A map of examples as the page draws it: marks that differ in shape and color, and the legends that explain them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tf_vmf.report.engine.maps import CodeMap

WIDTH, _FLAT_HEIGHT = 640, 520
_MARGIN, _GAP = 14.0, 28.0
# Up to so many groups have a mark of their own; of more the most frequent ones, and the rest shares one.
MOST_GROUPS = 20
# Outlines within a square of side 8 around the origin, each with about the same area.
SHAPES = (
    "M-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0z",
    "M-2.8-2.8h5.6v5.6h-5.6z",
    "M0-4L3.7 2.6H-3.7z",
    "M0-4L4 0L0 4L-4 0z",
    "M-1.2-3.8h2.4v2.6h2.6v2.4h-2.6v2.6h-2.4v-2.6h-2.6v-2.4h2.6z",
    "M0 4L3.7-2.6H-3.7z",
    "M-3.6-2L-2-3.6L0-1.6L2-3.6L3.6-2L1.6 0L3.6 2L2 3.6L0 1.6L-2 3.6L-3.6 2L-1.6 0z",
    "M-4-1.8h8v3.6h-8z",
    "M0-4.4L1.2-1.3L4.2-1.3L1.8.7L2.7 3.8L0 2L-2.7 3.8L-1.8.7L-4.2-1.3L-1.2-1.3z",
    "M-1.8-4h3.6v8h-3.6z",
)
COLOURS = 9  # classes c0 to c8 of the style sheet
# The rest: smaller than any of them.
REST, REST_SHAPE = "rest", "M-1.7 0a1.7 1.7 0 1 0 3.4 0a1.7 1.7 0 1 0-3.4 0z"


@dataclass(frozen=True)
class Group:
    """A line of a legend."""

    value: int | None  # the label; None for the rest
    name: str  # its name
    size: int  # points that have it
    shape: str  # outline of its mark
    color: str  # class of its color


@dataclass(frozen=True)
class Mark:
    """A point of the map: where it lies, and how it looks without JavaScript."""

    x: float
    y: float
    shape: str
    color: str


@dataclass(frozen=True)
class Map:
    """A map to point at, search and filter; without JavaScript it is a figure with a legend."""

    code_map: CodeMap  # the points, part of the findings that `write_report` is given
    path: str  # where these findings hold it, as "codes.code_map"
    caption: str  # what to see in it
    noun: str  # what an example is called, as "document"
    kind: str = field(default="map", init=False)

    @cached_property
    def _layout(self) -> tuple[np.ndarray, tuple[tuple[float, float, float], ...], tuple[str, ...], float]:
        return layout(self.code_map.points, self.code_map.method)

    @property
    def width(self) -> float:
        return WIDTH

    @property
    def height(self) -> float:
        return self._layout[3]

    @property
    def disks(self) -> tuple[tuple[float, float, float], ...]:
        """Outlines of hemispheres: center and radius."""
        return self._layout[1]

    @property
    def disk_names(self) -> tuple[str, ...]:
        return self._layout[2]

    @cached_property
    def legend(self) -> tuple[Group, ...]:
        """A line per label; () without labels."""
        shown = self.code_map
        return () if shown.labels is None else _legend(shown.labels, shown.label_names)

    @property
    def marks(self) -> list[Mark]:
        positions = self._layout[0]
        labels = self.code_map.labels
        if labels is None:
            return [Mark(x, y, SHAPES[0], "c0") for x, y in positions.tolist()]
        groups = {group.value: group for group in self.legend}
        looks = [groups.get(int(label), groups.get(None)) for label in labels]
        return [
            Mark(x, y, look.shape, look.color)
            for (x, y), look in zip(positions.tolist(), looks, strict=True)
            if look is not None
        ]


def layout(
    points: np.ndarray, method: str
) -> tuple[np.ndarray, tuple[tuple[float, float, float], ...], tuple[str, ...], float]:
    """Where points (n, 2) or (n, 3) lie on the page: positions (y downwards), disks (x, y, radius), their names, and the height.

    Points on the sphere in three dimensions lie on two hemispheres in Lambert's equal-area projection: equal patches of the sphere
    are equal on the page. The back is drawn as seen from behind. Codes themselves keep their proportions.
    """
    points = np.asarray(points, np.float64)
    if points.shape[-1] == 3:
        radius = (WIDTH - 2 * _MARGIN - _GAP) / 4
        center_y = _MARGIN + radius
        disks = tuple((_MARGIN + radius + side * (2 * radius + _GAP), center_y, radius) for side in (0, 1))
        front = points[:, 2] >= 0
        flat = np.where(front[:, np.newaxis], points[:, :2], points[:, :2] * [-1.0, 1.0])
        flat = flat / np.sqrt(1.0 + np.abs(points[:, 2:]))
        centers = np.array([disk[0] for disk in disks])[np.where(front, 0, 1)]
        positions = np.stack([centers + radius * flat[:, 0], center_y - radius * flat[:, 1]], axis=-1)
        return np.round(positions, 1), disks, ("z₃ ≥ 0", "z₃ < 0, seen from behind"), round(2 * center_y + 12, 1)
    if method == "codes" and np.allclose(np.linalg.norm(points, axis=-1), 1.0, atol=1e-3):
        # On the line of the circle points would cover each other: a fixed pattern moves them in and out.
        points = points * (1.0 + 0.12 * (np.arange(len(points)) * 0.6180339887498949 % 1.0 - 0.5))[:, np.newaxis]
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.maximum(high - low, 1e-9)
    room = np.array([WIDTH, _FLAT_HEIGHT]) - 2 * _MARGIN
    scale = np.full(2, (room / span).min()) if method == "codes" else room / span
    positions = (points - (low + high) / 2) * scale * [1.0, -1.0] + np.array([WIDTH, _FLAT_HEIGHT]) / 2
    return np.round(positions, 1), (), (), _FLAT_HEIGHT


def _legend(values: np.ndarray, names: Sequence[str]) -> tuple[Group, ...]:
    distinct, sizes = np.unique(values, return_counts=True)
    shown = np.arange(len(distinct))
    if len(distinct) > MOST_GROUPS:
        shown = np.sort(np.argsort(-sizes, kind="stable")[:MOST_GROUPS])
    groups = [
        Group(
            int(distinct[i]),
            names[distinct[i]] if len(names) else str(distinct[i]),
            int(sizes[i]),
            SHAPES[style % len(SHAPES)],
            f"c{style % COLOURS}",
        )
        for style, i in enumerate(shown)
    ]
    if len(shown) < len(distinct):
        rest = int(sizes.sum() - sizes[shown].sum())
        groups.append(Group(None, f"{len(distinct) - len(shown)} other labels", rest, REST_SHAPE, REST))
    return tuple(groups)
