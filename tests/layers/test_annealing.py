"""Training obeys the callback that anneals, and its history shows what it did."""

import keras
import numpy as np
import pytest

from tests.layers.test_latents_in_models import NOTHING, functional, kl_of_vmf, nothing
from tf_vmf import models
from tf_vmf.layers import (
    GaussianLatent,
    LatentAnnealing,
    LinearSchedule,
    ProductLatent,
    VonMisesFisherLatent,
)


@pytest.fixture
def features(rng):
    return rng.normal(size=(12, 7)).astype(np.float32)


def test_the_loss_of_every_epoch_is_that_of_the_weight_that_the_schedule_gives(features):
    model = functional(VonMisesFisherLatent(5, concentration=30.0), nothing())
    model.compile(keras.optimizers.SGD(0.0), loss="mse")
    annealing = LatentAnnealing(LinearSchedule(4))
    history = model.fit(features, NOTHING, epochs=6, initial_epoch=1, verbose=0, callbacks=[annealing]).history
    expected = [0.25, 0.5, 0.75, 1.0, 1.0]
    np.testing.assert_allclose(history["kl_weight"], expected, rtol=1e-6)
    np.testing.assert_allclose(history["loss"], kl_of_vmf(30.0, 5) * np.array(expected), rtol=1e-5)


def test_the_concentration_is_set_before_every_step_also_of_the_parts_of_a_product(features):
    parts = [VonMisesFisherLatent(5, concentration=1.0, name=name) for name in ("first", "second")]
    model = functional(ProductLatent([*parts, VonMisesFisherLatent(3, concentration="learned")]), nothing())
    model.compile(keras.optimizers.SGD(0.0), loss="mse")
    seen = []
    note = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(parts[1].concentration))
    annealing = LatentAnnealing(lambda step: 10.0 + step, attribute="concentration", per="step")
    history = model.fit(features, NOTHING, epochs=2, batch_size=4, verbose=0, callbacks=[annealing, note]).history
    assert seen == [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]
    assert history["concentration"] == [12.0, 15.0]
    # Every step charged the KL of its own concentration: their mean, times two spheres, and a constant for the third part.
    kls = np.array([kl_of_vmf(10.0 + step, 5) for step in range(6)]).reshape(2, 3).mean(axis=1)
    np.testing.assert_allclose(np.diff(history["kl"]), 2 * np.diff(kls), rtol=1e-3)


def test_a_model_of_the_package_obeys_it_and_logs_the_value(rng):
    x = rng.poisson(1.0, size=(12, 20)).astype(np.float32)
    latent = VonMisesFisherLatent(5, concentration=30.0)
    model = models.BagOfWordsVAE(20, latent, encoder_units=(8,), decoder_units=(), seed=0)
    model.compile(keras.optimizers.SGD(0.0))
    callbacks = [
        LatentAnnealing(lambda epoch: (5.0, 50.0)[epoch], attribute="concentration", layers=[latent.name]),
        LatentAnnealing(lambda epoch: (0.0, 0.5)[epoch]),
    ]
    history = model.fit(x, epochs=2, verbose=0, callbacks=callbacks).history
    np.testing.assert_allclose(history["kl"], [kl_of_vmf(5.0, 5), kl_of_vmf(50.0, 5)], rtol=1e-5)
    assert history["concentration"] == [5.0, 50.0]
    assert history["kl_weight"] == [0.0, 0.5]
    np.testing.assert_allclose(
        np.array(history["loss"]) - history["nll"], np.array(history["kl"]) * history["kl_weight"], atol=1e-4
    )


def test_what_cannot_be_annealed_is_refused(features):
    for arguments, name in (
        ({"schedule": 0.5}, "schedule"),
        ({"attribute": "weight"}, "attribute"),
        ({"per": "batch"}, "per"),
        ({"layers": "latent"}, "layers"),
    ):
        with pytest.raises(ValueError, match=f"`{name}`"):
            LatentAnnealing(**{"schedule": LinearSchedule(5), **arguments})
    model = functional(GaussianLatent(3), nothing())
    model.compile("sgd", loss="mse")
    for bad in (
        LatentAnnealing(LinearSchedule(5), attribute="concentration"),
        LatentAnnealing(LinearSchedule(5), layers=["other"]),
    ):
        with pytest.raises(ValueError, match="expected a model with latent layers"):
            model.fit(features, NOTHING, verbose=0, callbacks=[bad])
