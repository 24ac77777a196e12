"""The contract of all latent layers."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tests.conftest import mirrored
from tf_vmf.layers import GaussianLatent, PowerSphericalLatent, VonMisesFisherLatent
from tf_vmf.layers.noise import replica_seed, stateless_seed

tfd = tfp.distributions

SPHERICAL = {
    "vmf_fixed": lambda **kw: VonMisesFisherLatent(5, concentration=30.0, **kw),
    "vmf_learned": lambda **kw: VonMisesFisherLatent(5, concentration="learned", initial_concentration=30.0, **kw),
    "power_spherical_fixed": lambda **kw: PowerSphericalLatent(5, concentration=30.0, **kw),
    "power_spherical_learned": lambda **kw: PowerSphericalLatent(5, concentration="learned", **kw),
}
LAYERS = {**SPHERICAL, "gaussian": lambda **kw: GaussianLatent(5, **kw)}


@pytest.fixture(params=LAYERS)
def make(request):
    return LAYERS[request.param]


@pytest.fixture
def features(rng):
    return rng.normal(size=(12, 7)).astype(np.float32)


def test_fit_of_a_functional_model_adds_the_kl_to_the_loss_and_reports_it(make, features):
    inputs = keras.Input((7,))
    layer = make(seed=1)
    model = keras.Model(inputs, keras.layers.Dense(1)(layer(inputs)))
    model.compile("sgd", loss="mse")
    logs = model.evaluate(features, np.zeros((12, 1)), verbose=0, return_dict=True)
    kl = layer.posterior(features).kl_divergence(layer.prior()).numpy().mean()
    prediction_error = logs["loss"] - kl
    assert logs["kl"] == pytest.approx(kl, rel=1e-5)
    assert prediction_error > 0
    history = model.fit(features, np.zeros((12, 1)), epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert history["kl"][-1] > 0


def test_kl_weight_scales_the_loss_but_not_the_metric(make, features):
    inputs = keras.Input((7,))
    layer = make(kl_weight=0.25)
    model = keras.Model(inputs, layer(inputs))
    model.compile("sgd")  # no loss but the layer's
    logs = model.evaluate(features, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(0.25 * logs["kl"], rel=1e-5)


def test_a_kl_schedule_starts_at_its_first_value_and_evaluation_charges_the_whole_kl(make, features):
    layer = make(kl_weight=keras.optimizers.schedules.PolynomialDecay(0.0, 10, 1.0))
    layer(features, training=True)
    assert layer.losses[0].numpy() == 0.0
    layer(features, training=True)
    kl = layer.posterior(features).kl_divergence(layer.prior()).numpy().mean()
    assert layer.losses[-1].numpy() == pytest.approx(0.1 * kl, rel=1e-5)
    layer(features, training=False)
    assert layer.losses[-1].numpy() == pytest.approx(kl, rel=1e-5)


def test_kl_is_that_of_the_posterior_that_tfp_computes(make, features):
    layer = make()
    layer(features)
    parameters = layer.parameters(tf.constant(features))
    samples = layer.posterior(features).sample(20_000, seed=(1, 2))
    estimates = layer.posterior(features).log_prob(samples) - layer.prior().log_prob(samples)
    mean = estimates.numpy().mean(axis=0)
    error = estimates.numpy().std(axis=0) / np.sqrt(20_000)
    np.testing.assert_array_less(np.abs(layer.kl_divergence(parameters).numpy() - mean), 5 * error + 1e-4)


def test_evaluation_still_samples_and_deterministic_gives_the_code(make, features):
    layer = make(seed=3)
    first, second = layer(features, training=False), layer(features, training=False)
    assert np.abs(first - second).max() > 1e-3
    code = layer(features, deterministic=True)
    np.testing.assert_array_equal(code, layer(features, deterministic=True))
    posterior = layer.posterior(features)
    expected = posterior.mean() if isinstance(layer, GaussianLatent) else posterior.mean_direction
    np.testing.assert_allclose(code, expected, atol=1e-6)


@pytest.mark.parametrize("name", SPHERICAL)
def test_spherical_codes_have_unit_norm(name, features):
    layer = SPHERICAL[name]()
    for z in (layer(features), layer(features, deterministic=True)):
        np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 1.0, atol=1e-6)


def test_a_model_with_the_layer_survives_the_keras_format(make, features, tmp_path):
    inputs = keras.Input((7,))
    model = keras.Model(
        inputs, make(seed=5, kl_weight=keras.optimizers.schedules.PolynomialDecay(0.0, 10, 1.0))(inputs)
    )
    model(features, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    layer, copy = model.layers[-1], loaded.layers[-1]
    assert copy.get_config() == layer.get_config()
    # The count of calls is a weight: the loaded model goes on with the very noise the saved one draws next.
    np.testing.assert_array_equal(loaded(features, training=True), model(features, training=True))


def test_two_layers_of_one_seed_draw_the_same_and_others_do_not(make, features):
    layer, same, other = make(seed=1), make(seed=1), make(seed=2)
    for each in (layer, same, other):
        each.build((None, 7))
    for each in (same, other):
        each.set_weights(layer.get_weights())
    assert not np.array_equal(layer(features), other(features))
    layer.set_weights(same.get_weights())
    np.testing.assert_array_equal(layer(features), same(features))


def test_evaluating_in_between_does_not_change_training_noise(make, features):
    layer, twin = make(seed=1), make(seed=1)
    layer.build((None, 7)), twin.build((None, 7))
    twin.set_weights(layer.get_weights())
    layer(features, training=False)
    np.testing.assert_array_equal(layer(features, training=True), twin(features, training=True))


def test_replicas_draw_different_noise(features):
    with (strategy := mirrored(2)).scope():
        layer = GaussianLatent(5, seed=1)
        layer.build((None, 7))
    # The same input everywhere, so that any difference is noise.
    outputs = strategy.run(lambda: layer(tf.constant(features), training=True))
    first, second = strategy.experimental_local_results(outputs)
    assert np.abs(first - second).min(axis=0).max() > 1e-3
    assert layer.noise_step.numpy().tolist() == [1, 0]


def test_seeds_of_a_step_and_of_a_replica_are_distinct():
    seeds = {tuple(stateless_seed(7, a, b).numpy()) for a in range(20) for b in range(20)}
    assert len(seeds) == 400
    np.testing.assert_array_equal(replica_seed(7, 3), stateless_seed(7, 3, 0))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16"])
def test_half_precision_policies_keep_latent_maths_in_float32(policy, features):
    keras.config.set_dtype_policy(policy)
    try:
        inputs = keras.Input((7,))
        layer = VonMisesFisherLatent(50, concentration="learned", initial_concentration=100.0)
        outputs = keras.layers.Dense(3)(layer(inputs))
        z = keras.Model(inputs, layer.output)(features)
    finally:
        keras.config.set_dtype_policy("float32")
    assert layer.compute_dtype == "float32"
    assert outputs.dtype == keras.dtype_policies.get(policy).compute_dtype
    np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 1.0, atol=1e-6)


def test_a_learned_concentration_starts_at_its_initial_value_and_never_falls_below_its_minimum():
    layer = VonMisesFisherLatent(5, concentration="learned", initial_concentration=40.0, minimum_concentration=8.0)
    near = layer.posterior(np.zeros((1, 7), np.float32)).concentration.numpy()
    np.testing.assert_allclose(near, 40.0, rtol=1e-6)
    far = layer.posterior(1e6 * np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)).concentration.numpy()
    assert far.min() == pytest.approx(8.0)
    assert far.max() > 100.0


def test_a_fixed_concentration_has_the_published_exact_kl():
    layer = VonMisesFisherLatent(25, concentration=100.0)
    parameters = layer.parameters(tf.ones((3, 4)))
    np.testing.assert_allclose(layer.kl_divergence(parameters), [18.802] * 3, atol=1e-3)


def test_the_norm_penalty_is_charged_in_training_only(features):
    layer = VonMisesFisherLatent(5, concentration=1.0, norm_penalty=0.5, kl_weight=0.0)
    layer(features, training=False)
    assert layer.losses[-1].numpy() == 0.0
    layer(features, training=True)
    raw = layer.direction_head(features).numpy()
    expected = 0.5 * np.mean((np.linalg.norm(raw, axis=-1) - 1.0) ** 2)
    assert layer.losses[-1].numpy() == pytest.approx(expected, rel=1e-5)


def test_a_zero_feature_vector_gives_finite_gradients():
    layer = VonMisesFisherLatent(5, concentration="learned")
    h = tf.zeros((2, 7))
    with tf.GradientTape() as tape:
        tape.watch(h)
        z = layer(h)
        loss = tf.reduce_sum(z * tf.range(5.0)) + layer.losses[0]
    gradients = tape.gradient(loss, [h, *layer.trainable_weights])
    assert all(np.isfinite(g).all() for g in gradients)


@pytest.mark.parametrize(
    ("make_bad", "message"),
    [
        (lambda: VonMisesFisherLatent(1), "latent_dim.*>= 2.*latent_dim=1"),
        (lambda: VonMisesFisherLatent(5, concentration=-1.0), "concentration.*'learned'.*-1.0"),
        (lambda: VonMisesFisherLatent(5, concentration="leanred"), "concentration.*'learned'.*leanred"),
        (lambda: VonMisesFisherLatent(5, concentration=float("nan")), "finite number"),
        (
            lambda: VonMisesFisherLatent(5, "learned", minimum_concentration=9.0, initial_concentration=3.0),
            "minimum < initial",
        ),
        (lambda: GaussianLatent(0), "latent_dim.*>= 1"),
        (lambda: GaussianLatent(5, kl_weight=-0.1), "kl_weight.*-0.1"),
        (lambda: GaussianLatent(5, seed=-3), "seed.*-3"),
    ],
)
def test_bad_arguments_are_refused_with_what_was_expected(make_bad, message):
    with pytest.raises(ValueError, match=message):
        make_bad()
