"""Whatever the parameters: finite unit-norm samples, finite gradients, divergences >= 0."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow_probability import distributions as tfd

from tf_vmf.distributions import VonMisesFisher

DIMS = st.one_of(st.integers(2, 12), st.integers(13, 300), st.sampled_from([1000, 4096, 200_000]))
CONCENTRATIONS = st.one_of(
    st.sampled_from([0.0, 1e-38, 1e-20, 1e-7, 1.0, 1e10]),
    st.floats(-7, 10).map(lambda exponent: 10.0**exponent),
)


def directions(dim, batch, kind, seed, dtype):
    """Random directions, or the coordinate axes and their neighbours, where rotations have their singular points."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(*batch, dim))
    if kind != "random":
        x *= 1e-6 if kind == "near an axis" else 0.0
        x[..., rng.integers(dim)] += rng.choice([-1, 1])
    return tf.constant(x / np.linalg.norm(x, axis=-1, keepdims=True), dtype)


@st.composite
def settings_of_the_distribution(draw):
    dim, batch = draw(DIMS), draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
    dtype = draw(st.sampled_from([tf.float32, tf.float64]))
    kind = draw(st.sampled_from(["random", "axis", "near an axis"]))
    seed = draw(st.integers(0, 2**31 - 1))
    broadcast = draw(st.sampled_from([(), batch]))
    kappa = np.array(draw(st.lists(CONCENTRATIONS, min_size=int(np.prod(broadcast)), max_size=int(np.prod(broadcast)))))
    other = draw(CONCENTRATIONS)
    return directions(dim, batch, kind, seed, dtype), tf.constant(kappa.reshape(broadcast), dtype), other, seed


def check(case):
    mu, kappa, other_kappa, seed = case
    dim, dtype = mu.shape[-1], mu.dtype
    other = VonMisesFisher(tf.roll(mu, 1, axis=-1), tf.constant(other_kappa, dtype))
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


@settings(max_examples=150, **COMMON)
@given(settings_of_the_distribution())
def test_random_parameters_give_finite_results(case):
    check(case)


@pytest.mark.slow
@settings(max_examples=10_000, **COMMON)
@given(settings_of_the_distribution())
def test_ten_thousand_random_parameters_give_finite_results(case):
    check(case)
