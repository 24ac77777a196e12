"""A user's own model on several replicas takes the steps that it takes on one device."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import mirrored
from tf_vmf.layers import GaussianLatent
from tf_vmf.training import ReplicatedModel, get_strategy

ROWS = 23  # batches of 8, 8 and 7: uneven on two and on three replicas


def make(optimizer, latent=False):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,))
    h = keras.layers.Dense(6, "tanh", kernel_regularizer=keras.regularizers.L2(0.01))(inputs)
    if latent:
        h = GaussianLatent(3, seed=1)(h)
    model = ReplicatedModel(inputs, keras.layers.Dense(2)(h))
    model.compile(optimizer(), loss="mse", metrics=["mae"])
    return model


@pytest.fixture
def batches(rng):
    x, y = rng.normal(size=(ROWS, 5)).astype(np.float32), rng.normal(size=(ROWS, 2)).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(8)


OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.1),
    "sgd, clipped": lambda: keras.optimizers.SGD(0.5, global_clipnorm=0.1),
    "sgd, each gradient clipped": lambda: keras.optimizers.SGD(0.5, clipnorm=0.1),
    "sgd, entries clipped, decay": lambda: keras.optimizers.SGD(0.5, clipvalue=0.02, weight_decay=0.1),
    "sgd, clipped, loss scaled": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.5, global_clipnorm=0.1), initial_scale=2.0**10
    ),
    "adam": lambda: keras.optimizers.Adam(0.01),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("replicas", [pytest.param(2, marks=pytest.mark.slow), 3])
def test_replicas_take_the_steps_of_one_device(batches, optimizer, replicas):
    weights, losses = [], []
    for strategy in (get_strategy("default"), mirrored(replicas)):
        with strategy.scope():
            model = make(OPTIMIZERS[optimizer])
        history = model.fit(batches, epochs=3, verbose=0, shuffle=False).history
        weights.append(model.get_weights())
        losses.append((history["loss"], history["mae"]))
    for one, several in zip(*weights, strict=True):
        # Adam divides rounding of small gradients by their size.
        np.testing.assert_allclose(several, one, rtol=0, atol=1e-5 if optimizer == "adam" else 1e-6)
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)


def test_on_one_device_it_is_a_keras_model(batches):
    own = make(OPTIMIZERS["sgd, clipped"])
    stock = keras.Model(own.inputs, own.outputs)
    start = own.get_weights()
    stock.compile(OPTIMIZERS["sgd, clipped"](), loss="mse")
    stock.fit(batches, epochs=2, verbose=0, shuffle=False)
    expected = stock.get_weights()
    own.set_weights(start)
    own.fit(batches, epochs=2, verbose=0, shuffle=False)
    for got, want in zip(own.get_weights(), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)


def test_a_latent_layer_trains_on_replicas_and_charges_its_kl(batches):
    with mirrored(2).scope():
        model = make(OPTIMIZERS["adam"], latent=True)
    history = model.fit(batches, epochs=2, verbose=0, shuffle=False).history
    assert np.all(np.isfinite(history["loss"]))
    assert history["kl"][-1] > 0


def test_it_is_saved_and_loaded_as_what_it_is(batches, tmp_path):
    model = make(OPTIMIZERS["adam"])
    model.fit(batches, verbose=0, shuffle=False)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", custom_objects={"ReplicatedModel": ReplicatedModel})
    x = np.ones((2, 5), np.float32)
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)
    assert again.optimizer.built
