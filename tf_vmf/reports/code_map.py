"""The map of codes: documents as points on the circle, on the sphere or in the plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_vmf.analysis.document_findings import CodeMap
from tf_vmf.analysis.projection import Projection
from tf_vmf.reports.figures import BLUE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LABELS = 20  # distinct colours
MOST_COLOURED = 12  # where there are more labels than colours: so many in colour, the rest grey


@styled
def code_map(
    projection: Projection | CodeMap,
    labels: np.ndarray | None = None,
    label_names: Sequence[str] = (),
) -> Figure:
    """Points of a projection, coloured by label.

    Up to 20 labels have a colour each; of more, the 12 most frequent ones, and the rest are grey. Points on the sphere in three
    dimensions are shown on two hemispheres in Lambert's equal-area projection: equal patches of the sphere are equal on paper.

    Args:
        projection: What `project` returned, or the map of a `DocumentFindings`.
        labels: Integer labels, shape (n,), or None.
        label_names: Names of the labels.
    """
    points = np.asarray(projection.points, np.float64)
    groups = _label_groups(labels, label_names, len(points))
    wide = points.shape[-1] == 3
    figure = new_figure(9.4, 5.0 if wide else 5.6)
    if wide:
        panels = [figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2)]
        for axes, sign in zip(panels, (1.0, -1.0), strict=True):
            seen = points[:, 2] >= 0 if sign > 0 else points[:, 2] < 0
            flat = _hemisphere(points * [sign, 1.0, sign])
            _graticule(axes)
            axes.set_title("z$_3$ ≥ 0" if sign > 0 else "z$_3$ < 0 (seen from behind)")
            _scatter(axes, flat, groups, seen)
    else:
        axes = figure.add_subplot(1, 1, 1)
        axes.set_xticks([])
        axes.set_yticks([])
        if projection.method == "codes":
            circle = np.allclose(np.linalg.norm(points, axis=-1), 1.0, atol=1e-3)
            if circle:
                points = _spread_on_circle(points)
        axes.spines[:].set_visible(False)
        axes.set_aspect("equal" if projection.method == "codes" else "auto")
        _scatter(axes, points, groups, np.ones(len(points), bool))
    if labels is not None:
        handles, names = figure.axes[0].get_legend_handles_labels()
        figure.legend(
            handles, names, loc="outside right upper" if not wide else "outside lower center", ncols=4 if wide else 1,
            markerscale=2.2, handletextpad=0.3, columnspacing=1.2,
        )  # fmt: skip
    return figure


def _label_groups(
    labels: np.ndarray | None, label_names: Sequence[str], size: int
) -> list[tuple[str, Any, np.ndarray]]:
    """(name, colour, mask) of every group to draw, the grey rest first, so that it lies below."""
    if labels is None:
        return [("documents", BLUE, np.ones(size, bool))]
    from matplotlib import colormaps

    labels = np.asarray(labels)
    distinct, counts = np.unique(labels, return_counts=True)
    rest = []
    if len(distinct) > MOST_LABELS:
        shown = np.sort(distinct[np.argsort(-counts, kind="stable")[:MOST_COLOURED]])
        rest = [(f"{len(distinct) - len(shown)} other labels", "#d3d8de", ~np.isin(labels, shown))]
        distinct = shown
    palette = colormaps["tab10" if len(distinct) <= 10 else "tab20"].colors  # type: ignore[attr-defined]
    names = [label_names[label] if label_names else str(label) for label in distinct]
    return rest + [
        (name, palette[i % len(palette)], labels == label)
        for i, (name, label) in enumerate(zip(names, distinct, strict=True))
    ]


def _scatter(axes: Axes, points: np.ndarray, groups: list[tuple[str, Any, np.ndarray]], seen: np.ndarray) -> None:
    size = float(np.clip(12000 / max(1, len(points)), 5, 22))
    for name, colour, mask in groups:
        # matplotlib hides legend entries that start with an underscore; a space of no width goes before it.
        label = f"\u200b{name}" if name.startswith("_") else name
        shown = points[mask & seen]
        axes.scatter(shown[:, 0], shown[:, 1], s=size, color=colour, alpha=0.8, lw=0, label=label)


def _spread_on_circle(points: np.ndarray) -> np.ndarray:
    """Moves points of the circle in and out by a fixed pattern: on the line itself they would cover each other."""
    offsets = 1.0 + 0.12 * (np.arange(len(points)) * 0.6180339887498949 % 1.0 - 0.5)
    return points * offsets[:, np.newaxis]


def _hemisphere(points: np.ndarray) -> np.ndarray:
    """Lambert's azimuthal equal-area projection around (0, 0, 1); the hemisphere fills the unit disk."""
    return points[:, :2] / np.sqrt(1.0 + np.maximum(points[:, 2:], 0.0))


def _graticule(axes: Axes) -> None:
    axes.set_aspect("equal")
    axes.set_axis_off()
    angle = np.linspace(0, 2 * np.pi, 181)
    for polar in np.radians([30, 60, 90]):
        radius = np.sqrt(2) * np.sin(polar / 2)
        axes.plot(
            radius * np.cos(angle),
            radius * np.sin(angle),
            color="#c9cfd6" if polar > 1.5 else "#e6e9ed",
            lw=0.9,
            zorder=0,
        )
    for meridian in np.radians(np.arange(0, 180, 30)):
        axes.plot(*np.outer([np.cos(meridian), np.sin(meridian)], [-1, 1]), color="#e6e9ed", lw=0.9, zorder=0)
