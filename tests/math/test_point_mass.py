"""Concentrations whose square overflows follow the leading terms exactly, and nothing is NaN."""

import numpy as np
import pytest
import tensorflow as tf

from tf_vmf import math as vmf_math

HUGE = (1e17, 9e17, 1.1e18, 1e19, 3e19, 1e25, 1e36)
FUNCTIONS = (
    "kl_to_uniform",
    "mean_resultant_length",
    "one_minus_mean_resultant_length",
    "mean_resultant_length_derivative",
    "log_hyp0f1",
    "log_normalizer",
    "log_prob_at_mode",
)


@pytest.mark.parametrize("dim", [2, 3, 50])
@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_values_follow_the_leading_terms(dim, dtype):
    kappa = np.array(HUGE)
    m = dim - 1.0
    # I_v(kappa) = exp(kappa) / sqrt(2 pi kappa) (1 + O(1 / kappa)) is exact to rounding here.
    log_density = 0.5 * m * np.log(kappa / (2 * np.pi))
    expected = {
        "mean_resultant_length": np.ones(len(kappa)),
        "one_minus_mean_resultant_length": m / (2 * kappa),
        "log_prob_at_mode": log_density,
        "kl_to_uniform": log_density + vmf_math.log_sphere_area(dim) - 0.5 * m,
        "log_normalizer": kappa - log_density,
    }
    tolerance = 2e-6 if dtype == tf.float32 else 1e-14
    for name, exact in expected.items():
        value = getattr(vmf_math, name)(tf.constant(kappa, dtype), dim)
        np.testing.assert_allclose(value, exact, rtol=tolerance, err_msg=name)


@pytest.mark.parametrize("dim", [2, 3, 50, 100_000])
@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_no_value_and_no_gradient_is_nan_up_to_infinity(dim, dtype):
    kappa = tf.constant([*HUGE, dtype.max, np.inf], dtype)
    for name in FUNCTIONS:
        with tf.GradientTape() as tape:
            tape.watch(kappa)
            value = getattr(vmf_math, name)(kappa, dim)
        assert not np.isnan(value).any(), name
        assert not np.isnan(tape.gradient(value, kappa)).any(), name
    pairs = vmf_math.kl_von_mises_fisher(kappa[:, None], kappa[None], tf.constant(0.5, dtype), dim)
    assert not np.isnan(pairs).any()


def test_the_divergence_of_two_point_masses_depends_on_their_ratio():
    """KL = (d - 1)/2 (r - 1 - log r) for r = kappa2 / kappa1 and equal directions: that of two normal distributions."""
    for dim in (3, 20):
        for ratio in (0.3, 2.0, 50.0):
            kappa = tf.constant([1e10, 1e20, 1e30])
            value = vmf_math.kl_von_mises_fisher(kappa, ratio * kappa, tf.constant(0.0), dim)
            np.testing.assert_allclose(value, 3 * [(dim - 1) / 2 * (ratio - 1 - np.log(ratio))], rtol=5e-6)


def test_nan_stays_nan():
    for name in (*FUNCTIONS, "power_spherical_kl_to_uniform"):
        assert np.isnan(getattr(vmf_math, name)(tf.constant(np.nan), 5)), name


def test_infinity_is_the_limit():
    kappa = tf.constant([np.inf])
    with tf.GradientTape() as tape:
        tape.watch(kappa)
        value = vmf_math.power_spherical_kl_to_uniform(kappa, 5)
    assert value == np.inf
    assert not np.isnan(tape.gradient(value, kappa)).any()
    for order in (0, 0.5, 2, 300):
        assert vmf_math.log_bessel_i(order, tf.constant(np.inf)) == np.inf
