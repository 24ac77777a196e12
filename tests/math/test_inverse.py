"""Concentration from the mean resultant length."""

import mpmath
import numpy as np
import pytest
import tensorflow as tf

import tf_vmf.math
from tests.math.reference import Errors, exact, random_points, relative_error


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_solves_the_likelihood_equation(dtype):
    """The residual A(kappa) - r, in exact arithmetic, is a few rounding errors of kappa."""
    errors = Errors()
    eps = np.finfo(dtype).eps
    for dim, kappa in random_points(18, seed=1):
        e = exact(dim, kappa)
        cases = {
            "from r": (tf_vmf.math.inverse_mean_resultant_length, e.mean, 1),
            "from 1 - r": (tf_vmf.math.inverse_one_minus_mean_resultant_length, e.one_minus_mean, -1),
        }
        for name, (function, target, sign) in cases.items():
            given = tf.constant(float(target), dtype)
            if given == 1.0:
                continue  # r rounds to 1: only 1 - r determines kappa, or the other way round
            # What is solved is the equation for the rounded argument; to first order kappa moves by its error / A'.
            solution = kappa + sign * (mpmath.mpf(float(given)) - target) / e.variance
            if abs(solution - kappa) > 1e-4 * kappa:
                continue  # the argument determines kappa to four digits only, and the first order is not enough
            slack = float((solution / kappa - 1) ** 2)
            with tf.GradientTape() as tape:
                tape.watch(given)
                actual = function(given, dim)
            errors.add(name, max(0.0, relative_error(actual, solution) - 2 * slack), dim, kappa)
            variance = e.variance + e.third * (float(actual) - kappa)
            gradient_error = relative_error(tape.gradient(actual, given), sign / variance)
            errors.add(f"gradient {name}", max(0.0, gradient_error - 10 * slack), dim, kappa)
    errors.check({"from r": 8 * eps, "from 1 - r": 8 * eps, "gradient from r": 8 * eps, "gradient from 1 - r": 8 * eps})


@pytest.mark.parametrize("dim", [2, 3, 5, 50, 1000, 10_000])
def test_round_trip_over_the_whole_range(dim):
    kappa = np.geomspace(1e-6, 1e8, 200)
    complement = tf_vmf.math.one_minus_mean_resultant_length(tf.constant(kappa), dim)
    length = tf_vmf.math.mean_resultant_length(tf.constant(kappa), dim)
    small = kappa < dim
    np.testing.assert_allclose(
        tf_vmf.math.inverse_mean_resultant_length(length, dim).numpy()[small], kappa[small], rtol=1e-14
    )
    np.testing.assert_allclose(
        tf_vmf.math.inverse_one_minus_mean_resultant_length(complement, dim).numpy()[~small], kappa[~small], rtol=1e-14
    )


def test_limits_at_both_ends():
    r = tf.constant([1e-20, 1e-10, 1e-5], tf.float64)
    np.testing.assert_allclose(tf_vmf.math.inverse_mean_resultant_length(r, 7), 7 * r, rtol=1e-9)
    q = tf.constant([1e-30, 1e-20, 1e-10], tf.float64)
    np.testing.assert_allclose(tf_vmf.math.inverse_one_minus_mean_resultant_length(q, 7), 3 / q, rtol=1e-9)


@pytest.mark.parametrize("dim", [2, 50])
def test_values_outside_the_open_interval(dim):
    r = tf.constant([0.0, 1.0, -0.1, 1.1, np.nan])
    np.testing.assert_array_equal(
        tf_vmf.math.inverse_mean_resultant_length(r, dim), [0.0, np.inf, np.nan, np.nan, np.nan]
    )
    np.testing.assert_array_equal(
        tf_vmf.math.inverse_one_minus_mean_resultant_length(1.0 - r, dim), [0.0, np.inf, np.nan, np.nan, np.nan]
    )
    with tf.GradientTape() as tape:
        tape.watch(r)
        value = tf_vmf.math.inverse_mean_resultant_length(r, dim)
    np.testing.assert_allclose(tape.gradient(value, r)[0], dim, rtol=1e-6)


def test_second_derivative_by_the_implicit_function_theorem():
    for dim, kappa in ((2, 0.7), (5, 3.0), (50, 80.0), (1000, 500.0)):
        e = exact(dim, kappa)
        r = tf.constant(float(e.mean), tf.float64)
        with tf.GradientTape() as outer:
            outer.watch(r)
            with tf.GradientTape() as inner:
                inner.watch(r)
                value = tf_vmf.math.inverse_mean_resultant_length(r, dim)
            first = inner.gradient(value, r)
        assert relative_error(outer.gradient(first, r), -e.third / e.variance**3) < 1e-12
