r"""Trains one model for every combination of some settings and compares them on validation data.

Which concentration to take, for instance; everything after -- goes to the trainer:

    python -m trainers.sweep --trainer=bow_vae --vary=concentration=10,25,50,100,200,learned --output=runs/sweep -- \
        --flagfile=recipes/20ng_vmf.flags --data_dir=DIR
    python -m trainers.sweep --trainer=bow_vae --vary=concentration=25,100 --vary=seed=0,1,2 --output=runs/grid

Every run has a folder of its own below --output, so each has its report and resumes, as does the sweep. --output then holds
report.html and, one row per setting, sweep.csv. A run that fails is named at the end and stops no other.
"""

import itertools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from absl import flags as absl_flags

from flags.from_config import define
from tf_vmf._errors import ArgumentError
from tf_vmf._optional import note_missing
from tf_vmf.locks import FileLock
from tf_vmf.programs.configs import DocumentConfig, SentenceConfig, SweepConfig
from trainers import program

_CONFIGS = {"bow_vae": DocumentConfig, "lstm_vae": SentenceConfig}


def settings(varied: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """All combinations, the last flag varying fastest."""
    return [dict(zip(varied, values, strict=True)) for values in itertools.product(*varied.values())]


def folder_of(output: Path, setting: Mapping[str, str]) -> Path:
    """The folder of a run, named after its setting."""
    return output / ",".join(f"{name}={quote(value, safe='')}" for name, value in setting.items())


def configuration(
    trainer: str, arguments: Sequence[str], setting: Mapping[str, str]
) -> DocumentConfig | SentenceConfig:
    """The configuration of one run.

    Raises:
        ArgumentError, absl.flags.Error: A name or a value is not one of the trainer's.
    """
    config = _CONFIGS[trainer]
    varied = [f"--{name}={value}" for name, value in setting.items()]
    made = program.parse(define([config]), [config], [*arguments, *varied])[0]
    assert isinstance(made, DocumentConfig | SentenceConfig)
    return made


def main(sweep: SweepConfig, arguments: list[str]) -> None:
    output, grid = Path(sweep.output), settings(sweep.varied())
    given = [argument.lstrip("-").partition("=")[0] for argument in arguments]
    if "workdir" in [*given, *sweep.varied()]:
        raise ArgumentError(
            "output",
            "no --workdir beside it, as every run has a folder of its own below it",
            "one",
            "Leave out --workdir.",
        )
    try:
        # All of them before the first run.
        configs = [configuration(sweep.trainer, arguments, setting) for setting in grid]
    except absl_flags.Error as error:
        raise ArgumentError("vary", f"flags of {sweep.trainer}", str(error).rstrip(".")) from error
    # Two sweeps would take turns in failing at the folders of the other's runs.
    with FileLock(output / "sweep.lock", f"Folder {output}", "Wait until it ends, or give another --output."):
        _sweep(output, grid, configs)


def _sweep(output: Path, grid: Sequence[Mapping[str, str]], configs: Sequence[DocumentConfig | SentenceConfig]) -> None:
    """Runs all configurations and compares them."""
    from tf_vmf.training import RunInterruptedError

    finished, failures = [], []
    for number, (setting, config) in enumerate(zip(grid, configs, strict=True), 1):
        folder = folder_of(output, setting)
        print(f"run {number} of {len(grid)}: {folder.name}", flush=True)
        try:
            failure = _train(config, folder)
        except RunInterruptedError:
            print(f"The sweep was interrupted in {folder.name}. The same command goes on.", flush=True)
            raise
        if failure:
            failures.append(f"{folder.name} ({failure})")
        else:
            finished.append((setting, folder))
    if not finished:
        raise ValueError(f"No run of the sweep ended: {'; '.join(failures)}.")
    _compare(output, finished, failures)
    if failures:
        sys.exit(f"{len(failures)} of {len(grid)} runs failed: {'; '.join(failures)}")


def _train(config: DocumentConfig | SentenceConfig, folder: Path) -> str | None:
    """Trains one run or resumes it; returns why it failed."""
    import keras

    from tf_vmf import programs

    keras.backend.clear_session()  # else the graphs of all runs would add up in memory
    command = program.command_line("sweep")
    try:
        if isinstance(config, DocumentConfig):
            programs.train_documents(config, folder, command=command)
        else:
            programs.train_sentences(config, folder, command=command)
    except Exception as error:  # whatever it is, the other runs are worth their time
        print(f"failed: {error}", file=sys.stderr)
        return f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
    return None


def _compare(output: Path, finished: Sequence[tuple[Mapping[str, str], Path]], failures: Sequence[str]) -> None:
    """Writes the table and the report of the sweep."""
    from tf_vmf import report
    from tf_vmf.files import write_csv
    from tf_vmf.report import engine

    points = engine.sweep_points(finished)
    rows = [
        {
            **point.setting,
            "seeds": len(point.figures["perplexity"]),
            **{measure: point.mean(measure) for measure in point.figures},
        }
        for point in points
    ]
    write_csv(output / "sweep.csv", rows)
    findings = engine.find_sweep(points, command=program.command_line("sweep"), failures=failures)
    table = report.sweep_table(findings)
    cells = [[str(cell) for cell in row] for row in (table.header, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)))
    page = output / "report.html"
    print()
    with note_missing(page.name):
        title = f"Sweep over {', '.join(name.replace('_', ' ') for name in points[0].setting) or 'seeds'}"
        report.sweep_report(page, findings, title=title)
        print(f"report  {page.resolve().as_uri()}")
    print(f"table   {output / 'sweep.csv'}")


if __name__ == "__main__":
    program.run(main, "sweep", __doc__, SweepConfig, rest=True, resumes=True)
