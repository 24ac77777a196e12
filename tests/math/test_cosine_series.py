"""The fits behind the cosine: exact quantiles, and cached. Their accuracy is proved in test_cosine_law."""

import numpy as np
from scipy.special import ndtr

from tf_vmf.math.cosine_series import fixed_concentration_series, normal_quantiles_to, series


def test_the_fitted_quantiles_are_exact_for_the_logistic_law():
    # sech(t)^2 on the line is the logistic law: its quantile function is atanh(2 p - 1), and its mode has curvature 2.
    z = np.linspace(-6, 6, 25)
    fitted = normal_quantiles_to(lambda t: -2 * np.log(np.cosh(t / np.sqrt(2))), z, 1)[0] / np.sqrt(2)
    np.testing.assert_allclose(fitted, 0.5 * (np.log(ndtr(z)) - np.log(ndtr(-z))), rtol=1e-12, atol=1e-13)


def test_fits_are_cached():
    for dim in (2, 37):
        assert series(dim, "float32") is series(dim, "float32")
        assert fixed_concentration_series(dim, 12.345, "float64") is fixed_concentration_series(dim, 12.345, "float64")
