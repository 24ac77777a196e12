"""Everything that can happen to a run, many times over: it ends with the numbers of one that was left alone."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

import tf_vmf
from tests.workers import ROOT, start, start_workers
from tf_vmf import data

pytestmark = pytest.mark.slow

KILLS, WORKER_KILLS = 20, 3
WORDS = [f"{first}{second}" for first in "abcde" for second in "lmn"]
MODEL = ["--latent_dim=3", "--concentration=20", "--embedding_dim=8", "--hidden_units=12", "--dropout=0.2", "--batch_size=16",
         "--learning_rate=0.01", "--num_importance_samples=3", "--checkpoint_steps=7"]  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Sentences in four shards."""
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(WORDS, rng.integers(2, 9))) for _ in range(800)]
    (folder / "text.txt").write_text("\n".join(lines))
    data.prepare_sentences(folder / "prepared", folder / "text.txt", min_count=1)
    assert len(list((folder / "prepared").glob("train*"))) == 4
    return folder / "prepared"


def command(corpus, workdir, *flags):
    place = ["--corpus=prepared", f"--data_dir={corpus}", f"--workdir={workdir}"]
    return [sys.executable, "-m", "trainers.lstm_vae", *place, *MODEL, *flags]


def results(workdir):
    """What a run has come to, without what the clock says."""
    assert tf_vmf.__version__  # importing the package makes its classes known to Keras
    metrics = json.loads((workdir / "metrics.json").read_text())
    for name in ("seconds", "examples_per_second", "tokens_per_second"):
        metrics["training"].pop(name)
    return metrics, keras.saving.load_model(workdir / "model.keras").get_weights()


def check_same(workdir, expected):
    metrics, weights = results(workdir)
    assert metrics == expected[0]
    for got, want in zip(weights, expected[1], strict=True):
        np.testing.assert_array_equal(got, want)


def finish(process):
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output[-3000:]
    return output


def fails(process, *messages):
    output, _ = process.communicate(timeout=300)
    assert process.returncode not in (0, None)
    for message in messages:
        assert message in output, output[-3000:]


def wait_for(process, condition):
    """Whether the condition came true before the process ended."""
    while process.poll() is None:
        if condition():
            return True
        time.sleep(0.01)
    return False


def newest(workdir, suffix):
    files = (workdir / "checkpoints").glob(f"epoch-*{suffix}")
    return max(files, key=lambda path: path.stat().st_mtime_ns)


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def test_killed_twenty_times_with_files_damaged_in_between(corpus, tmp_path):
    """SIGKILL at any moment - starting, training, saving - a cut checkpoint, a cut index, a damaged record."""
    flags = ["--epochs=150"]
    finish(start(command(corpus, tmp_path / "whole", *flags)))
    expected = results(tmp_path / "whole")

    workdir = tmp_path / "killed"
    moments = random.Random(int(os.environ.get("SOAK_SEED", "0")))
    kills, reached, start_up = 0, set(), 0.0
    while kills < KILLS:
        began, before = time.monotonic(), set(workdir.glob("checkpoints/*.index"))
        process = start(command(corpus, workdir, *flags))
        if kills % 2:
            time.sleep(moments.uniform(0.2, 1) * start_up)
        else:  # in training; how long a start takes is measured anew, as the load of the machine changes
            assert wait_for(process, lambda seen=before: set(workdir.glob("checkpoints/*.index")) - seen)
            start_up = time.monotonic() - began
            time.sleep(moments.uniform(0, 1))
        process.send_signal(signal.SIGKILL)
        output, _ = process.communicate()
        assert process.returncode == -signal.SIGKILL, f"the run was over before it could be killed:\n{output[-3000:]}"
        kills += 1
        reached |= {path.name for path in workdir.glob("checkpoints/*.index")}
        if kills == 8:
            truncate(newest(workdir, ".data-00000-of-00001"))
        elif kills == 12:
            truncate(newest(workdir, ".index"))
        elif kills == 16:
            shard = max(corpus.glob("train*"))
            sound = shard.read_bytes()
            shard.write_bytes(sound[:400] + bytes([sound[400] ^ 1]) + sound[401:])
            try:
                fails(start(command(corpus, workdir, *flags)), shard.name, "record")
            finally:
                shard.write_bytes(sound)
    assert len(reached) > 5, "the kills came too early to see anything of training"
    finish(start(command(corpus, workdir, *flags)))
    check_same(workdir, expected)
    assert not list(workdir.rglob(".partial-*"))


def test_one_worker_of_two_killed_again_and_again(corpus, tmp_path):
    flags = ["--epochs=40", "--strategy=multi_worker"]
    for process in start_workers(command(corpus, tmp_path / "whole", *flags)):
        finish(process)
    workdir = tmp_path / "killed"
    moments = random.Random(1)
    for kill in range(WORKER_KILLS):
        workers = start_workers(command(corpus, workdir, *flags))
        before = set(workdir.glob("checkpoints/*.index"))
        assert wait_for(workers[0], lambda seen=before: set(workdir.glob("checkpoints/*.index")) - seen)
        time.sleep(moments.uniform(0, 1))
        killed = kill % 2
        workers[killed].send_signal(signal.SIGKILL)
        workers[killed].communicate()
        fails(workers[1 - killed], "another worker of this run died")
    for process in start_workers(command(corpus, workdir, *flags)):
        finish(process)
    check_same(workdir, results(tmp_path / "whole"))


def test_a_full_disk_is_said_and_costs_nothing(corpus, tmp_path):
    """The folder of the run is on a disk of its own that fills up in training and is cleared later."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("a small disk can only be had with `unshare`")
    run = " ".join(command(corpus, "$disk/run", "--epochs=8"))
    finish(start(command(corpus, tmp_path / "whole", "--epochs=8")))
    script = f"""
        disk={tmp_path}/disk; mkdir $disk; mount -t tmpfs -o size=16m tmpfs $disk
        {run} > {tmp_path}/log 2>&1 &
        until ls $disk/run/checkpoints/epoch-2*.index > /dev/null 2>&1; do sleep 0.02; done
        cat /dev/zero > $disk/ballast 2> /dev/null
        wait $!; echo $? > {tmp_path}/code
        ls $disk/run/checkpoints/*.index > {tmp_path}/left
        rm $disk/ballast; rm -rf $disk/run/tensorboard
        {run} >> {tmp_path}/log 2>&1 || exit 1
        cp -r $disk/run {tmp_path}/run
    """
    finished = subprocess.run(["unshare", "-rm", "sh", "-c", script], cwd=ROOT, check=False, timeout=500)
    log = (tmp_path / "log").read_text()
    assert finished.returncode == 0, log[-3000:]
    assert (tmp_path / "code").read_text().strip() != "0"
    assert "No space left" in log
    assert (tmp_path / "left").read_text().split(), "checkpoints were lost"
    check_same(tmp_path / "run", results(tmp_path / "whole"))
