"""What a setting does to a model: the runs of a sweep side by side, judged on validation data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tf_vmf.analysis import plots
from tf_vmf.analysis.report import Code, Headline, Image, Section, Table, Text, write_report

# The setting that is averaged over instead of being a setting of its own.
SEED = "seed"


@dataclass(frozen=True)
class SweepPoint:
    """One setting, and the validation figures of its runs.

    Attributes:
        setting: The values of the varied flags but the seed.
        figures: Every measure of `metrics["valid"]`, a value a seed.
    """

    setting: Mapping[str, str]
    figures: Mapping[str, Sequence[float]]

    def mean(self, measure: str) -> float:
        """Mean over seeds."""
        return float(np.mean(self.figures[measure]))

    def deviation(self, measure: str) -> float:
        """Standard deviation over seeds; 0 with one."""
        values = self.figures[measure]
        return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def sweep_points(runs: Sequence[tuple[Mapping[str, str], str | Path]]) -> list[SweepPoint]:
    """Reads the validation figures of finished runs; runs that differ in nothing but `seed` become one point.

    The test figures of the runs are not looked at: who chooses a setting by them has no test set left.

    Args:
        runs: The setting of every run and its folder, which holds a `metrics.json`.

    Raises:
        FileNotFoundError: A run is not finished.
    """
    points: dict[tuple[tuple[str, str], ...], dict[str, list[float]]] = {}
    for setting, folder in runs:
        key = tuple((name, value) for name, value in setting.items() if name != SEED)
        valid = json.loads((Path(folder) / "metrics.json").read_text(encoding="utf-8"))["valid"]
        figures = points.setdefault(key, {})
        for name, value in valid.items():
            figures.setdefault(name, []).append(value)
    return [SweepPoint(dict(key), figures) for key, figures in points.items()]


def best_point(points: Sequence[SweepPoint]) -> SweepPoint:
    """The point with the lowest mean validation perplexity of nll + KL."""
    return min(points, key=lambda point: point.mean("perplexity"))


_COLUMNS = (
    ("perplexity", "Perplexity", 1),
    ("document_perplexity", "Mean per example", 1),
    ("iw_perplexity", "Importance-weighted", 1),
    ("nll", "nll, nats", 2),
    ("kl", "KL, nats", 2),
    ("code_gain", "Code gain, nats", 2),
)


def sweep_table(points: Sequence[SweepPoint]) -> Table:
    """A row a setting, best first: mean over seeds, ± the standard deviation where there are several."""
    names = list(points[0].setting)
    titles = [name.replace("_", " ").capitalize() for name in names]
    ordered = sorted(points, key=lambda point: point.mean("perplexity"))
    rows = [
        (
            *(point.setting[name] for name in names),
            len(point.figures["perplexity"]),
            *(_with_deviation(point, measure, digits) for measure, _, digits in _COLUMNS),
        )
        for point in ordered
    ]
    header = (*titles, "Seeds", *(title for _, title, _ in _COLUMNS))
    return Table(header, rows, numeric=range(len(titles), len(header)), highlight=(0,))


def _with_deviation(point: SweepPoint, measure: str, digits: int) -> str:
    mean = f"{point.mean(measure):,.{digits}f}"
    return f"{mean} ± {point.deviation(measure):.{digits}f}" if len(point.figures[measure]) > 1 else mean


def sweep_report(
    path: str | Path,
    points: Sequence[SweepPoint],
    *,
    command: str | None = None,
    failures: Sequence[str] = (),
    title: str = "Sweep",
) -> None:
    """Writes an HTML report of a sweep: curves over the first setting, a line for every combination of the others, and a table.

    Args:
        path: The file to write.
        points: What `sweep_points` returned; at least one.
        command: The command that repeats the sweep.
        failures: Runs that failed, in words.
        title: The heading.

    Raises:
        ValueError: There are no points.
        ModuleNotFoundError: jinja2 or matplotlib is not installed: pip install 'tf-vmf[demo]'.
    """
    if not points:
        raise ValueError("Argument `points`: expected at least one finished run. Received: none.")
    best = best_point(points)
    runs = sum(len(point.figures["perplexity"]) for point in points)
    results: list[Any] = [
        Image(
            plots.sweep(points),
            "Validation figures at the end of each run. Bars: standard deviation over seeds. Dashed: values that are no numbers.",
        ),
        sweep_table(points),
        Text(
            "All figures are of the validation split. The settings were compared on it, so its best figure is a little "
            "too good: measure the chosen setting once on the test split."
        ),
    ]
    if failures:
        results.append(Table(("Failed runs",), [(failure,) for failure in failures]))
    sections = [Section("Results", results)]
    if command:
        sections.append(Section("Protocol", [Text("This command repeats the sweep:"), Code(command)]))
    write_report(
        path,
        title=title,
        subtitle=f"{runs} runs of {len(points)} settings",
        headlines=[
            *(Headline(value, f"best {name.replace('_', ' ')}") for name, value in best.setting.items()),
            Headline(f"{best.mean('perplexity'):,.1f}", "its validation perplexity", "nll + KL, one sample"),
            Headline(f"{best.mean('kl'):,.2f}", "its KL", "nats an example"),
            Headline(f"{best.mean('code_gain'):,.2f}", "its code gain", "nats an example"),
        ],
        sections=sections,
    )
