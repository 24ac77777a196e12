"""A disk, a share of it, or a limit on files that is full: one line, exit code 2, and nothing left over."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_vmf.files import new_file, new_folder, no_room, write_atomically
from tf_vmf.training.run_state import _size_of_weights
from trainers import program

ROOT = Path(__file__).resolve().parents[1]
NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_lack_of_room_is_known_from_every_error_that_tells_of_it(number):
    words = os.strerror(number)
    for error in (OSError(number, words, "a/file"), tf.errors.ResourceExhaustedError(None, None, f"a/file; {words}")):
        assert no_room(error).errno == number
        assert program.is_expected(error)
    following = RuntimeError("can't close the file")
    following.__context__ = OSError(number, words)
    assert no_room(following).errno == number


def test_other_errors_are_no_lack_of_room():
    for error in (OSError(errno.EACCES, "Permission denied", "x"), ValueError("full"), KeyError("space"), None):
        assert no_room(error) is None
    assert no_room(tf.errors.ResourceExhaustedError(None, None, "OOM when allocating a tensor")) is None


@pytest.mark.parametrize("number", NUMBERS)
def test_what_was_begun_is_removed_and_the_old_file_stays(number, tmp_path):
    def fails(path):
        path.write_text("half")
        raise tf.errors.ResourceExhaustedError(None, None, f"{path}; {os.strerror(number)}")

    old = tmp_path / "file"
    old.write_text("old")
    with pytest.raises(OSError, match=r"\[Errno") as raised:
        write_atomically(old, fails)
    assert (raised.value.errno, raised.value.filename) == (number, str(old))
    with pytest.raises(OSError, match=r"\[Errno"), new_file(old) as path:
        fails(path)
    with pytest.raises(OSError, match=r"\[Errno"), new_folder(tmp_path / "folder") as folder:
        fails(folder / "part")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert old.read_text() == "old"


def _limited(arguments, folder, size):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "texts.txt"
    rng = np.random.default_rng(0)
    words = [["star", "planet", "orbit", "moon"], ["flour", "butter", "sugar", "oven"]]
    path.write_text("\n".join(" ".join(rng.choice(words[i % 2], 6)) for i in range(200)))
    return path


@pytest.mark.slow
def test_preparing_below_a_limit_on_files_is_one_line_and_leaves_nothing(texts, tmp_path):
    arguments = ("trainers.prepare", "--kind=documents", f"--train_files={texts}", "--output=prepared")
    finished = _limited(arguments, tmp_path, 256)
    assert finished.returncode == 2, finished.stderr
    assert finished.stderr.count("\n") == 1, finished.stderr
    assert os.strerror(errno.EFBIG) in finished.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("size", [2_000, 20_000])
def test_training_below_a_limit_on_files_is_one_line_and_goes_on_with_room(size, texts, tmp_path):
    arguments = ["trainers.bow_vae", f"--train_files={texts}", "--stop_words=none", "--workdir=run", "--latent_dim=3"]
    arguments += ["--encoder_units=64", "--epochs=1", "--num_importance_samples=1"]
    finished = _limited(arguments, tmp_path, size)
    assert finished.returncode == 2, finished.stderr
    assert "Traceback" not in finished.stderr
    assert finished.stderr.strip().count("\n") == 0, finished.stderr
    assert not list(tmp_path.rglob(".partial-*"))
    again = _limited(arguments, tmp_path, resource.RLIM_INFINITY)
    assert again.returncode == 0, again.stderr


def test_weights_that_do_not_fit_a_disk_leave_nothing(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")

    model = keras.Sequential([keras.Input([100]), keras.layers.Dense(200)])
    path = disk / "best.weights.h5"
    try:
        with pytest.raises(OSError, match="No space left on device") as raised:
            write_atomically(path, model.save_weights, size=_size_of_weights(model))
        assert raised.value.errno == errno.ENOSPC
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_the_bound_on_a_file_of_weights_holds(tmp_path):
    model = keras.Sequential([keras.Input([3]), *(keras.layers.Dense(3, name="a" * 60 + str(i)) for i in range(30))])
    model.compile("adam")
    model.save_weights(tmp_path / "x.weights.h5")
    assert (tmp_path / "x.weights.h5").stat().st_size <= _size_of_weights(model)
