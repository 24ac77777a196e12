"""Log densities of pairs through a matrix product have the stated error, and mixtures that of the distribution."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tf_vmf._errors import ArgumentError
from tf_vmf.distributions import VonMisesFisher, pairwise_log_prob
from tf_vmf.distributions.pairwise import cosine_distance
from tf_vmf.math import log_normalizer


def unit(rng, *shape):
    x = rng.normal(size=shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def close_pairs(rng, dim, kappa, dtype):
    """Points and directions, every second pair as close as the concentration makes samples; in the precision of dtype."""
    mu = unit(rng, 40, dim)
    x = np.concatenate([mu[:20] + rng.normal(size=(20, dim)) / np.sqrt(kappa), rng.normal(size=(10, dim))])
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    return x.astype(dtype), mu.astype(dtype), np.full(40, kappa, dtype)


def exact(x, mu, kappa):
    """In extended precision, for the vectors as they are rounded, put back on the sphere."""
    x, mu = (v.astype(np.longdouble) for v in (x, mu))
    x, mu = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (x, mu))
    distance = ((x[:, None] - mu) ** 2).sum(axis=-1) / 2
    wide = tf.constant(kappa.astype(np.float64))
    at_mode = (wide - log_normalizer(wide, x.shape[-1])).numpy()
    return at_mode - kappa.astype(np.float64) * distance


@pytest.mark.parametrize(("dtype", "floor"), [(np.float32, 2e-5), (np.float64, 1e-11)])
@pytest.mark.parametrize("dim", [2, 3, 50, 1000])
def test_the_error_of_pairs_is_the_stated_one(dim, dtype, floor, rng):
    for kappa in (0.5, 100.0, 1e4, 1e6):
        x, mu, kappas = close_pairs(rng, dim, kappa, dtype)
        error = np.abs(pairwise_log_prob(x, mu, kappas) - exact(x, mu, kappas)).max()
        size = (
            np.abs(exact(x, mu, kappas)).max() if dim > 50 else 0
        )  # values of thousands are rounded at their own size
        bound = 4 * kappa * np.finfo(dtype).eps + floor + size * np.finfo(dtype).eps
        assert error < bound, (kappa, error, bound)


def test_scalars_broadcast_and_half_precision_is_computed_in_single(rng):
    x, mu = unit(rng, 4, 6), unit(rng, 3, 6)
    expected = np.stack([VonMisesFisher(m, np.float64(7.0)).log_prob(x) for m in mu], axis=1)
    np.testing.assert_allclose(pairwise_log_prob(x, mu, 7.0), expected, atol=1e-12)
    half = pairwise_log_prob(tf.cast(x, tf.bfloat16), tf.cast(mu, tf.bfloat16), tf.constant(7.0, tf.bfloat16))
    assert half.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(half, tf.float64), expected, atol=0.2)


@pytest.mark.parametrize(
    ("x", "mu", "kappa"),
    [((4, 6), (3, 5), (3,)), ((6,), (3, 6), (3,)), ((4, 1, 6), (3, 6), (3,)), ((4, 6), (3, 6), (3, 1))],
)
def test_shapes_that_do_not_fit_are_refused(x, mu, kappa):
    with pytest.raises(ArgumentError, match="mean_directions of shape"):
        pairwise_log_prob(tf.ones(x), tf.ones(mu), tf.ones(kappa))


@pytest.mark.parametrize("dim", [3, 20, 50])
def test_points_against_many_components_keep_the_accuracy_of_the_distribution(dim, rng):
    for kappa in (1.0, 100.0, 1e4):
        x, mu, kappas = close_pairs(rng, dim, kappa, np.float32)
        values = VonMisesFisher(mu, kappas).log_prob(x[:, None])
        assert values.shape == (30, 40)
        # Far pairs have values of thousands, which float32 rounds at their own size.
        np.testing.assert_allclose(values, exact(x, mu, kappas).astype(np.float64), rtol=2.4e-7, atol=2e-5)


def test_the_gradients_through_the_product_are_those_of_single_pairs(rng):
    x, mu, kappas = (tf.constant(v) for v in close_pairs(rng, 8, 30.0, np.float32))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, mu, kappas])
        together = tf.reduce_sum(VonMisesFisher(mu, kappas).log_prob(x[:, None]))
        pairs = tf.reduce_sum(pairwise_log_prob(x, mu, kappas))
        apart = tf.add_n([tf.reduce_sum(VonMisesFisher(mu[k], kappas[k]).log_prob(x)) for k in range(40)])
    expected = tape.gradient(apart, [x, mu, kappas])

    def along_the_sphere(gradients):
        # The components along x and mu have no meaning.
        to_x, to_mu, to_kappa = (gradient.numpy() for gradient in gradients)
        to_x -= np.sum(to_x * x, axis=1, keepdims=True) * x
        return to_x, to_mu - np.sum(to_mu * mu, axis=1, keepdims=True) * mu, to_kappa

    for value in (together, pairs):
        gradients = along_the_sphere(tape.gradient(value, [x, mu, kappas]))
        for gradient, other in zip(gradients, along_the_sphere(expected), strict=True):
            np.testing.assert_allclose(gradient, other, rtol=1e-4, atol=5e-3)


def test_a_mixture_of_many_components_builds_no_tensor_of_differences(rng):
    mixture = tfd.MixtureSameFamily(
        tfd.Categorical(logits=np.zeros(300, np.float32)), VonMisesFisher(unit(rng, 300, 64).astype(np.float32), 50.0)
    )
    graph = tf.function(mixture.log_prob).get_concrete_function(tf.TensorSpec([100, 64])).graph
    largest = max(
        int(np.prod(output.shape))
        for op in graph.get_operations()
        for output in op.outputs
        if output.shape.is_fully_defined()
    )
    assert largest <= 100 * 300
    x = unit(rng, 5, 64)
    by_hand = np.logaddexp.reduce(
        exact(
            x.astype(np.float32), mixture.components_distribution.mean_direction.numpy(), np.full(300, 50.0, np.float32)
        ),
        axis=1,
    ) - np.log(300)
    np.testing.assert_allclose(mixture.log_prob(x.astype(np.float32)), by_hand, atol=2e-5)


def test_an_infinite_concentration_is_the_point_mass_that_the_distribution_has():
    mu = tf.constant(np.eye(3, dtype=np.float32))
    kappa = tf.constant([np.inf, 2.0, np.nan])
    pairs = pairwise_log_prob(mu[:2], mu, kappa)
    np.testing.assert_allclose(pairs, VonMisesFisher(mu, kappa).log_prob(mu[:2, tf.newaxis]), rtol=1e-6)
    assert pairs[0, 0] > 80
    assert pairs[1, 0] < -1e38


@pytest.mark.parametrize("shape", [(6, 4), (2, 3, 4), (0, 4)])
def test_gradients_of_many_points_under_one_distribution_are_those_of_each(shape, rng):
    x = tf.constant(rng.normal(size=shape))
    mu, weights = tf.constant(rng.normal(size=4)), tf.constant(rng.normal(size=shape[:-1]))
    results = []
    for one in (mu, tf.broadcast_to(mu, shape)):  # the second is of another rank, where TensorFlow derives the gradient
        with tf.GradientTape() as outer:
            outer.watch([x, mu])
            with tf.GradientTape() as tape:
                tape.watch([x, mu])
                direction = mu if one is mu else tf.broadcast_to(mu, shape)
                value = tf.reduce_sum(weights * cosine_distance(x, direction) ** 2)
            first = tape.gradient(value, [x, mu])
            squares = sum(tf.reduce_sum(g * g) for g in first)
        results.append([value, *first, *outer.gradient(squares, [x, mu])])
    for actual, expected in zip(*results, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-10)
