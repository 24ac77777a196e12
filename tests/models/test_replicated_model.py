"""A user's own model on several replicas takes the steps that it takes on one device."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import mirrored
from tests.parameters import quick
from tf_vmf.layers import GaussianLatent, PowerSphericalLatent, VonMisesFisherLatent
from tf_vmf.models import BagOfWordsVAE, ReplicatedModel
from tf_vmf.training import get_strategy

ROWS = 23  # batches of 8, 8 and 7: uneven on two and on three replicas


LATENTS = {
    "gaussian": lambda: GaussianLatent(3, kl_weight=2.0, seed=1),
    "vmf_learned": lambda: VonMisesFisherLatent(3, concentration="learned", kl_weight=2.0, seed=1),
    "power_spherical_penalty": lambda: PowerSphericalLatent(3, concentration=20.0, norm_penalty=1.0, seed=1),
}


def make(optimizer, latent=None):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,))
    h = keras.layers.Dense(6, "tanh", kernel_regularizer=keras.regularizers.L2(0.01))(inputs)
    if latent is not None:
        h = latent(h)
    model = ReplicatedModel(inputs, keras.layers.Dense(2)(h))
    model.compile(optimizer(), loss="mse", metrics=["mae"])
    return model


@pytest.fixture
def batches(rng):
    x, y = rng.normal(size=(ROWS, 5)).astype(np.float32), rng.normal(size=(ROWS, 2)).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(8)


OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(0.01),
    "sgd, clipped, loss scaled": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.5, global_clipnorm=0.1), initial_scale=2.0**10
    ),
    "sgd, entries clipped, decay": lambda: keras.optimizers.SGD(0.5, clipvalue=0.02, weight_decay=0.1),
    "sgd": lambda: keras.optimizers.SGD(0.1),
    "sgd, clipped": lambda: keras.optimizers.SGD(0.5, global_clipnorm=0.1),
    "sgd, each gradient clipped": lambda: keras.optimizers.SGD(0.5, clipnorm=0.1),
}


@pytest.mark.parametrize("optimizer", quick(1, OPTIMIZERS))
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


@pytest.mark.parametrize("name", quick(1, ["vmf_learned", "power_spherical_penalty", "gaussian"]))
@pytest.mark.parametrize("replicas", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_the_losses_of_a_latent_layer_are_those_of_one_device(batches, name, replicas):
    weights, histories = [], []
    for strategy in (get_strategy("default"), mirrored(replicas)):
        keras.utils.set_random_seed(0)  # the layer draws the seeds of its weights when it is made
        with strategy.scope():
            layer = LATENTS[name]()
            # Replicas have noise of their own; without any they must agree.
            layer.sample = lambda parameters, seed, sample_shape=(), layer=layer: layer.code(parameters)
            model = make(OPTIMIZERS["sgd"], layer)
        history = model.fit(batches, epochs=3, verbose=0, shuffle=False).history
        weights.append([variable.numpy() for variable in model.trainable_variables])
        histories.append(history["loss"])
        assert keras.ops.convert_to_numpy(layer.noise_step).tolist() == [9, 0]
    for one, several in zip(*weights, strict=True):
        np.testing.assert_allclose(several, one, rtol=0, atol=1e-6)
    np.testing.assert_allclose(histories[1], histories[0], rtol=1e-5)


@pytest.mark.slow
def test_the_noise_count_of_replicas_is_saved_and_restored(batches, tmp_path):
    with mirrored(2).scope():
        model = make(OPTIMIZERS["sgd"], GaussianLatent(3, seed=1))
    model.fit(batches, verbose=0, shuffle=False)
    model.save(tmp_path / "model.keras")
    tf.train.Checkpoint(model=model).write(str(tmp_path / "checkpoint"))
    model.fit(batches, verbose=0, shuffle=False)
    expected = model.get_weights()
    with mirrored(2).scope():
        again = keras.saving.load_model(tmp_path / "model.keras")
        restored = make(OPTIMIZERS["sgd"], GaussianLatent(3, seed=1))
        tf.train.Checkpoint(model=restored).read(str(tmp_path / "checkpoint")).expect_partial()
    for other in (again, restored):
        other.fit(batches, verbose=0, shuffle=False)
        for got, want in zip(other.get_weights(), expected, strict=True):
            np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)


def test_it_is_saved_and_loaded_as_what_it_is(batches, tmp_path):
    model = make(OPTIMIZERS["adam"])
    model.fit(batches, verbose=0, shuffle=False)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    x = np.ones((2, 5), np.float32)
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)
    assert again.optimizer.built


class Doubling(ReplicatedModel):
    """Subclassed: builds itself in its first call."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(2)

    def call(self, x):
        return 2.0 * self.dense(x)


class OfItsOwn(ReplicatedModel):
    """A subclass that is functional."""

    def __init__(self):
        inputs = keras.Input((5,))
        super().__init__(inputs, keras.layers.Dense(2)(inputs))


def test_functional_and_subclassed_models_live_side_by_side(batches):
    """Keras puts its functional class among the bases of whatever is called with inputs and outputs."""
    for make_one in (lambda: make(OPTIMIZERS["sgd"]), Doubling, OfItsOwn, Doubling, lambda: make(OPTIMIZERS["sgd"])):
        model = make_one()
        assert isinstance(model, ReplicatedModel)
        model.compile("sgd", loss="mse")
        assert np.isfinite(model.fit(batches, verbose=0, shuffle=False).history["loss"][0])
    assert len(OfItsOwn().layers) == 2
    BagOfWordsVAE(4, GaussianLatent(2), encoder_units=(3,))
    assert ReplicatedModel.__bases__ == Doubling.__mro__[2:3]
