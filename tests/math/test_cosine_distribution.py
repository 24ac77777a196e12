"""Distribution function and quantiles of the cosine agree with mpmath and with quadrature in the angle."""

import itertools

import mpmath
import numpy as np
import pytest
import tensorflow as tf

from tests.math.cosine_oracle import AngleLaw
from tests.parameters import quick
from tf_vmf.math import von_mises_fisher_cosine_cdf, von_mises_fisher_cosine_quantile


def mpmath_cdf(cosines, kappa, dim):
    """Probabilities of lower cosines than each, which are in ascending order."""
    with mpmath.workdps(30):
        angles = [mpmath.acos(mpmath.mpf(cosine)) for cosine in cosines]

        # Relative to the largest value: mpmath integrates to an absolute tolerance.
        mode = (
            mpmath.acos(2 * kappa / (dim - 2 + mpmath.sqrt((dim - 2) ** 2 + 4 * mpmath.mpf(kappa) ** 2)))
            if dim > 2
            else 0
        )

        def density(t):
            if dim == 2:
                return mpmath.exp(kappa * (mpmath.cos(t) - 1))
            relative = (mpmath.sin(t) / mpmath.sin(mode)) ** (dim - 2)
            return relative * mpmath.exp(kappa * (mpmath.cos(t) - mpmath.cos(mode)))

        ends = [mpmath.pi, *angles, 0]
        panels = [-mpmath.quad(density, mpmath.linspace(*pair, 6)) for pair in itertools.pairwise(ends)]
        below = list(itertools.accumulate(panels))
        return [float(part / below[-1]) for part in below[:-1]]


@pytest.mark.parametrize(("dim", "kappa"), [(2, 0.0), (2, 6.0), (3, 2.0), (4, 0.1), (7, 12.0), (50, 35.0), (200, 90.0)])
def test_the_cdf_equals_mpmath(dim, kappa):
    cosines = [-0.9, -0.2, 0.05, 0.5, 0.8, 0.99]
    got = von_mises_fisher_cosine_cdf(tf.constant(cosines, tf.float64), tf.constant(kappa, tf.float64), dim)
    np.testing.assert_allclose(got, mpmath_cdf(cosines, kappa, dim), rtol=1e-12, atol=1e-20)


@pytest.mark.parametrize("dim", quick(4, [2, 3, 24, 100_000, 5, 1000]))
def test_quantiles_hit_the_exact_probability(dim):
    probability = np.array([1e-9, 1e-4, 0.02, 0.3, 0.5, 0.9, 0.999])
    kappas = np.array([0.0, 0.5, 7.0, 0.4 * dim, 20.0 * dim])
    cosines = von_mises_fisher_cosine_quantile(
        tf.constant(probability), tf.constant(kappas[:, np.newaxis]), dim
    ).numpy()
    for kappa, cosine in zip(kappas, cosines, strict=True):
        law = AngleLaw(dim, kappa)
        # What rounding of the cosine to float64 alone changes.
        rounding = np.abs(
            law.probability_above(np.arccos(cosine * (1 - 4e-16))) - law.probability_above(np.arccos(cosine))
        )
        error = np.abs(law.probability_above(np.arccos(cosine)) - probability)
        assert np.all(error < 1e-11 * probability + 4 * rounding + 1e-15), (kappa, error / probability)


def test_the_ends_of_the_range_are_exact():
    kappa = tf.constant([0.0, 3.0, 1e6])
    below = von_mises_fisher_cosine_cdf(tf.constant([[-1.0], [1.0], [-1.5], [1.5]]), kappa, 5)
    np.testing.assert_array_equal(below, [[0.0] * 3, [1.0] * 3, [0.0] * 3, [1.0] * 3])
    ends = von_mises_fisher_cosine_quantile(tf.constant([[0.0], [1.0]]), kappa, 5)
    np.testing.assert_array_equal(ends, [[-1.0] * 3, [1.0] * 3])


def test_what_is_no_probability_has_no_quantile_and_nan_stays_nan():
    values = tf.constant([-0.1, 1.1, np.nan, np.inf, -np.inf, 0.5])  # as in scipy
    kappas = tf.constant([3.0] * 5 + [np.nan])
    assert np.isnan(von_mises_fisher_cosine_quantile(values, kappas, 5)).all()
    assert np.isnan(von_mises_fisher_cosine_cdf(values, kappas, 5))[[2, 5]].all()


@pytest.mark.parametrize("dim", quick(2, [2, 6, 3, 50]))
def test_gradients_are_the_density_and_the_derivative_in_kappa(dim):
    kappa, cosine = tf.constant(0.7 * dim, tf.float64), tf.constant(0.6, tf.float64)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([kappa, cosine])
        probability = von_mises_fisher_cosine_cdf(cosine, kappa, dim)
        back = von_mises_fisher_cosine_quantile(probability, kappa, dim)
    h = 1e-5
    at_cosines = mpmath_cdf([0.6 - h, 0.6 + h], 0.7 * dim, dim)
    at_kappas = [mpmath_cdf([0.6], 0.7 * dim + step, dim)[0] for step in (-h, h)]
    for variable, (low, high) in ((cosine, at_cosines), (kappa, at_kappas)):
        assert float(tape.gradient(probability, variable)) == pytest.approx((high - low) / (2 * h), rel=1e-7)
    # The quantile inverts the cdf: the composition does not depend on kappa.
    assert float(back) == pytest.approx(0.6, abs=1e-13)
    assert float(tape.gradient(back, cosine)) == pytest.approx(1, abs=1e-9)
    assert float(tape.gradient(back, kappa)) == pytest.approx(0, abs=1e-9)


@pytest.mark.slow  # XLA takes half a minute over the unrolled iterations
@pytest.mark.parametrize("function", [von_mises_fisher_cosine_cdf, von_mises_fisher_cosine_quantile])
def test_the_functions_compile(function):
    cosine, kappa = tf.constant([[0.1], [0.9]]), tf.constant([0.5, 30.0, 4.0])
    expected = function(cosine, kappa, 10)
    np.testing.assert_allclose(tf.function(function, jit_compile=True)(cosine, kappa, 10), expected, rtol=1e-6)


@pytest.mark.parametrize("function", [von_mises_fisher_cosine_cdf, von_mises_fisher_cosine_quantile])
def test_the_functions_broadcast_and_keep_the_dtype(function):
    cosine, kappa = tf.constant([[0.1], [0.9]]), tf.constant([0.5, 30.0, 4.0])
    result = function(cosine, kappa, 10)
    assert result.shape == (2, 3)
    assert result.dtype == tf.float32
    assert function(tf.cast(cosine, tf.bfloat16), tf.cast(kappa, tf.bfloat16), 10).dtype == tf.bfloat16
