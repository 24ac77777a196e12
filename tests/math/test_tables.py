"""The stored coefficients and the program that makes them."""

import mpmath
import numpy as np
import pytest

from tests.math.reference import DIGITS, exact, relative_error
from tests.parameters import quick
from tf_vmf.math import _tables

generator = pytest.importorskip(
    "tools.generate_tables", reason="the generator is part of the repository, not of the wheel"
)


@pytest.mark.parametrize(("dim", "kappa"), [(2, 0.01), (3, 40.0), (5.5, 3.0), (50, 1e6), (3000, 2e3), (200_000, 1e4)])
def test_exact_values_of_the_generator_agree_with_numerical_integration(dim, kappa):
    kl, mean, slope = generator.exact_values(dim, kappa)
    e = exact(dim, kappa)
    for actual, expected in ((kl, e.kl), (mean, e.mean), (slope, e.variance)):
        with mpmath.workdps(DIGITS):
            assert abs(actual / expected - 1) < mpmath.mpf(10) ** -24


@pytest.mark.parametrize("dim", quick(4, [2, 4, 17, 5000, 3, 6, 8, 100]))
def test_regenerated_coefficients_equal_the_stored_ones(dim):
    series = {name: _tables.chebyshev_series(name, float(dim)) for name in generator.NAMES}
    beta = series["kl"][1]
    nodes = max(len(coefficients) for coefficients, _ in series.values()) + 4
    for (name, (stored, _)), regenerated in zip(series.items(), generator.series_in_p(dim, beta, nodes), strict=True):
        expected = np.array([float(c) for c in regenerated])
        np.testing.assert_allclose(stored, expected[: len(stored)], rtol=0, atol=5e-16, err_msg=name)
        assert np.all(np.abs(expected[len(stored) :]) < 2e-16)


def test_stored_segments_are_those_of_the_program():
    tables = _tables._tables()
    np.testing.assert_array_equal(tables["segments"], [segment[:3] for segment in generator.SEGMENTS])
    assert len(tables) == 1 + len(generator.SEGMENTS) * len(generator.NAMES)


def test_file_is_small():
    assert generator.OUTPUT.stat().st_size < 100_000


@pytest.mark.parametrize("dim", [2.0, 3.9, 4.1, 7.99, 8.01, 12.5, 1e6])
@pytest.mark.parametrize("p", [0.001, 0.03, 0.4, 0.97])
def test_series_reproduce_the_remainders_between_nodes_and_for_real_dimensions(dim, p):
    for name, expected in zip(generator.NAMES, generator.remainders(dim, mpmath.mpf(p)), strict=True):
        coefficients, beta = _tables.chebyshev_series(name, dim)
        x = (1 + beta) * p / (1 + beta * p)
        actual = np.polynomial.chebyshev.chebval(2 * x - 1, coefficients)
        assert relative_error(actual, expected, 1 + abs(expected)) < 3e-15


@pytest.mark.parametrize("dim", [2, 7, 8, 50, 1000])
def test_float32_polynomials_are_short_truncations(dim):
    for name in generator.NAMES:
        short, long = (_tables.polynomial(name, float(dim), dtype) for dtype in ("float32", "float64"))
        assert len(short.coefficients) < 0.6 * len(long.coefficients)
