"""The example learns, and its model is saved, loaded, exported and trained on two devices as on one."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from examples import digits_vae
from tests.conftest import mirrored
from tf_vmf import models
from tf_vmf.layers import VonMisesFisherLatent


@pytest.mark.slow
def test_the_example_learns_and_what_it_writes_is_the_model(tmp_path):
    figures = digits_vae.main(epochs=12, folder=str(tmp_path))
    train, test = digits_vae.digits()
    # Pixels that are independent with their training frequencies: what a model without a code could learn.
    mean = np.clip(train.mean(axis=0), 1e-3, 1 - 1e-3)
    baseline = -(test * np.log(mean) + (1 - test) * np.log1p(-mean)).sum(axis=(1, 2, 3)).mean()
    assert figures["iw_nll"] < baseline - 1
    assert figures["code_gain"] > 3
    assert figures["active_units"] == 5
    assert figures["examples"] == 360
    assert not {"perplexity", "tokens"} & set(figures)
    model = models.load(tmp_path / "digits_vae.keras").model
    served = tf.saved_model.load(str(tmp_path / "digits_vae_export")).signatures
    x = tf.constant(test[:7])
    code = served["encode"](x=x)["code"]
    np.testing.assert_allclose(code, model.encode(x).mean_direction, atol=1e-6)
    np.testing.assert_allclose(served["decode"](z=code)["outputs"], model.predict(x, verbose=0), atol=1e-5)
    scored = served["score"](x=x, num_samples=tf.constant(3), seed=tf.constant(2))
    np.testing.assert_allclose(scored["log_likelihood"], model.log_likelihood(x, 3, seed=2), rtol=1e-5)
    path = served["interpolate"](start=code[:2], end=code[2:4], num_points=tf.constant(5))
    np.testing.assert_allclose(path["outputs"][:, 0], model.decode(code[:2]), atol=1e-5)
    assert served["sample"](n=tf.constant(3), seed=tf.constant(0))["outputs"].shape == (3, 8, 8, 1)


class NoNoise(VonMisesFisherLatent):
    """Replicas have noise of their own; without any they must agree."""

    def sample(self, parameters, seed, sample_shape=()):
        code = self.code(parameters)
        return tf.broadcast_to(code, tf.concat([tf.constant(sample_shape, tf.int32), tf.shape(code)], axis=0))


@pytest.mark.slow  # in the quick suite tests/models/test_replicated_model.py
@pytest.mark.parametrize(
    "batch_size", [27, pytest.param(32, marks=pytest.mark.slow)]
)  # 27 leaves the last batch with one image: a replica without any
def test_two_devices_train_it_as_one(batch_size):
    images = tf.data.Dataset.from_tensor_slices(digits_vae.digits()[0][: 3 * batch_size + 1]).batch(batch_size)
    weights = []
    for strategy in (tf.distribute.get_strategy(), mirrored(2)):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            model = digits_vae.build(NoNoise(5, concentration=50.0, seed=1))
            model.compile(keras.optimizers.SGD(0.01, global_clipnorm=5.0))
        model.fit(images, epochs=3, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    for one, two in zip(*weights, strict=True):
        np.testing.assert_allclose(two, one, rtol=0, atol=1e-6)
