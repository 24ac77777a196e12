"""The chunked cross-entropy against TensorFlow's."""

import json
import subprocess
import sys

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from tests.parameters import quick
from tf_vmf.layers.token_softmax import linear_cross_entropy

ROWS, UNITS, CLASSES = 23, 6, 11


@pytest.fixture
def arrays(rng):
    def normal(*shape):
        return tf.constant(rng.normal(size=shape), tf.float32)

    return {
        "operands": [normal(ROWS, UNITS), normal(CLASSES, UNITS), normal(CLASSES)],
        "labels": tf.constant(rng.integers(0, CLASSES, ROWS), tf.int32),
        "weights": normal(ROWS),
    }


def reference(inputs, kernel, bias, labels):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.matmul(inputs, kernel, transpose_b=True) + bias)


def losses_and_gradients(function, arrays, weights):
    operands = arrays["operands"]
    with tf.GradientTape() as tape:
        tape.watch(operands)
        losses = function(*operands, arrays["labels"])
        total = tf.reduce_sum(weights * losses)
    return [losses, *tape.gradient(total, operands)]


@pytest.mark.parametrize("gradient_in_forward", [True, False])
@pytest.mark.parametrize("chunk_size", quick(2, [4, 100, 1, ROWS - 1, ROWS]))
@pytest.mark.parametrize("uniform", [True, False])
@pytest.mark.parametrize("graph", [True, False])
def test_losses_and_gradients_are_those_of_tensorflow(gradient_in_forward, chunk_size, uniform, graph, arrays):
    weights = tf.fill([ROWS], 0.3) if uniform else arrays["weights"]

    def chunked(*args):
        return linear_cross_entropy(*args, chunk_size=chunk_size, gradient_in_forward=gradient_in_forward)

    run = tf.function(losses_and_gradients) if graph else losses_and_gradients
    for ours, expected in zip(
        run(chunked, arrays, weights), losses_and_gradients(reference, arrays, weights), strict=True
    ):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("gradient_in_forward", [True, False])
def test_labels_whose_probability_underflows_keep_their_loss(gradient_in_forward):
    logits = np.array([[0.0, -300.0, 5.0], [400.0, 390.0, -1e4]], np.float32)
    labels = [1, 2]
    expected = scipy.special.logsumexp(logits.astype(np.float64), axis=1) - logits[[0, 1], labels]
    losses = linear_cross_entropy(
        tf.constant(logits), tf.eye(3), tf.zeros(3), tf.constant(labels), gradient_in_forward=gradient_in_forward
    )
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


def test_no_rows_give_no_losses_and_zero_gradients(arrays):
    _, kernel, bias = arrays["operands"]
    with tf.GradientTape() as tape:
        tape.watch([kernel, bias])
        losses = linear_cross_entropy(tf.zeros([0, UNITS]), kernel, bias, tf.zeros([0], tf.int32))
        total = tf.reduce_sum(losses)
    assert losses.shape == (0,)
    for gradient in tape.gradient(total, [kernel, bias]):
        np.testing.assert_array_equal(gradient, tf.zeros_like(gradient))


def test_bfloat16_products_stay_close_to_float32(arrays):
    def half(*args):
        return linear_cross_entropy(*args, compute_dtype=tf.bfloat16)

    weights = tf.fill([ROWS], 1.0 / ROWS)
    ours, expected = losses_and_gradients(half, arrays, weights), losses_and_gradients(reference, arrays, weights)
    assert all(value.dtype == tf.float32 for value in ours)
    np.testing.assert_allclose(ours[0], expected[0], atol=0.06)
    for gradient, exact in zip(ours[1:], expected[1:], strict=True):
        np.testing.assert_allclose(gradient, exact, atol=0.01)


_MEMORY = """
import json, re
import numpy as np, tensorflow as tf
from tf_vmf.layers.token_softmax import linear_cross_entropy

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])

rows, classes, units = 30_000, 10_000, 16  # all logits: 1.2 GB, and as much again for their softmax
kernel = tf.Variable(tf.zeros([classes, units]))
bias = tf.Variable(tf.zeros([classes]))

@tf.function
def step(inputs, labels):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(linear_cross_entropy(inputs, kernel, bias, labels))
    return loss, tape.gradient(loss, [kernel, bias])

step(tf.ones([10, units]), tf.zeros([10], tf.int32))
before = peak()
loss, _ = step(tf.ones([rows, units]), tf.zeros([rows], tf.int32))
after = peak()
print(json.dumps({"loss": float(loss), "megabytes": (after - before) / 1024}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory of a process from /proc")
@pytest.mark.slow
def test_memory_is_that_of_a_chunk():
    output = subprocess.run([sys.executable, "-c", _MEMORY], capture_output=True, check=True, text=True).stdout
    result = json.loads(output.splitlines()[-1])
    assert result["loss"] == pytest.approx(np.log(10_000), rel=1e-5)
    assert result["megabytes"] < 300
