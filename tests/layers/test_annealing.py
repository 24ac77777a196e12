"""Training obeys the callback that anneals, and its history shows what it did."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.layers.test_latents_in_models import NOTHING, functional, kl_of_vmf, nothing
from tests.parameters import quick
from tests.refusals import refused
from tf_vmf import models
from tf_vmf.layers import (
    GaussianLatent,
    LatentAnnealing,
    LearnedConcentration,
    LinearSchedule,
    ProductLatent,
    SphereProductLatent,
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
        with refused(name):
            LatentAnnealing(**{"schedule": LinearSchedule(5), **arguments})
    model = functional(GaussianLatent(3), nothing())
    model.compile("sgd", loss="mse")
    for bad, expected in (
        (LatentAnnealing(LinearSchedule(5), attribute="concentration"), "whose concentration can be set"),
        (LatentAnnealing(LinearSchedule(5), layers=["other"]), "latent layers ['other']"),
    ):
        with refused("layers", expected=expected):
            model.fit(features, NOTHING, verbose=0, callbacks=[bad])


def bag_of_words(latent):
    model = models.BagOfWordsVAE(20, latent, encoder_units=(8,), decoder_units=(), seed=0)
    model.compile(keras.optimizers.Adam(0.01))
    return model


SCHEDULES = {"kl_weight": LinearSchedule(10), "concentration": LinearSchedule(10, start=1.0, end=11.0)}


@pytest.mark.parametrize(
    "make",
    quick(
        1,
        [
            lambda: ProductLatent(
                [GaussianLatent(2), VonMisesFisherLatent(2, concentration=SCHEDULES["concentration"])],
                kl_weight=SCHEDULES["kl_weight"],
            ),
            lambda: VonMisesFisherLatent(4, **SCHEDULES),
            lambda: SphereProductLatent(4, part_dim=2, **SCHEDULES),
        ],
    ),
)
def test_a_model_of_the_package_logs_the_weight_of_the_last_step_and_the_number_it_used(make, rng):
    x = rng.poisson(1.0, size=(12, 20)).astype(np.float32)
    saw = []
    other = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: saw.append(logs["kl_weight"]))
    history = (
        bag_of_words(make()).fit(x, epochs=2, batch_size=4, verbose=0, callbacks=other, validation_data=(x,)).history
    )
    np.testing.assert_allclose(history["kl_weight"], [0.2, 0.5], rtol=1e-6)
    np.testing.assert_allclose(history["concentration"], [3.0, 6.0], rtol=1e-6)
    assert saw == history["kl_weight"]
    assert "val_kl_weight" not in history  # evaluation charges the whole KL


def test_a_model_of_the_package_logs_a_weight_without_a_concentration(rng):
    x = rng.poisson(1.0, size=(12, 20)).astype(np.float32)
    history = bag_of_words(GaussianLatent(3, kl_weight=0.25)).fit(x, verbose=0).history
    assert history["kl_weight"] == [0.25]
    assert "concentration" not in history


@pytest.mark.slow
def test_a_model_of_the_package_logs_the_mean_of_a_learned_concentration(rng):
    x = rng.poisson(1.0, size=(12, 20)).astype(np.float32)
    learned = LearnedConcentration(initial=20.0, rate=1.0)
    product = ProductLatent([GaussianLatent(2), *(VonMisesFisherLatent(3, concentration=learned) for _ in range(2))])
    for latent in (VonMisesFisherLatent(4, concentration=learned), product):
        model = bag_of_words(latent)
        model.fit(x, epochs=3, verbose=0)
        logs = model.evaluate(x, batch_size=5, verbose=0, return_dict=True)
        parameters = model.posterior_parameters(x)
        expected = np.mean([value for name, value in parameters.items() if name.startswith("concentration")])
        assert logs["concentration"] == pytest.approx(expected, rel=1e-5)
        assert np.ptp(parameters.get("concentration", parameters.get("concentration_1"))) > 0.1
        history = model.fit(x, verbose=0, validation_data=(x, None, np.eye(12)[0])).history
        first = np.mean([v[0] for name, v in model.posterior_parameters(x).items() if name.startswith("concentration")])
        assert history["val_concentration"][0] == pytest.approx(first, rel=1e-5)


def test_a_schedule_that_leaves_the_numbers_from_zero_is_refused(features):
    below = keras.optimizers.schedules.PolynomialDecay(2.0, 4, -2.0)
    for argument in ("kl_weight", "concentration"):
        for schedule in (below, NotFinite(first=0)):
            with refused(argument, expected="a schedule of finite numbers >= 0"):
                VonMisesFisherLatent(5, **{argument: schedule})
        # What only a step of training shows is refused there, in graphs and in eager mode.
        for eager, error in ((True, ValueError), (False, tf.errors.InvalidArgumentError)):
            model = functional(VonMisesFisherLatent(5, **{argument: NotFinite(first=5)}), nothing())
            model.compile(keras.optimizers.SGD(0.0), loss="mse", run_eagerly=eager)
            model.fit(features, NOTHING, batch_size=4, verbose=0)
            with pytest.raises(error, match=f"`{argument}` of .*expected a finite number >= 0"):
                model.fit(features, NOTHING, batch_size=4, verbose=0)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, None, "a", [1.0, 2.0], tf.constant(-2.0)])
@pytest.mark.parametrize("attribute", ["kl_weight", "concentration"])
def test_an_annealing_that_leaves_the_numbers_from_zero_is_refused(value, attribute, features):
    model = functional(VonMisesFisherLatent(5, concentration=30.0), nothing())
    model.compile("sgd", loss="mse")
    annealing = LatentAnnealing(lambda step: value, attribute=attribute)
    with refused("schedule", expected=attribute, received="epoch 0"):
        model.fit(features, NOTHING, verbose=0, callbacks=[annealing])


def test_what_a_compiled_step_would_not_obey_cannot_be_set():
    model = bag_of_words(VonMisesFisherLatent(5, norm_penalty=0.1))
    before = model.dropout
    with refused("norm_penalty", expected="given to the constructor"):
        model.latent.norm_penalty = 0.0
    with refused("dropout", expected="given to the constructor"):
        model.dropout = 0.5
    assert (model.latent.norm_penalty, model.dropout) == (0.1, before)


class NotFinite(keras.optimizers.schedules.LearningRateSchedule):
    """1, but infinite in five steps from `first` on."""

    def __init__(self, first):
        self.first = first

    def __call__(self, step):
        return tf.where((step >= self.first) & (step < self.first + 5), np.inf, 1.0)

    def get_config(self):
        return {"first": self.first}
