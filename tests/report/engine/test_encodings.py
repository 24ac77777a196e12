import numpy as np
import pytest
import tensorflow as tf

from tests.report.errors import argument_error
from tf_vmf import layers, models
from tf_vmf.report.engine.encodings import Encodings, encode, label_centers


@pytest.mark.parametrize("latent", ["vmf", "gaussian"])
def test_encodings_are_those_of_the_model_in_order(rng, latent):
    layer = (
        layers.GaussianLatent(3) if latent == "gaussian" else layers.VonMisesFisherLatent(3, concentration="learned")
    )
    model = models.BagOfWordsVAE(10, layer, encoder_units=(8,), decoder_units=(), seed=0)
    counts = rng.integers(0, 4, size=(7, 10)).astype(np.float32)
    encodings = encode(model, [counts[:4], counts[4:]])
    posterior = model.encode(counts)
    expected = posterior.mean() if latent == "gaussian" else posterior.mean_direction
    np.testing.assert_allclose(encodings.codes, expected, atol=1e-6)
    assert encodings.spherical == (latent == "vmf")
    # TFP's own registered KL against the prior.
    np.testing.assert_allclose(encodings.kl, posterior.kl_divergence(model.latent.prior()), rtol=1e-4)
    if latent == "vmf":
        np.testing.assert_allclose(encodings.concentration, posterior.concentration, rtol=1e-6)
    else:
        assert encodings.concentration is None
    with argument_error("batches", "none"):
        encode(model, [])


def sphere_codes():
    angle = np.radians([0.0, 10.0, 20.0, 170.0, 180.0, 190.0, 200.0])
    return Encodings(np.stack([np.cos(angle), np.sin(angle)], axis=-1), np.zeros(7), None, spherical=True)


def test_the_center_of_a_label_is_its_mean_direction():
    labels, centers = label_centers(sphere_codes(), np.array([3, 3, 3, 1, 1, 1, 1]))
    assert labels.tolist() == [1, 3]
    np.testing.assert_allclose(np.degrees(np.arctan2(centers[:, 1], centers[:, 0])) % 360, [185.0, 10.0], atol=1e-9)


def test_batches_may_be_a_tf_data_dataset():
    model = models.BagOfWordsVAE(4, layers.GaussianLatent(2), encoder_units=(3,), decoder_units=(), seed=0)
    batches = tf.data.Dataset.from_tensor_slices(tf.ones([5, 4])).batch(2)
    assert encode(model, batches).codes.shape == (5, 2)
