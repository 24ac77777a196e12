"""KL divergences of the von Mises-Fisher distribution."""

import itertools

import mpmath
import numpy as np
import pytest
import tensorflow as tf

import tf_vmf.math
from tests.conftest import SHARED
from tests.math.reference import DIGITS, Errors, exact, random_points, relative_error
from tests.parameters import quick

TARGETS = {
    "float32": {"KL": 5e-7, "KL'": 5e-7, "KL'' / A'": 2e-6},
    "float64": {"KL": 2e-15, "KL'": 2e-15, "KL'' / A'": 5e-15},
}
PAIR_TARGETS = {"float32": 1e-6, "float64": 1e-13}


def _value_and_derivatives(kappa: tf.Tensor, dim: int) -> list[tf.Tensor]:
    with tf.GradientTape() as outer:
        outer.watch(kappa)
        with tf.GradientTape() as inner:
            inner.watch(kappa)
            value = tf_vmf.math.kl_to_uniform(kappa, dim)
        first = inner.gradient(value, kappa)
    return [value, first, outer.gradient(first, kappa)]


@pytest.mark.parametrize("count", [12, pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kl_to_uniform_accuracy_at_random_points(dtype, count):
    errors = Errors()
    for dim, kappa in random_points(count, seed=1):
        e = exact(dim, kappa)
        expected = [e.kl, kappa * e.variance, e.variance + kappa * e.third]
        scales = [None, None, e.variance]
        values = _value_and_derivatives(tf.constant(kappa, dtype), dim)
        for name, value, reference, scale in zip(TARGETS[dtype], values, expected, scales, strict=True):
            errors.add(name, relative_error(value, reference, scale), dim, kappa)
    errors.check(TARGETS[dtype])


@pytest.mark.skipif(not (SHARED / "oracle").exists(), reason="needs the table of exact values beside the checkout")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kl_to_uniform_accuracy_on_the_oracle_grid(dtype):
    errors = Errors()
    with np.load(SHARED / "oracle" / "oracle_public.npz") as oracle:
        for dim in np.unique(oracle["d"]):
            rows = oracle["d"] == dim
            expected = [oracle[name][rows] for name in ("kl_uniform", "dkl_dkappa", "d2kl_dkappa2")]
            scales = [*expected[:2], oracle["dratio"][rows]]
            values = _value_and_derivatives(tf.constant(oracle["kappa"][rows], dtype), int(dim))
            for name, value, reference, scale in zip(TARGETS[dtype], values, expected, scales, strict=True):
                error = np.abs(value.numpy().astype(np.float64) - reference) / np.abs(scale)
                errors.add(name, float(np.max(error)), int(dim), float(oracle["kappa"][rows][np.argmax(error)]))
    errors.check(TARGETS[dtype])


@pytest.mark.parametrize("dim", [2, 3, 8, 50, 200_000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kl_to_uniform_vanishes_at_zero_with_its_gradient(dim, dtype):
    value, first, second = _value_and_derivatives(tf.constant([0.0, 1e-30], dtype), dim)
    assert np.all(value.numpy() >= 0.0)
    assert value[0] == 0.0
    assert first[0] == 0.0
    np.testing.assert_allclose(second, 1 / dim, rtol=10 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dim", [2, 3, 8, 50, 200_000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kl_to_uniform_is_never_negative_and_increases(dim, dtype):
    values = tf_vmf.math.kl_to_uniform(tf.constant(np.geomspace(1e-7, 1e10, 2000), dtype), dim).numpy()
    assert np.all(values > 0)
    assert np.all(np.diff(values) > 0)


def test_kl_to_uniform_in_dimension_three_has_a_closed_form():
    kappa = np.geomspace(0.5, 300.0, 60)
    closed = kappa / np.tanh(kappa) - 1 - np.log(np.sinh(kappa) / kappa)
    np.testing.assert_allclose(tf_vmf.math.kl_to_uniform(tf.constant(kappa), 3), closed, rtol=1e-12)


def _pairs(count: int, seed: int) -> list[tuple[int, float, float, float]]:
    """(dim, kappa1, kappa2, 1 - cos): equal, nearly equal, around the switch of methods, and far apart."""
    rng = np.random.default_rng(seed)
    pairs = []
    for i, (dim, kappa1) in enumerate(random_points(count, seed)):
        log_ratio = [
            rng.normal() * 10 ** rng.uniform(-6, -1),
            rng.uniform(-4, 4),
            rng.choice([-1, 1]) * rng.uniform(1.9, 2.4),
            rng.uniform(-18, 18),
        ][i % 4]
        kappa2 = np.float32(np.clip(kappa1 * np.exp(log_ratio), 1e-7, 1e8))
        distance = np.float32(0.0 if rng.uniform() < 0.4 else 10 ** rng.uniform(-8, 0.3))
        pairs.append((dim, kappa1, float(kappa2), float(distance)))
    return pairs


@pytest.mark.parametrize("count", [16, pytest.param(48, marks=pytest.mark.slow)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kl_between_two_distributions_and_its_gradients(dtype, count):
    errors = Errors()
    for dim, kappa1, kappa2, distance in _pairs(count, seed=1):
        e1, e2 = exact(dim, kappa1), exact(dim, kappa2)
        with mpmath.workdps(DIGITS):
            k1, k2, c = mpmath.mpf(kappa1), mpmath.mpf(kappa2), mpmath.mpf(distance)
            kl = e2.log_hyp0f1 - e1.log_hyp0f1 + k1 * e1.mean - k2 * e1.mean * (1 - c)
            gap = e2.mean - e1.mean
            gradients = [e1.variance * (k1 - k2 + k2 * c), gap + e1.mean * c, k2 * e1.mean]
            # The first two are sums of terms of both signs: their error is measured by the size of the terms.
            scales = [e1.variance * (abs(k1 - k2) + k2 * c), abs(gap) + e1.mean * c, None]
        arguments = [tf.constant(v, dtype) for v in (kappa1, kappa2, distance)]
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            value = tf_vmf.math.kl_von_mises_fisher(*arguments, dim)
        point = (dim, kappa1, kappa2, distance)
        if kl > 1e-35:  # below, float32 has only denormal numbers
            errors.add("KL", relative_error(value, kl), *point)
        else:
            assert 0.0 <= value.numpy() < 2e-35
        for i, gradient in enumerate(tape.gradient(value, arguments)):
            if kappa1 == kappa2 and distance == 0.0 and i < 2:
                assert gradient == 0.0
            else:
                errors.add(f"gradient {i}", relative_error(gradient, gradients[i], scales[i]), *point)
    errors.check(dict.fromkeys(["KL", "gradient 0", "gradient 1", "gradient 2"], PAIR_TARGETS[dtype]))


@pytest.mark.parametrize(("dtype", "count"), quick(1, [("float64", 12), ("float64", 24), ("float32", 24)]))
def test_hessian_of_kl_between_two_distributions(dtype, count):
    errors = Errors()
    for dim, kappa1, kappa2, distance in _pairs(count, seed=1):
        e1, e2 = exact(dim, kappa1), exact(dim, kappa2)
        arguments = [tf.constant(v, dtype) for v in (kappa1, kappa2, distance)]
        with tf.GradientTape(persistent=True) as outer:
            outer.watch(arguments)
            with tf.GradientTape() as inner:
                inner.watch(arguments)
                value = tf_vmf.math.kl_von_mises_fisher(*arguments, dim)
            gradient = inner.gradient(value, arguments)
        hessian = [outer.gradient(g, arguments, unconnected_gradients="zero") for g in gradient]
        force = kappa1 - kappa2 + kappa2 * mpmath.mpf(distance)
        expected = {
            (0, 0): (e1.variance + e1.third * force, e1.variance + abs(e1.third) * (kappa1 + kappa2)),
            (0, 1): (-e1.variance * (1 - distance), e1.variance),
            (0, 2): (kappa2 * e1.variance, None),
            (1, 1): (e2.variance, None),
            (1, 2): (e1.mean, None),
        }
        for (i, j), (reference, scale) in expected.items():
            for actual in (hessian[i][j], hessian[j][i]):
                errors.add("Hessian", relative_error(actual, reference, scale), dim, kappa1, kappa2, distance, i, j)
    errors.check({"Hessian": {"float32": 2e-6, "float64": 1e-13}[dtype]})


@pytest.mark.parametrize("dim", [2, 3, 5, 8, 50, 1000, 200_000])
def test_float32_meets_its_targets_densely_given_float64(dim, rng):
    """Twenty thousand points a dimension; float64, proven above at fewer points, stands for the exact value."""
    kappa1 = np.concatenate([10 ** rng.uniform(-7, 8, 10_000), dim * 10 ** rng.uniform(-2, 2, 10_000)])
    kappa2 = np.clip(kappa1 * np.exp(rng.uniform(-5, 5, kappa1.size)), 1e-7, 1e8)
    single = [tf.constant(kappa1, tf.float32), tf.constant(kappa2, tf.float32), tf.zeros(kappa1.size)]
    double = [tf.cast(x, tf.float64) for x in single]
    errors = Errors()
    for name, value, expected, scale in zip(
        TARGETS["float32"],
        _value_and_derivatives(single[0], dim),
        (exact_values := _value_and_derivatives(double[0], dim)),
        [*exact_values[:2], tf_vmf.math.mean_resultant_length_derivative(double[0], dim)],
        strict=True,
    ):
        errors.add(name, float(np.max(np.abs(value.numpy() - expected.numpy()) / scale.numpy())), dim)
    expected = tf_vmf.math.kl_von_mises_fisher(*double, dim).numpy()
    error = np.abs(tf_vmf.math.kl_von_mises_fisher(*single, dim).numpy() - expected)
    errors.add("KL of two", float(np.max((error / expected)[expected > 1e-33])), dim)
    errors.check({**TARGETS["float32"], "KL of two": PAIR_TARGETS["float32"]})


@pytest.mark.parametrize("dim", [2, 3, 50, 10_000])
def test_kl_between_two_distributions_has_the_uniform_distribution_as_a_limit(dim):
    kappa = tf.constant(np.geomspace(1e-3, 1e6, 30))
    zero = tf.zeros_like(kappa)
    to_uniform = tf_vmf.math.kl_von_mises_fisher(kappa, zero, 1.0, dim)
    np.testing.assert_allclose(to_uniform, tf_vmf.math.kl_to_uniform(kappa, dim), rtol=1e-14)
    # The mean of the uniform distribution is 0, whatever the angle.
    from_uniform = tf_vmf.math.kl_von_mises_fisher(zero, kappa, 0.3, dim)
    np.testing.assert_allclose(from_uniform, tf_vmf.math.log_hyp0f1(kappa, dim), rtol=1e-13)
    assert tf_vmf.math.kl_von_mises_fisher(0.0, 0.0, 2.0, dim) == 0.0


def test_kl_between_equal_distributions_is_exactly_zero():
    kappa = tf.constant([0.0, 1e-7, 0.3, 10.0, 1e5, 1e10])
    for dim in (2, 50):
        np.testing.assert_array_equal(tf_vmf.math.kl_von_mises_fisher(kappa, kappa, 0.0, dim), 0.0)


def test_kl_between_two_distributions_broadcasts_and_sums_gradients():
    kappa1, kappa2 = tf.constant([[1.0], [20.0], [30.0]]), tf.constant([2.0, 25.0])
    distance = tf.constant(0.25)
    with tf.GradientTape() as tape:
        tape.watch([kappa1, kappa2, distance])
        value = tf_vmf.math.kl_von_mises_fisher(kappa1, kappa2, distance, 5)
    gradients = tape.gradient(value, [kappa1, kappa2, distance])
    assert value.shape == (3, 2)
    assert [g.shape for g in gradients] == [(3, 1), (2,), ()]
    for i, j in itertools.product(range(3), range(2)):
        single = tf_vmf.math.kl_von_mises_fisher(kappa1[i, 0], kappa2[j], distance, 5)
        np.testing.assert_allclose(value[i, j], single, rtol=1e-6)
