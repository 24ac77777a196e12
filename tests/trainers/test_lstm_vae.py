"""The sentence trainer as a user runs it."""

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
SUBJECTS, VERBS = {"good": ["film", "cast"], "bad": ["plot", "script"]}, {"good": ["shines"], "bad": ["drags", "fails"]}
FLAGS = ["--latent_dim=4", "--concentration=20", "--embedding_dim=12", "--hidden_units=24", "--dropout=0.0", "--batch_size=16",
         "--learning_rate=0.02", "--num_importance_samples=3", "--epochs=6", "--pooling=final", "--word_dropout=0",
         "--notied_embeddings", "--noskip_connection", "--encoder_activation=linear"]  # fmt: skip


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Sentences of two labels that share few words, a file a label."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("text")
    for label in SUBJECTS:
        sentences = [f"the {rng.choice(SUBJECTS[label])} {rng.choice(VERBS[label])} today" for _ in range(150)]
        (folder / f"{label}.txt").write_text("\n".join(sentences))
    return f"good={folder}/good.txt,bad={folder}/bad.txt"


def command(texts, workdir, *flags):
    return [sys.executable, "-m", "trainers.lstm_vae", f"--train_files={texts}", f"--workdir={workdir}", *FLAGS, *flags]


def run(texts, workdir, *flags):
    return subprocess.run(
        command(texts, workdir, *flags),
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )


def numbers(workdir):
    metrics = json.loads((workdir / "metrics.json").read_text())
    for name in ("seconds", "examples_per_second", "tokens_per_second"):
        assert metrics["training"].pop(name) > 0
    return metrics


@pytest.fixture(scope="module")
def whole(texts, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("runs") / "whole"
    finished = run(texts, workdir, "--conditional")
    assert finished.returncode == 0, finished.stderr
    return workdir


def test_a_run_leaves_every_file_of_the_contract(whole):
    names = {"config.json", "history.csv", "metrics.json", "model.keras", "report.html", "findings.json", "checkpoints"}
    assert names <= {path.name for path in whole.iterdir()}
    metrics = numbers(whole)
    assert {"nll", "kl", "perplexity", "iw_perplexity", "code_gain", "mutual_information"} <= set(metrics["test"])
    # Four words and <eos>: tokens are counted with it.
    assert metrics["test"]["tokens"] == 5 * metrics["test"]["examples"]


@pytest.mark.slow
def test_embeddings_start_from_another_run_which_is_not_asked_again(whole, texts, tmp_path):
    shutil.copytree(whole, tmp_path / "source")
    start = f"--initial_embeddings={tmp_path}/source"
    command = (texts, tmp_path / "run", start, "--epochs=1", "--learning_rate=1e-9", "--num_importance_samples=1")
    first = run(*command)
    assert first.returncode == 0, first.stderr
    assert "Initial embeddings: found 12 of 12 words" in first.stderr
    source, model = (tf_vmf.models.load(folder).model for folder in (tmp_path / "source", tmp_path / "run"))
    np.testing.assert_allclose(model.embedding.embeddings, source.embedding.embeddings, atol=1e-5)
    shutil.rmtree(tmp_path / "source")
    again = run(*command)
    assert again.returncode == 0, again.stderr


def test_a_conditional_model_writes_to_order(whole):
    assert tf_vmf.__version__
    model = keras.saving.load_model(whole / "model.keras")
    tokens = {label: model.sample(50, seed=1, labels=np.full(50, label)).numpy() for label in (0, 1)}
    # What both labels say, "the" and "today", are the most frequent words: the ids after the three special ones.
    bad, good = (set(np.unique(tokens[label])) - set(range(5)) for label in (0, 1))
    assert len(bad) == 4
    assert len(good) == 3
    assert not bad & good


@pytest.mark.slow
def test_sigkill_and_the_same_command_again_give_the_numbers_of_an_uninterrupted_run(texts, whole, tmp_path):
    workdir = tmp_path / "killed"
    with subprocess.Popen(
        command(texts, workdir, "--conditional"), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 300
        while not list((workdir / "checkpoints").glob("epoch-*.index")) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert not (workdir / "metrics.json").exists()
    assert run(texts, workdir, "--conditional").returncode == 0
    assert numbers(workdir) == numbers(whole)


@pytest.mark.slow
def test_a_plain_language_model_has_no_kl(texts, tmp_path):
    finished = run(texts, tmp_path / "none", "--latent=none", "--epochs=1")
    assert finished.returncode == 0, finished.stderr
    test = numbers(tmp_path / "none")["test"]
    assert (test["kl"], test["code_gain"], test["active_units"]) == (0.0, 0.0, 0)
    assert test["iw_perplexity"] == pytest.approx(test["perplexity"], rel=1e-6)


@pytest.mark.slow
def test_a_finished_run_refuses_other_text_of_the_same_size_and_vocabulary(tmp_path):
    lines = [f"{a} {b} today" for a in ("film", "cast", "plot") for b in ("shines", "drags", "fails")] * 4
    for split in ("train", "valid", "test"):
        (tmp_path / f"{split}.txt").write_text("\n".join(lines))
    given = [f"--{split}_files={tmp_path}/{split}.txt" for split in ("valid", "test")]
    small = ["--epochs=1", "--num_importance_samples=1", "--embedding_dim=4", "--hidden_units=4"]
    run_it = (str(tmp_path / "train.txt"), tmp_path / "run", *given, *small)
    assert run(*run_it).returncode == 0
    # The words of the test sentences in another order: nothing that is counted changes.
    (tmp_path / "test.txt").write_text("\n".join(" ".join(reversed(line.split())) for line in lines))
    again = run(*run_it)
    assert again.returncode != 0
    assert "sha256" in again.stderr
