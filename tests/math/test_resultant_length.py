"""Mean resultant length A, 1 - A and A'."""

import mpmath
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

import tf_vmf.math
from tests.conftest import SHARED
from tests.math.reference import Errors, exact, random_points, relative_error

TARGETS = {
    "float32": {
        "A": 5e-7,
        "1 - A": 1e-6,
        "A'": 5e-7,
        "gradient of A": 5e-7,
        "gradient of 1 - A": 5e-7,
        "kappa A'' / A'": 2e-6,
    },
    "float64": {
        "A": 2e-15,
        "1 - A": 5e-15,
        "A'": 2e-15,
        "gradient of A": 2e-15,
        "gradient of 1 - A": 2e-15,
        "kappa A'' / A'": 5e-15,
    },
}


def _evaluate(kappa: tf.Tensor, dim: int) -> dict[str, tf.Tensor]:
    """All quantities of TARGETS; the last as kappa A''."""
    with tf.GradientTape() as outer:
        outer.watch(kappa)
        with tf.GradientTape(persistent=True) as inner:
            inner.watch(kappa)
            mean = tf_vmf.math.mean_resultant_length(kappa, dim)
            complement = tf_vmf.math.one_minus_mean_resultant_length(kappa, dim)
        gradient = inner.gradient(mean, kappa)
    return {
        "A": mean,
        "1 - A": complement,
        "A'": tf_vmf.math.mean_resultant_length_derivative(kappa, dim),
        "gradient of A": gradient,
        "gradient of 1 - A": -inner.gradient(complement, kappa),
        "kappa A'' / A'": kappa * outer.gradient(gradient, kappa),
    }


@pytest.mark.parametrize("count", [18, pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_accuracy_at_random_points(dtype, count):
    errors = Errors()
    for dim, kappa in random_points(count, seed=1):
        e = exact(dim, kappa)
        expected = dict(
            zip(TARGETS[dtype], [e.mean, e.one_minus_mean, *[e.variance] * 3, kappa * e.third], strict=True)
        )
        scale = {"kappa A'' / A'": e.variance}
        for name, value in _evaluate(tf.constant(kappa, dtype), dim).items():
            errors.add(name, relative_error(value, expected[name], scale.get(name)), dim, kappa)
    errors.check(TARGETS[dtype])


@pytest.mark.skipif(not (SHARED / "oracle").exists(), reason="needs the table of exact values beside the checkout")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_accuracy_on_the_oracle_grid(dtype):
    errors = Errors()
    with np.load(SHARED / "oracle" / "oracle_public.npz") as oracle:
        for dim in np.unique(oracle["d"]):
            rows = oracle["d"] == dim
            kappa, slope = oracle["kappa"][rows], oracle["dratio"][rows]
            expected = {"A": oracle["ratio"][rows], "1 - A": oracle["one_minus_ratio"][rows]}
            expected |= dict.fromkeys(["A'", "gradient of A", "gradient of 1 - A"], slope)
            expected |= {"kappa A'' / A'": kappa * oracle["d2ratio"][rows]}
            for name, value in _evaluate(tf.constant(kappa, dtype), int(dim)).items():
                scale = slope if name == "kappa A'' / A'" else expected[name]
                error = np.abs(value.numpy().astype(np.float64) - expected[name]) / np.abs(scale)
                errors.add(name, float(np.max(error)), int(dim), float(kappa[np.argmax(error)]))
    errors.check(TARGETS[dtype])


def test_dimension_three_is_the_langevin_function():
    kappa = np.geomspace(1e-3, 1e6, 200)
    actual = tf_vmf.math.mean_resultant_length(tf.constant(kappa), 3).numpy()
    expected = [float(mpmath.coth(k) - 1 / mpmath.mpf(k)) for k in kappa.tolist()]
    # coth(k) - 1/k at 15 digits loses 1/k^2 of them.
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(actual[kappa > 1], np.array(expected)[kappa > 1], rtol=1e-14)


@pytest.mark.parametrize("dim", [2, 3, 4, 7, 10, 20])
def test_agrees_with_the_ratio_of_scipy_bessel_functions(dim):
    kappa = np.geomspace(0.1, 1e4, 50)
    expected = scipy.special.ive(dim / 2, kappa) / scipy.special.ive(dim / 2 - 1, kappa)
    np.testing.assert_allclose(tf_vmf.math.mean_resultant_length(tf.constant(kappa), dim), expected, rtol=3e-14)


@pytest.mark.parametrize("dim", [2, 3, 8, 100, 200_000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_limits_of_small_and_large_concentration(dim, dtype):
    small, large = tf.constant(1e-7, dtype), tf.constant(1e10, dtype)
    rtol = 10 * np.finfo(dtype).eps
    np.testing.assert_allclose(tf_vmf.math.mean_resultant_length(small, dim) / small, 1 / dim, rtol=rtol)
    complement = tf_vmf.math.one_minus_mean_resultant_length(large, dim) * large
    np.testing.assert_allclose(complement, (dim - 1) / 2, rtol=rtol + dim / 1e10)
    slope = tf_vmf.math.mean_resultant_length_derivative(large, dim) * large**2
    np.testing.assert_allclose(slope, (dim - 1) / 2, rtol=rtol + 2 * dim / 1e10)


@pytest.mark.parametrize("dim", [2, 3, 50])
def test_uniform_distribution_has_mean_zero_and_variance_one_over_dim(dim):
    values = _evaluate(tf.constant(0.0, tf.float64), dim)
    assert values["A"] == 0.0
    assert values["1 - A"] == 1.0
    for name in ("A'", "gradient of A", "gradient of 1 - A"):
        np.testing.assert_allclose(values[name], 1 / dim, rtol=1e-15)


@pytest.mark.parametrize("dim", [2, 5, 50, 1000])
def test_derivative_satisfies_the_differential_equation(dim):
    # A' = 1 - A^2 - (d - 1) A / kappa, checked where its terms do not cancel.
    kappa = tf.constant(np.linspace(0.5, 2.0, 20) * dim)
    mean = tf_vmf.math.mean_resultant_length(kappa, dim)
    expected = 1 - mean**2 - (dim - 1) * mean / kappa
    np.testing.assert_allclose(
        tf_vmf.math.mean_resultant_length_derivative(kappa, dim), expected, rtol=1e-12, atol=1e-15
    )
