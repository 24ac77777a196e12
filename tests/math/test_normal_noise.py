"""Box-Muller noise is standard normal, independent, and a function of the seed."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tf_vmf.math.noise import stateless_normal


def draw(shape, seed=(1, 2), dtype=tf.float32):
    return stateless_normal(tf.constant(shape, tf.int32), tf.constant(seed), dtype).numpy()


@pytest.mark.parametrize("count", [500_001, pytest.param(2_000_001, marks=pytest.mark.slow)])
@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_the_numbers_are_standard_normal(dtype, count):
    x = draw([count], dtype=dtype).astype(float)
    assert stats.kstest(x, "norm").pvalue > 1e-3
    for power, moment in ((1, 0), (2, 1), (3, 0), (4, 3), (6, 15)):
        standard_error = np.std(x**power) / np.sqrt(x.size)
        assert abs(np.mean(x**power) - moment) < 4 * standard_error
    assert 4.4 < np.abs(x).max() < 6.5


def test_the_two_halves_of_a_pair_are_independent():
    first, second = draw([2, 500_000]).astype(float)
    for f in (lambda v: v, np.abs, np.square):
        assert abs(np.corrcoef(f(first), f(second))[0, 1]) < 4 / np.sqrt(first.size)


@pytest.mark.parametrize("shape", [[], [1], [3], [2, 3, 5], [0, 4]])
def test_every_shape_is_possible_odd_and_empty_ones_too(shape):
    assert draw(shape).shape == tuple(shape)


def test_equal_seeds_give_equal_and_other_seeds_other_numbers():
    np.testing.assert_array_equal(draw([10]), draw([10]))
    assert not np.any(draw([10]) == draw([10], seed=(1, 3)))


def test_no_number_is_infinite_and_no_pair_zero():
    first, second = draw([2, 4_000_000])
    assert np.isfinite(first).all()
    assert np.isfinite(second).all()
    assert np.hypot(first, second).min() > 1e-4
