"""What the functions of tf_vmf.math refuse, and what they say."""

import re

import numpy as np
import pytest
import tensorflow as tf

import tf_vmf.math
from tf_vmf._errors import ArgumentError

BY_DIM = [
    tf_vmf.math.kl_to_uniform,
    tf_vmf.math.mean_resultant_length,
    tf_vmf.math.one_minus_mean_resultant_length,
    tf_vmf.math.mean_resultant_length_derivative,
    tf_vmf.math.log_normalizer,
    tf_vmf.math.log_hyp0f1,
    tf_vmf.math.log_prob_at_mode,
    tf_vmf.math.inverse_mean_resultant_length,
    tf_vmf.math.inverse_one_minus_mean_resultant_length,
    lambda kappa, dim: tf_vmf.math.kl_von_mises_fisher(kappa, kappa, kappa, dim),
]
BY_ORDER = [tf_vmf.math.log_bessel_i, tf_vmf.math.bessel_i_ratio, tf_vmf.math.bessel_i_ratio_derivative]


@pytest.mark.parametrize("function", BY_DIM)
def test_dimension_below_two_is_a_value_error_that_names_it(function):
    for dim in (1, 0, -3):
        with pytest.raises(ArgumentError) as error:
            function(tf.constant(0.5), dim)
        assert (error.value.name, error.value.received) == ("dim", str(dim))


@pytest.mark.parametrize("function", BY_DIM)
def test_dimension_that_is_not_a_static_int_is_a_type_error(function):
    for dim in (3.0, "3", None, True, tf.constant(3)):
        with pytest.raises(TypeError, match=re.compile(r"`dim`.*Expected an int >= 2.*Received: dim=", re.DOTALL)):
            function(tf.constant(0.5), dim)
    assert function(tf.constant(0.5), np.int64(3)).shape == ()


@pytest.mark.parametrize("function", BY_ORDER)
def test_order_must_be_a_finite_number_not_below_zero(function):
    for order in (-0.5, float("nan"), float("inf")):
        with pytest.raises(ArgumentError) as error:
            function(order, tf.constant(1.0))
        assert (error.value.name, error.value.received) == ("order", str(order))
    for order in ("1", None, True):
        with pytest.raises(TypeError, match=r"`order`.*Expected a real number >= 0.*Received: order="):
            function(order, tf.constant(1.0))


@pytest.mark.parametrize("function", BY_DIM)
def test_integer_tensors_are_refused_with_a_remedy(function):
    with pytest.raises(TypeError, match=r"Expected floating-point tensors.*Received: .*int32.*tf\.cast"):
        function(tf.constant(1), 3)


def test_mixed_dtypes_are_refused():
    with pytest.raises(TypeError, match=r"`concentration2`.*float32 tensor, the dtype of the other arguments"):
        tf_vmf.math.kl_von_mises_fisher(tf.constant(1.0), tf.constant(1.0, tf.float64), 0.5, 3)


def test_python_numbers_and_arrays_are_accepted():
    assert tf_vmf.math.kl_to_uniform(10, 5).dtype == tf.float32
    assert tf_vmf.math.kl_to_uniform([1.0, 2.0], 5).shape == (2,)
    assert tf_vmf.math.kl_to_uniform(np.ones(3), 5).dtype == tf.float64
    assert tf_vmf.math.kl_to_uniform(tf.Variable(2.0), 5).dtype == tf.float32
    assert tf_vmf.math.kl_von_mises_fisher(tf.constant(1.0, tf.float64), 2.0, 0.5, 5).dtype == tf.float64


def test_numpy_integers_are_numbers():
    expected = tf_vmf.math.kl_to_uniform([1.0, 2.0, 3.0], 3)
    for integers in (np.array([1, 2, 3]), np.array([1, 2, 3], np.uint8)):
        np.testing.assert_array_equal(tf_vmf.math.kl_to_uniform(integers, 3), expected)
    assert tf_vmf.math.kl_to_uniform(np.int64(2), 3).dtype == tf.float32
    both = tf_vmf.math.kl_von_mises_fisher(np.array([1, 2]), tf.constant(2.0, tf.float64), 0.5, 5)
    assert both.dtype == tf.float64
