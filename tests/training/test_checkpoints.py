"""Checkpoints: the newest that can be read is the one that counts, whatever happened to its files."""

import numpy as np
import pytest
import tensorflow as tf

from tf_vmf.training.checkpoints import Checkpoints

OLD, NEW = 1.0, 2.0
SHARES = (0.0, 0.25, 0.5, 0.75, 0.999)


def damaged(folder, damage):
    """Two checkpoints, of which the newer one is damaged; returns the variables anew and their checkpoints."""
    variables = {"weights": tf.Variable(tf.zeros([300])), "progress": tf.Variable("", dtype=tf.string)}
    checkpoints = Checkpoints(tf.train.Checkpoint(**variables), folder, keep=3)
    for epoch, value in ((1, OLD), (2, NEW)):
        variables["weights"].assign(tf.fill([300], value))
        variables["progress"].assign(f"{value}" * 100)
        checkpoints.save(epoch, 0)
    damage()
    variables["weights"].assign(tf.zeros([300]))
    return variables, Checkpoints(tf.train.Checkpoint(**variables), folder, keep=3)


def newest(folder, suffix):
    return max(folder.glob(f"*{suffix}"), key=lambda path: path.name)


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_a_cut_file_is_skipped_with_a_warning(tmp_path, suffix, share):
    variables, checkpoints = damaged(tmp_path, lambda: cut(newest(tmp_path, suffix), share))
    with pytest.warns(UserWarning, match="cannot be read and is skipped"):
        name = checkpoints.restore()
    assert name == newest(tmp_path, ".index").name.replace(".index", "").replace("2", "1")
    np.testing.assert_array_equal(variables["weights"], np.full(300, OLD, np.float32))


@pytest.mark.parametrize("share", SHARES)
def test_a_changed_byte_of_the_data_is_skipped_with_a_warning(tmp_path, share):
    def flip():
        path = newest(tmp_path, ".data-00000-of-00001")
        content = bytearray(path.read_bytes())
        content[int(share * len(content))] ^= 1
        path.write_bytes(content)

    variables, checkpoints = damaged(tmp_path, flip)
    with pytest.warns(UserWarning, match="cannot be read and is skipped"):
        checkpoints.restore()
    np.testing.assert_array_equal(variables["weights"], np.full(300, OLD, np.float32))


def test_a_sound_checkpoint_in_the_place_of_the_one_that_was_saved_is_skipped(tmp_path):
    def replace():
        other = {"weights": tf.Variable(tf.fill([300], 7.0)), "progress": tf.Variable("7.0" * 100)}
        objects = tf.train.Checkpoint(**other)
        _ = objects.save_counter
        objects.write(str(newest(tmp_path, ".index").with_suffix("")))

    variables, checkpoints = damaged(tmp_path, replace)
    with pytest.warns(UserWarning, match="is not what was saved"):
        checkpoints.restore()
    np.testing.assert_array_equal(variables["weights"], np.full(300, OLD, np.float32))


def test_a_checkpoint_of_an_earlier_version_has_no_hashes_and_is_read(tmp_path):
    variables, checkpoints = damaged(tmp_path, lambda: None)
    for file in tmp_path.glob("*.sha256.json"):
        file.unlink()
    checkpoints.restore()
    np.testing.assert_array_equal(variables["weights"], np.full(300, NEW, np.float32))


def test_none_that_can_be_read_is_an_error_that_says_why_of_each(tmp_path):
    def cut_both():
        for path in tmp_path.glob("*.data-*"):
            cut(path, 0.5)

    _, checkpoints = damaged(tmp_path, cut_both)
    with pytest.raises(ValueError, match=r"None of the 2 checkpoints(.|\n)*epoch-2(.|\n)*epoch-1"):
        checkpoints.restore()
