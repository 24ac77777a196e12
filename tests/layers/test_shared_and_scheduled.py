"""A concentration shared by all rows, one that follows a schedule, and the upper bound of what is learned."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import mirrored
from tests.layers.test_latents_in_models import NOTHING, functional, kl_of_vmf, nothing
from tests.parameters import quick
from tests.refusals import refused
from tf_vmf import models
from tf_vmf.layers import (
    LearnedConcentration,
    LinearSchedule,
    PowerSphericalLatent,
    ProductLatent,
    SharedConcentration,
    UniformNormVonMisesFisherLatent,
    VonMisesFisherLatent,
)

SCHEDULE = LinearSchedule(4, start=10.0, end=50.0)  # 10, 20, 30, 40, 50


@pytest.fixture
def features(rng):
    return rng.normal(size=(12, 7)).astype(np.float32)


def test_a_shared_concentration_is_one_number_that_is_learned(features, tmp_path):
    layer = VonMisesFisherLatent(5, concentration="shared", seed=1)
    kappa = layer.parameters(features)["concentration"].numpy()
    np.testing.assert_allclose(kappa, 12 * [10.0], rtol=1e-6)
    model = functional(VonMisesFisherLatent(5, concentration=SharedConcentration(initial=30.0), seed=1), nothing())
    model.compile(keras.optimizers.Adam(0.1), loss="mse")
    history = model.fit(features, NOTHING, epochs=20, verbose=0).history
    # Nothing but the KL is charged, so it falls; every value is the KL of the concentration logged beside it.
    assert history["concentration"][-1] < 0.5 * history["concentration"][0]
    np.testing.assert_allclose(history["kl"], [kl_of_vmf(kappa, 5) for kappa in history["concentration"]], rtol=1e-4)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(features, training=True), model(features, training=True))
    description = model.layers[1].describe()
    assert "learned for all documents together" in description.code("document")
    assert not description.fixed_spread
    assert not description.constant_kl


def test_the_gradient_of_a_shared_concentration_is_that_of_finite_differences(features):
    layer = VonMisesFisherLatent(
        5, concentration=SharedConcentration(initial=30.0, minimum=2.0), seed=1, dtype="float64"
    )
    layer(features)
    raw = layer.concentration_head.raw

    def kl(value):
        raw.assign(value)
        return float(layer.kl_divergence(layer.parameters(features))[0])

    raw.assign(0.3)
    with tf.GradientTape() as tape:
        value = layer.kl_divergence(layer.parameters(features))[0]
    # The weight is in float32, whose rounding limits the differences.
    assert float(tape.gradient(value, raw.value)) == pytest.approx((kl(0.3 + 0.01) - kl(0.3 - 0.01)) / 0.02, rel=1e-3)


@pytest.mark.parametrize("run_eagerly", quick(1, [False, True]))
def test_a_schedule_sets_the_concentration_of_every_step_and_is_saved(features, run_eagerly, tmp_path):
    layer = VonMisesFisherLatent(5, concentration=SCHEDULE, seed=1)
    model = functional(layer, nothing())
    model.compile(keras.optimizers.SGD(0.0), loss="mse", run_eagerly=run_eagerly)
    history = model.fit(
        features, NOTHING, epochs=6, batch_size=12, verbose=0, validation_data=(features, NOTHING)
    ).history
    expected = [10.0, 20.0, 30.0, 40.0, 50.0, 50.0]
    np.testing.assert_allclose(history["concentration"], expected, rtol=1e-6)
    np.testing.assert_allclose(history["kl"], [kl_of_vmf(kappa, 5) for kappa in expected], rtol=1e-4)
    # Evaluation has the concentration of the last training step.
    np.testing.assert_allclose(history["val_concentration"], expected, rtol=1e-6)
    assert layer.concentration is SCHEDULE
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[1].get_config() == layer.get_config()
    np.testing.assert_array_equal(loaded(features, training=True), model(features, training=True))
    assert "concentration 50" in loaded.layers[1].describe().spread
    loaded.layers[1].concentration = 7.0  # a number ends the schedule
    assert loaded.layers[1].parameters(features)["concentration"].numpy()[0] == 7.0


@pytest.mark.parametrize(
    "make",
    quick(
        1,
        [
            lambda: ProductLatent([VonMisesFisherLatent(5, concentration=SCHEDULE)]),
            lambda: VonMisesFisherLatent(5, concentration=SCHEDULE),
        ],
    ),
)
def test_a_model_of_the_package_follows_the_schedule_by_its_own_steps(make, rng, tmp_path):
    x = rng.poisson(1.0, size=(12, 20)).astype(np.float32)
    model = models.BagOfWordsVAE(20, make(), encoder_units=(8,), decoder_units=(), seed=0)
    model.compile(keras.optimizers.Adam(0.01))
    kls = model.fit(x, epochs=3, batch_size=12, verbose=0).history["kl"]
    np.testing.assert_allclose(kls, [kl_of_vmf(kappa, 5) for kappa in (10.0, 20.0, 30.0)], rtol=1e-4)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.elbo_terms(x, tf.constant([0, 1]))["kl"], 12 * [kl_of_vmf(30.0, 5)], rtol=1e-4)


@pytest.mark.parametrize("latent", [PowerSphericalLatent, UniformNormVonMisesFisherLatent])
@pytest.mark.parametrize("concentration", ["shared", SCHEDULE])
def test_other_spherical_latents_take_them_too(latent, concentration, features):
    layer = latent(5, concentration=concentration, seed=1)
    for _ in range(3):
        layer(features, training=True)
    kappa = layer.parameters(features)["concentration"].numpy()
    np.testing.assert_allclose(kappa, 12 * [10.0 if concentration == "shared" else 30.0], rtol=1e-6)
    assert np.isfinite(layer.losses[-1])


def test_replicas_follow_one_schedule(features):
    with mirrored(2).scope():
        layer = VonMisesFisherLatent(5, concentration=SCHEDULE, seed=1)
        model = functional(layer, nothing())
        model.compile(keras.optimizers.SGD(0.0), loss="mse")
    history = model.fit(features, NOTHING, epochs=3, batch_size=12, verbose=0).history
    np.testing.assert_allclose(history["concentration"], [10.0, 20.0, 30.0], rtol=1e-6)


@pytest.mark.parametrize("concentration", [LearnedConcentration, SharedConcentration])
def test_what_is_learned_stays_below_its_maximum_and_comes_back_from_it(concentration, features):
    head = concentration(initial=30.0, minimum=1.0, maximum=40.0, rate=1.0)
    head(features)
    weight = head.trainable_variables[-1]  # the bias, or the one weight
    weight.assign(tf.ones_like(weight) * 1e6)
    with tf.GradientTape(persistent=True) as tape:
        kappa = head(features)
        down, up = tf.reduce_sum(kappa), -tf.reduce_sum(kappa)
    np.testing.assert_array_equal(kappa, 12 * [40.0])
    assert np.all(np.asarray(tape.gradient(down, weight.value)) > 0)  # descent lowers it
    assert np.all(np.asarray(tape.gradient(up, weight.value)) == 0)  # and does not raise it further
    with refused("maximum", expected="at least initial=50.0", received="40.0"):
        concentration(initial=50.0, maximum=40.0)


def test_a_learned_concentration_cannot_leave_the_numbers_with_a_finite_kl(features):
    layer = VonMisesFisherLatent(5, concentration=LearnedConcentration(rate=1e30), seed=1)
    z = layer(100 * features)
    parameters = layer.parameters(100 * features)
    assert np.max(parameters["concentration"]) == np.float32(1e8)
    assert np.isfinite(layer.kl_divergence(parameters)).all()
    np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 1.0, atol=1e-6)
