"""Latent layers and models under Keras's own ways to save memory: rematerialization and quantization."""

import contextlib

import keras
import numpy as np
import pytest

from tests.parameters import quick
from tests.refusals import refused
from tf_vmf.layers import GaussianLatent, ProductLatent, VonMisesFisherLatent, deterministic
from tf_vmf.models import LSTMVAE, BagOfWordsVAE

pytestmark = pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method:UserWarning")

X = np.random.default_rng(0).normal(size=(16, 8)).astype(np.float32)

LATENTS = {
    "gaussian": lambda: GaussianLatent(4, seed=1),
    "vmf": lambda: VonMisesFisherLatent(4, concentration=10.0, seed=1),
    "learned": lambda: VonMisesFisherLatent(4, concentration="learned", seed=1),
    "product": lambda: ProductLatent([VonMisesFisherLatent(2, concentration=10.0), GaussianLatent(2)], seed=1),
}


def functional(name):
    inputs = keras.Input((8,))
    outputs = keras.layers.Dense(8)(LATENTS[name]()(keras.layers.Dense(6, "tanh")(inputs)))
    return keras.Model(inputs, outputs)


def compiled(name, scope):
    """A model whose layers are made in a scope, and what it is trained on."""
    with scope:
        latent = VonMisesFisherLatent(3, concentration="learned", seed=1)
        documents = name == "documents"
        model = BagOfWordsVAE(8, latent, encoder_units=(4,)) if documents else LSTMVAE(8, latent, hidden_units=4)
    model.compile("sgd")
    return model, (np.abs(X).round() if documents else np.array([[3, 4, 1], [5, 1, 0]]),)


@pytest.mark.parametrize(
    "name", ["documents", pytest.param("sentences", marks=pytest.mark.slow)]
)  # in a functional model Keras's own Dense fails
def test_training_is_the_same_where_keras_recomputes_activations(name):
    losses = []
    for scope in (contextlib.nullcontext(), keras.RematScope("full")):
        keras.utils.set_random_seed(0)
        model, data = compiled(name, scope)
        losses.append(model.fit(*data, epochs=2, shuffle=False, verbose=0).history["loss"])
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


@pytest.mark.parametrize("name", quick(2, LATENTS))
def test_a_quantized_model_comes_back_from_its_file(name, tmp_path):
    model = functional(name)
    model.quantize("int8")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    heads = [layer for layer in loaded._flatten_layers() if isinstance(layer, keras.layers.Dense)]
    assert {layer.quantization_mode for layer in heads} == {"int8"}
    with deterministic(model), deterministic(loaded):
        np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_quantized_document_model_comes_back_and_a_sentence_model_is_not_quantized(tmp_path):
    latent = VonMisesFisherLatent(3, concentration="learned", seed=1)
    model, counts = BagOfWordsVAE(8, latent, encoder_units=(4,)), np.abs(X).round()
    model.quantize("int8")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.output_layer.quantization_mode == "int8"
    np.testing.assert_array_equal(loaded.predict(counts, verbose=0), model.predict(counts, verbose=0))
    with refused("mode", "int8"):
        LSTMVAE(8, VonMisesFisherLatent(3), hidden_units=4).quantize("int8")
