"""The power spherical log density against mpmath and TensorFlow Probability in double precision."""

import mpmath
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tf_vmf.distributions import PowerSpherical


def exact(x, mu, kappa):
    """For vectors that are put back on the sphere first."""
    with mpmath.workdps(60):
        x, mu = ([mpmath.mpf(float(v)) for v in vector] for vector in (x, mu))
        cosine = mpmath.fdot(x, mu) / mpmath.sqrt(mpmath.fdot(x, x) * mpmath.fdot(mu, mu))
        half, kappa = mpmath.mpf(len(x) - 1) / 2, mpmath.mpf(float(kappa))
        alpha = half + kappa
        log_normalizer = (alpha + half) * mpmath.log(2) + half * mpmath.log(mpmath.pi)
        log_normalizer += mpmath.loggamma(alpha) - mpmath.loggamma(alpha + half)
        return float(kappa * mpmath.log1p(cosine) - log_normalizer)


@pytest.mark.parametrize("kappa", [0.0, 0.1, 3.0, 50.0, 1e4, 1e6, 1e8, 1e12])
@pytest.mark.parametrize("dim", [2, 3, 50])
def test_the_log_density_keeps_its_digits_at_the_mode_and_at_typical_points(kappa, dim, rng):
    mu = rng.normal(size=dim)
    x = np.stack([mu / np.linalg.norm(mu), mu / np.linalg.norm(mu) + rng.normal(size=dim) / np.sqrt(kappa + 1)])
    x = (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)
    distribution = PowerSpherical(x[0], np.float32(kappa))
    expected = [exact(each, x[0], np.float32(kappa)) for each in x]
    at_mode, beside = distribution.log_prob(x).numpy()
    assert at_mode == pytest.approx(expected[0], rel=1e-6, abs=1e-6)
    # The rounding of the point itself moves the second value: kappa times 6e-8 times its distance from the mode.
    assert beside == pytest.approx(expected[1], rel=1e-6, abs=1e-6 + 2e-7 * np.sqrt(kappa * dim))


def test_it_agrees_with_tensorflow_probability_in_double_precision_and_opposite_to_the_mode(rng):
    x = rng.normal(size=(20, 4))
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    kappa = np.geomspace(0.01, 100, 20)
    theirs = tfp.distributions.PowerSpherical(x[0], kappa).log_prob(x)
    np.testing.assert_allclose(PowerSpherical(x[0], kappa).log_prob(x), theirs, rtol=1e-10)
    uniform = tfp.distributions.SphericalUniform(4, dtype=tf.float64)
    np.testing.assert_allclose(PowerSpherical(x[0], 0.0 * kappa[0]).log_prob(-x[0]), uniform.log_prob(x[0]), rtol=1e-12)


def test_the_value_of_the_docstring_is_the_closed_form_on_the_sphere():
    # (kappa + 1) / (4 pi) at the mode of the density (kappa + 1) / (4 pi) ((1 + cos) / 2)^kappa on S^2.
    value = PowerSpherical([0.0, 0.0, 1.0], 1e6).log_prob([0.0, 0.0, 1.0])
    assert float(value) == pytest.approx(np.log((1e6 + 1) / (4 * np.pi)), rel=1e-6)
    assert f"# {float(value):.2f}" in PowerSpherical.__doc__


def test_its_gradients_are_those_of_finite_differences():
    mu, x = tf.constant([0.6, 0.8, 0.0], tf.float64), tf.constant([0.8, 0.6, 0.0], tf.float64)

    def log_prob(kappa):
        return PowerSpherical(mu, kappa).log_prob(x)

    kappa = tf.constant(7.0, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(kappa)
        value = log_prob(kappa)
    numeric = (log_prob(kappa + 1e-5) - log_prob(kappa - 1e-5)) / 2e-5
    assert float(tape.gradient(value, kappa)) == pytest.approx(float(numeric), rel=1e-6)


def test_the_registered_divergence_is_that_of_simulation():
    distribution = PowerSpherical(tf.one_hot([0, 1], 4), [3.0, 40.0])
    uniform = tfp.distributions.SphericalUniform(4)
    z = distribution.sample(20_000, seed=(1, 2))
    ratio = (distribution.log_prob(z) - uniform.log_prob(z)).numpy()
    error = ratio.std(axis=0) / np.sqrt(20_000)
    np.testing.assert_array_less(np.abs(distribution.kl_divergence(uniform) - ratio.mean(axis=0)), 5 * error)
