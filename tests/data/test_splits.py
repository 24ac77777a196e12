"""Splits: disjoint, complete, and the same for the same seed."""

import numpy as np
import pytest

from tests.refusals import refused
from tf_vmf.data import load_bag_of_words, load_sentences
from tf_vmf.data.splits import split_rows, split_three_ways


@pytest.mark.parametrize(("held_out", "size"), [(7, 7), (0.1, 10), (0.255, 26)])
def test_both_sides_together_are_all_rows(held_out, size):
    kept, held = split_rows(100, held_out, seed=3)
    assert len(held) == size
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, held])), np.arange(100))
    np.testing.assert_array_equal(held, np.sort(held))


def test_the_seed_decides():
    first, again, other = (split_rows(100, 50, seed=seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_row_is_held_out_equally_often():
    """500 draws of 30 %: each row's frequency within 5 standard errors."""
    times = np.zeros(20)
    for seed in range(500):
        times[split_rows(20, 0.3, seed)[1]] += 1
    assert np.all(np.abs(times / 500 - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 500))


@pytest.mark.parametrize("held_out", [0, 10, 11, -1, 0.0, 1.0, 1.5, 0.01])
def test_a_side_without_rows_is_refused(held_out):
    with refused("validation_size", str(held_out)):
        split_rows(10, held_out, seed=0, name="validation_size")


def test_three_ways_take_their_shares_of_the_whole():
    rows = split_three_ways(1000, {"test": 0.2, "valid": 0.1}, seed=5)
    assert {name: len(of) for name, of in rows.items()} == {"train": 700, "test": 200, "valid": 100}
    np.testing.assert_array_equal(np.sort(np.concatenate(list(rows.values()))), np.arange(1000))


@pytest.mark.parametrize(("held_out", "name"), [({"valid": 12}, "validation_size"), ({"test": 1.5}, "test_size")])
def test_the_argument_at_fault_is_named(held_out, name):
    with refused(name):
        split_three_ways(10, held_out, seed=0)


@pytest.mark.parametrize("rows", [0, 2])
def test_fewer_texts_than_splits_are_refused_as_such(rows):
    with refused("texts", str(rows), "3 texts or more"):
        split_three_ways(rows, {"test": 0.1, "valid": 0.1}, seed=0)


@pytest.mark.parametrize("load", [load_sentences, load_bag_of_words])
def test_a_size_of_a_split_that_is_given_is_refused(load, tmp_path):
    with refused("test_size", "0.3"):
        load(train_files=tmp_path / "a.txt", test_files=tmp_path / "b.txt", test_size=0.3)
