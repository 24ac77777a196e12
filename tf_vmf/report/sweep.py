"""The runs of a sweep side by side, on validation data: findings, figure and report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.files import read_metrics
from tf_vmf.measures import COMPARED, MEASURES, Measure
from tf_vmf.report.engine.serialization import to_json
from tf_vmf.report.page.figures import BLUE, GREEN, GREY, ORANGE, new_figure, styled
from tf_vmf.report.page.page import Block, Code, Headline, Image, Section, Table, Text, write_report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The setting that is averaged over instead of being a setting of its own.
SEED = "seed"
# A difference of means is clear if it is larger than this many of its standard errors.
_CLEAR = 2.0


@dataclass(frozen=True)
class SweepPoint:
    """One setting, and the validation figures of its runs.

    Attributes:
        setting: The values of the varied flags but the seed.
        figures: Every measure of `metrics["valid"]`, a value per seed.
    """

    setting: Mapping[str, str]
    figures: Mapping[str, tuple[float, ...]]

    @property
    def num_seeds(self) -> int:
        """Number of runs."""
        return len(self.figures["perplexity"])

    def mean(self, measure: str) -> float:
        """Mean over seeds."""
        return float(np.mean(self.figures[measure]))

    def deviation(self, measure: str) -> float:
        """Standard deviation over seeds; 0 with one."""
        values = self.figures[measure]
        return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


@dataclass(frozen=True)
class SweepFindings:
    """The findings of a sweep; `tf_vmf.report.sweep_report` renders it.

    Attributes:
        points: A point per setting, in the order of the sweep.
        comparable: Whether all runs were validated on equally many examples and tokens. Perplexities over different vocabularies
            or texts say nothing about which setting is better.
        difference: Mean perplexity of the second of `ranked` minus that of the first; nan of a single point.
        difference_error: Standard error of the difference over seeds; nan where either point has one seed.
        command: The command that repeats the sweep, or None.
        failures: Runs that failed, in words.
    """

    points: tuple[SweepPoint, ...]
    comparable: bool
    difference: float
    difference_error: float
    command: str | None
    failures: tuple[str, ...]

    @property
    def ranked(self) -> tuple[SweepPoint, ...]:
        """The points, lowest mean validation perplexity first."""
        return tuple(sorted(self.points, key=lambda point: point.mean("perplexity")))

    @property
    def is_clear(self) -> bool:
        """True if the first of `ranked` is ahead of the second by more than two standard errors of the difference."""
        return self.comparable and self.difference > _CLEAR * self.difference_error  # False where the error is nan


def sweep_points(runs: Sequence[tuple[Mapping[str, str], str | Path]]) -> list[SweepPoint]:
    """Reads the validation figures of finished runs; runs that differ in nothing but `seed` become one point.

    The test figures of the runs are not read: a setting chosen by them would leave no test data.

    Args:
        runs: The setting of every run and its folder, which holds a `metrics.json`.

    Raises:
        FileNotFoundError: A run is not finished.
    """
    points: dict[tuple[tuple[str, str], ...], dict[str, list[float]]] = {}
    for setting, folder in runs:
        key = tuple((name, value) for name, value in setting.items() if name != SEED)
        figures = points.setdefault(key, {})
        for name, value in read_metrics(Path(folder) / "metrics.json")["valid"].items():
            figures.setdefault(name, []).append(value)
    return [
        SweepPoint(dict(key), {name: tuple(values) for name, values in figures.items()})
        for key, figures in points.items()
    ]


def find_sweep(
    points: Sequence[SweepPoint], *, command: str | None = None, failures: Sequence[str] = ()
) -> SweepFindings:
    """Compares the points of a sweep.

    Args:
        points: What `sweep_points` returned; at least one.
        command: The command that repeats the sweep.
        failures: Runs that failed, in words.

    Raises:
        ValueError: There are no points.
    """
    if not points:
        raise ArgumentError("points", "at least one finished run", "none", owner="find_sweep")
    ordered = sorted(points, key=lambda point: point.mean("perplexity"))
    difference = error = math.nan
    if len(ordered) > 1:
        difference = ordered[1].mean("perplexity") - ordered[0].mean("perplexity")
        if min(point.num_seeds for point in ordered[:2]) > 1:
            error = math.sqrt(sum(point.deviation("perplexity") ** 2 / point.num_seeds for point in ordered[:2]))
    counted = {
        (name, value) for point in points for name in ("examples", "tokens") for value in point.figures.get(name, ())
    }
    return SweepFindings(
        points=tuple(points),
        comparable=len(counted) == len({name for name, _ in counted}),
        difference=difference,
        difference_error=error,
        command=command,
        failures=tuple(failures),
    )


_SWEPT = ("perplexity", "nll", "kl", "code_gain")


@styled
def sweep(points: Sequence[SweepPoint]) -> Figure:
    """Validation figures over the first setting of a sweep, a line for every combination of the others.

    Values that are not numbers, such as a learned concentration, are dashed horizontal lines. If no value is a number, they stand
    side by side. The axis is logarithmic if the values span more than a factor of ten.
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
    numbers = {value: place for value in values if (place := _number(value)) is not None}
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


def _number(text: str) -> float | None:
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


def sweep_report(path: str | Path, findings: SweepFindings, *, title: str = "Sweep") -> None:
    """Writes an HTML report of a sweep: curves over the first setting, a line for every combination of the others, and a table.

    ```python
    point = tf_vmf.report.SweepPoint  # tf_vmf.report.sweep_points reads them from folders of runs
    figures = {"perplexity": (801.0, 803.0), "nll": (620.4, 620.9), "kl": (18.8, 18.8), "code_gain": (128.0, 127.0)}
    points = [point({"latent_dim": "25"}, figures), point({"latent_dim": "50"}, {**figures, "perplexity": (790.0, 793.0)})]
    tf_vmf.report.sweep_report("report.html", tf_vmf.report.find_sweep(points))
    ```

    Args:
        path: The file to write.
        findings: What `tf_vmf.report.find_sweep` returned.
        title: The heading.

    Raises:
        ModuleNotFoundError: jinja2 or matplotlib is not installed.
    """
    runs = sum(point.num_seeds for point in findings.points)
    measures = ", ".join(
        f"{_heading(MEASURES[name])}: {MEASURES[name].title()}"
        for name in ("perplexity", "document_perplexity", "iw_perplexity")
    )
    blocks: list[Block] = [
        Image(sweep(findings.points), _caption(findings)),
        sweep_table(findings),
        Text(f"Columns: {measures}. The others are in nats per example."),
        Text(verdict(findings)),
        Text(
            "All figures are of the validation split. Settings that are chosen by it look a little better on it than they are: "
            "measure the chosen one once on the test split, and quote that figure."
        ),
    ]
    if findings.failures:
        blocks.append(Table(("Failed runs",), [(failure,) for failure in findings.failures]))
    sections = [Section("Results", blocks)]
    if findings.command:
        sections.append(Section("Protocol", [Text("This command repeats the sweep:"), Code(findings.command)]))
    settings = f"{len(findings.points)} setting{'s' if len(findings.points) > 1 else ''}"
    write_report(
        path,
        title=title,
        subtitle=f"{runs} run{'s' if runs > 1 else ''} of {settings}",
        headlines=_headlines(findings),
        sections=sections,
        findings=to_json(findings),
    )


def sweep_table(findings: SweepFindings) -> Table:
    """A row per setting, lowest perplexity first: mean over seeds, ± the standard deviation where there are several."""
    points = findings.ranked
    names = list(points[0].setting)
    titles = [name.replace("_", " ").capitalize() for name in names]
    measures = [MEASURES[name] for name in COMPARED if all(name in point.figures for point in points)]
    rows = [
        (
            *(point.setting[name] for name in names),
            point.num_seeds,
            *(_with_deviation(point, measure.name) for measure in measures),
        )
        for point in points
    ]
    header = (*titles, "Seeds", *(_heading(measure) for measure in measures))
    return Table(header, rows, numeric=range(len(titles), len(header)), highlight=(0,) if findings.is_clear else ())


def _heading(measure: Measure) -> str:
    return measure.short.format(example="example")


def verdict(findings: SweepFindings) -> str:
    """A sentence on which setting the perplexities favor."""
    if not findings.comparable:
        return (
            "The runs were validated on different numbers of examples or tokens. Their perplexities do not compare, and no "
            "setting is named."
        )
    if len(findings.points) == 1:
        return "There is one setting, so nothing to compare."
    if any(point.num_seeds == 1 for point in findings.ranked[:2]):
        return (
            f"The two lowest perplexities differ by {findings.difference:.1f}. At least one of the two is a single run: "
            "differences below the spread between seeds mean nothing, and one seed does not tell the spread. Vary the seed, too."
        )
    measured = (
        f"The two lowest mean perplexities differ by {findings.difference:.1f}, with a standard error of "
        f"{findings.difference_error:.1f} over seeds"
    )
    if findings.is_clear:
        return f"{measured}: the lowest is ahead by more than two standard errors."
    return f"{measured}: less than two standard errors, so the seeds do not tell which of the two settings is better."


def _caption(findings: SweepFindings) -> str:
    caption = "Validation figures of each setting."
    if any(point.num_seeds > 1 for point in findings.points):
        caption += " Points are means over seeds, bars their standard deviation."
    swept = next(iter(findings.points[0].setting), None)
    values = {point.setting[swept] for point in findings.points} if swept is not None else set()
    numbers = {value for value in values if _number(value) is not None}
    if numbers and numbers != values:
        caption += " Dashed lines: values that are not numbers."
    return caption


def _headlines(findings: SweepFindings) -> list[Headline]:
    if not findings.comparable:
        return []
    point = findings.ranked[0]
    several = len(findings.points) > 1
    if point.num_seeds > 1:
        note = f"mean of {point.num_seeds} seeds"
    else:
        note = "one seed" + (": no evidence that it is best" if several else "")
    if several and findings.is_clear:
        note = f"{note}; ahead by more than two standard errors"
    headlines = [
        Headline(
            MEASURES["perplexity"].format(point.mean("perplexity")),
            "lowest validation perplexity" if several else "validation perplexity",
            note,
        )
    ]
    headlines += [Headline(value, f"{name.replace('_', ' ')} of this setting") for name, value in point.setting.items()]
    return headlines + [
        Headline(
            MEASURES[name].format(point.mean(name)),
            f"its {MEASURES[name].short}",
            MEASURES[name].unit.format(example="example"),
        )
        for name in ("kl", "code_gain")
        if name in point.figures
    ]


def _with_deviation(point: SweepPoint, measure: str) -> str:
    mean = MEASURES[measure].format(point.mean(measure))
    return f"{mean} ± {MEASURES[measure].format(point.deviation(measure))}" if point.num_seeds > 1 else mean
