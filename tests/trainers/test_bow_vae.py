"""The document trainer as a user runs it: a command, a folder, a kill, the same command again."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

import tf_vmf

ROOT = Path(__file__).resolve().parents[2]
WORDS = [
    "star planet orbit moon comet telescope",
    "flour butter sugar oven bread yeast",
    "goal match player league team ball",
]
FLAGS = ["--vocabulary_size=100", "--stop_words=none", "--latent_dim=3", "--concentration=20", "--encoder_units=16,8",
         "--decoder_units=", "--batch_size=16", "--learning_rate=0.02", "--num_importance_samples=5"]  # fmt: skip


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Three hundred documents about three things."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("text") / "documents.txt"
    path.write_text("\n".join(" ".join(rng.choice(WORDS[i % 3].split(), 12)) for i in range(300)))
    return path


def command(text, workdir, *flags):
    return [sys.executable, "-m", "trainers.bow_vae", f"--train_files={text}", f"--workdir={workdir}", *FLAGS, *flags]


def run(text, workdir, *flags):
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        command(text, workdir, *flags),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def numbers(workdir):
    """metrics.json without what the clock says."""
    metrics = json.loads((workdir / "metrics.json").read_text())
    assert metrics["training"].pop("seconds") > 0
    assert metrics["training"].pop("examples_per_second") > 0
    assert metrics["training"].pop("tokens_per_second") > 0
    return metrics


@pytest.fixture(scope="module")
def whole(text, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("runs") / "whole"
    finished = run(text, workdir, "--epochs=12")
    assert finished.returncode == 0, finished.stderr
    return workdir, finished


@pytest.mark.slow
def test_structured_logs_are_json_lines_of_the_start_every_epoch_and_the_end(text, tmp_path):
    finished = run(text, tmp_path / "run", "--epochs=2", "--log_format=json")
    assert finished.returncode == 0, finished.stderr
    records = [json.loads(line) for line in finished.stdout.splitlines()]
    assert [each["event"] for each in records] == ["start", "epoch", "epoch", "measuring", "measuring", "end"]
    rows = list(csv.DictReader((tmp_path / "run/history.csv").read_text().splitlines()))
    assert records[2]["val_loss"] == pytest.approx(float(rows[1]["val_loss"]))
    assert records[-1]["test"] == json.loads((tmp_path / "run/metrics.json").read_text())["test"]


def test_a_run_leaves_every_file_of_the_contract(whole):
    workdir, finished = whole
    names = {"config.json", "history.csv", "metrics.json", "model.keras", "report.html", "findings.json", "checkpoints"}
    assert names <= {path.name for path in workdir.iterdir()}
    metrics = numbers(workdir)
    keys = {"nll", "kl", "perplexity", "document_perplexity", "iw_nll", "iw_perplexity", "iw_document_perplexity",
            "code_gain", "active_units", "mutual_information", "examples", "tokens"}  # fmt: skip
    assert set(metrics["test"]) == set(metrics["valid"]) == keys
    assert set(metrics["baseline"]) == {"unigram_perplexity", "unigram_document_perplexity"}
    assert metrics["training"]["epochs"] == 12
    assert {"corpus", "seed", "versions", "importance_samples", "vocabulary_sha256"} <= set(metrics["protocol"])
    assert "perplexity" in finished.stdout
    with (workdir / "history.csv").open() as file:
        assert [int(row["epoch"]) for row in csv.DictReader(file)] == list(range(1, 13))


def test_the_model_learns_three_topics(whole):
    """18 words; who knows the topic guesses among 6."""
    metrics = numbers(whole[0])
    assert metrics["baseline"]["unigram_perplexity"] == pytest.approx(18, abs=0.5)
    assert metrics["test"]["iw_perplexity"] < 9
    assert metrics["test"]["code_gain"] > 5


def test_the_saved_model_loads_and_is_the_one_that_was_measured(whole):
    assert tf_vmf.__version__  # importing the package makes its classes known to Keras
    model = keras.saving.load_model(whole[0] / "model.keras")
    assert model.vocabulary_size == 18
    assert model.latent.latent_dim == 3


@pytest.mark.slow  # three whole runs; tests/training/test_fit.py shows the same of a run that ends in the middle of a step
def test_sigkill_in_training_and_the_same_command_again_give_the_numbers_of_an_uninterrupted_run(text, whole, tmp_path):
    workdir = tmp_path / "killed"
    with subprocess.Popen(
        command(text, workdir, "--epochs=12"), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 120
        while len(list((workdir / "checkpoints").glob("epoch-*.index"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (workdir / "metrics.json").exists()
    assert run(text, workdir, "--epochs=12").returncode == 0
    assert numbers(workdir) == numbers(whole[0])
    assert (workdir / "history.csv").read_bytes() == (whole[0] / "history.csv").read_bytes()


def test_a_workdir_of_another_configuration_is_refused_and_left_alone(text, whole):
    before = (whole[0] / "metrics.json").read_bytes()
    finished = run(text, whole[0], "--epochs=12", "--dropout=0.5")
    assert finished.returncode != 0
    assert "another configuration" in finished.stderr
    assert "dropout: 0.1 there, 0.5 here" in finished.stderr
    assert (whole[0] / "metrics.json").read_bytes() == before


@pytest.mark.slow
def test_more_epochs_go_on_though_the_text_has_moved_and_the_results_of_the_earlier_end_are_set_aside(
    text, whole, tmp_path
):
    moved, workdir = tmp_path / "elsewhere.txt", tmp_path / "run"
    shutil.copy(text, moved)
    shutil.copytree(whole[0], workdir)
    finished = run(moved, workdir, "--epochs=13")
    assert finished.returncode == 0, finished.stderr
    assert numbers(workdir)["training"]["epochs"] == 13
    history, earlier = ((folder / "history.csv").read_text().splitlines() for folder in (workdir, whole[0]))
    assert history[:-1] == earlier
    assert json.loads((workdir / "config.json").read_text())["train_files"] == [str(moved)]
    aside = workdir / "earlier_results/1"
    assert (aside / "metrics.json").read_bytes() == (whole[0] / "metrics.json").read_bytes()
    assert {path.name for path in aside.iterdir()} == {"metrics.json", "model.keras", "report.html", "findings.json"}


@pytest.mark.slow  # a run of a process; tests/data shows that the hash is of the text
def test_other_text_under_the_same_path_is_refused(text, whole, tmp_path):
    shutil.copytree(whole[0], tmp_path / "run")
    other = tmp_path / "documents.txt"
    other.write_text("\n".join(reversed(text.read_text().splitlines())))
    finished = run(other, tmp_path / "run", "--epochs=12")
    assert finished.returncode != 0
    assert "sha256" in finished.stderr


@pytest.mark.slow
def test_two_replicas_train_as_well_as_one_device(text, tmp_path):
    finished = run(text, tmp_path / "mirrored", "--epochs=12", "--strategy=mirrored", "--num_devices=2")
    assert finished.returncode == 0, finished.stderr
    assert numbers(tmp_path / "mirrored")["test"]["iw_perplexity"] < 9
