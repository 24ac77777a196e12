"""Log Bessel function and ratio of Bessel functions, for real orders."""

import mpmath
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

import tf_vmf.math
from tests.math.reference import DIGITS, Errors, exact, relative_error


def _random_orders(count: int) -> list[tuple[float, float]]:
    """(order, x): integers, half-integers and other real numbers, most of them where the series by dimension meet."""
    rng = np.random.default_rng(11)
    orders = [rng.uniform(0, 4), rng.integers(0, 40) / 2, 10 ** rng.uniform(0, 5)]
    points = []
    for i in range(count):
        orders = [rng.uniform(0, 4), rng.integers(0, 40) / 2, 10 ** rng.uniform(0, 5)]
        order = float(orders[i % 3])
        points.append((order, float(np.float32((order + 1) * 10 ** rng.uniform(-2, 2)))))
    return points


@pytest.mark.parametrize("count", [24, pytest.param(60, marks=pytest.mark.slow)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_accuracy_for_random_real_orders(dtype, count):
    eps = np.finfo(dtype).eps
    errors = Errors()
    for order, x in _random_orders(count):
        e = exact(2 * order + 2, x)
        with mpmath.workdps(DIGITS):
            v = mpmath.mpf(order)
            log_i = e.log_hyp0f1 + v * mpmath.log(mpmath.mpf(x) / 2) - mpmath.loggamma(v + 1)
            slope = e.mean + v / x
        argument = tf.constant(x, dtype)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(argument)
            value = tf_vmf.math.log_bessel_i(order, argument)
            ratio = tf_vmf.math.bessel_i_ratio(order, argument)
        # log I is as sensitive to one rounding of x as it is large, or as sqrt(v^2 + x^2) where it crosses 0.
        scale = abs(log_i) + mpmath.sqrt(v**2 + x**2)
        errors.add("log I", relative_error(value, log_i, scale), order, x)
        errors.add("gradient of log I", relative_error(tape.gradient(value, argument), slope), order, x)
        errors.add("ratio", relative_error(ratio, e.mean), order, x)
        errors.add("gradient of ratio", relative_error(tape.gradient(ratio, argument), e.variance), order, x)
        derivative = tf_vmf.math.bessel_i_ratio_derivative(order, argument)
        errors.add("derivative of ratio", relative_error(derivative, e.variance), order, x)
    names = ("ratio", "gradient of ratio", "derivative of ratio", "gradient of log I")
    errors.check({"log I": 4 * eps} | dict.fromkeys(names, {"float32": 5e-7, "float64": 2e-15}[dtype]))


@pytest.mark.parametrize("order", [0.0, 0.5, 1.0, 2.3, 7.0, 24.0])
def test_agrees_with_mpmath_and_scipy(order):
    x = np.geomspace(0.05, 500.0, 25)
    actual = tf_vmf.math.log_bessel_i(order, tf.constant(x)).numpy()
    np.testing.assert_allclose(actual, np.log(scipy.special.ive(order, x)) + x, rtol=1e-12, atol=1e-13)
    exact_values = [float(mpmath.log(mpmath.besseli(order, value))) for value in x.tolist()]
    np.testing.assert_allclose(actual, exact_values, rtol=1e-13, atol=1e-14)


def test_second_derivative_follows_from_bessels_equation():
    # With L = log I_v: L'' = 1 + v^2/x^2 - L'/x - L'^2.
    for order in (0.0, 1.5, 10.0):
        x = tf.constant(np.geomspace(0.5, 50.0, 20))
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                value = tf_vmf.math.log_bessel_i(order, x)
            first = inner.gradient(value, x)
        expected = 1 + (order / x) ** 2 - first / x - first**2
        np.testing.assert_allclose(outer.gradient(first, x), expected, rtol=1e-10, atol=1e-12)


def test_value_at_zero():
    assert tf_vmf.math.log_bessel_i(0, tf.constant(0.0)) == 0.0
    assert tf_vmf.math.log_bessel_i(1.5, tf.constant(0.0)) == -np.inf
    assert tf_vmf.math.bessel_i_ratio(3, tf.constant(0.0)) == 0.0
    np.testing.assert_allclose(tf_vmf.math.bessel_i_ratio_derivative(3, tf.constant(0.0)), 1 / 8, rtol=1e-6)


@pytest.mark.parametrize("order", [0.7, 2.9, 3.0, 3.1, 40.0])
def test_recurrence_between_neighbouring_orders(order):
    # I_v - I_{v+2} = 2 (v + 1)/x I_{v+1}, divided by I_{v+1}.
    x = tf.constant(np.geomspace(0.1, 100.0, 20))
    below, above = tf_vmf.math.bessel_i_ratio(order, x), tf_vmf.math.bessel_i_ratio(order + 1, x)
    np.testing.assert_allclose(1 / below - above, 2 * (order + 1) / x, rtol=1e-13)
