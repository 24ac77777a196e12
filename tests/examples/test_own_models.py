"""The scripts for models of one's own run and do what they say."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

from examples import concentration_output, conditional_digits, conditional_vae, kl_annealing
from tf_vmf import math as vmf_math


@pytest.mark.slow
def test_annealing_goes_through_the_values_that_the_script_names():
    history = kl_annealing.main(epochs=4)
    np.testing.assert_allclose(history["kl_weight"], [0.0, 0.5, 1.0, 1.0], rtol=1e-6)
    steps = 29  # 1,797 digits in batches of 64
    by_step = np.minimum(10 + 0.5 * np.arange(4 * steps), 50)
    np.testing.assert_allclose(history["concentration"][-1], by_step[-1], rtol=1e-6)
    exact = vmf_math.kl_to_uniform(tf.constant(by_step), 5).numpy().reshape(4, steps)
    np.testing.assert_allclose(history["kl"][-1], exact[-1].mean(), rtol=1e-4)


@pytest.mark.slow
def test_the_concentration_that_is_an_output_is_that_of_the_posterior(capsys):
    autoencoder, encoder = concentration_output.main(epochs=2)
    digits = load_digits().data[:50].astype("float32") / 16
    direction, concentration = encoder.predict(digits, verbose=0)
    layer = next(layer for layer in autoencoder.layers if hasattr(layer, "posterior"))
    posterior = layer.posterior(autoencoder.layers[1](digits))
    np.testing.assert_allclose(direction, posterior.mean_direction, atol=1e-6)
    np.testing.assert_allclose(concentration, posterior.concentration, rtol=1e-5)
    assert np.ptp(concentration) > 0.5
    assert "least certain of image" in capsys.readouterr().out


@pytest.mark.slow
def test_the_learned_prior_costs_less_than_the_uniform_one_and_is_charged_exactly(tmp_path):
    model, prior, history = conditional_vae.main(epochs=4)
    assert history["prior_kl"][-1] < history["uniform_kl"][-1]
    assert history["loss"][-1] < history["loss"][0]
    pixels, labels = load_digits(return_X_y=True)
    x = {"pixels": tf.constant(pixels[:50] / 16, tf.float32), "label": tf.constant(labels[:50])}
    layer = next(layer for layer in model.layers if hasattr(layer, "posterior"))
    q, p = layer.posterior(keras.Model(model.input, layer.input)(x)), prior.distribution(x["label"])
    z = q.sample(2000, seed=(0, 1))
    # 100,000 terms with a standard deviation of about 1: four standard errors are 0.013.
    estimate = (q.log_prob(z) - p.log_prob(z)).numpy().mean()
    prior.kl_tracker.reset_state()
    model(x)
    assert float(prior.kl_tracker.result()) == pytest.approx(estimate, abs=0.02)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(x), model(x))


@pytest.mark.slow
def test_a_conditional_decoder_draws_the_class_that_it_is_told():
    images = conditional_digits.main(epochs=15)
    assert images.min() >= 0
    assert images.max() <= 1
    digits = load_digits()
    means = np.stack([digits.images[digits.target == label].mean(axis=0) for label in range(10)]) / 16
    distances = np.square(images[:, np.newaxis] - means[np.newaxis]).sum(axis=(2, 3))
    # A random assignment names 1 of 10 on average.
    assert np.mean(distances.argmin(axis=1) == np.arange(10)) >= 0.7
