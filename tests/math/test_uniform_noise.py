"""Uniform noise is TensorFlow's own, and XLA draws the same."""

import numpy as np
import pytest
import tensorflow as tf

from tests.parameters import quick
from tf_vmf.layers import GaussianLatent, UniformNormVonMisesFisherLatent, VonMisesFisherLatent
from tf_vmf.math.noise import dropout, stateless_normal, stateless_uniform
from tf_vmf.seeds import stateless_seed


def in_all_modes(function):
    """The results in eager mode, in a graph and under XLA, of a function of a step, which is a tensor."""
    step = tf.constant(5, tf.int64)
    return [each(step).numpy() for each in (function, tf.function(function), tf.function(function, jit_compile=True))]


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("shape", [[], [1], [7], [3, 1001], [0, 4]])
def test_the_numbers_are_those_of_tensorflow_on_a_cpu_without_xla(shape, dtype):
    with tf.device("CPU"):
        expected = tf.random.stateless_uniform(shape, (3, -7), dtype=dtype, alg="philox")
    np.testing.assert_array_equal(stateless_uniform(shape, tf.constant([3, -7]), dtype), expected)


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_uniform_numbers_are_bit_for_bit_the_same_under_xla(dtype):
    eager, graph, xla = in_all_modes(lambda step: stateless_uniform([1001], stateless_seed(3, step), dtype))
    np.testing.assert_array_equal(graph, eager)
    np.testing.assert_array_equal(xla, eager)
    assert 0 <= eager.min() < 0.01
    assert 0.99 < eager.max() < 1


@pytest.mark.parametrize("rate", quick(2, [0.3, 1 - 2**-16, 0.5, 2**-16]))
@pytest.mark.parametrize("shape", quick(2, [[0, 4], [201, 301], [], [7]]))
def test_a_dropout_mask_is_the_same_under_xla_and_what_it_keeps_is_scaled(shape, rate):
    x = tf.random.uniform(shape, 1.0, 2.0)
    eager, graph, xla = in_all_modes(lambda step: dropout(x, rate, stateless_seed(4, step), layer=2))
    np.testing.assert_array_equal(graph, eager)
    np.testing.assert_array_equal(xla, eager)
    levels = round(2**16 * rate)
    np.testing.assert_allclose(eager[eager > 0], (x.numpy() * 2**16 / (2**16 - levels))[eager > 0], rtol=1e-6)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.9])
def test_dropout_drops_at_its_rate_and_neighbours_alone(rate):
    dropped = dropout(tf.ones([1001, 1001]), rate, stateless_seed(4)).numpy() == 0
    for events, probability in (
        (dropped, rate),
        (dropped[:, 1:] & dropped[:, :-1], rate**2),  # the halves of one random word among them
        (dropped[1:] & dropped[:-1], rate**2),
        (dropped[:, 2:] & dropped[:, :-2], rate**2),
    ):
        # Overlapping pairs: the variance of their count is below three times that of independent ones.
        error = np.sqrt(3 * probability * (1 - probability) / events.size)
        assert abs(events.mean() - probability) < 4 * error


@pytest.mark.parametrize("rate", [1e-9, 1 - 1e-9])
def test_a_rate_below_the_resolution_drops_and_keeps_some(rate):
    kept = dropout(tf.ones([2**20]), rate, stateless_seed(4)).numpy() > 0
    rare = np.sum(kept) if rate > 0.5 else np.sum(~kept)
    assert abs(rare - 16) < 4 * np.sqrt(16)


def test_the_values_of_sparse_counts_are_dropped_as_a_dense_vector_is():
    counts = tf.sparse.from_dense(np.random.default_rng(0).poisson(0.2, (300, 400)).astype(np.float32))
    dropped = dropout(counts, 0.3, stateless_seed(4))
    np.testing.assert_array_equal(dropped.values, dropout(counts.values, 0.3, stateless_seed(4)))
    np.testing.assert_array_equal(dropped.indices, counts.indices)
    assert abs(np.mean(dropped.values == 0) - 0.3) < 4 * np.sqrt(0.3 * 0.7 / len(dropped.values))


def test_a_seed_folds_numbers_in_as_philox_does_in_all_modes():
    eager, graph, xla = in_all_modes(lambda step: stateless_seed(3, step, 2))
    np.testing.assert_array_equal(graph, eager)
    np.testing.assert_array_equal(xla, eager)
    state = tf.random.experimental.stateless_fold_in(tf.constant([3, 0]), 5, alg="philox")
    np.testing.assert_array_equal(eager, tf.random.experimental.stateless_fold_in(state, 2, alg="philox"))


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_normal_numbers_agree_to_rounding_under_xla(dtype):
    eager, graph, xla = in_all_modes(lambda step: stateless_normal(tf.constant([999]), stateless_seed(3, step), dtype))
    tolerance = 32 * np.finfo(dtype.as_numpy_dtype).eps
    np.testing.assert_allclose(graph, eager, rtol=0, atol=tolerance)
    np.testing.assert_allclose(xla, eager, rtol=0, atol=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize(
    "layer",
    [
        pytest.param(GaussianLatent(5, seed=1), id="gaussian"),
        pytest.param(VonMisesFisherLatent(5, concentration=20.0, seed=1), id="vmf"),
        pytest.param(VonMisesFisherLatent(5, concentration="learned", seed=1), id="learned"),
        pytest.param(UniformNormVonMisesFisherLatent(5, concentration=20.0, seed=1), id="norm"),
    ],
)
def test_a_latent_layer_draws_the_same_under_xla(layer):
    h = tf.random.stateless_normal([64, 7], (1, 2))
    layer.parameters(h)
    eager, graph, xla = in_all_modes(lambda step: layer.sample(layer.parameters(h), stateless_seed(6, step), (3,)))
    np.testing.assert_allclose(graph, eager, rtol=0, atol=1e-5)
    np.testing.assert_allclose(xla, eager, rtol=0, atol=1e-5)
