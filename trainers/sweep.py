r"""Trains one model for every combination of some settings and compares them on validation data.

Which concentration to take, for instance; everything after -- goes to the trainer:

    python -m trainers.sweep --trainer=bow_vae --vary=concentration=10,25,50,100,200,learned --output=runs/sweep -- \
        --flagfile=recipes/20ng_vmf.flags --data_dir=DIR
    python -m trainers.sweep --trainer=bow_vae --vary=concentration=25,100 --vary=seed=0,1,2 --output=runs/grid

Every run is `python -m trainers.TRAINER` in a folder of its own below --output, so each has its report and resumes, as does the
sweep. --output then holds report.html and, a row a setting, sweep.csv. A run that fails is named at the end and stops no other.
"""

import itertools
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from absl import app

from flags import sweep as sweep_flags
from tf_vmf import analysis, reports
from tf_vmf.files import write_csv


def settings(varied: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """All combinations, the last flag varying fastest."""
    return [dict(zip(varied, values, strict=True)) for values in itertools.product(*varied.values())]


def folder_of(output: Path, setting: Mapping[str, str]) -> Path:
    """The folder of a run, named after its setting."""
    return output / ",".join(f"{name}={quote(value, safe='')}" for name, value in setting.items())


def train(setting: Mapping[str, str], folder: Path, arguments: Sequence[str]) -> int:
    """Runs the trainer on a setting, or resumes it; returns its exit code."""
    varied = [f"--{name}={value}" for name, value in setting.items()]
    command = [
        sys.executable,
        "-m",
        f"trainers.{sweep_flags.TRAINER.value}",
        *arguments,
        *varied,
        f"--workdir={folder}",
    ]
    return subprocess.run(command, check=False).returncode


def row_of(point: analysis.SweepPoint) -> dict[str, str | float]:
    """The setting, the number of seeds and the mean of every validation figure over them."""
    figures = {measure: point.mean(measure) for measure in point.figures}
    return {**point.setting, "seeds": len(point.figures["perplexity"]), **figures}


def main(argv: Sequence[str]) -> None:
    output, arguments = Path(sweep_flags.OUTPUT.value), argv[1:]
    names = [argument.lstrip("-").partition("=")[0] for argument in arguments] + list(sweep_flags.varied())
    given = [name for name in names if name == "workdir"]
    if given:
        raise app.UsageError("Every run has a folder of its own below --output. Leave out --workdir.")
    grid = settings(sweep_flags.varied())
    runs = [(setting, folder_of(output, setting)) for setting in grid]
    finished, failures = [], []
    for number, (setting, folder) in enumerate(runs, 1):
        print(f"run {number} of {len(runs)}: {folder.name}", flush=True)
        code = train(setting, folder, arguments)
        if code:
            failures.append(f"{folder.name} (exit code {code})")
        elif not (folder / "metrics.json").exists():  # told to stop, a trainer saves and ends well
            failures.append(f"{folder.name} (interrupted; the same command goes on)")
        else:
            finished.append((setting, folder))
    if not finished:
        raise RuntimeError(f"No run of the sweep ended: {'; '.join(failures)}. What is wrong stands above.")
    points = analysis.sweep_points(finished)
    write_csv(output / "sweep.csv", [row_of(point) for point in points])
    command = shlex.join(["python", "-m", "trainers.sweep", *sys.argv[1:]])
    findings = analysis.find_sweep(points, command=command, failures=failures)
    reports.sweep_report(
        output / "report.html",
        findings,
        title=f"Sweep over {', '.join(name.replace('_', ' ') for name in points[0].setting) or 'seeds'}",
    )
    table = reports.sweep_table(findings)
    rows = [[str(cell) for cell in row] for row in (table.header, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)))
    print(f"report: {output / 'report.html'}")
    if failures:
        sys.exit(f"{len(failures)} of {len(runs)} runs failed: {'; '.join(failures)}")


if __name__ == "__main__":
    app.run(main)
