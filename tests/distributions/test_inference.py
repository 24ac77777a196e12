"""Errors and intervals of a fit, the correction of its concentration, and Rayleigh's test."""

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
import tensorflow as tf

from tests.parameters import quick
from tf_vmf._errors import ArgumentError
from tf_vmf.distributions import VonMisesFisher, fit_with_errors, rayleigh_test

# The nine roulette spins of Mardia and Jupp (2000), example 2.1, degrees; their mean direction is 51 degrees, Rbar = 0.711.
ROULETTE = np.radians([43, 45, 52, 61, 75, 88, 88, 279, 357])


def draw(concentration, dim, n, times, seed=1):
    mean_direction = np.eye(dim)[0]
    return VonMisesFisher(mean_direction, float(concentration)).sample((n, times), seed=(dim, seed)).numpy()


def uniform(dim, n, times):
    x = np.random.default_rng(0).normal(size=(n, times, dim))
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def test_published_data_have_the_published_mean_direction_and_length():
    x = np.stack([np.cos(ROULETTE), np.sin(ROULETTE)], axis=-1)
    fit = fit_with_errors(x)
    assert np.degrees(np.arctan2(fit.mean_direction[1], fit.mean_direction[0])) == pytest.approx(51, abs=0.5)
    assert fit.mean_resultant_length == pytest.approx(0.711, abs=5e-4)
    assert rayleigh_test(x, modified=False).statistic == pytest.approx(2 * 9 * 0.711**2, rel=1e-3)
    assert fit.num_samples == 9
    assert 0.005 < rayleigh_test(x).p_value < 0.012


@pytest.mark.parametrize("dim", [2, 3, 10])
def test_for_concentrated_points_the_results_are_those_of_chi_squared_and_f_distributions(dim):
    n = 7
    x = draw(1e6, dim, n, 4)
    fit = fit_with_errors(x, confidence=0.9)
    missing = n - n * fit.mean_resultant_length  # 2 kappa (n - R) ~ chi^2 with so many degrees of freedom
    degrees = (n - 1) * (dim - 1)
    np.testing.assert_allclose(fit.concentration, n * (dim - 1) / (2 * missing), rtol=1e-4)
    np.testing.assert_allclose(fit.corrected_concentration, degrees / (2 * missing), rtol=1e-4)

    def deviance(log_ratio):  # of the scale of a chi^2, from its maximum
        return degrees * (np.expm1(log_ratio) - log_ratio) - scipy.stats.chi2.ppf(0.9, 1)

    ends = [scipy.optimize.brentq(deviance, *ends) for ends in ((-10.0, 0.0), (0.0, 10.0))]
    np.testing.assert_allclose(
        fit.concentration_interval / fit.corrected_concentration[:, np.newaxis], [np.exp(ends)] * 4, rtol=1e-3
    )
    # The cone of Fisher (1953) on the sphere; elsewhere the F distribution that it stands for.
    ratio = scipy.stats.f.ppf(0.9, dim - 1, degrees) / (n - 1) if dim != 3 else 0.1 ** (-1 / (n - 1)) - 1
    np.testing.assert_allclose(1 - np.cos(fit.mean_direction_angle), missing / (n - missing) * ratio, rtol=1e-3)


def test_the_corrected_concentration_has_the_mean_of_an_inverse_chi_squared():
    n, dim, concentration = 10, 10, 500.0
    fit = fit_with_errors(draw(concentration, dim, n, 2000))
    degrees = (n - 1) * (dim - 1)
    for estimate, factor in ((fit.corrected_concentration, 1.0), (fit.concentration, n / (n - 1))):
        ratio = estimate / concentration
        expected = factor * degrees / (degrees - 2)
        assert abs(ratio.mean() - expected) < 4 * ratio.std() / np.sqrt(2000) + 3e-3  # 3e-3: kappa is not infinite


@pytest.mark.parametrize(("dim", "concentration"), quick(1, [(3, 2.0), (2, 1.0), (10, 5.0)]))
def test_intervals_cover_the_truth_as_often_as_they_say_and_the_bias_is_smaller(dim, concentration):
    times = 1000
    fit = fit_with_errors(draw(concentration, dim, 8, times))
    low, high = fit.concentration_interval.T
    angle = np.arccos(np.clip(fit.mean_direction[:, 0], -1, 1))
    for covered in ((low <= concentration) & (concentration <= high), angle <= fit.mean_direction_angle):
        # Four standard errors of a share, 0.7 % each, and 1.5 % of approximation.
        assert abs(covered.mean() - 0.95) < 0.015 + 4 * np.sqrt(0.95 * 0.05 / times)
    bias, corrected_bias = (
        np.median(each) - concentration for each in (fit.concentration, fit.corrected_concentration)
    )
    assert abs(corrected_bias) < 0.4 * bias


def test_standard_errors_are_the_deviations_of_many_fits():
    times = 1000
    fit = fit_with_errors(draw(6.0, 4, 200, times))
    tangent = fit.mean_direction[:, 1:].std(axis=0)
    # A standard deviation of 1,000 values has a relative error of 2.2 %.
    np.testing.assert_allclose(np.median(fit.concentration_error) / fit.corrected_concentration.std(), 1, atol=0.1)
    np.testing.assert_allclose(np.median(fit.mean_direction_error) / tangent, 1, atol=0.1)


@pytest.mark.parametrize(("dim", "n"), [(2, 5), (3, 5), (10, 8)])
def test_the_p_values_of_uniform_points_are_uniform(dim, n):
    times = 40_000
    x = uniform(dim, n, times)
    errors = {}
    for modified in (False, True):
        p = rayleigh_test(x, modified=modified).p_value
        errors[modified] = [abs(np.mean(p < level) / level - 1) for level in (0.1, 0.05)]
    # The standard error of the share is 1.5 % and 2.2 % of the level; the modification leaves an error of order 1/n^2.
    np.testing.assert_array_less(errors[True], [0.07, 0.1])
    assert errors[True][1] < errors[False][1] + 0.03


def test_what_is_no_more_concentrated_than_chance_is_not_fitted_as_if_it_were():
    x = np.concatenate([np.eye(3), -np.eye(3)])
    fit = fit_with_errors(x)
    assert fit.corrected_concentration == 0
    assert fit.concentration_interval[0] == 0
    assert 0 < fit.concentration_interval[1] < 3
    assert fit.mean_direction_angle == pytest.approx(np.pi)
    assert np.isinf(fit.mean_direction_error)
    assert rayleigh_test(x).p_value > 0.99
    one_way = fit_with_errors(np.tile([[0.0, 1.0]], (4, 1)))  # no spread at all
    assert np.isfinite(one_way.concentration_interval[0])
    assert one_way.mean_direction_angle < 1e-4


def test_bad_arguments_are_refused():
    for bad in (np.ones((5, 3)), np.eye(3)[:1], np.eye(3)[0]):
        with pytest.raises(ArgumentError) as error:
            fit_with_errors(bad)
        assert error.value.name == "samples"
    with pytest.raises(ArgumentError) as error:
        fit_with_errors(np.eye(3), confidence=95)
    assert error.value.name == "confidence"


def test_points_in_half_precision_are_unit_vectors_to_that_precision():
    samples = draw(20.0, 5, 200, 1)[:, 0]
    for convert in (lambda x: x.astype(np.float16), lambda x: tf.cast(x, tf.bfloat16)):
        fit, exact = fit_with_errors(convert(samples)), fit_with_errors(samples)
        assert fit.concentration == pytest.approx(exact.concentration, rel=2e-2)
        assert rayleigh_test(convert(samples)).p_value < 1e-9
    assert rayleigh_test(np.eye(3, dtype=int)).p_value == rayleigh_test(np.eye(3)).p_value


def test_equal_fits_are_equal():
    x = draw(20.0, 5, 20, 2)
    assert fit_with_errors(x) == fit_with_errors(x)
    assert rayleigh_test(x) == rayleigh_test(x)
    assert fit_with_errors(x) != fit_with_errors(x, confidence=0.9)
    assert fit_with_errors(x) != rayleigh_test(x)


def test_the_interval_of_concentrated_points_has_no_wall_and_that_of_equal_ones_no_end():
    tangent = np.random.default_rng(0).normal(size=(400, 2)) / np.sqrt(1.7e11)
    x = np.concatenate([tangent, np.sqrt(1 - np.square(tangent).sum(axis=1, keepdims=True))], axis=1)
    fit = fit_with_errors(x)
    low, high = fit.concentration_interval
    assert low < 1.7e11 < high < 2.2e11
    equal = fit_with_errors(np.tile([[0.0, 1.0]], (4, 1)))
    assert np.isinf(equal.concentration_interval[1])
    assert equal.concentration == 1e18
    np.testing.assert_array_equal(fit_with_errors(np.tile(np.float32([[0.0, 1.0]]), (4, 1))).concentration, 2.0**46)
