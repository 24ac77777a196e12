"""Custom gradients end with their graphs, and have all that those of TensorFlow have."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import ops

import tf_vmf
from tests.conftest import mirrored
from tests.parameters import quick
from tf_vmf.math.custom_gradient import custom_gradient


@custom_gradient
def scaled_square(x: tf.Tensor, factor: float = 1.0) -> tuple:
    """x^2, whose gradient claims to be that of factor x^3: nothing but the registered function gives it."""
    return x * x, lambda upstream: upstream * 3.0 * factor * x * x


def registered() -> set[str]:
    gc.collect()
    return {name for name in ops.gradient_registry.list() if name.startswith("CustomGradient-")}


def latent_step(x: tf.Tensor, kappa: tf.Tensor) -> list[tf.Tensor]:
    """Two derivatives of what a latent computes."""
    with tf.GradientTape() as outer:
        outer.watch(kappa)
        with tf.GradientTape() as inner:
            inner.watch([x, kappa])
            z = tf_vmf.math.von_mises_fisher_sample(x, kappa, seed=(1, 2))
            loss = tf.reduce_sum(tf_vmf.math.kl_to_uniform(kappa, 5)) + tf.reduce_sum(z[..., 0])
        to_x, to_kappa = inner.gradient(loss, [x, kappa])
    return [to_x, to_kappa, outer.gradient(to_kappa, kappa)]


@pytest.mark.slow
def test_a_graph_is_freed_with_its_gradients():
    x = tf.math.l2_normalize(tf.reshape(tf.range(1.0, 11.0), (2, 5)), axis=-1)
    before = registered()
    function = tf.function(latent_step)
    expected = latent_step(x, tf.constant([3.0, 9.0]))
    for value, reference in zip(function(x, tf.constant([3.0, 9.0])), expected, strict=True):
        np.testing.assert_allclose(value, reference, rtol=2e-5, atol=1e-6)
    graph = weakref.ref(function.get_concrete_function(x, tf.constant([3.0, 9.0])).graph)
    assert registered() - before  # alive, and so are its gradients
    del function
    assert not registered() - before
    assert graph() is None


def test_eager_calls_leave_nothing():
    x = tf.math.l2_normalize(tf.reshape(tf.range(1.0, 11.0), (2, 5)), axis=-1)
    latent_step(x, tf.constant([3.0, 9.0]))  # traces what is traced once
    before = registered()
    latent_step(x, tf.constant([3.0, 9.0]))
    assert not registered() - before


@pytest.mark.parametrize(
    "kind", quick(1, ["vmf", "power_spherical"])
)  # the latter draws gamma variables of TensorFlow Probability
def test_a_second_fit_leaves_no_graph(kind):
    import keras

    def fit() -> None:
        latent = tf_vmf.layers.make_latent(kind, 3, {"concentration": "learned"})
        model = tf_vmf.models.BagOfWordsVAE(6, latent, encoder_units=(4,))
        model.compile("adam")
        model.fit(np.ones((4, 6), np.float32), verbose=0)
        keras.backend.clear_session()

    fit()
    before = registered()
    fit()
    assert not registered() - before


@pytest.mark.parametrize("jit_compile", [False, True])
def test_gradients_outlive_the_trace(jit_compile):
    function = tf.function(lambda x: scaled_square(x, factor=2.0), jit_compile=jit_compile)
    function(tf.constant([1.0]))
    gc.collect()
    x = tf.constant([2.0, 3.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.function(function)(x)
        first = inner.gradient(y, x)
    np.testing.assert_allclose(first, [24.0, 54.0])
    np.testing.assert_allclose(tape.gradient(first, x), [24.0, 36.0])
    np.testing.assert_allclose(tape.jacobian(y, x), np.diag([24.0, 54.0]))


def test_two_calls_in_a_saved_function_keep_their_own_gradients(tmp_path):
    module = tf.Module()
    module.call = tf.function(
        lambda x: scaled_square(x) + scaled_square(10.0 * x),
        input_signature=[tf.TensorSpec([None], tf.float32)],
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    x = tf.constant([2.0])
    for function in (module.call, loaded.call):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        np.testing.assert_allclose(y, [404.0])
        np.testing.assert_allclose(tape.gradient(y, x), [12.0 + 10 * 3 * 400.0])


def test_while_loops_and_maps_have_the_gradient():
    @tf.function
    def looped(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.while_loop(lambda i, _: i < 2, lambda i, y: (i + 1, scaled_square(y)), (0, x))[1]
            y = tf.cond(x > 0, lambda: scaled_square(y), lambda: y)
        return tape.gradient(y, x)

    np.testing.assert_allclose(looped(tf.constant(2.0)), 3 * 4.0 * 3 * 16.0 * 3 * 256.0)

    def gradient(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = scaled_square(x)
        return tape.gradient(y, x)

    np.testing.assert_allclose(tf.vectorized_map(gradient, tf.constant([2.0, 1.0])), [12.0, 3.0])


@pytest.mark.parametrize("in_graph", [False, True])
def test_forward_mode_is_the_transpose_of_reverse_mode(in_graph):
    kappa, direction = tf.constant([3.0, 20.0]), tf.constant([1.0, -2.0])

    def forward(kappa: tf.Tensor, direction: tf.Tensor) -> tf.Tensor:
        with tf.autodiff.ForwardAccumulator(kappa, direction) as accumulator:
            kl = tf_vmf.math.kl_to_uniform(kappa, 5)
        return accumulator.jvp(kl)

    with tf.GradientTape() as tape:
        tape.watch(kappa)
        kl = tf_vmf.math.kl_to_uniform(kappa, 5)
    expected = tape.gradient(kl, kappa) * direction
    np.testing.assert_allclose((tf.function(forward) if in_graph else forward)(kappa, direction), expected, rtol=1e-5)


def test_all_replicas_have_the_gradient_and_leave_no_graph():
    strategy = mirrored(2)

    def gradient(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = scaled_square(x)
        return tape.gradient(y, x)

    before = registered()
    function = tf.function(lambda: strategy.run(gradient, args=(tf.constant([2.0]),)))
    for of_replica in strategy.experimental_local_results(function()):
        np.testing.assert_allclose(of_replica, [12.0])
    del function
    assert not registered() - before
