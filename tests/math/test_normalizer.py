"""Log normaliser, log 0F1 and the log density at the mode."""

import math

import mpmath
import numpy as np
import pytest
import scipy.integrate
import tensorflow as tf

import tf_vmf.math
from tests.conftest import SHARED
from tests.math.reference import DIGITS, Errors, exact, random_points, relative_error


def _log_area(dim: int) -> mpmath.mpf:
    with mpmath.workdps(DIGITS):
        return mpmath.log(2) + mpmath.mpf(dim) / 2 * mpmath.log(mpmath.pi) - mpmath.loggamma(mpmath.mpf(dim) / 2)


def _value_and_gradient(function, kappa: float, dim: int, dtype: str) -> tuple[tf.Tensor, tf.Tensor]:
    x = tf.constant(kappa, dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x, dim)
    return value, tape.gradient(value, x)


@pytest.mark.parametrize("count", [18, pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_accuracy_at_random_points(dtype, count):
    eps = np.finfo(dtype).eps
    errors = Errors()
    for dim, kappa in random_points(count, seed=1):
        e, area = exact(dim, kappa), _log_area(dim)
        with mpmath.workdps(DIGITS):
            expected = {
                "log_hyp0f1": (e.log_hyp0f1, None, e.mean),
                # Both are sums of the area and of a term that may cancel it: the error is that of the terms.
                "log_normalizer": (area + e.log_hyp0f1, abs(area) + e.log_hyp0f1, e.mean),
                "log_prob_at_mode": (kappa - e.log_hyp0f1 - area, abs(area) + kappa - e.log_hyp0f1, e.one_minus_mean),
            }
        for name, (reference, scale, derivative) in expected.items():
            value, gradient = _value_and_gradient(getattr(tf_vmf.math, name), kappa, dim, dtype)
            errors.add(name, relative_error(value, reference, scale), dim, kappa)
            errors.add(f"gradient of {name}", relative_error(gradient, derivative), dim, kappa)
    names = ("log_hyp0f1", "log_normalizer", "log_prob_at_mode")
    errors.check({n: 10 * eps for n in names} | {f"gradient of {n}": 6 * eps for n in names})


@pytest.mark.parametrize(("dtype", "target"), [("float32", 2e-5), ("float64", 1e-11)])
def test_log_density_at_the_mode_in_absolute_terms(dtype, target):
    errors = Errors()
    rng = np.random.default_rng(5)
    for dim in rng.integers(2, 51, size=20).tolist():
        kappa = float(np.float32(10 ** rng.uniform(-3, 4)))
        with mpmath.workdps(DIGITS):
            expected = kappa - exact(dim, kappa).log_hyp0f1 - _log_area(dim)
        actual = tf_vmf.math.log_prob_at_mode(tf.constant(kappa, dtype), dim)
        errors.add("absolute error", relative_error(actual, expected, mpmath.mpf(1)), dim, kappa)
    errors.check({"absolute error": target})


@pytest.mark.skipif(not (SHARED / "oracle").exists(), reason="needs the table of exact values beside the checkout")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_accuracy_on_the_oracle_grid(dtype):
    eps = np.finfo(dtype).eps
    errors = Errors()
    with np.load(SHARED / "oracle" / "oracle_public.npz") as oracle:
        for dim in np.unique(oracle["d"]):
            rows = oracle["d"] == dim
            kappa = tf.constant(oracle["kappa"][rows], dtype)
            log_f = tf_vmf.math.log_hyp0f1(kappa, int(dim)).numpy()
            errors.add("log_hyp0f1", float(np.max(np.abs(log_f / oracle["log0f1"][rows] - 1))), int(dim))
            expected = oracle["log_normalizer"][rows]
            size = abs(tf_vmf.math.log_sphere_area(int(dim))) + oracle["log0f1"][rows]
            actual = tf_vmf.math.log_normalizer(kappa, int(dim)).numpy()
            errors.add("log_normalizer", float(np.max(np.abs(actual - expected) / size)), int(dim))
    errors.check({"log_hyp0f1": 10 * eps, "log_normalizer": 10 * eps})


@pytest.mark.parametrize("kappa", [0.0, 0.5, 30.0])
def test_density_integrates_to_one_on_the_circle_and_on_the_sphere(kappa):
    mode = {dim: float(tf_vmf.math.log_prob_at_mode(tf.constant(kappa, tf.float64), dim)) for dim in (2, 3)}

    def density(cosine: float, dim: int) -> float:
        return math.exp(mode[dim] + kappa * (cosine - 1.0))

    circle, _ = scipy.integrate.quad(lambda angle: density(math.cos(angle), 2), 0.0, 2 * math.pi, epsabs=1e-10)
    sphere, _ = scipy.integrate.quad(lambda w: 2 * math.pi * density(w, 3), -1.0, 1.0, epsabs=1e-10)
    assert circle == pytest.approx(1.0, abs=1e-9)
    assert sphere == pytest.approx(1.0, abs=1e-9)


def test_area_of_spheres_known_from_geometry():
    assert math.exp(tf_vmf.math.log_sphere_area(2)) == pytest.approx(2 * math.pi, rel=1e-14)
    assert math.exp(tf_vmf.math.log_sphere_area(3)) == pytest.approx(4 * math.pi, rel=1e-14)
    assert math.exp(tf_vmf.math.log_sphere_area(4)) == pytest.approx(2 * math.pi**2, rel=1e-14)


@pytest.mark.parametrize("dim", [2, 3, 50])
def test_normalizer_of_the_uniform_distribution_is_the_area(dim):
    value, gradient = _value_and_gradient(tf_vmf.math.log_normalizer, 0.0, dim, "float64")
    assert float(value) == pytest.approx(float(_log_area(dim)), rel=1e-14)
    assert gradient == 0.0
