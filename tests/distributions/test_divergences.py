"""Divergences between our distribution, TFP's and power spherical ones."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tf_vmf.distributions import VonMisesFisher


def pair(rng, cls1, cls2, dim=5):
    mu = rng.normal(size=(2, dim))
    mu /= np.linalg.norm(mu, axis=-1, keepdims=True)
    kappa = tf.constant([3.0, 12.0], tf.float64)
    return cls1(tf.constant(mu[0]), kappa), cls2(tf.constant(mu[1]), kappa[::-1])


@pytest.mark.parametrize("classes", [(VonMisesFisher, tfd.VonMisesFisher), (tfd.VonMisesFisher, VonMisesFisher)])
def test_divergences_with_tfps_class_equal_monte_carlo_estimates(classes, rng):
    a, b = pair(rng, *classes)
    sampler = VonMisesFisher(a.mean_direction, a.concentration)
    x = sampler.sample(40_000, seed=(1, 2))
    log_ratio = (a.log_prob(x) - b.log_prob(x)).numpy()
    error = log_ratio.std(axis=0) / 200
    np.testing.assert_array_less(np.abs(tfd.kl_divergence(a, b) - log_ratio.mean(axis=0)), 4.5 * error)


def test_divergences_with_tfps_class_are_those_between_ours(rng):
    a, b = pair(rng, VonMisesFisher, VonMisesFisher)
    theirs = [tfd.VonMisesFisher(d.mean_direction, d.concentration) for d in (a, b)]
    expected = tfd.kl_divergence(a, b)
    for first, second in ((a, theirs[1]), (theirs[0], b)):
        np.testing.assert_array_equal(tfd.kl_divergence(first, second), expected)
    assert float(tf.reduce_max(tfd.kl_divergence(a, theirs[0]))) == 0
    with pytest.raises(ValueError, match=r"different dimensions\. Got 5 vs\. 3"):
        tfd.kl_divergence(a, tfd.VonMisesFisher([1.0, 0.0, 0.0], 1.0))


def test_the_divergence_of_a_power_spherical_distribution_holds_at_large_concentrations():
    """Both tend to normal distributions in the tangent space, of precisions kappa / 2 and kappa."""
    for dim in (3, 50):
        mu = tf.one_hot(0, dim)
        for kappa in (1e8, 1e14, 1e20, 1e30):
            value = tfd.kl_divergence(tfd.PowerSpherical(mu, 2 * kappa), VonMisesFisher(mu, 5.0 * kappa))
            assert float(value) == pytest.approx((dim - 1) / 2 * (5 - 1 - np.log(5)), rel=2e-5)


@pytest.mark.parametrize("kappa", [1e19, 1e25, 3e38, np.inf])
def test_a_point_mass_in_single_precision_is_the_mode_and_never_nan(kappa):
    mu = tf.constant([0.6, 0.0, 0.8])
    distribution = VonMisesFisher(mu, tf.constant(kappa), validate_args=True)
    np.testing.assert_allclose(distribution.mean(), mu, rtol=1e-6)
    np.testing.assert_array_equal(distribution.mode(), mu)
    np.testing.assert_allclose(distribution.covariance(), np.zeros((3, 3)), atol=1e-15)
    np.testing.assert_allclose(distribution.sample(3, seed=(1, 2)), np.tile(mu, (3, 1)), atol=2e-7)
    assert float(distribution.log_prob(mu)) > 40
    assert float(distribution.log_prob([0.0, 1.0, 0.0])) < -1e18
    values = [
        distribution.entropy(),
        tfd.kl_divergence(distribution, tfd.SphericalUniform(3)),
        tfd.kl_divergence(tfd.SphericalUniform(3), distribution),
        tfd.kl_divergence(distribution, VonMisesFisher([0.0, 1.0, 0.0], 3.0)),
        tfd.kl_divergence(VonMisesFisher([0.0, 1.0, 0.0], 3.0), distribution),
        distribution.cosine_cdf(0.5),
        distribution.cosine_quantile(0.5),
    ]
    assert not np.isnan(values).any()


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_every_method_works_in_half_precision_under_validate_args(dtype):
    mu = tf.cast(tf.math.l2_normalize(tf.constant([[1.0, 2.0, 3.0], [-2.0, -3.0, -1.0]]), axis=-1), dtype)
    distribution = VonMisesFisher(mu, tf.constant([2.0, 50.0], dtype), validate_args=True)
    wide = VonMisesFisher(tf.math.l2_normalize(tf.cast(mu, tf.float32), axis=-1), [2.0, 50.0])
    x = distribution.sample(4, seed=(1, 2))
    for name in ("mean", "mode", "entropy", "variance", "stddev", "covariance"):
        value = getattr(distribution, name)()
        assert value.dtype == dtype
        np.testing.assert_allclose(tf.cast(value, tf.float32), getattr(wide, name)(), rtol=0.03, atol=0.03)
    unit = tf.math.l2_normalize(tf.cast(x, tf.float32), axis=-1)
    np.testing.assert_allclose(tf.cast(distribution.log_prob(x), tf.float32), wide.log_prob(unit), atol=0.3)
    assert np.isfinite(tf.cast(distribution.cosine_cdf(tf.constant(0.5, dtype)), tf.float32)).all()
    assert np.isfinite(tf.cast(distribution.cosine_quantile(tf.constant(0.5, dtype)), tf.float32)).all()
    kl = tfd.kl_divergence(distribution, tfd.SphericalUniform(3, dtype=dtype))
    np.testing.assert_allclose(tf.cast(kl, tf.float32), tfd.kl_divergence(wide, tfd.SphericalUniform(3)), rtol=0.02)
    assert VonMisesFisher.parameter_properties(dtype)["concentration"].default_constraining_bijector_fn() is not None
    with pytest.raises(tf.errors.InvalidArgumentError, match="`mean_direction` must be unit-length"):
        VonMisesFisher(1.1 * mu, 1.0, validate_args=True)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Samples must be unit length"):
        distribution.prob(1.1 * x)


def test_nan_parameters_are_refused_under_validate_args():
    with pytest.raises(tf.errors.InvalidArgumentError, match="`concentration` must be non-negative"):
        VonMisesFisher([1.0, 0.0], np.float32(np.nan), validate_args=True)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`mean_direction` must be unit-length"):
        VonMisesFisher([np.nan, 0.0], 1.0, validate_args=True)
