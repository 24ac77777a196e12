"""Two workers on loopback, started as a cluster manager starts them."""

import json
import sys

import numpy as np
import pytest

from tests.workers import start, start_workers

WORDS = [
    "star planet orbit moon comet telescope",
    "flour butter sugar oven bread yeast",
    "goal match player league team ball",
]
FLAGS = ["--vocabulary_size=100", "--stop_words=none", "--latent_dim=3", "--concentration=20", "--encoder_units=16,8",
         "--decoder_units=", "--batch_size=16", "--learning_rate=0.02", "--num_importance_samples=5", "--epochs=30",
         "--gradient_clip_norm=0.5"]  # fmt: skip


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("text") / "documents.txt"
    path.write_text("\n".join(" ".join(rng.choice(WORDS[i % 3].split(), 12)) for i in range(307)))
    return path


def command(text, workdir, *flags):
    return [
        *(sys.executable, "-m", "trainers.bow_vae"),
        *(f"--train_files={text}", f"--workdir={workdir}"),
        *FLAGS,
        *flags,
    ]


def workers(text, workdir, *flags):
    return start_workers(command(text, workdir, "--strategy=multi_worker", *flags))


@pytest.mark.slow
def test_two_workers_train_what_two_replicas_of_one_process_train(text, tmp_path):
    processes = [start(command(text, tmp_path / "replicas", "--strategy=mirrored", "--num_devices=2"))]
    processes += workers(text, tmp_path / "workers")
    for process in processes:
        output, _ = process.communicate(timeout=500)
        assert process.returncode == 0, output[-3000:]
    one, two = (json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("replicas", "workers"))
    for split in ("valid", "test"):
        for name, value in one[split].items():
            assert two[split][name] == pytest.approx(value, rel=2e-5), (split, name)
    assert (tmp_path / "workers" / "report.html").exists()


@pytest.mark.slow
def test_when_a_worker_dies_the_other_says_so_and_a_restart_goes_on(text, tmp_path):
    workdir = tmp_path / "run"
    first, second = workers(text, workdir)
    while not list((workdir / "checkpoints").glob("epoch-1.index")):
        assert first.poll() is None, first.communicate()[0][-3000:]
    second.kill()
    output, _ = first.communicate(timeout=90)
    second.communicate()
    assert first.returncode != 0, "the run was over before the worker died"
    assert "another worker of this run died" in output, output[-3000:]
    for process in workers(text, workdir):
        output, _ = process.communicate(timeout=500)
        assert process.returncode == 0, output[-3000:]
    assert (workdir / "metrics.json").exists()
