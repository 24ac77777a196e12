"""The sweep as a user runs it."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.report.engine.sweep_runs import write_runs
from tf_vmf.locks import FileLock, LockHeldError
from tf_vmf.programs.configs import SweepConfig
from tf_vmf.programs.sweep import Sweep, _compare, folder_of
from tf_vmf.training import RunInterruptedError
from trainers import sweep as sweep_program

ROOT = Path(__file__).resolve().parents[2]
GRID = ("--vary=concentration=5,learned", "--vary=activation=tanh,nonesuch")


def sweep(output, text, *flags):
    trainer = [f"--train_files={text}", "--min_count=1", "--latent_dim=3", "--encoder_units=8", "--decoder_units=4", "--epochs=1",
               "--batch_size=20", "--num_importance_samples=1"]  # fmt: skip
    command = [
        sys.executable,
        "-m",
        "trainers.sweep",
        "--trainer=bow_vae",
        f"--output={output}",
        *flags,
        "--",
        *trainer,
    ]
    return subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=400)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("text") / "documents.txt"
    words = ["film", "cast", "plot", "script", "score", "scene"]
    path.write_text("\n".join(" ".join(rng.choice(words, 8)) for _ in range(80)))
    return path


@pytest.fixture(scope="module")
def finished(text, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "sweep"
    return output, sweep(output, text, *GRID)


def test_runs_that_fail_are_named_and_stop_no_other(finished):
    output, process = finished
    assert process.returncode == 1
    assert "2 of 4 runs failed: concentration=5,activation=nonesuch" in process.stderr
    assert "concentration=5,activation=nonesuch (ValueError: " in (output / "report.html").read_text()


def test_the_table_holds_the_validation_figures_of_the_runs(finished):
    output, _ = finished
    with (output / "sweep.csv").open() as file:
        rows = {row["concentration"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"5", "learned"}
    for value, row in rows.items():
        metrics = json.loads((output / f"concentration={value},activation=tanh" / "metrics.json").read_text())
        assert float(row["perplexity"]) == metrics["valid"]["perplexity"]
        assert float(row["kl"]) == metrics["valid"]["kl"]
        assert row["seeds"] == "1"


@pytest.mark.slow  # a second sweep; that a finished run trains nothing is shown in tests/training/test_fit.py
def test_the_same_command_again_trains_nothing_again(finished, text):
    output, _ = finished

    def written():
        """When the files that training and measuring write were written last."""
        files = [
            path for name in ("metrics.json", "history.csv", "checkpoints/*.index") for path in output.glob(f"*/{name}")
        ]
        return {path: path.stat().st_mtime_ns for path in files}

    before = written()
    assert len(before) >= 6
    again = sweep(output, text, *GRID)
    assert again.returncode == 1
    assert written() == before


def test_every_setting_has_a_folder_of_its_own():
    folders = [str(folder_of(Path("o"), {"f": value})) for value in ("x/d.txt", "x_d.txt", "x%2Fd.txt", "x d.txt")]
    assert len(set(folders)) == 4
    assert all(folder.count("/") == 1 for folder in folders)


def test_a_sweep_that_is_told_to_stop_ends_with_the_exit_code_of_the_run(tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise RunInterruptedError(signal.SIGTERM, "saved")

    monkeypatch.setattr("tf_vmf.programs.sweep.train_documents", interrupted)
    config = SweepConfig(trainer="bow_vae", vary=("seed=0,1",), output=tmp_path)
    with pytest.raises(SystemExit) as ended:
        sweep_program.main(config, ["--corpus=wikipedia"])
    assert ended.value.code == 143
    assert not (tmp_path / "report.html").exists()


def test_a_second_sweep_in_the_folder_leaves_before_its_first_run(tmp_path, monkeypatch):
    monkeypatch.setattr("tf_vmf.programs.sweep.train_documents", lambda *_, **__: pytest.fail("it trains"))
    config = SweepConfig(trainer="bow_vae", vary=("seed=0,1",), output=tmp_path)
    with (
        FileLock(tmp_path / "sweep.lock"),
        pytest.raises(LockHeldError, match=f"Folder {tmp_path} is in use by process {os.getpid()}"),
    ):
        sweep_program.main(config, ["--corpus=wikipedia"])


@pytest.mark.parametrize("module", ["jinja2", "matplotlib"])
def test_a_sweep_without_what_its_report_needs_ends_with_the_table_and_a_note(module, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, module, None)
    _compare(Sweep(tmp_path, tuple(write_runs(tmp_path)), ()), "command")
    shown = capsys.readouterr().out
    assert "102.0 ± 2.8" in shown
    assert f"report.html was not written. {'Reports' if module == 'jinja2' else 'Figures'} need {module}" in shown
    assert "report  " not in shown
    assert (tmp_path / "sweep.csv").exists()


def test_a_flag_that_does_nothing_under_one_setting_is_left_out_there():
    arguments = ["--corpus=wikipedia", "--initial_concentration=50", "--minimum_concentration=15"]
    grid = [{"concentration": "80"}, {"concentration": "learned"}, {"latent": "gaussian", "concentration": "learned"}]
    runs = sweep_program.configurations("bow_vae", arguments, grid)
    found = [(config.initial_concentration, config.minimum_concentration) for _, config in runs]
    assert found == [(None, None), (50.0, 15.0), (None, None)]


@pytest.mark.parametrize(
    ("arguments", "grid", "name"),
    [
        (["--minimum_concentration=3"], [{"concentration": "80"}, {"concentration": "90"}], "minimum_concentration"),
        ([], [{"latent": "gaussian", "concentration": "80"}], "concentration"),
    ],
)
def test_a_flag_that_does_nothing_in_any_run_or_is_varied_is_refused(arguments, grid, name):
    with pytest.raises(ValueError, match=f"`{name}`: expected none") as raised:
        sweep_program.configurations("bow_vae", ["--corpus=wikipedia", *arguments], grid)
    assert raised.value.name == name
