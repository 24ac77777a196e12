"""The hand-written LSTM against `keras.layers.LSTM`."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_vmf.layers.lstm import TimeMajorLSTM

LENGTH, BATCH, FEATURES, CONTEXT, UNITS = 7, 5, 4, 3, 6
LENGTHS = [7, 1, 4, 2, 6]


@pytest.fixture
def arrays(rng):
    def normal(*shape):
        return tf.constant(rng.normal(size=shape), tf.float32)

    return {
        "inputs": normal(LENGTH, BATCH, FEATURES),
        "context": normal(BATCH, CONTEXT),
        "h": normal(BATCH, UNITS),
        "c": normal(BATCH, UNITS),
        # Weights of a sum over all results: every gradient is then tested at once.
        "outputs_bar": normal(LENGTH, BATCH, UNITS),
        "h_bar": normal(BATCH, UNITS),
        "c_bar": normal(BATCH, UNITS),
    }


def make_layer(implementation="fused", **kwargs):
    layer = TimeMajorLSTM(UNITS, CONTEXT, implementation, **kwargs)
    layer.build((None, None, FEATURES))
    for i, variable in enumerate(layer.trainable_variables):
        values = np.random.default_rng(i).normal(size=variable.shape)
        variable.assign(0.5 * values)
    return layer


def results_and_gradients(call, variables, arrays, lengths):
    """(outputs before padding, final h, final c) and the gradients of a weighted sum of them."""
    sources = [arrays[name] for name in ("inputs", "context", "h", "c")]
    mask = tf.transpose(tf.sequence_mask(lengths, LENGTH, dtype=arrays["inputs"].dtype))[..., tf.newaxis]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        outputs, h, c = call(*sources)
        results = (outputs * mask, h, c)
        total = sum(
            tf.reduce_sum(result * arrays[name])
            for result, name in zip(results, ("outputs_bar", "h_bar", "c_bar"), strict=True)
        )
    return results, tape.gradient(total, [*sources, *(v.value for v in variables)])


def fused_and_keras(layer, arrays, lengths):
    def fused(inputs, context, h, c):
        outputs, state = layer(inputs, lengths=tf.constant(lengths), context=context, initial_state=(h, c))
        return outputs, *state

    def reference(inputs, context, h, c):
        tiled = tf.broadcast_to(context, (LENGTH, BATCH, CONTEXT))
        sequence = tf.transpose(tf.concat([inputs, tiled], axis=-1), [1, 0, 2])
        outputs, h, c = layer.lstm(sequence, initial_state=[h, c], mask=tf.sequence_mask(lengths, LENGTH))
        return tf.transpose(outputs, [1, 0, 2]), h, c

    variables = layer.lstm.trainable_variables
    return (
        results_and_gradients(fused, variables, arrays, lengths),
        results_and_gradients(reference, variables, arrays, lengths),
    )


@pytest.mark.parametrize("lengths", [[LENGTH] * BATCH, LENGTHS])
@pytest.mark.parametrize("graph", [False, True])
def test_values_and_all_gradients_are_those_of_keras(lengths, graph, arrays):
    layer = make_layer()
    run = tf.function(fused_and_keras) if graph else fused_and_keras
    ours, reference = run(layer, arrays, lengths)
    for a, b in zip(tf.nest.flatten(ours), tf.nest.flatten(reference), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_double_precision_is_that_of_keras(arrays):
    double = {name: tf.cast(value, tf.float64) for name, value in arrays.items()}
    ours, reference = fused_and_keras(make_layer(dtype="float64"), double, LENGTHS)
    for a, b in zip(tf.nest.flatten(ours), tf.nest.flatten(reference), strict=True):
        assert a.dtype == tf.float64
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-13)


def test_without_lengths_the_final_state_is_that_of_the_last_step(arrays):
    layer = make_layer()
    outputs, (h, c) = layer(arrays["inputs"], context=arrays["context"])
    np.testing.assert_array_equal(h, outputs[-1])
    _, (h_of_lengths, c_of_lengths) = layer(
        arrays["inputs"], lengths=tf.fill([BATCH], LENGTH), context=arrays["context"]
    )
    np.testing.assert_array_equal(h, h_of_lengths)
    np.testing.assert_array_equal(c, c_of_lengths)


def test_steps_one_by_one_are_the_whole_sequence(arrays):
    layer = make_layer()
    outputs, _ = layer(arrays["inputs"], context=arrays["context"], initial_state=(arrays["h"], arrays["c"]))
    h, c = arrays["h"], arrays["c"]
    for t in range(LENGTH):
        h, c = layer.step(layer.project(arrays["inputs"][t], arrays["context"]), h, c)
        np.testing.assert_allclose(h, outputs[t], atol=1e-6)


def test_both_implementations_agree(arrays):
    fused, through_keras = make_layer("fused"), make_layer("keras")
    arguments = {
        "lengths": tf.constant(LENGTHS),
        "context": arrays["context"],
        "initial_state": (arrays["h"], arrays["c"]),
    }
    (a, state_a), (b, state_b) = (layer(arrays["inputs"], **arguments) for layer in (fused, through_keras))
    mask = tf.transpose(tf.sequence_mask(LENGTHS, LENGTH, dtype=tf.float32))[..., tf.newaxis]
    np.testing.assert_allclose(a * mask, b * mask, atol=1e-5)
    for one, other in zip(state_a, state_b, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_padding_reaches_neither_the_final_state_nor_a_gradient(arrays):
    layer = make_layer()
    lengths = tf.constant(LENGTHS)
    padded = tf.where(tf.transpose(tf.sequence_mask(lengths, LENGTH))[..., tf.newaxis], arrays["inputs"], 1e3)
    states, gradients = [], []
    for inputs in (arrays["inputs"], padded):
        with tf.GradientTape() as tape:
            _, state = layer(inputs, lengths=lengths, context=arrays["context"])
            total = tf.reduce_sum(state[0] + tf.square(state[1]))
        states.append(state)
        gradients.append(tape.gradient(total, layer.trainable_variables))
    for a, b in zip(
        tf.nest.flatten([states[0], gradients[0]]), tf.nest.flatten([states[1], gradients[1]]), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_one_graph_serves_all_lengths(arrays):
    layer = make_layer()
    run = tf.function(
        lambda inputs, context: layer(inputs, context=context)[0],
        input_signature=[tf.TensorSpec([None, None, FEATURES]), tf.TensorSpec([None, CONTEXT])],
    )
    for length, batch in ((1, 5), (7, 2), (3, 5)):
        inputs, context = arrays["inputs"][:length, :batch], arrays["context"][:batch]
        np.testing.assert_allclose(run(inputs, context), layer(inputs, context=context)[0], atol=1e-6)
    assert run.experimental_get_tracing_count() == 1


def test_bfloat16_products_stay_close_to_float32_and_states_are_float32(arrays):
    outputs, (_, c) = make_layer(dtype="mixed_bfloat16")(arrays["inputs"], context=arrays["context"])
    exact, _ = make_layer()(arrays["inputs"], context=arrays["context"])
    assert outputs.dtype == c.dtype == tf.float32
    np.testing.assert_allclose(outputs, exact, atol=0.03)
    assert np.abs(outputs - exact).max() > 1e-5


def test_config_restores_the_layer_and_bad_arguments_are_refused():
    layer = TimeMajorLSTM.from_config(TimeMajorLSTM(3, 2, "keras", name="a").get_config())
    assert (layer.units, layer.context_dim, layer.implementation, layer.name) == (3, 2, "keras", "a")
    with pytest.raises(ValueError, match=r"implementation.*auto.*cudnn"):
        TimeMajorLSTM(3, implementation="cudnn")


def test_weights_are_those_of_a_keras_lstm():
    layer = make_layer()
    twin = keras.layers.LSTM(UNITS)
    twin.build((None, None, FEATURES + CONTEXT))
    assert [v.shape for v in layer.trainable_variables] == [v.shape for v in twin.trainable_variables]
