"""Runs from Python."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tf_vmf import evaluation, programs, report
from tf_vmf.programs.configs import DocumentConfig, SentenceConfig

ROOT = Path(__file__).resolve().parents[2]
WORDS = ["star planet orbit moon comet telescope", "flour butter sugar oven bread yeast"]
OPTIONS = {
    **{"vocabulary_size": 100, "stop_words": "none", "latent_dim": 3, "concentration": 20, "encoder_units": (8,)},
    **{"decoder_units": (), "batch_size": 16, "learning_rate": 0.02, "num_importance_samples": 2, "epochs": 2},
}


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("text") / "documents.txt"
    path.write_text("\n".join(" ".join(rng.choice(WORDS[i % 2].split(), 12)) for i in range(120)))
    return str(path)


@pytest.mark.slow
def test_a_run_from_python_and_from_the_command_line_have_equal_metrics(text, tmp_path):
    run = programs.train_documents(DocumentConfig(train_files=(text,), **OPTIONS), tmp_path / "python", verbose=False)
    flags = [
        f"--{name}={','.join(map(str, value)) if isinstance(value, tuple) else value}"
        for name, value in OPTIONS.items()
    ]
    finished = subprocess.run(
        [sys.executable, "-m", "trainers.bow_vae", f"--train_files={text}", f"--workdir={tmp_path}/shell", *flags],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, "")  # quiet: no word of TensorFlow's
    recorded = json.loads((tmp_path / "shell" / "metrics.json").read_text())
    assert run.metrics == json.loads((tmp_path / "python" / "metrics.json").read_text())
    for split in ("valid", "test"):
        assert run.metrics[split] == pytest.approx(recorded[split], rel=1e-5)
    encoded = run.model.encode(run.vectorizer(["star and moon"])).mean_direction
    assert np.linalg.norm(encoded.numpy()) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.slow
def test_the_same_command_with_steps_adds_refined_bounds_to_a_finished_run(text, tmp_path):
    def train(**more):
        config = DocumentConfig(train_files=(text,), **OPTIONS, **more)
        return programs.train_documents(config, tmp_path / "run", verbose=False)

    plain = train()
    refined = train(refine_steps=30)
    assert refined.history == plain.history
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()) == refined.metrics
    for split in ("valid", "test"):
        assert {name: refined.metrics[split][name] for name in plain.metrics[split]} == plain.metrics[split]
        # A fixed concentration has one KL wherever the mean direction goes.
        assert refined.metrics[split]["refined_kl"] == pytest.approx(plain.metrics[split]["kl"], rel=1e-5)
        assert 0 < refined.metrics[split]["refined_iw_nll"] != plain.metrics[split]["iw_nll"]
    assert refined.metrics["protocol"] == {**plain.metrics["protocol"], "refine_steps": 30}
    assert "Refined perplexity (corpus)" in report.summary(refined.metrics)
    assert train().metrics == refined.metrics  # without the option what was measured stays


def test_figures_that_are_not_finite_are_refused(text, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "evaluate", lambda *_, **__: {"nll": 1.0, "perplexity": float("inf")})
    with pytest.raises(FloatingPointError, match=r"test\.perplexity = inf"):
        programs.train_documents(DocumentConfig(train_files=(text,), **OPTIONS), tmp_path / "run", verbose=False)
    assert not (tmp_path / "run" / "metrics.json").exists()


def test_conditional_on_a_label_without_training_sentences_is_refused(tmp_path):
    for label in ("good", "bad"):
        (tmp_path / f"{label}.txt").write_text("a b c\n" * 30)
    both = (f"good={tmp_path}/good.txt", f"bad={tmp_path}/bad.txt")
    files = {"train_files": both[:1], "valid_files": both, "test_files": both}
    with pytest.raises(ValueError, match=r"`conditional`.*Received: none labeled bad"):
        programs.train_sentences(SentenceConfig(**files, conditional=True, min_count=1), tmp_path / "x")


def test_conditional_without_labels_is_refused(tmp_path):
    (tmp_path / "text.txt").write_text("a b c\n" * 30)
    config = SentenceConfig(train_files=(str(tmp_path / "text.txt"),), conditional=True, min_count=1)
    with pytest.raises(ValueError, match="has no labels"):
        programs.train_sentences(config, tmp_path / "x")
