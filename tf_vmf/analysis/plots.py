"""Figures of a training run and of its codes; each function returns a `matplotlib.figure.Figure`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from tf_vmf._optional import optional
from tf_vmf.analysis.figures import BLUE, GREEN, GREY, ORANGE, STYLE, new_figure
from tf_vmf.analysis.projection import Projection
from tf_vmf.analysis.word_order import WordOrder

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tf_vmf.analysis.sweep import SweepPoint

_P = ParamSpec("_P")
_CURVES = (
    ("perplexity", "Perplexity a token (nll + KL)"),
    ("loss", "Loss, nats an example"),
    ("nll", "Reconstruction nll, nats an example"),
    ("kl", "KL, nats an example"),
    ("code_gain", "Code gain, nats an example"),
)
MOST_LABELS = 20  # distinct colours
MOST_COLOURED = 12  # where there are more labels than colours: so many in colour, the rest grey


def _styled(plot: Callable[_P, Figure]) -> Callable[_P, Figure]:
    @wraps(plot)
    def in_style(*args: _P.args, **kwargs: _P.kwargs) -> Figure:
        with optional("demo", "Figures"):
            from matplotlib import rc_context
        with rc_context(STYLE):
            return plot(*args, **kwargs)

    return in_style


@_styled
def training_curves(
    history: Sequence[Mapping[str, Any]], *, best_epoch: int | None = None, unigram_perplexity: float | None = None
) -> Figure:
    """Curves of training (blue) and validation (orange) over epochs, a panel a quantity.

    Args:
        history: A row an epoch with any of loss, nll, kl, perplexity, the same with `val_` in front, learning_rate and epoch;
            values may be strings, as `csv.DictReader` gives them.
        best_epoch: Marked by a vertical line.
        unigram_perplexity: Marked by a horizontal line.
    """
    epochs = _column(history, "epoch")
    if np.isnan(epochs).all():
        epochs = np.arange(1.0, len(history) + 1)
    panels = [
        (name, title) for name, title in _CURVES if any(name in row or f"val_{name}" in row for row in history[:1])
    ]
    rates = _column(history, "learning_rate")
    if len(np.unique(rates[~np.isnan(rates)])) > 1:
        panels.append(("learning_rate", "Learning rate"))
    columns = min(2, max(1, len(panels)))
    rows = max(1, -(-len(panels) // columns))
    figure = new_figure(4.6 * columns, 2.6 * rows)
    for position, (name, title) in enumerate(panels):
        axes = figure.add_subplot(rows, columns, position + 1)
        for key, label, colour in ((name, "training", BLUE), (f"val_{name}", "validation", ORANGE)):
            values = _column(history, key)
            if not np.isnan(values).all():
                marker = "o" if len(values) == 1 else ""
                axes.plot(epochs, values, color=colour, lw=1.6, label=label, marker=marker, ms=4)
        if name == "learning_rate":
            if np.nanmin(rates) > 0:  # a schedule that ends at zero has no place on a logarithmic axis
                axes.set_yscale("log")
        else:
            axes.ticklabel_format(axis="y", useOffset=False)
            low, high = axes.get_ylim()
            if high - low < 0.02 * abs(
                high
            ):  # a constant, such as the KL of a fixed concentration: rounding is no curve
                axes.set_ylim(0.9 * low, 1.1 * high)
        if name == "perplexity" and unigram_perplexity is not None:
            axes.axhline(unigram_perplexity, color=GREY, lw=1.2, ls=(0, (4, 3)), label="unigram model, test")
        if best_epoch is not None:
            axes.axvline(best_epoch, color=GREY, lw=0.9, ls=":", label="best epoch" if position == 0 else None)
        axes.set_title(title)
        if position >= len(panels) - columns:
            axes.set_xlabel("epoch")
        if position == 0 or name == "learning_rate":
            axes.legend()
    return figure


@_styled
def code_map(
    projection: Projection,
    labels: np.ndarray | None = None,
    label_names: Sequence[str] = (),
) -> Figure:
    """Points of a projection, coloured by label.

    Up to 20 labels have a colour each; of more, the 12 most frequent ones, and the rest are grey. Points on the sphere in three
    dimensions are shown on two hemispheres in Lambert's equal-area projection: equal patches of the sphere are equal on paper.

    Args:
        projection: What `project` returned.
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


@_styled
def histogram(values: np.ndarray, axis_label: str, *, bins: int = 50, counted: str = "documents") -> Figure:
    """How a quantity, such as the KL or a learned concentration, is spread over the examples `counted`; the mean is marked."""
    values = np.asarray(values, np.float64)
    figure = new_figure(4.6, 2.7)
    axes = figure.add_subplot()
    axes.hist(values, bins=bins, color=BLUE, alpha=0.85)
    axes.axvline(values.mean(), color=ORANGE, lw=1.6, label=f"mean {values.mean():,.1f}")
    axes.set_xlabel(axis_label)
    axes.set_ylabel(counted)
    axes.legend()
    return figure


@_styled
def active_units(codes: np.ndarray, *, scale: float | np.ndarray = 1.0, threshold: float = 0.01) -> Figure:
    """Variance of each dimension of the codes over the data, largest first, and the threshold of an active unit.

    Args:
        codes: Shape (n, d).
        scale: Factor that gives a coordinate unit variance under the prior (`LatentLayer.coordinate_scale`).
        threshold: Variance above which a unit is active.
    """
    variances = np.sort(np.var(codes * scale, axis=0))[::-1]
    active = variances > threshold
    figure = new_figure(4.6, 2.7)
    axes = figure.add_subplot()
    axes.bar(np.arange(1, len(variances) + 1), variances, color=np.where(active, BLUE, GREY), width=0.75)
    axes.axhline(threshold, color=ORANGE, lw=1.2, label=f"active above {threshold}")
    axes.set_xlabel("latent dimension, by variance")
    axes.set_ylabel("variance, 1 in the prior")
    axes.legend()
    return figure


@_styled
def word_order(curves: Mapping[str, WordOrder]) -> Figure:
    """Cosine with the unchanged sentence against the number of swaps, a curve a model, with two standard errors either way.

    The dashed line is one word replaced by another, the dotted one another sentence altogether.

    Args:
        curves: What `word_order_sensitivity` returned, by the name of the model; up to four.
    """
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(6.4, 3.4)
    axes = figure.add_subplot()
    for (name, curve), colour in zip(curves.items(), (BLUE, ORANGE, GREEN, GREY), strict=False):
        error = 2.0 * np.nan_to_num(curve.standard_error)
        axes.plot(curve.num_swaps, curve.cosine, color=colour, lw=1.6, marker="o", ms=4, label=f"{name}: swaps")
        axes.errorbar(curve.num_swaps, curve.cosine, error, color=colour, fmt="none", capsize=2)
        axes.axhline(curve.replaced, color=colour, lw=1.2, ls=(0, (4, 3)), label="one word replaced")
        if not np.isnan(curve.other):
            axes.axhline(curve.other, color=colour, lw=1.2, ls=":", label="another sentence")
    axes.set_xlabel("random swaps of adjacent words")
    axes.set_ylabel("cosine with the sentence's code")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    low, high = axes.get_ylim()
    if high - low < 0.02:  # nothing changes: rounding is no curve
        axes.set_ylim(low - 0.1, 1.02)
    figure.legend(loc="outside right upper")
    return figure


_SWEPT = (
    ("perplexity", "Perplexity (nll + KL)"),
    ("nll", "nll, nats an example"),
    ("kl", "KL, nats an example"),
    ("code_gain", "Code gain, nats an example"),
)


@_styled
def sweep(points: Sequence[SweepPoint]) -> Figure:
    """Validation figures over the first setting of a sweep, a line for every combination of the others.

    Values that are no numbers, such as a learned concentration, are dashed horizontal lines beside those that are; if none is a
    number they stand side by side. The axis is logarithmic if the values span more than a factor of ten.

    Args:
        points: What `tf_vmf.analysis.sweep_points` returned.
    """
    swept, *others = points[0].setting or {"": ""}
    lines: dict[str, list[SweepPoint]] = {}
    for point in points:
        label = ", ".join(f"{name.replace('_', ' ')} {point.setting[name]}" for name in others)
        lines.setdefault(label, []).append(point)
    values = list(dict.fromkeys(point.setting.get(swept, "") for point in points))
    places = {value: place for value in values if (place := _number(value)) is not None}
    categories = not places
    if categories:
        places = {value: float(i) for i, value in enumerate(values)}
    positive = [place for place in places.values() if place > 0]
    logarithmic = len(positive) == len(places) and not categories and max(positive) > 10 * min(positive)
    colours = _line_colours(len(lines))
    figure = new_figure(9.2, 5.4)
    for position, (measure, title) in enumerate(_SWEPT):
        axes = figure.add_subplot(2, 2, position + 1)
        for (label, members), colour in zip(lines.items(), colours, strict=True):
            on_axis = sorted(
                (point for point in members if point.setting.get(swept, "") in places),
                key=lambda point: places[point.setting.get(swept, "")],
            )
            if on_axis:
                axes.errorbar(
                    [places[point.setting.get(swept, "")] for point in on_axis],
                    [point.mean(measure) for point in on_axis],
                    [point.deviation(measure) for point in on_axis],
                    color=colour, lw=0 if categories else 1.6, elinewidth=1.2, marker="o", ms=4, capsize=2, label=label,
                )  # fmt: skip
            for point in members:
                if point not in on_axis:
                    name = ", ".join(filter(None, (f"{swept.replace('_', ' ')} {point.setting[swept]}", label)))
                    axes.axhline(point.mean(measure), color=colour, lw=1.4, ls=(0, (4, 3)), label=name)
        axes.set_title(title)
        if logarithmic:
            axes.set_xscale("log")
        if categories or logarithmic:
            axes.set_xticks(list(places.values()), list(places))
            axes.minorticks_off()
        if position >= len(_SWEPT) - 2:
            axes.set_xlabel(swept.replace("_", " "))
    handles, names = figure.axes[0].get_legend_handles_labels()
    if any(names):
        figure.legend(handles, names, loc="outside lower center", ncols=4)
    return figure


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _line_colours(count: int) -> Sequence[Any]:
    from matplotlib import colormaps

    if count <= 4:
        return (BLUE, ORANGE, GREEN, GREY)[:count]
    return list(colormaps["viridis"](np.linspace(0.0, 0.9, count)))


def _column(history: Sequence[Mapping[str, Any]], key: str) -> np.ndarray:
    values = [row.get(key) for row in history]
    return np.array([np.nan if value in (None, "") else float(value) for value in values], np.float64)


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
    """Moves points of the circle in and out by a fixed pattern: on the line itself they would hide one another."""
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
