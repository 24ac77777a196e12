"""The sweep as a user runs it."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.trainers.refusals import refusals

ROOT = Path(__file__).resolve().parents[2]


def sweep(output, text, *flags):
    trainer = [f"--train_files={text}", "--min_count=1", "--latent_dim=3", "--encoder_units=8", "--decoder_units=", "--epochs=1",
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
    return output, sweep(output, text, "--vary=concentration=5,-1,learned")


def test_runs_that_fail_are_named_and_stop_no_other(finished):
    output, process = finished
    assert process.returncode == 1
    assert "1 of 3 runs failed: concentration=-1" in process.stderr
    assert "--concentration must be a number >= 0" in process.stderr
    assert "concentration=-1 (exit code" in (output / "report.html").read_text()


def test_the_table_holds_the_validation_figures_of_the_runs(finished):
    output, _ = finished
    with (output / "sweep.csv").open() as file:
        rows = {row["concentration"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"5", "learned"}
    for value, row in rows.items():
        metrics = json.loads((output / f"concentration={value}" / "metrics.json").read_text())
        assert float(row["perplexity"]) == metrics["valid"]["perplexity"]
        assert float(row["kl"]) == metrics["valid"]["kl"]
        assert row["seeds"] == "1"


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
    again = sweep(output, text, "--vary=concentration=5,-1,learned")
    assert again.returncode == 1
    assert written() == before


def test_every_setting_has_a_folder_of_its_own():
    # In a process of its own: the flags of a sweep are required, and would be so for all tests here.
    values = ["x/d.txt", "x_d.txt", "x%2Fd.txt", "x d.txt"]
    program = "import sys, pathlib, trainers.sweep as s; [print(s.folder_of(pathlib.Path('o'), {'f': v})) for v in sys.argv[1:]]"
    found = subprocess.run(
        [sys.executable, "-c", program, *values], cwd=ROOT, capture_output=True, text=True, check=True
    )
    folders = found.stdout.splitlines()
    assert len(set(folders)) == 4
    assert all(folder.count("/") == 1 for folder in folders)


def test_a_run_that_was_told_to_stop_is_not_taken_for_a_finished_one(tmp_path):
    program = """
import sys
from absl import flags
from trainers import sweep
sweep.train = lambda *_: 143  # as a trainer that got SIGTERM
sweep.main(flags.FLAGS(["sweep", "--trainer=bow_vae", "--vary=seed=0,1", f"--output={sys.argv[1]}"]))
"""
    stopped = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert stopped.returncode != 0
    assert "seed=1 (interrupted; the same command goes on)" in stopped.stderr


def test_what_cannot_be_swept_is_refused():
    required = ["--trainer=bow_vae", "--output=never"]
    messages = refusals(
        "trainers.sweep",
        [
            [*required, "--vary=concentration"],
            [*required, "--vary=seed=0,0"],
            [*required, "--vary=seed=0", "--vary=seed=1"],
            [*required, "--vary=seed=0", "--", "--workdir=here"],
            [*required, "--vary=workdir=here,there"],
            ["--output=never", "--vary=seed=0"],
        ],
    )
    assert all("NAME=VALUE,VALUE" in message for message in messages[:3])
    assert all("Leave out --workdir" in message for message in messages[3:5])
    assert "--trainer" in messages[5]
