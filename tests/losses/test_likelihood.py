"""The von Mises-Fisher likelihood of models is scipy's density, and a model with it trains, saves and loads."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tf_vmf import layers, models
from tf_vmf._errors import ArgumentError


def unit_rows(rng, count, dim):
    x = rng.normal(size=(count, dim)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_a_model_with_it_has_scipys_density_and_comes_back_from_its_file(rng, tmp_path):
    keras.utils.set_random_seed(0)
    x = unit_rows(rng, 16, 5)
    encoder = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, "tanh")])
    decoder = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    latent = layers.VonMisesFisherLatent(3, concentration=9.0, seed=1)
    model = models.VAE(encoder, latent, decoder, "von_mises_fisher")
    model.compile("adam")
    model.fit(x, epochs=1, verbose=0)
    z = unit_rows(rng, 16, 3)
    output = model.decode(z).numpy().astype(np.float64)
    length = np.linalg.norm(output, axis=1)
    expected = [stats.vonmises_fisher(v / k, k).logpdf(t) for v, k, t in zip(output, length, x, strict=True)]
    likelihood = models.VonMisesFisherLikelihood()
    np.testing.assert_allclose(likelihood(tf.constant(x), model.decode(z)), expected, atol=1e-5)
    np.testing.assert_allclose(likelihood.mean(output), output / length[:, None], rtol=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.elbo(x, seed=3), model.elbo(x, seed=3), rtol=1e-6)


def test_outputs_of_another_shape_are_refused(rng):
    with pytest.raises(ArgumentError):
        models.VonMisesFisherLikelihood()(tf.constant(unit_rows(rng, 2, 4)), keras.ops.ones((2, 5)))
