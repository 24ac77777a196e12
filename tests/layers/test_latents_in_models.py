"""What users of Keras expect of a latent layer in a model of their own."""

import contextlib
import json
import math
import warnings

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf
import tensorflow_probability as tfp

from tests.conftest import mirrored
from tests.parameters import quick
from tests.refusals import refused
from tf_vmf.layers import (
    GaussianLatent,
    LearnedConcentration,
    LinearSchedule,
    PowerSphericalLatent,
    TimeMajorLSTM,
    VonMisesFisherLatent,
    deterministic,
)
from tf_vmf.seeds import stateless_seed

tfd = tfp.distributions

LATENTS = {
    "vmf": lambda **kw: VonMisesFisherLatent(5, concentration=30.0, seed=1, **kw),
    "vmf_learned": lambda **kw: VonMisesFisherLatent(5, concentration=LearnedConcentration(initial=30.0), seed=1, **kw),
    "power_spherical": lambda **kw: PowerSphericalLatent(5, concentration=30.0, seed=1, **kw),
    "gaussian": lambda **kw: GaussianLatent(5, seed=1, **kw),
}


@pytest.fixture(params=LATENTS)
def make(request):
    return LATENTS[request.param]


def on(*quick):
    """A test on all latent layers, of which only the named are in the quick suite: they differ in what a test is about."""
    names = [pytest.param(name, marks=() if name in quick else pytest.mark.slow) for name in LATENTS]
    return pytest.mark.parametrize("make", names, indirect=True)


@pytest.fixture
def features(rng):
    return rng.normal(size=(12, 7)).astype(np.float32)


def functional(layer, output=None):
    inputs = keras.Input((7,))
    z = layer(inputs)
    return keras.Model(inputs, z if output is None else output(z))


def nothing():
    """A layer whose output is 0, so that against targets of 0 the loss is what latent layers add."""
    return keras.layers.Dense(1, kernel_initializer="zeros")


NOTHING = np.zeros((12, 1), np.float32)


def kl_of_vmf(concentration, dim):
    """KL(vMF || uniform) in double precision from scipy's Bessel functions."""
    nu = dim / 2 - 1
    log_bessel = np.log(scipy.special.ive(nu, concentration)) + concentration
    mean = scipy.special.ive(nu + 1, concentration) / scipy.special.ive(nu, concentration)
    log_normalizer = nu * np.log(concentration) - dim / 2 * np.log(2 * np.pi) - log_bessel
    log_area = np.log(2) + dim / 2 * np.log(np.pi) - scipy.special.gammaln(dim / 2)
    return concentration * mean + log_normalizer + log_area


# Features that are not finite.


@pytest.mark.parametrize(
    ("value", "zeros"),
    quick(
        2,
        [
            (np.nan, False),
            (np.inf, True),
            (np.nan, True),
            *((v, z) for v in (-np.inf,) for z in (False, True)),
            (np.inf, False),
        ],
    ),
)
def test_features_that_are_not_finite_give_no_finite_code_or_kl_in_their_rows_alone(make, features, value, zeros):
    layer = make()
    layer(features)
    bad = np.zeros_like(features) if zeros else features.copy()
    bad[3, 2] = value
    for call in (layer.parameters, tf.function(layer.parameters)):
        parameters = call(tf.constant(bad))
        others = np.arange(12) != 3
        for result in (layer.code(parameters), layer.sample(parameters, 1), layer.kl_divergence(parameters)[:, None]):
            result = result.numpy()
            assert not np.isfinite(result[3]).any()
            assert np.isfinite(result[others]).all()
    clean = layer.parameters(tf.constant(np.where(np.isfinite(bad), bad, 0.0)))
    np.testing.assert_allclose(layer.kl_divergence(parameters)[4], layer.kl_divergence(clean)[4], rtol=1e-6)


@on("vmf_learned")
def test_gradients_of_nan_features_are_nan_and_training_stops(make, features):
    bad = features.copy()
    bad[3] = np.nan
    model = functional(make(), keras.layers.Dense(2))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(bad, training=True))) + tf.add_n(model.losses)
    assert all(np.isnan(g).any() for g in tape.gradient(loss, model.trainable_weights))
    model.compile("sgd", loss="mse")
    history = model.fit(
        bad, np.zeros((12, 2)), epochs=3, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()]
    ).history
    assert len(history["loss"]) == 1


# Numbers that are set while a model trains.


class SetAttribute(keras.callbacks.Callback):
    def __init__(self, layer, name, values):
        super().__init__()
        self.layer, self.name, self.values = layer, name, values

    def on_epoch_begin(self, epoch, logs=None):
        setattr(self.layer, self.name, self.values[epoch])


@on("vmf", "gaussian")
@pytest.mark.parametrize("run_eagerly", quick(1, [False, True]))
def test_a_weight_set_in_a_callback_is_charged_logged_and_saved(make, features, run_eagerly, tmp_path):
    layer = make()
    model = functional(layer, nothing())
    model.compile(keras.optimizers.SGD(0.0), loss="mse", run_eagerly=run_eagerly)
    values = [0.0, 0.5, 2, np.float32(0.25)]
    history = model.fit(
        features, NOTHING, epochs=4, batch_size=12, verbose=0, callbacks=[SetAttribute(layer, "kl_weight", values)]
    ).history
    kl = layer.posterior(features).kl_divergence(layer.prior()).numpy().mean()
    np.testing.assert_allclose(history["loss"], kl * np.array(values, np.float64), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(history["kl"], 4 * [kl], rtol=1e-5)
    np.testing.assert_allclose(history["kl_weight"], values, rtol=1e-6)
    layer.kl_weight = tf.constant(0.75)
    assert model.evaluate(features, NOTHING, verbose=0, return_dict=True)["loss"] == pytest.approx(0.75 * kl, rel=1e-5)
    assert layer.get_config()["kl_weight"] == 0.75
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").layers[1].kl_weight == 0.75


@pytest.mark.parametrize(
    ("latent", "run_eagerly"),
    quick(
        2,
        [
            (VonMisesFisherLatent, False),
            (PowerSphericalLatent, True),
            (VonMisesFisherLatent, True),
            (PowerSphericalLatent, False),
        ],
    ),
)
def test_a_concentration_set_in_a_callback_is_obeyed_logged_and_saved(latent, features, run_eagerly, tmp_path):
    layer = latent(5, concentration=30.0, seed=1)
    model = functional(layer, nothing())
    model.compile(keras.optimizers.SGD(0.0), loss="mse", run_eagerly=run_eagerly)
    values = [30.0, 4, np.float64(300.0), 0.1]
    history = model.fit(
        features, NOTHING, epochs=4, batch_size=12, verbose=0, callbacks=[SetAttribute(layer, "concentration", values)]
    ).history
    if latent is VonMisesFisherLatent:
        np.testing.assert_allclose(history["kl"], [kl_of_vmf(float(value), 5) for value in values], rtol=1e-4)
    assert np.all(np.diff(np.array(history["kl"])[np.argsort(np.array(values, float))]) > 0)
    np.testing.assert_allclose(history["concentration"], np.array(values, float), rtol=1e-6)
    assert layer.get_config()["concentration"] == 0.1
    assert layer.posterior(features).concentration.numpy()[0] == np.float32(0.1)
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").layers[1].concentration == 0.1


@pytest.mark.slow
def test_samples_of_a_traced_function_follow_the_concentration_that_is_set(features):
    layer = VonMisesFisherLatent(5, concentration=1e6, seed=1)
    layer(features)

    @tf.function
    def mean_cosine():
        parameters = layer.parameters(tf.constant(features))
        z = layer.sample(parameters, 3, (500,))
        return tf.reduce_mean(tf.reduce_sum(z * parameters["mean_direction"], axis=-1))

    assert float(mean_cosine()) == pytest.approx(1.0, abs=1e-4)
    layer.concentration = 2.0
    # E[mu.z] = I_{d/2}(kappa) / I_{d/2-1}(kappa); 6,000 samples of standard deviation below 0.45.
    assert float(mean_cosine()) == pytest.approx(scipy.special.ive(2.5, 2) / scipy.special.ive(1.5, 2), abs=0.025)
    assert mean_cosine.experimental_get_tracing_count() == 1


def test_before_and_after_it_is_set_samples_are_those_of_a_layer_made_with_the_number(features):
    changed, made = (
        VonMisesFisherLatent(5, concentration=3.0, seed=1),
        VonMisesFisherLatent(5, concentration=40.0, seed=1),
    )
    changed.build((None, 7)), made.build((None, 7))
    traced = tf.function(lambda: changed.sample(changed.parameters(tf.constant(features)), 7))
    traced()
    made.direction_head.set_weights(changed.direction_head.get_weights())
    changed.concentration = 40.0
    expected = made.sample(made.parameters(tf.constant(features)), 7)
    np.testing.assert_allclose(traced(), expected, atol=2e-6)


def test_replicas_obey_what_is_set(features):
    with (strategy := mirrored(2)).scope():
        layer = VonMisesFisherLatent(5, concentration=30.0, seed=1)
        model = functional(layer, nothing())
        model.compile(keras.optimizers.SGD(0.0), loss="mse")

    @tf.function
    def step():
        def replica():
            layer(tf.constant(features), training=True)
            return layer.losses[0]

        return strategy.reduce("MEAN", strategy.run(replica), axis=None)

    assert float(step()) == pytest.approx(kl_of_vmf(30.0, 5), rel=1e-4)
    layer.kl_weight, layer.concentration = 0.5, 3.0
    assert float(step()) == pytest.approx(0.5 * kl_of_vmf(3.0, 5), rel=1e-4)
    logs = model.fit(
        features, NOTHING, batch_size=6, verbose=0, callbacks=[SetAttribute(layer, "concentration", [6.0])]
    ).history
    assert logs["kl"][-1] == pytest.approx(kl_of_vmf(6.0, 5), rel=1e-4)


def test_a_value_that_is_no_number_and_a_learned_concentration_cannot_be_set(features):
    layer = VonMisesFisherLatent(5, concentration=30.0)
    layer(features)
    for value in (-1.0, np.nan, "learned", True):
        with pytest.raises(ValueError, match="concentration"):
            layer.concentration = value
        if value != "learned":
            with pytest.raises(ValueError, match="kl_weight"):
                layer.kl_weight = value
    assert (layer.concentration, layer.kl_weight) == (30.0, 1.0)
    for learned in (VonMisesFisherLatent(5, concentration="learned"), PowerSphericalLatent(5, concentration="learned")):
        for build in (False, True):
            if build:
                learned(features)
            with pytest.raises(ValueError, match="made with a number"):
                learned.concentration = 5.0


def test_a_number_ends_a_schedule_and_the_schedule_may_be_taken_up_again(features):
    schedule = LinearSchedule(10)
    layer = GaussianLatent(5, kl_weight=schedule, seed=1)
    model = functional(layer, nothing())
    model.compile(keras.optimizers.SGD(0.0), loss="mse")
    weights = [schedule, schedule, 0.7, schedule]
    history = model.fit(
        features, NOTHING, epochs=4, batch_size=12, verbose=0, callbacks=[SetAttribute(layer, "kl_weight", weights)]
    ).history
    np.testing.assert_allclose(history["kl_weight"], [0.0, 0.1, 0.7, 0.3], atol=1e-6)
    np.testing.assert_allclose(history["loss"], np.array(history["kl"]) * history["kl_weight"], rtol=1e-5, atol=1e-6)
    assert layer.kl_weight is schedule
    with pytest.raises(ValueError, match="made with"):
        layer.kl_weight = LinearSchedule(5)


def test_parameters_that_are_passed_count_and_not_the_number_of_the_layer(features):
    layer = VonMisesFisherLatent(5, concentration=30.0)
    layer(features)
    parameters = {**layer.parameters(features), "concentration": tf.fill([12], 2.0)}
    np.testing.assert_allclose(layer.kl_divergence(parameters), 12 * [kl_of_vmf(2.0, 5)], rtol=1e-5)


# Priors.


def test_a_prior_of_ones_own_is_charged_by_the_registered_kl_or_from_samples(features):
    center = tf.constant([1.0, 0, 0, 0, 0])

    class Registered(GaussianLatent):
        def _prior(self):
            return tfd.MultivariateNormalDiag(2.0 * center, 3.0 * tf.ones(5))

    class OnTheSphere(VonMisesFisherLatent):
        def _prior(self):
            return tfd.VonMisesFisher(center, 5.0)  # the KL between ours and it is registered

    class Mixture(VonMisesFisherLatent):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.logits = self.add_weight(shape=(2,), name="logits")

        def _prior(self):
            components = tfd.VonMisesFisher(tf.stack([center, -center]), [4.0, 8.0])
            return tfd.MixtureSameFamily(tfd.Categorical(logits=self.logits), components)

    for cls in (Registered, OnTheSphere, Mixture):
        layer = cls(5, seed=1)
        parameters = layer.parameters(tf.constant(features))
        posterior, prior = layer.distribution(parameters), layer.prior()
        z = posterior.sample(2000, seed=(1, 2))
        ratio = (posterior.log_prob(z) - prior.log_prob(z)).numpy()
        mean, deviation = ratio.mean(axis=0), ratio.std(axis=0)
        estimate = layer.kl_divergence(parameters).numpy()
        assert np.all(np.abs(estimate - mean) < 5 * deviation / np.sqrt(100) + 1e-4)
        # The sample that the decoder reads is that of the estimate.
        z = layer.sample(parameters, 4, (1,))
        one = posterior.log_prob(z)[0] - prior.log_prob(z)[0]
        expected = one if cls is Mixture else posterior.kl_divergence(prior)
        np.testing.assert_allclose(layer.kl_estimate(parameters, z), expected, rtol=1e-5)
    with tf.GradientTape() as tape:  # a learned prior learns
        layer(features)
    assert np.all(tape.gradient(layer.losses[0], layer.logits) != 0)


def test_the_closed_form_is_not_used_for_what_it_was_not_derived_for(features):
    class Penalized(VonMisesFisherLatent):
        """The KL refers to that of the layer, though the prior is another."""

        def _prior(self):
            return tfd.VonMisesFisher(tf.constant([1.0, 0, 0, 0, 0]), 5.0)

        def kl_divergence(self, parameters, z=None):
            return super().kl_divergence(parameters, z) + 1.0

    class Replaced(GaussianLatent):
        def distribution(self, parameters):
            return tfd.MultivariateNormalDiag(parameters["mean"], 2.0 * tf.exp(0.5 * parameters["log_variance"]))

    layer = Penalized(5, concentration=30.0, seed=1)
    layer(features)
    posterior = layer.posterior(features)
    z = posterior.sample(4000, seed=(1, 2))
    mean = (posterior.log_prob(z) - layer.prior().log_prob(z)).numpy().mean(axis=0)
    np.testing.assert_allclose(layer.kl_divergence(layer.parameters(features)), mean + 1.0, atol=1.5)
    layer = Replaced(5)
    layer(features)
    expected = layer.posterior(features).kl_divergence(layer.prior())
    np.testing.assert_allclose(layer.kl_divergence(layer.parameters(features)), expected, rtol=1e-5)
    plain = GaussianLatent(5)
    plain(features)
    plain.prior = lambda: tfd.MultivariateNormalDiag(tf.zeros(5), 2.0 * tf.ones(5))
    expected = plain.posterior(features).kl_divergence(plain.prior())
    np.testing.assert_allclose(plain.kl_divergence(plain.parameters(features)), expected, rtol=1e-5)


# Masks.


@on("vmf_learned", "gaussian")
@pytest.mark.parametrize("time_distributed", [pytest.param(False, marks=pytest.mark.slow), True])
def test_padded_steps_have_no_kl_and_the_mask_is_passed_on(make, time_distributed):
    tokens = np.array([[3, 4, 0, 0], [5, 6, 7, 1]])
    inputs = keras.Input((4,), dtype="int32")
    layer = make(norm_penalty=0.5) if "gaussian" not in repr(make()) else make()
    embedded = keras.layers.Embedding(8, 7, mask_zero=True)(inputs)
    z = (keras.layers.TimeDistributed(layer) if time_distributed else layer)(embedded)
    state = keras.layers.LSTM(3)(z)  # reads the mask
    model = keras.Model(inputs, [state, embedded])
    model.compile("sgd", loss=None)
    logs = model.evaluate(tokens, verbose=0, return_dict=True)
    h = model(tokens)[1]
    kl = tf.reshape(layer.kl_divergence(layer.parameters(tf.reshape(h, [-1, 7]))), [2, 4]).numpy()
    expected = (kl * (tokens != 0)).sum() / 2
    assert logs["kl"] == pytest.approx(expected, rel=1e-5)
    assert logs["loss"] == pytest.approx(expected, rel=1e-5)
    if not time_distributed:
        np.testing.assert_array_equal(z._keras_mask.shape, (None, 4))


def test_a_mask_of_another_shape_is_refused(features):
    with pytest.raises(ValueError, match=r"mask.*\(12, 3\)"):
        GaussianLatent(5)(features, mask=tf.ones([12, 3], tf.bool))


# Metrics.


@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # the code is not used, and one KL is a constant
def test_every_layer_logs_what_the_loss_charges_under_a_name_of_its_own(features):
    inputs = keras.Input((7,))
    scheduled = VonMisesFisherLatent(3, concentration=LinearSchedule(9, 5.0, 5.0), name="topic")
    layers = [VonMisesFisherLatent(3, concentration=5.0, name="style"), scheduled]
    named = GaussianLatent(2, kl_name="my_kl", name="rest")
    z = [layer(inputs) for layer in (*layers, named)]
    model = keras.Model(inputs, nothing()(keras.layers.concatenate(z)))
    model.compile(keras.optimizers.SGD(0.0), loss="mse")
    history = model.fit(features, NOTHING, validation_data=(features, NOTHING), verbose=0).history
    expected = {"loss", "kl_style", "kl_topic", "my_kl", "concentration_topic"}  # and no numbers that do not change
    assert set(history) == expected | {f"val_{name}" for name in expected}
    total = sum(history[name][0] for name in ("kl_style", "kl_topic", "my_kl"))
    assert history["loss"][0] == pytest.approx(total, rel=1e-5)
    assert history["val_loss"][0] == pytest.approx(total, rel=1e-5)
    twins = [GaussianLatent(2, kl_name="same")(inputs) for _ in range(2)]
    with pytest.raises(ValueError, match=r"`kl_name`.*'same'"):
        keras.Model(inputs, twins)(features)


@on("vmf", "gaussian")
def test_a_layer_alone_in_its_model_logs_kl(make, features):
    model = functional(make())
    model.compile("sgd")
    names = {"loss", "kl", "kl_weight"} | ({"concentration"} if "gaussian" not in repr(make()) else set())
    assert set(model.evaluate(features, verbose=0, return_dict=True)) == names


@on("vmf_learned", "gaussian")
@pytest.mark.parametrize("run_eagerly", quick(1, [False, True]))
def test_a_layer_that_is_called_twice_logs_the_sum_that_the_loss_charges(make, features, run_eagerly):
    layer = make()
    inputs = keras.Input((7,))
    model = keras.Model(inputs, nothing()(layer(inputs) + layer(2 * inputs)))
    model.compile(keras.optimizers.SGD(0.0), loss="mse", run_eagerly=run_eagerly)
    logs = model.evaluate(features, NOTHING, batch_size=5, verbose=0, return_dict=True)
    kl = layer.kl_divergence(layer.parameters(features)) + layer.kl_divergence(layer.parameters(2 * features))
    assert logs["kl"] == pytest.approx(np.mean(kl), rel=1e-5)
    assert logs["loss"] == pytest.approx(np.mean(kl), rel=1e-5)
    assert model.fit(features, NOTHING, batch_size=5, verbose=0).history["kl"][0] == pytest.approx(
        np.mean(kl), rel=1e-5
    )


# Tensors in, tensors out.


def test_parameters_posterior_and_sample_work_before_the_first_call(make, features):
    for use in (make().parameters, make().posterior):
        use(features)
    layer = make()
    parameters = layer.parameters(features)
    layer(features)
    np.testing.assert_array_equal(layer.code(layer.parameters(features)), layer.code(parameters))
    for seed in (3, np.int64(3), tf.constant(3), (3, 0), tf.constant([3, 0])):
        np.testing.assert_array_equal(
            layer.sample(parameters, seed=seed), layer.sample(parameters, seed=stateless_seed(3))
        )
    assert layer.sample(parameters, 3, 4).shape == (4, 12, 5)
    assert layer.sample(parameters, 3, (2, 4)).shape == (2, 4, 12, 5)


def test_symbolic_features_are_refused_with_the_way_to_go(make):
    for method in (make().parameters, make().posterior):
        with pytest.raises(ValueError, match="return_parameters=True"):
            method(keras.Input((7,)))


@on("vmf_learned", "gaussian")
def test_parameters_and_kl_are_outputs_of_a_functional_model(make, features, tmp_path):
    inputs = keras.Input((7,))
    layer = make(return_parameters=True)
    outputs = layer(inputs)
    model = keras.Model(inputs, {**outputs, "decoded": keras.layers.Dense(2)(outputs["z"])})
    parameters = layer.parameters(tf.constant(features))
    assert set(outputs) == {"z", "kl", *parameters}
    predicted = model.predict(features, verbose=0)
    for name, expected in {**parameters, "kl": layer.kl_divergence(parameters)}.items():
        assert outputs[name].shape == (None, *expected.shape[1:])
        np.testing.assert_allclose(predicted[name], expected, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    model.compile("adam")
    assert model.evaluate(features, verbose=0, return_dict=True)["kl"] == pytest.approx(
        predicted["kl"].mean(), rel=1e-5
    )
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(features, verbose=0)["kl"], predicted["kl"], rtol=1e-6)


@on("vmf_learned")
def test_several_samples_per_row_are_an_axis_before_the_last(make, features):
    inputs = keras.Input((7,))
    layer = make(num_samples=400)
    z = layer(inputs)
    assert z.shape == (None, 400, 5)
    model = keras.Model(inputs, [z, keras.layers.Dense(3)(z)])
    samples, decoded = model.predict(features, verbose=0, batch_size=5)
    assert samples.shape == (12, 400, 5)
    assert decoded.shape == (12, 400, 3)
    posterior = layer.posterior(features)
    error = samples.std(axis=1) / np.sqrt(400)
    assert np.all(np.abs(samples.mean(axis=1) - posterior.mean()) < 5 * error)
    model.compile("sgd")
    logs = model.evaluate(features, verbose=0, return_dict=True)
    kl = layer.kl_divergence(layer.parameters(features))
    assert logs["loss"] == pytest.approx(np.mean(kl), rel=1e-5)
    code = layer(features, deterministic=True)
    assert code.shape == (12, 400, 5)
    np.testing.assert_array_equal(code[:, 0], code[:, 399])


@on("vmf_learned")
def test_one_switch_makes_a_whole_model_deterministic_and_is_undone(make, features, tmp_path):
    inputs = keras.Input((7,))
    encoder = keras.Model(inputs, make()(inputs))
    model = keras.Model(inputs, keras.layers.Dense(2)(encoder(inputs)))
    model.compile("sgd", loss="mse")
    sampled = model.predict(features, verbose=0)
    layer = encoder.layers[-1]
    expected = model.layers[-1](layer.code(layer.parameters(tf.constant(features))))
    with deterministic(model):
        np.testing.assert_allclose(model.predict(features, verbose=0), expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(model(features), expected, rtol=1e-5, atol=1e-6)
        assert not model.losses
        model.export(tmp_path / "export", verbose=False)
    served = tf.saved_model.load(tmp_path / "export")
    np.testing.assert_allclose(served.serve(tf.constant(features)), expected, rtol=1e-5, atol=1e-6)
    operations = {
        node.op
        for function in served.signatures["serving_default"].graph.as_graph_def().library.function
        for node in function.node_def
    }
    assert not any("Random" in operation for operation in operations)
    assert np.abs(model.predict(features, verbose=0) - sampled).max() > 1e-3
    assert model.evaluate(features, np.zeros((12, 2)), verbose=0, return_dict=True)["kl"] > 0
    with pytest.raises(ValueError, match="latent layer"), deterministic(keras.Sequential([keras.layers.Dense(2)])):
        pass


# Heads.


def test_heads_of_ones_own_and_an_initializer(features, tmp_path):
    def mlp(name):
        return keras.Sequential([keras.layers.Dense(4, "tanh"), keras.layers.Dense(5)], name=name)

    for layer, reference in (
        (VonMisesFisherLatent(5, direction_head=mlp("m"), seed=1), "mean_direction"),
        (GaussianLatent(5, mean_head=mlp("m"), seed=1), "mean"),
    ):
        model = functional(layer)
        head = layer.direction_head if reference == "mean_direction" else layer.mean_head
        expected = head(features).numpy()
        if reference == "mean_direction":
            expected /= np.linalg.norm(expected, axis=-1, keepdims=True)
        np.testing.assert_allclose(layer.parameters(features)[reference], expected, atol=1e-6)
        model.save(tmp_path / "model.keras")
        copy = keras.saving.load_model(tmp_path / "model.keras").layers[-1]
        np.testing.assert_allclose(copy.parameters(features)[reference], expected, atol=1e-6)
    with refused("mean_direction", received="(12, 3)", expected="(batch, 5)"):
        VonMisesFisherLatent(5, direction_head=keras.layers.Dense(3))(features)
    with refused("direction_head", expected="a Keras layer"):
        VonMisesFisherLatent(5, direction_head=lambda h: h)
    zeros = GaussianLatent(5, kernel_initializer=keras.initializers.Zeros())
    np.testing.assert_array_equal(zeros.parameters(features)["mean"], np.zeros((12, 5)))
    json.dumps(zeros.get_config())
    assert GaussianLatent.from_config(zeros.get_config()).get_config() == zeros.get_config()
    learned = VonMisesFisherLatent(5, concentration="learned", kernel_initializer="zeros")
    np.testing.assert_allclose(learned.parameters(features)["concentration"], 12 * [10.0], rtol=1e-6)


def test_parameters_computed_elsewhere_are_inputs(rng, tmp_path):
    m, kappa = keras.Input((5,), name="m"), keras.Input((1,), name="kappa")
    layer = VonMisesFisherLatent(5, return_parameters=True, seed=1)
    outputs = layer({"mean_direction": m, "concentration": keras.layers.Dense(1, "softplus")(kappa)})
    model = keras.Model([m, kappa], outputs)
    directions, strengths = rng.normal(size=(6, 5)).astype(np.float32), rng.normal(size=(6, 1)).astype(np.float32)
    predicted = model.predict([directions, strengths], verbose=0)
    expected = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    np.testing.assert_allclose(predicted["mean_direction"], expected, atol=1e-6)
    np.testing.assert_allclose(
        predicted["kl"],
        [kl_of_vmf(float(k), 5) for k in predicted["concentration"].astype(np.float64)],
        rtol=1e-3,
        atol=1e-5,
    )
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras").predict([directions, strengths], verbose=0)
    np.testing.assert_allclose(again["kl"], predicted["kl"], rtol=1e-6)
    fixed = VonMisesFisherLatent(5, concentration=7.0)({"mean_direction": tf.constant(directions)})
    assert fixed.shape == (6, 5)
    gaussian = GaussianLatent(5, seed=1)
    z = gaussian({"mean": tf.constant(directions), "log_variance": tf.fill([6, 5], -50.0)})
    np.testing.assert_allclose(z, directions, atol=1e-6)
    with refused("inputs", expected="`concentration` beside"):
        VonMisesFisherLatent(5, concentration="learned")({"mean_direction": tf.constant(directions)})


# Recurrent networks.


class Cell(keras.layers.Layer):
    """The example in the docstring of `LatentLayer`."""

    state_size, output_size = 8, 9

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.latent = GaussianLatent(4)
        self.update = keras.layers.Dense(8, "tanh")

    def build(self, input_shape):
        width = input_shape[-1] + 8
        self.latent.build((None, width))
        self.update.build((None, width + 4))
        super().build(input_shape)

    def call(self, inputs, states):
        features = tf.concat([inputs, states[0]], axis=-1)
        parameters = self.latent.parameters(features)
        seed = stateless_seed(7, tf.cast(inputs[0, -1], tf.int32))
        z = self.latent.sample(parameters, seed)
        h = self.update(tf.concat([features, z], axis=-1))
        return tf.concat([h, self.latent.kl_divergence(parameters)[:, tf.newaxis]], axis=-1), [h]


def test_a_latent_works_inside_a_recurrent_cell(rng):
    x = rng.normal(size=(3, 6, 5)).astype(np.float32)
    x[..., -1] = np.arange(6)
    cell = Cell()
    outputs = keras.layers.RNN(cell, return_sequences=True)(tf.constant(x))
    h = np.zeros((3, 8), np.float32)
    for t in range(6):
        expected, (h,) = cell(tf.constant(x[:, t]), [h])
        np.testing.assert_allclose(outputs[:, t], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("implementation", ["fused", "keras"])
def test_a_known_length_of_an_lstm_stays_known(implementation):
    inputs = keras.Input(batch_shape=(6, None, 3))
    outputs, _ = TimeMajorLSTM(4, implementation=implementation)(inputs)
    assert outputs.shape == (6, None, 4)
    outputs, state = TimeMajorLSTM(4, implementation=implementation)(keras.Input(batch_shape=(6, 2, 3)))
    assert outputs.shape == (6, 2, 4)
    assert state[0].shape == (2, 4)
    assert math.prod(outputs.shape) == 48


@pytest.mark.slow
def test_a_file_for_runtimes_without_random_numbers_comes_with_a_hint(tmp_path):
    h = keras.Input((3,))
    model = keras.Model(h, keras.layers.Dense(2)(VonMisesFisherLatent(4, concentration=5.0, name="code")(h)))
    warned = pytest.warns(UserWarning, match=r"'code' draws random numbers, which litert .*tf_vmf.layers.deterministic")
    with warned, contextlib.suppress(Exception):  # the converter may fail as well
        model.export(tmp_path / "sampling.tflite", format="litert", verbose=False)
    with warnings.catch_warnings(), deterministic(model):
        warnings.simplefilter("error")
        model.export(tmp_path / "codes.tflite", format="litert", verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.export(tmp_path / "saved", verbose=False)  # TensorFlow has random numbers
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter is deprecated")
        reader = tf.lite.Interpreter(str(tmp_path / "codes.tflite"))
    x = np.array([[1.0, -2.0, 0.5]], np.float32)
    reader.allocate_tensors()
    reader.set_tensor(reader.get_input_details()[0]["index"], x)
    reader.invoke()
    with deterministic(model):
        expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(reader.get_tensor(reader.get_output_details()[0]["index"]), expected, rtol=1e-5)
