"""Many runs, one per setting, and their comparison."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import keras

from tf_vmf import report
from tf_vmf._optional import note_missing
from tf_vmf.files import write_csv
from tf_vmf.locks import FileLock
from tf_vmf.programs.configs import DocumentConfig, SentenceConfig
from tf_vmf.programs.train import train_documents, train_sentences
from tf_vmf.training import RunInterruptedError


@dataclass(frozen=True)
class Sweep:
    """A sweep that has ended.

    Attributes:
        output: The folder of the sweep.
        finished: Settings and folders of the runs that ended well.
        failures: Folder names and errors of the others.
    """

    output: Path
    finished: tuple[tuple[Mapping[str, str], Path], ...]
    failures: tuple[str, ...]

    @property
    def table_file(self) -> Path:
        """CSV: one row per setting."""
        return self.output / "sweep.csv"

    @property
    def report_file(self) -> Path:
        """HTML: the comparison."""
        return self.output / "report.html"


def settings(varied: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """All combinations of values, the last name varying fastest."""
    return [dict(zip(varied, values, strict=True)) for values in itertools.product(*varied.values())]


def folder_of(output: Path, setting: Mapping[str, str]) -> Path:
    """The folder of a run, named after its setting."""
    return output / ",".join(f"{name}={quote(value, safe='')}" for name, value in setting.items())


def run_sweep(
    runs: Sequence[tuple[Mapping[str, str], DocumentConfig | SentenceConfig]],
    output: str | Path,
    *,
    command: str | None = None,
) -> Sweep:
    r"""Trains a model per setting, or resumes it, and compares all of them on validation data.

    ```python
    with open("notes.txt", "w") as file:
        file.write("The moon rose early.\nA rocket flew to the moon.\nWe ate bread with butter.\n" * 40)
    runs = [
        ({"latent_dim": str(dim)}, tf_vmf.programs.configs.DocumentConfig(train_files=("notes.txt",), latent_dim=dim, epochs=1))
        for dim in (2, 3)
    ]
    tf_vmf.programs.run_sweep(runs, "runs/dims").table_file
    ```

    Every run has a folder below `output`, named after its setting. `output` then holds `sweep.csv` and `report.html`. A run that
    fails stops no other.

    Args:
        runs: Settings, the names and values that differ between the runs, with the configuration of each.
        output: The folder of the sweep; made if missing.
        command: The command to print in reports; None for this call.

    Raises:
        ValueError: No run ended well.
        LockHeldError: Another sweep uses the folder.
        RunInterruptedError: SIGINT, SIGTERM or SIGHUP came; the same call goes on. It is a SystemExit.
    """
    output = Path(output)
    command = command or f"tf_vmf.programs.run_sweep(runs, {str(output)!r})"
    # Two sweeps would take turns in failing at the folders of the other's runs.
    with FileLock(output / "sweep.lock", f"Folder {output}", "Wait until it ends, or give another output."):
        sweep = _train_all(runs, output, command)
        _compare(sweep, command)
    return sweep


def _train_all(
    runs: Sequence[tuple[Mapping[str, str], DocumentConfig | SentenceConfig]], output: Path, command: str
) -> Sweep:
    finished, failures = [], []
    for number, (setting, config) in enumerate(runs, 1):
        folder = folder_of(output, setting)
        print(f"run {number} of {len(runs)}: {folder.name}", flush=True)
        try:
            failure = _train(config, folder, command)
        except RunInterruptedError:
            print(f"The sweep was interrupted in {folder.name}. The same command goes on.", flush=True)
            raise
        if failure:
            failures.append(f"{folder.name} ({failure})")
        else:
            finished.append((setting, folder))
    if not finished:
        raise ValueError(f"No run of the sweep ended: {'; '.join(failures)}.")
    return Sweep(output, tuple(finished), tuple(failures))


def _train(config: DocumentConfig | SentenceConfig, folder: Path, command: str) -> str | None:
    """Trains one run or resumes it; returns why it failed."""
    keras.backend.clear_session()  # else the graphs of all runs would add up in memory
    try:
        if isinstance(config, DocumentConfig):
            train_documents(config, folder, command=command)
        else:
            train_sentences(config, folder, command=command)
    except Exception as error:  # whatever it is, the other runs are worth their time
        print(f"failed: {error}", file=sys.stderr)
        return f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
    return None


def _compare(sweep: Sweep, command: str) -> None:
    """Writes the table and the report of the sweep."""
    points = report.sweep_points(sweep.finished)
    rows = [
        {
            **point.setting,
            "seeds": len(point.figures["perplexity"]),
            **{measure: point.mean(measure) for measure in point.figures},
        }
        for point in points
    ]
    write_csv(sweep.table_file, rows)
    findings = report.find_sweep(points, command=command, failures=sweep.failures)
    table = report.sweep_table(findings)
    cells = [[str(cell) for cell in row] for row in (table.header, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)))
    print()
    with note_missing(sweep.report_file.name):
        title = f"Sweep over {', '.join(name.replace('_', ' ') for name in points[0].setting) or 'seeds'}"
        report.sweep_report(sweep.report_file, findings, title=title)
