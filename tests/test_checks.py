"""What a check that failed in a graph has said."""

import pytest
import tensorflow as tf

from tf_vmf._checks import failed_check, require


def test_a_failed_check_tells_its_message_and_data():
    @tf.function
    def checked(x):
        return require(tf.reduce_all(x >= 0), x, "x", "[counts] >= 0", tf.reduce_min(x), "in a batch")

    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        checked(tf.constant([1.0, -2.5]))
    assert failed_check(raised.value) == "Argument `x`: expected [counts] >= 0. Received: -2.5 in a batch"


def test_an_operation_that_refuses_its_input_is_no_failed_check():
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        tf.function(tf.linalg.inv)(tf.zeros([2, 2]))
    assert failed_check(raised.value) is None
