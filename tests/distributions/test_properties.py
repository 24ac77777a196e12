"""Whatever the parameters: finite unit-norm samples, finite gradients, divergences >= 0."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow_probability import distributions as tfd

from tests.random_cases import many
from tf_vmf.distributions import VonMisesFisher

EXTREMES = np.array([0.0, 1e-38, 1e-20, 1e-7, 1.0, 1e4, 1e10])
# Settings of the parameters in one call, by shape of the batch: hypothesis draws calls, a generator the settings within.
SHAPES = [(50,), (5, 10), (2, 25, 1), (50, 1)]
SETTINGS = 50


def directions(rng, dim, batch, dtype):
    """Random directions, the coordinate axes, and neighbours of these, where rotations have their singular points."""
    kind = rng.integers(3, size=(*batch, 1))
    axis = np.eye(1, dim)[0] * rng.choice([-1, 1], size=(*batch, 1))
    axis = np.take_along_axis(axis, (np.arange(dim) + rng.integers(dim, size=(*batch, 1))) % dim, axis=-1)
    x = np.choose(kind, [1.0, 1e-6, 0.0]) * rng.normal(size=(*batch, dim)) + (kind > 0) * axis
    return tf.constant(x / np.linalg.norm(x, axis=-1, keepdims=True), dtype)


def concentrations(rng, shape, dtype):
    """Extreme values, and values of every order of magnitude from 1e-7 to 1e10."""
    return tf.constant(
        np.where(rng.random(shape) < 0.3, rng.choice(EXTREMES, shape), 10.0 ** rng.uniform(-7, 10, shape)), dtype
    )


@st.composite
def settings_of_the_distribution(draw, dims, shapes):
    dim, batch, dtype = draw(dims), draw(st.sampled_from(shapes)), draw(st.sampled_from([tf.float32, tf.float64]))
    seed = draw(st.integers(0, 2**31 - 1))
    rng = np.random.default_rng(seed)
    # A concentration for each direction, or one for all of them.
    kappa = concentrations(rng, draw(st.sampled_from([batch, batch, batch, ()])), dtype)
    return directions(rng, dim, batch, dtype), kappa, concentrations(rng, (), dtype), seed


def check(case):
    mu, kappa, other_kappa, seed = case
    dim, dtype = mu.shape[-1], mu.dtype
    other = VonMisesFisher(tf.roll(mu, 1, axis=-1), other_kappa)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([mu, kappa])
        distribution = VonMisesFisher(mu, kappa)
        x = distribution.sample(2, seed=(seed, 1))
        divergences = [
            tfd.kl_divergence(distribution, tfd.SphericalUniform(dim, dtype=dtype)),
            tfd.kl_divergence(distribution, other),
        ]
        values = [x, distribution.log_prob(tf.stop_gradient(x)), distribution.entropy(), *divergences]
    tolerance = 2e-6 if dtype == tf.float32 else 1e-13
    np.testing.assert_allclose(np.linalg.norm(x.numpy().astype(float), axis=-1), 1, atol=tolerance)
    for value in values:
        assert np.isfinite(value).all()
        for gradient in tape.gradient(value, [mu, kappa], unconnected_gradients=tf.UnconnectedGradients.ZERO):
            assert np.isfinite(gradient).all()
    for divergence in divergences:
        assert (divergence.numpy() >= 0).all()


COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "database": None}
MODERATE = st.one_of(st.integers(2, 12), st.integers(13, 300))


@settings(max_examples=10, **COMMON)
@given(settings_of_the_distribution(MODERATE, SHAPES))
def test_a_thousand_random_settings_give_finite_results(case):
    check(case)


@settings(max_examples=6, **COMMON)
@given(settings_of_the_distribution(st.sampled_from([1000, 4096, 200_000]), [(), (1,), (3,)]))
def test_high_dimensions_and_small_batches_give_finite_results(case):
    check(case)


@pytest.mark.slow
@settings(max_examples=many(10_000) // SETTINGS, **COMMON)
@given(settings_of_the_distribution(MODERATE, SHAPES))
def test_ten_thousand_random_settings_give_finite_results(case):
    check(case)
