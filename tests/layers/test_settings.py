"""Settings are configuration: weights hold what is learned, and nothing that moves weights changes a setting."""

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from tests.layers.test_latents_in_models import NOTHING, functional, kl_of_vmf, nothing
from tests.parameters import quick
from tf_vmf import models
from tf_vmf.layers import (
    GaussianLatent,
    LatentAnnealing,
    LinearSchedule,
    PowerSphericalLatent,
    ProductLatent,
    SphereProductLatent,
    UniformNormVonMisesFisherLatent,
    VonMisesFisherLatent,
)

SPHERICAL = [VonMisesFisherLatent, PowerSphericalLatent, UniformNormVonMisesFisherLatent]


@pytest.fixture
def features(rng):
    return rng.normal(size=(12, 7)).astype(np.float32)


def built(layer):
    layer.build((None, 7))
    return layer


def document_model(latent, **compiled):
    model = models.BagOfWordsVAE(20, latent, encoder_units=(8,), decoder_units=(), seed=0)
    model.compile(keras.optimizers.SGD(0.01, **compiled))
    return model


def sentence_model(latent, **compiled):
    model = models.LSTMVAE(7, latent, embedding_dim=3, hidden_units=4, seed=0)
    model.compile(keras.optimizers.SGD(0.01, **compiled))
    return model


def image_model(latent, **compiled):
    encoder = keras.Sequential([keras.Input((20,)), keras.layers.Dense(4)])
    decoder = keras.Sequential([keras.Input((latent.latent_dim,)), keras.layers.Dense(20)])
    model = models.VAE(encoder, latent, decoder, "gaussian", seed=0)
    model.compile(keras.optimizers.SGD(0.01, **compiled))
    return model


def examples(make, rng, size=12):
    if make is sentence_model:
        return np.concatenate([rng.integers(3, 7, size=(size, 4)), np.ones((size, 1), int)], axis=1).astype(np.int32)
    return rng.poisson(1.0, size=(size, 20)).astype(np.float32)


@pytest.mark.parametrize("latent", SPHERICAL)
def test_weights_of_a_layer_are_what_it_learns(latent, features):
    layer = built(latent(5, concentration=30.0, kl_weight=LinearSchedule(10)))
    assert all(weight.trainable for weight in layer.weights)
    names = {"noise_step", "kl_weight", "kl_weight_follows", "concentration"}
    assert names == {each.name for each in layer.variables} - {each.name for each in layer.weights}


@pytest.mark.parametrize("way", quick(1, ["load_weights", "set_weights"]))
def test_weights_of_another_model_bring_none_of_its_settings(way, features, tmp_path):
    latent = VonMisesFisherLatent
    schedule = LinearSchedule(10)
    for there, here in (
        ({"concentration": 5.0, "kl_weight": 0.25}, {"concentration": 30.0, "kl_weight": 1.0}),
        ({"concentration": LinearSchedule(4, 1.0, 9.0), "kl_weight": LinearSchedule(3)}, {"concentration": 30.0}),
        (
            {"concentration": 5.0, "kl_weight": 0.25},
            {"concentration": LinearSchedule(4, 1.0, 9.0), "kl_weight": schedule},
        ),
    ):
        a, b = functional(latent(5, **there), nothing()), functional(latent(5, **here), nothing())
        before = b.layers[1].get_config()
        if way == "set_weights":
            b.set_weights(a.get_weights())
        else:
            a.save_weights(tmp_path / "a.weights.h5")
            b.load_weights(tmp_path / "a.weights.h5")
        assert b.layers[1].get_config() == before
        for weight, other in zip(b.weights, a.weights, strict=True):
            np.testing.assert_array_equal(weight, other)
        b.compile(keras.optimizers.SGD(0.0), loss="mse")
        history = b.fit(features, NOTHING, verbose=0).history
        assert np.isfinite(history["loss"][0])
        assert history["kl_weight"][0] == (0.0 if here.get("kl_weight") is schedule else 1.0)


@pytest.mark.parametrize("make", quick(1, [document_model, sentence_model, image_model]))
def test_early_stopping_and_checkpoints_of_keras_leave_settings_alone(make, rng, tmp_path):
    x = examples(make, rng)
    model = make(VonMisesFisherLatent(3, concentration=10.0, seed=1))
    callbacks = [
        LatentAnnealing(LinearSchedule(2)),
        LatentAnnealing(lambda epoch: 10.0 + epoch, attribute="concentration"),
        # The first epoch charges no KL and stays the best, as the threshold cannot be passed.
        keras.callbacks.EarlyStopping("loss", min_delta=1e9, patience=3, restore_best_weights=True),
        keras.callbacks.ModelCheckpoint(
            tmp_path / "best.weights.h5", "loss", save_best_only=True, save_weights_only=True
        ),
    ]
    model.fit(x, epochs=5, verbose=0, callbacks=callbacks)
    assert (model.latent.kl_weight, model.latent.concentration) == (1.0, 13.0)
    model.load_weights(tmp_path / "best.weights.h5")
    assert (model.latent.kl_weight, model.latent.concentration) == (1.0, 13.0)
    # Graphs obey, too: the KL is that of the concentration that was set last.
    terms = model.elbo_terms(model.to_tensors(x), tf.constant([0, 1]))
    np.testing.assert_allclose(terms["kl"], 12 * [kl_of_vmf(13.0, 3)], rtol=1e-4)


@pytest.mark.parametrize(
    "make",
    [
        lambda: SphereProductLatent(6, part_dim=3, concentration=10.0),
        lambda: ProductLatent([VonMisesFisherLatent(3, concentration=10.0), GaussianLatent(3)]),
    ],
)
def test_a_file_brings_back_what_was_set_part_by_part(make, features, tmp_path):
    model = functional(make(), nothing())
    model.layers[1].layers[0].concentration = 4.0
    model.layers[1].kl_weight = 0.5
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras").layers[1]
    assert loaded.layers[0].concentration == 4.0
    assert loaded.kl_weight == 0.5
    if isinstance(loaded, SphereProductLatent):
        assert loaded.layers[1].concentration == 10.0


def test_a_checkpoint_of_tensorflow_restores_settings_and_counts(features, tmp_path):
    def make():
        latent = VonMisesFisherLatent(5, concentration=30.0, kl_weight=LinearSchedule(10), seed=1)
        return functional(latent, nothing())

    model, copy = make(), make()
    model.layers[1].concentration = 3.0
    model.layers[1].kl_weight = 0.5
    model(features, training=True)
    path = tf.train.Checkpoint(model=model).write(str(tmp_path / "checkpoint"))
    tf.train.Checkpoint(model=copy).read(path).assert_consumed()
    assert (copy.layers[1].concentration, copy.layers[1].kl_weight) == (3.0, 0.5)
    np.testing.assert_array_equal(copy(features, training=True), model(features, training=True))


@pytest.mark.parametrize("kind", [tf.Variable, keras.Variable])
@pytest.mark.parametrize("latent", [*SPHERICAL, lambda d, **options: SphereProductLatent(d, part_dim=d, **options)])
def test_a_variable_given_as_concentration_is_read_at_every_step(latent, kind, features):
    variable = kind(30.0)
    layer = latent(5, concentration=variable, seed=1)
    parameters = tf.function(lambda: layer.parameters(tf.constant(features)))

    def kappa():
        return next(value for name, value in parameters().items() if name.startswith("concentration")).numpy()[0]

    assert kappa() == 30.0
    variable.assign(4.0)
    assert kappa() == 4.0
    assert keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer)).get_config() == (
        layer.get_config()
    )


def test_the_kl_of_a_variable_has_a_gradient_in_it(features):
    variable = tf.Variable(30.0, dtype=tf.float64)
    layer = VonMisesFisherLatent(5, concentration=variable, dtype="float64")
    with tf.GradientTape() as tape:
        kl = layer.kl_divergence(layer.parameters(features))[0]
    # d KL / d kappa = kappa A'(kappa), A the mean resultant length, A' = 1 - A^2 - (d - 1) A / kappa.
    a = scipy.special.ive(2.5, 30.0) / scipy.special.ive(1.5, 30.0)
    assert float(tape.gradient(kl, variable)) == pytest.approx(30.0 * (1 - a**2 - 4 * a / 30.0), rel=1e-6)


# The count of steps.


@pytest.mark.parametrize("make", [document_model, sentence_model, image_model])
def test_noise_and_dropout_differ_between_the_batches_that_an_optimizer_accumulates(make, rng):
    x = examples(make, rng)
    model = make(VonMisesFisherLatent(3, concentration=10.0, seed=1), gradient_accumulation_steps=2)
    losses = []
    for _ in range(4):
        model.reset_metrics()
        losses.append(float(model.train_step(model.to_tensors(x))["nll"]))
    # The first two are computed at the same weights: only noise and dropout tell them apart.
    assert losses[0] != losses[1]
    assert int(model.train_steps.numpy()) == 4


@pytest.mark.parametrize("make", quick(1, [image_model, document_model, sentence_model]))
def test_schedules_count_batches_whatever_the_optimizer_accumulates(make, rng):
    x = examples(make, rng, 8)
    weights = {}
    for steps in (None, 4):
        latent = VonMisesFisherLatent(3, concentration=LinearSchedule(8, 1.0, 9.0), kl_weight=LinearSchedule(8))
        model = make(latent, gradient_accumulation_steps=steps)
        seen = []
        annealing = LatentAnnealing(lambda step, seen=seen: seen.append(step) or 0.0, attribute="kl_weight", per="step")
        history = model.fit(x, batch_size=2, epochs=2, verbose=0).history
        weights[steps] = history["kl_weight"], history["concentration"]
        model.fit(x, batch_size=2, epochs=1, verbose=0, callbacks=[annealing])
        assert seen == [8, 9, 10, 11]
    # After 4 and 8 batches the last steps were 3 and 7.
    np.testing.assert_allclose(weights[None], [[3 / 8, 7 / 8], [4.0, 8.0]], rtol=1e-6)
    assert weights[None] == weights[4]


def test_a_model_that_is_compiled_anew_or_loaded_goes_on_counting(rng, tmp_path):
    x = examples(document_model, rng)
    model = document_model(GaussianLatent(3, seed=1))
    model.fit(x, batch_size=4, epochs=2, verbose=0)
    model.compile(keras.optimizers.SGD(0.01))
    assert int(model.train_steps.numpy()) == 6
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    assert int(keras.saving.load_model(tmp_path / "model.keras").train_steps.numpy()) == 6
    other = document_model(GaussianLatent(3, seed=1))
    other.set_weights(model.get_weights())
    assert int(other.train_steps.numpy()) == 0
    other.load_weights(tmp_path / "model.weights.h5")
    assert int(other.train_steps.numpy()) == 6


def test_backup_and_restore_of_keras_goes_on_with_the_noise_of_an_uninterrupted_run(rng, tmp_path):
    x = examples(document_model, rng)

    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def train(*callbacks):
        model = document_model(VonMisesFisherLatent(3, concentration="learned", kl_weight=LinearSchedule(10), seed=1))
        return model, lambda: model.fit(x, batch_size=4, epochs=4, shuffle=False, verbose=0, callbacks=list(callbacks))

    keras.utils.set_random_seed(3)
    whole, fit = train()
    expected = fit().history
    keras.utils.set_random_seed(3)
    _, fit = train(keras.callbacks.BackupAndRestore(tmp_path / "backup"), Stop())
    with pytest.raises(KeyboardInterrupt):
        fit()
    keras.utils.set_random_seed(4)
    resumed, fit = train(keras.callbacks.BackupAndRestore(tmp_path / "backup"))
    history = fit().history
    for name, values in history.items():
        np.testing.assert_array_equal(values, expected[name][2:], err_msg=name)
    for weight, other in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)
