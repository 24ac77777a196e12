"""Signals and second commands, sent to real runs."""

import json
import signal
import sys
import time

import numpy as np
import pytest

from tests.workers import start, start_workers

FLAGS = ["--vocabulary_size=50", "--stop_words=none", "--latent_dim=3", "--encoder_units=8", "--decoder_units=", "--batch_size=20",
         "--num_importance_samples=1"]  # fmt: skip
ENDLESS = "--epochs=1000000"


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("text") / "documents.txt"
    words = ["film", "cast", "plot", "script", "score", "scene"]
    path.write_text("\n".join(" ".join(rng.choice(words, 8)) for _ in range(200)))
    return path


def command(text, workdir, *flags):
    return [sys.executable, "-m", "trainers.bow_vae", f"--train_files={text}", f"--workdir={workdir}", *FLAGS, *flags]


def end_of(process):
    output, _ = process.communicate(timeout=300)
    return process.returncode, output


def wait_for(process, pattern, folder):
    while not list(folder.glob(pattern)):
        assert process.poll() is None, end_of(process)
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow),
    ],
)
def test_a_signal_ends_training_with_one_line_that_says_how_to_go_on(text, tmp_path, number, code):
    process = start(command(text, tmp_path / "run", ENDLESS))
    wait_for(process, "checkpoints/epoch-3.index", tmp_path / "run")
    process.send_signal(number)
    returncode, output = end_of(process)
    assert returncode == code, output
    assert "Traceback" not in output
    lines = output.splitlines()
    assert "The same command goes on from there." in lines[-1]
    step = int(lines[-1].split("step ")[1].split(".")[0])
    epochs, steps = divmod(step, 8)  # 160 training documents, 20 per batch
    name = f"epoch-{epochs}-step-{steps}" if steps else f"epoch-{epochs - 1}-step-8"
    assert (tmp_path / f"run/checkpoints/{name}.index").exists()
    assert sum(line.startswith("2/1000000  train ") for line in lines) == 1


@pytest.mark.slow
def test_ctrl_c_before_training_leaves_without_a_traceback(text, tmp_path):
    process = start(command(text, tmp_path / "run", ENDLESS))
    wait_for(process, "run.lock", tmp_path / "run")
    process.send_signal(signal.SIGINT)
    returncode, output = end_of(process)
    assert returncode == 130
    assert "Traceback" not in output
    assert "The same command goes on" in output.splitlines()[-1]


@pytest.mark.slow
def test_a_second_run_leaves_at_once_and_says_who_holds_the_folder_until_that_one_is_killed(text, tmp_path):
    first = start(command(text, tmp_path / "run", ENDLESS))
    wait_for(first, "checkpoints/epoch-2.index", tmp_path / "run")
    returncode, output = end_of(start(command(text, tmp_path / "run", ENDLESS)))
    assert returncode == 2
    assert f"in use by process {first.pid} on host" in output
    assert "Traceback" not in output
    assert first.poll() is None
    first.send_signal(signal.SIGKILL)
    first.communicate()
    seen = set((tmp_path / "run/checkpoints").glob("*.index"))
    third = start(command(text, tmp_path / "run", ENDLESS))
    while not set((tmp_path / "run/checkpoints").glob("*.index")) - seen:
        assert third.poll() is None, end_of(third)
        time.sleep(0.02)
    third.send_signal(signal.SIGTERM)
    assert end_of(third)[0] == 143


@pytest.mark.slow
def test_of_two_same_commands_started_together_one_trains(text, tmp_path):
    processes = [start(command(text, tmp_path / "run", "--epochs=40")) for _ in range(2)]
    ends = [end_of(process) for process in processes]
    codes = [code for code, _ in ends]
    # The loser may also come when the winner is done, and finds a complete run.
    assert sorted(codes) in ([0, 2], [0, 0]), ends
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    assert metrics["training"]["epochs"] == 40


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code", "worker"), [(signal.SIGTERM, 143, 1), (signal.SIGINT, 130, 0)])
def test_a_signal_to_one_worker_saves_and_ends_all(text, tmp_path, number, code, worker):
    arguments = command(text, tmp_path / "run", "--strategy=multi_worker", "--epochs=100000")
    workers = start_workers(arguments)
    wait_for(workers[0], "checkpoints/epoch-2.index", tmp_path / "run")
    workers[worker].send_signal(number)
    ends = [end_of(process) for process in workers]
    assert [returncode for returncode, _ in ends] == [code, code], ends
    assert all("Traceback" not in output for _, output in ends), ends
    assert "saved at step" in ends[0][1]
    before = max(path.stat().st_mtime for path in (tmp_path / "run/checkpoints").glob("*.index"))
    again = start_workers(arguments)
    while max(path.stat().st_mtime for path in (tmp_path / "run/checkpoints").glob("*.index")) == before:
        assert again[0].poll() is None, end_of(again[0])
        time.sleep(0.05)
    again[0].send_signal(signal.SIGTERM)
    assert [end_of(process)[0] for process in again] == [143, 143]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_sweep_passes_a_signal_on_and_starts_no_other_run(text, tmp_path, number, code):
    trainer = command(text, "x", ENDLESS)[3:]
    flags = [flag for flag in trainer if not flag.startswith("--workdir")]
    sweep = [sys.executable, "-m", "trainers.sweep", "--trainer=bow_vae", "--vary=seed=0,1", f"--output={tmp_path}"]
    process = start([*sweep, "--", *flags])
    wait_for(process, "seed=0/checkpoints/epoch-1.index", tmp_path)
    process.send_signal(number)
    returncode, output = end_of(process)
    assert returncode == code, output
    assert "Traceback" not in output
    assert "saved at step" in output
    assert output.splitlines()[-1] == "The sweep was interrupted in seed=0. The same command goes on."
    assert not (tmp_path / "seed=1").exists()
