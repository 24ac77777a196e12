"""The runs of a sweep side by side, on validation data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.files import read_metrics

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
