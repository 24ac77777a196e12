"""The fits behind the cosine: exact quantiles, quick and cached. Their accuracy is proved in test_cosine_law."""

import time

import numpy as np
import pytest
from scipy.special import ndtr

from tf_vmf.math.cosine_series import fixed_concentration_series, normal_quantiles_to, series


def test_the_fitted_quantiles_are_exact_for_the_logistic_law():
    # sech(t)^2 on the line is the logistic law: its quantile function is atanh(2 p - 1), and its mode has curvature 2.
    z = np.linspace(-6, 6, 25)
    fitted = normal_quantiles_to(lambda t: -2 * np.log(np.cosh(t / np.sqrt(2))), z, 1)[0] / np.sqrt(2)
    np.testing.assert_allclose(fitted, 0.5 * (np.log(ndtr(z)) - np.log(ndtr(-z))), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fits_are_cached_and_take_a_fifth_of_a_second_at_most(dtype):
    for dim in (2, 4, 37, 1001):
        start = time.process_time()
        fixed_concentration_series.__wrapped__(dim, 12.345, dtype)
        series.__wrapped__(dim, dtype)
        # float64 on the circle, the largest table, is allowed twice that.
        assert time.process_time() - start < (0.8 if dim == 2 and dtype == "float64" else 0.2)
        assert series(dim, dtype) is series(dim, dtype)
