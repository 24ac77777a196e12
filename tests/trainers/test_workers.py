"""Two workers on loopback, started as a cluster manager starts them."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
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


def free_ports(number):
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("localhost", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start(text, workdir, *flags, tf_config=None):
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    if tf_config is not None:
        environment["TF_CONFIG"] = json.dumps(tf_config)
    command = [
        sys.executable,
        "-m",
        "trainers.bow_vae",
        f"--train_files={text}",
        f"--workdir={workdir}",
        *FLAGS,
        *flags,
    ]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def start_workers(text, workdir):
    hosts = [f"localhost:{port}" for port in free_ports(2)]
    return [
        start(
            text,
            workdir,
            "--strategy=multi_worker",
            tf_config={"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}},
        )
        for index in range(2)
    ]


@pytest.mark.slow
def test_two_workers_train_what_two_replicas_of_one_process_train(text, tmp_path):
    processes = [start(text, tmp_path / "replicas", "--strategy=mirrored", "--num_devices=2")]
    processes += start_workers(text, tmp_path / "workers")
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
    first, second = start_workers(text, workdir)
    while not list((workdir / "checkpoints").glob("epoch-1.index")):
        assert first.poll() is None, first.communicate()[0][-3000:]
    second.kill()
    output, _ = first.communicate(timeout=90)
    second.communicate()
    assert first.returncode != 0, "the run was over before the worker died"
    assert "another worker of this run died" in output, output[-3000:]
    for process in start_workers(text, workdir):
        output, _ = process.communicate(timeout=500)
        assert process.returncode == 0, output[-3000:]
    assert (workdir / "metrics.json").exists()
