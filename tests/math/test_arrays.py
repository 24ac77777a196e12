"""The functions on NumPy arrays are those on tensors."""

import numpy as np
import pytest
import tensorflow as tf

from tf_vmf import math as vmf_math
from tf_vmf.math import arrays


@pytest.mark.parametrize("dim", [2, 3, 7, 60, 100_000])
def test_they_equal_the_functions_on_tensors(dim):
    kappa = np.array([0.0, 1e-7, 0.3, 5.0, 80.0, 1e4, 1e8, 1e20, np.inf])
    for name in ("log_prob_at_mode", "mean_resultant_length", "mean_resultant_length_derivative"):
        expected = getattr(vmf_math, name)(tf.constant(kappa), dim)
        np.testing.assert_allclose(getattr(arrays, name)(kappa, dim), expected, rtol=4e-15, err_msg=name)
    r = np.array([0.0, 1e-9, 0.2, 0.5, 0.9, 1 - 1e-9, 1.0, 1.5, np.nan])
    expected = vmf_math.inverse_mean_resultant_length(tf.constant(r), dim)
    np.testing.assert_allclose(arrays.inverse_mean_resultant_length(r, dim), expected, rtol=4e-15)


def test_they_give_no_warnings_and_take_scalars():
    assert float(arrays.inverse_mean_resultant_length(0.5, 3)) == pytest.approx(1.7967, abs=1e-4)  # coth(k) - 1/k = 1/2
    assert float(arrays.log_prob_at_mode(0.0, 3)) == pytest.approx(-np.log(4 * np.pi), rel=1e-15)
