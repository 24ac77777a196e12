"""The figure of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_vmf.measures import MEASURES
from tf_vmf.report.page.figures import BLUE, GREEN, GREY, ORANGE, new_figure, styled
from tf_vmf.report.sections.sweep import SweepPoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SWEPT = ("perplexity", "nll", "kl", "code_gain")


@styled
def sweep(points: Sequence[SweepPoint]) -> Figure:
    """Validation figures over the first setting of a sweep, a line for every combination of the others.

    Values that are not numbers, such as a learned concentration, are dashed horizontal lines. If no value is a number, they stand
    side by side. The axis is logarithmic if the values span more than a factor of ten.

    Args:
        points: What `tf_vmf.report.sweep_points` returned.
    """
    swept, *others = points[0].setting or {"": ""}
    lines: dict[str, list[SweepPoint]] = {}
    for point in points:
        label = ", ".join(f"{name.replace('_', ' ')} {point.setting[name]}" for name in others)
        lines.setdefault(label, []).append(point)
    positions, categories = _positions(points, swept)
    positive = [position for position in positions.values() if position > 0]
    logarithmic = len(positive) == len(positions) and not categories and max(positive) > 10 * min(positive)
    colors = _line_colors(len(lines))
    figure = new_figure(9.2, 5.4)
    for panel, name in enumerate(_SWEPT):
        axes = figure.add_subplot(2, 2, panel + 1)
        for (label, members), color in zip(lines.items(), colors, strict=True):
            _draw_line(axes, members, name, swept, positions, label, color, joined=not categories)
        axes.set_title(MEASURES[name].title())
        if logarithmic:
            axes.set_xscale("log")
        if categories or logarithmic:
            axes.set_xticks(list(positions.values()), list(positions))
            axes.minorticks_off()
        if panel >= len(_SWEPT) - 2:
            axes.set_xlabel(swept.replace("_", " "))
    handles, names = figure.axes[0].get_legend_handles_labels()
    if any(names):
        figure.legend(handles, names, loc="outside lower center", ncols=4)
    return figure


def _positions(points: Sequence[SweepPoint], swept: str) -> tuple[dict[str, float], bool]:
    """Where values stand on the axis, and whether they are categories because none is a number."""
    values = list(dict.fromkeys(point.setting.get(swept, "") for point in points))
    numbers = {value: place for value in values if (place := number(value)) is not None}
    if numbers:
        return numbers, False
    return {value: float(i) for i, value in enumerate(values)}, True


def _draw_line(
    axes: Axes,
    members: Sequence[SweepPoint],
    measure: str,
    swept: str,
    positions: Mapping[str, float],
    label: str,
    color: Any,
    *,
    joined: bool,
) -> None:
    value = {id(point): point.setting.get(swept, "") for point in members}
    on_axis = [point for point in members if value[id(point)] in positions]
    on_axis.sort(key=lambda point: positions[value[id(point)]])
    if on_axis:
        axes.errorbar(
            [positions[value[id(point)]] for point in on_axis],
            [point.mean(measure) for point in on_axis],
            [point.deviation(measure) for point in on_axis],
            color=color, lw=1.6 if joined else 0, elinewidth=1.2, marker="o", ms=4, capsize=2, label=label,
        )  # fmt: skip
    for point in members:
        if value[id(point)] not in positions:
            name = ", ".join(filter(None, (f"{swept.replace('_', ' ')} {point.setting[swept]}", label)))
            axes.axhline(point.mean(measure), color=color, lw=1.4, ls=(0, (4, 3)), label=name)


def number(text: str) -> float | None:
    """The finite number that a setting is, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _line_colors(count: int) -> Sequence[Any]:
    from matplotlib import colormaps

    if count <= 4:
        return (BLUE, ORANGE, GREEN, GREY)[:count]
    return list(colormaps["viridis"](np.linspace(0.0, 0.9, count)))
