"""The power spherical log density against mpmath and TensorFlow Probability in double precision."""

import itertools

import mpmath
import numpy as np
import pytest
import scipy.integrate
import scipy.special
import tensorflow as tf
import tensorflow_probability as tfp

from tf_vmf.distributions import PowerSpherical, VonMisesFisher
from tf_vmf.math import power_spherical_kl_to_uniform


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


@pytest.mark.parametrize(("dim", "kappa"), [(50, 1e6), (50, 1e9), (2, 1e9), (3, 1e8), (3, 0.0), (1000, 1e-3), (3, 2.0)])
def test_entropy_and_cross_entropy_are_exact_in_float32(dim, kappa):
    kappa = float(np.float32(kappa))
    with mpmath.workdps(60):
        alpha, beta = mpmath.mpf(dim - 1) / 2 + mpmath.mpf(kappa), mpmath.mpf(dim - 1) / 2
        log_normalizer = (alpha + beta) * mpmath.log(2) + beta * mpmath.log(mpmath.pi)
        log_normalizer += mpmath.loggamma(alpha) - mpmath.loggamma(alpha + beta)
        slope = mpmath.log(2) + mpmath.digamma(alpha) - mpmath.digamma(alpha + beta)
        entropy = float(log_normalizer - mpmath.mpf(kappa) * slope)
        log_area = float(
            mpmath.log(2) + mpmath.mpf(dim) / 2 * mpmath.log(mpmath.pi) - mpmath.loggamma(mpmath.mpf(dim) / 2)
        )
    distribution = PowerSpherical(np.eye(dim, dtype=np.float32)[0], np.float32(kappa))
    assert float(distribution.entropy()) == pytest.approx(entropy, rel=5e-7, abs=2e-6)
    uniform = tfp.distributions.SphericalUniform(dim)
    assert float(distribution.cross_entropy(uniform)) == pytest.approx(
        log_area, rel=1e-6, abs=1e-6 * abs(entropy) + 2e-6
    )


@pytest.mark.parametrize("dim", [2, 3, 5, 40, 42, 1000, 100_000])
def test_the_divergence_keeps_its_digits_at_small_concentrations(dim):
    half = (dim - 1) / 2
    kappa = np.array([1e-12, 1e-6, 1e-4, 0.3, 0.999 * half, 1.001 * half, 30 * half])
    actual = power_spherical_kl_to_uniform(tf.constant(kappa, tf.float64), dim).numpy()
    with mpmath.workdps(60):
        h = mpmath.mpf(dim - 1) / 2

        def increment(a):
            return mpmath.loggamma(a + h) - mpmath.loggamma(a)

        for k, value in zip(map(mpmath.mpf, kappa), actual, strict=True):
            slope = mpmath.digamma(2 * h + k) - mpmath.digamma(h + k)
            exact = float(increment(h + k) - increment(h) - k * slope)
            assert value == pytest.approx(exact, rel=3e-13), k


def test_the_gradient_of_samples_in_a_large_concentration_is_that_of_the_mean():
    # E[x.mu] = kappa / (kappa + d - 1), of derivative (d - 1) / (kappa + d - 1)^2.
    dim, n, kappa = 4, 40_000, tf.constant(1e6)
    with tf.GradientTape() as tape:
        tape.watch(kappa)
        x = PowerSpherical(np.eye(dim, dtype=np.float32)[0], kappa).sample(n, seed=(1, 2))
        # 1 - x.mu as half a square, which keeps its digits.
        distance = 0.5 * tf.reduce_sum(tf.math.squared_difference(x, tf.one_hot(0, dim)), axis=-1)
        mean = tf.reduce_mean(distance)
    assert float(tape.gradient(mean, kappa)) == pytest.approx(-(dim - 1) / 1e12, rel=0.05)


@pytest.mark.parametrize(("dim", "a", "b"), [(2, 3.0, 5.0), (3, 40.0, 7.0), (8, 0.5, 2.0), (50, 1e4, 3e3)])
def test_the_divergence_of_two_about_one_direction_is_the_closed_form(dim, a, b):
    half, mu = (dim - 1) / 2, np.eye(dim)[0]
    p, q = PowerSpherical(mu, np.float64(a)), PowerSpherical(mu, np.float64(b))
    mean_logarithm = scipy.special.digamma(half + a) - scipy.special.digamma(2 * half + a)
    expected = -float(p.entropy()) - float(q.log_prob(mu)) - b * mean_logarithm
    assert float(p.kl_divergence(q)) == pytest.approx(expected, rel=1e-8, abs=1e-11)
    assert float(p.kl_divergence(p)) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("cls", [PowerSpherical, VonMisesFisher])
def test_divergences_on_the_circle_are_those_of_quadrature_at_any_angle(cls):
    a, b = np.array([0.0, 0.5, 2.0, 10.0, 300.0]), 2.0
    angles = np.array([[0.0], [1.5], [2.5], [np.pi]])
    p = cls(np.array([1.0, 0.0]), a)
    q = PowerSpherical(np.stack([np.cos(angles), np.sin(angles)], axis=-1), np.float64(b))
    expected = np.empty((4, 5))
    for (i, k), angle in np.ndenumerate(np.broadcast_to(angles, (4, 5))):

        def integrand(t, a=a[k], angle=angle):
            kernel = np.cos(t) - 1 if cls is VonMisesFisher else np.log(max((1 + np.cos(t)) / 2, 1e-300))
            return np.exp(a * kernel) * -np.log(max((1 + np.cos(t - angle)) / 2, 1e-300)), np.exp(a * kernel)

        ends = np.unique([-np.pi, -0.3, 0.0, 0.3, np.pi, angle - np.pi])
        parts = [
            [scipy.integrate.quad(lambda t, j=j: integrand(t)[j], *end, epsabs=1e-9, epsrel=1e-9)[0] for j in (0, 1)]
            for end in itertools.pairwise(ends)
        ]
        logarithm, mass = np.sum(parts, axis=0)
        expected[i, k] = (
            -float(p.entropy()[k]) - float(q.log_prob([np.cos(angle), np.sin(angle)])[i, 0]) + b * logarithm / mass
        )
    np.testing.assert_allclose(p.kl_divergence(q), expected, rtol=2e-5, atol=1e-9)


@pytest.mark.parametrize("cls", [PowerSpherical, VonMisesFisher])
def test_divergences_to_it_are_those_of_simulation_with_gradients(cls):
    mu = np.array([[0.6, 0.8, 0.0], [0.0, 0.6, 0.8], [1.0, 0.0, 0.0]], np.float32)
    concentration, n = tf.constant([20.0, 3.0, 1.0]), 40_000
    q = PowerSpherical(np.float32([0.0, 1.0, 0.0]), 6.0)
    with tf.GradientTape() as tape:
        tape.watch(concentration)
        divergence = cls(mu, concentration).kl_divergence(q)
    p = cls(mu, concentration)
    x = p.sample(n, seed=(1, 2))
    ratio = (p.log_prob(x) - q.log_prob(x)).numpy()
    np.testing.assert_array_less(np.abs(divergence - ratio.mean(axis=0)), 5 * ratio.std(axis=0) / np.sqrt(n) + 1e-3)
    step = 1e-2
    ends = [cls(mu, concentration + sign * step).kl_divergence(q) for sign in (1, -1)]
    np.testing.assert_allclose(
        tape.gradient(divergence, concentration), (ends[0] - ends[1]) / (2 * step), rtol=2e-2, atol=1e-3
    )


def test_the_divergence_from_the_uniform_distribution_is_that_of_simulation():
    q, uniform = PowerSpherical(tf.one_hot([0, 1], 5), [0.5, 4.0]), tfp.distributions.SphericalUniform(5)
    ratio = (uniform.log_prob(tf.one_hot(0, 5)) - q.log_prob(uniform.sample((20_000, 1), seed=(1, 2)))).numpy()
    np.testing.assert_allclose(uniform.kl_divergence(q), ratio.mean(axis=0), atol=5 * ratio.std() / np.sqrt(20_000))


@pytest.mark.parametrize(("dim", "kappa"), [(2, 0.0), (2, 3.0), (3, 0.5), (5, 40.0), (50, 1e6)])
def test_covariance_equals_quadrature(dim, kappa):
    def moment(power):
        # Of 1 - cosine, small where the density is high: the substitution u = (1 - t) (1 + kappa) spreads the peak.
        scale = 1 + kappa

        def integrand(u):
            rest = u / scale
            return rest**power * np.exp(kappa * np.log1p(-rest / 2)) * (rest * (2 - rest)) ** ((dim - 3) / 2)

        edges = [0.0, *np.geomspace(1e-6, 1, 7), *np.linspace(1, 4 * dim + 40, 30)[1:], 2 * scale]
        pieces = itertools.pairwise(sorted(edge for edge in edges if edge <= 2 * scale))
        return sum(scipy.integrate.quad(integrand, *piece, limit=200)[0] for piece in pieces)

    total, first, second = (moment(power) for power in range(3))
    along = second / total - (first / total) ** 2
    across = (2 * first - second) / total / (dim - 1)
    mu = np.eye(dim, dtype=np.float32)[0]
    got = np.diag(PowerSpherical(mu, np.float32(kappa)).covariance())
    np.testing.assert_allclose(got[0], along, rtol=2e-5)
    np.testing.assert_allclose(got[1:], across, rtol=2e-5)
