"""The contract of all latent layers."""

import json

import keras
import mpmath
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tests.conftest import mirrored
from tests.parameters import quick
from tests.refusals import refused
from tf_vmf import math as vmf_math
from tf_vmf.layers import GaussianLatent, LearnedConcentration, PowerSphericalLatent, VonMisesFisherLatent
from tf_vmf.math.unit_vectors import unit_vector
from tf_vmf.seeds import replica_seed, stateless_seed

tfd = tfp.distributions

SPHERICAL = {
    "vmf_fixed": lambda **kw: VonMisesFisherLatent(5, concentration=30.0, **kw),
    "vmf_learned": lambda **kw: VonMisesFisherLatent(5, concentration=LearnedConcentration(initial=30.0), **kw),
    "power_spherical_fixed": lambda **kw: PowerSphericalLatent(5, concentration=30.0, **kw),
    "power_spherical_learned": lambda **kw: PowerSphericalLatent(5, concentration="learned", **kw),
}
LAYERS = {**SPHERICAL, "gaussian": lambda **kw: GaussianLatent(5, **kw)}


@pytest.fixture(params=LAYERS)
def make(request):
    return LAYERS[request.param]


@pytest.fixture(
    params=quick(2, ["vmf_learned", "gaussian", "vmf_fixed", "power_spherical_fixed", "power_spherical_learned"])
)
def make_traced(request):
    """`make` for tests of what Keras does with any layer, which take seconds each."""
    return LAYERS[request.param]


@pytest.fixture
def features(rng):
    return rng.normal(size=(12, 7)).astype(np.float32)


def test_fit_of_a_functional_model_adds_the_kl_to_the_loss_and_reports_it(make_traced, features):
    inputs = keras.Input((7,))
    layer = make_traced(seed=1)
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


def test_kl_weight_scales_the_loss_but_not_the_metric(make_traced, features):
    inputs = keras.Input((7,))
    layer = make_traced(kl_weight=0.25)
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


def test_a_model_with_the_layer_survives_the_keras_format(make_traced, features, tmp_path):
    inputs = keras.Input((7,))
    model = keras.Model(
        inputs, make_traced(seed=5, kl_weight=keras.optimizers.schedules.PolynomialDecay(0.0, 10, 1.0))(inputs)
    )
    model(features, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    layer, copy = model.layers[-1], loaded.layers[-1]
    assert copy.get_config() == layer.get_config()
    # The file holds the count of calls: the loaded model goes on with the very noise the saved one draws next.
    np.testing.assert_array_equal(loaded(features, training=True), model(features, training=True))


def test_two_layers_of_one_seed_draw_the_same_and_others_do_not(make_traced, features):
    layer, same, other = make_traced(seed=1), make_traced(seed=1), make_traced(seed=2)
    for each in (layer, same, other):
        each.build((None, 7))
    for each in (same, other):
        each.set_weights(layer.get_weights())
    assert not np.array_equal(layer(features), other(features))
    layer(features)
    np.testing.assert_array_equal(layer(features), (same(features), same(features), same(features))[-1])


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


@pytest.mark.parametrize("policy", quick(1, ["mixed_float16", "mixed_bfloat16", "float16"]))
def test_half_precision_policies_keep_latent_maths_in_float32(policy, features):
    keras.config.set_dtype_policy(policy)
    try:
        inputs = keras.Input((7,))
        layer = VonMisesFisherLatent(50, concentration=LearnedConcentration(initial=100.0))
        outputs = keras.layers.Dense(3)(layer(inputs))
        z = keras.Model(inputs, layer.output)(features)
    finally:
        keras.config.set_dtype_policy("float32")
    assert layer.compute_dtype == "float32"
    assert outputs.dtype == keras.dtype_policies.get(policy).compute_dtype
    np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 1.0, atol=1e-6)


def test_a_learned_concentration_starts_at_its_initial_value_and_never_falls_below_its_minimum():
    layer = VonMisesFisherLatent(5, concentration=LearnedConcentration(initial=40.0, minimum=8.0))
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


@pytest.mark.parametrize("latent", [VonMisesFisherLatent, PowerSphericalLatent])
def test_a_zero_feature_vector_has_a_unit_code_and_a_small_gradient(latent):
    layer = latent(5, concentration="learned")
    h = tf.zeros((2, 7))
    with tf.GradientTape() as tape:
        tape.watch(h)
        z = layer(h)
        loss = tf.reduce_sum(z * tf.range(5.0)) + layer.losses[0]
    np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 1.0, atol=1e-6)
    gradients = tape.gradient(loss, [h, *layer.trainable_weights])
    assert max(np.abs(g).max() for g in gradients) < 1e5


def test_training_is_not_upset_by_a_row_of_zeros():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 6)).astype(np.float32)
    model = keras.Sequential(
        [keras.layers.Dense(8, "relu"), VonMisesFisherLatent(4, concentration=50.0, seed=0), keras.layers.Dense(6)]
    )
    model.compile(keras.optimizers.SGD(0.05), loss="mse")
    model.build((None, 6))
    start, losses = model.get_weights(), []
    for zero_rows in (0, 1):
        data = x.copy()
        data[:zero_rows] = 0.0
        model.set_weights(start)
        losses.append(model.fit(data, data, batch_size=64, epochs=40, verbose=0).history["loss"])
    # One row in 64 cannot matter more than this; with a gradient of 1e15 it stops all learning in the first step.
    assert losses[0][0] - losses[0][-1] > 0.2
    assert losses[1][-1] == pytest.approx(losses[0][-1], abs=0.1)


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1.0, 1e19, 1e37])
def test_a_unit_vector_has_unit_length_whatever_the_length_it_comes_from(scale):
    x = tf.constant(np.random.default_rng(0).normal(size=(20, 7)) * scale, tf.float32)
    np.testing.assert_allclose(np.linalg.norm(unit_vector(x), axis=-1), 1.0, atol=1e-6)
    expected = np.asarray(x, np.float64) / np.linalg.norm(np.asarray(x, np.float64), axis=-1, keepdims=True)
    np.testing.assert_allclose(unit_vector(x), expected, atol=1e-6)


def test_the_gradient_of_a_unit_vector_is_that_of_finite_differences_and_bounded_near_zero():
    x = tf.constant(np.random.default_rng(1).normal(size=(6, 5)))
    theoretical, numerical = tf.test.compute_gradient(unit_vector, [x], delta=1e-5)
    np.testing.assert_allclose(theoretical[0], numerical[0], atol=1e-7)
    with tf.GradientTape() as tape:
        short = tf.constant([[1e-8, 0.0, 0.0]])
        tape.watch(short)
        unit = unit_vector(short)
    np.testing.assert_allclose(tape.gradient(unit, short, tf.constant([[1.0, 2.0, 0.0]])), [[0.0, 2e3, 0.0]], rtol=1e-5)


@pytest.mark.parametrize("latent_dim", [2, 5, 50])
@pytest.mark.parametrize("concentration", [0.01, 1.0, 100.0, 1e5])
def test_the_kl_of_a_power_spherical_in_float32_is_that_of_mpmath(latent_dim, concentration):
    layer = PowerSphericalLatent(latent_dim, concentration=concentration)
    kl = layer.kl_divergence(layer.parameters(tf.ones((1, 3))))[0]
    with mpmath.workdps(40):
        beta, d, kappa = mpmath.mpf(latent_dim - 1) / 2, latent_dim, mpmath.mpf(np.float32(concentration).item())
        alpha = beta + kappa
        log_density = kappa * (mpmath.log(2) + mpmath.digamma(alpha) - mpmath.digamma(alpha + beta)) - (
            (alpha + beta) * mpmath.log(2)
            + beta * mpmath.log(mpmath.pi)
            + mpmath.loggamma(alpha)
            - mpmath.loggamma(alpha + beta)
        )
        expected = log_density + mpmath.log(2 * mpmath.pi ** (mpmath.mpf(d) / 2) / mpmath.gamma(mpmath.mpf(d) / 2))
    assert float(kl) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("latent_dim", quick(2, [2, 20, 3]))
def test_power_spherical_samples_have_the_law_of_tfp_and_its_gradients(latent_dim):
    mu = keras.ops.convert_to_tensor(
        np.eye(latent_dim, dtype=np.float32)[:1] * 0.6 + np.eye(latent_dim)[1:2] * 0.8, "float32"
    )
    layer = PowerSphericalLatent(latent_dim, concentration="learned")
    parameters = {"mean_direction": mu, "concentration": tf.constant([7.0])}
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        x = layer.sample(parameters, tf.constant([1, 2]), (40_000,))[:, 0]
        cosine = tf.reduce_sum(x * tf.constant(mu), axis=-1)
        mean = tf.reduce_mean(tf.reduce_sum(x * tf.stop_gradient(mu), axis=-1))
    np.testing.assert_allclose(np.linalg.norm(x, axis=-1), 1.0, atol=1e-6)
    # (1 + mu.x) / 2 is Beta(beta + kappa, beta).
    beta = 0.5 * (latent_dim - 1)
    assert scipy.stats.kstest((1 + cosine.numpy()) / 2, scipy.stats.beta(beta + 7, beta).cdf).pvalue > 1e-3
    # E[mu.x] = kappa / (2 beta + kappa); four standard errors are 1.5 %.
    gradient = tape.gradient(mean, parameters)
    assert float(gradient["concentration"][0]) == pytest.approx(2 * beta / (2 * beta + 7) ** 2, rel=0.04)
    assert np.isfinite(gradient["mean_direction"]).all()


@pytest.mark.parametrize("concentration", [300.0, 1e4, 1e6])
def test_the_gradient_of_power_spherical_samples_is_right_at_large_concentrations(concentration):
    dim = 20
    layer = PowerSphericalLatent(dim, concentration="learned")
    mu = tf.one_hot([0], dim)
    with tf.GradientTape() as tape:
        kappa = tf.constant([concentration])
        tape.watch(kappa)
        x = layer.sample({"mean_direction": mu, "concentration": kappa}, tf.constant([3, 4]), (20_000,))
        # The cosine, by way of the distance, which keeps its digits.
        mean = tf.reduce_mean(1.0 - 0.5 * tf.reduce_sum(tf.square(x - mu), axis=-1))
    exact = (dim - 1) / (dim - 1 + concentration) ** 2
    assert float(tape.gradient(mean, kappa)[0]) == pytest.approx(exact, rel=0.015)  # four standard errors are 1 %


@pytest.mark.slow  # its gradients on the circle are compared above
def test_a_power_spherical_code_on_the_circle_trains_with_a_learned_concentration():
    x = np.random.default_rng(0).normal(size=(500, 6)).astype(np.float32)
    model = keras.Sequential([PowerSphericalLatent(2, concentration="learned"), keras.layers.Dense(6)])
    model.compile("adam", loss="mse")
    assert np.isfinite(model.fit(x, x, epochs=20, verbose=0).history["loss"]).all()


def test_the_kls_of_a_sequence_add_up_as_time_distributed_ones_do():
    layer = GaussianLatent(3, seed=1)
    h = np.random.default_rng(0).normal(size=(4, 7, 5)).astype(np.float32)
    layer(h)
    kl = np.sum(layer.kl_divergence(layer.parameters(h)), axis=1)
    assert kl.shape == (4,)
    assert float(layer.losses[0]) == pytest.approx(kl.mean(), rel=1e-6)
    assert float(layer.kl_tracker.result()) == pytest.approx(kl.mean(), rel=1e-6)


def test_two_latent_layers_show_a_kl_each():
    inputs = keras.Input((5,))
    first, second = (
        VonMisesFisherLatent(3, concentration=5.0, kl_name="kl_topic"),
        GaussianLatent(2, kl_name="kl_style"),
    )
    model = keras.Model(inputs, keras.layers.Dense(5)(keras.layers.concatenate([first(inputs), second(inputs)])))
    model.compile("adam", loss="mse")
    x = np.random.default_rng(0).normal(size=(16, 5)).astype(np.float32)
    assert {"kl_topic", "kl_style"} <= set(model.fit(x, x, verbose=0).history)
    assert keras.Model.from_config(model.get_config()).layers[1].kl_name in ("kl_topic", "kl_style")


def test_a_layer_in_double_precision_trains_in_a_model_of_single_precision():
    model = keras.Sequential([VonMisesFisherLatent(3, concentration=5.0, dtype="float64"), keras.layers.Dense(5)])
    model.compile("adam", loss="mse")
    x = np.random.default_rng(0).normal(size=(16, 5)).astype(np.float32)
    assert np.isfinite(model.fit(x, x, verbose=0).history["loss"][0])


def test_an_empty_batch_adds_no_loss():
    layer = VonMisesFisherLatent(3, concentration=5.0)
    layer(tf.zeros((0, 4)))
    assert float(layer.losses[0]) == 0.0


@pytest.mark.parametrize(
    ("make_bad", "name", "received", "expected"),
    [
        (lambda: VonMisesFisherLatent(1), "latent_dim", "1", ">= 2"),
        (lambda: VonMisesFisherLatent(5, concentration=-1.0), "concentration", "-1.0", "'learned'"),
        (lambda: VonMisesFisherLatent(5, concentration="leanred"), "concentration", "leanred", "'learned'"),
        (lambda: VonMisesFisherLatent(5, concentration=float("nan")), "concentration", "nan", "finite number"),
        (lambda: LearnedConcentration(minimum=9.0, initial=3.0), "minimum", "9.0", "below initial=3.0"),
        (lambda: LearnedConcentration(initial=0.0), "initial", "0.0", "> 0"),
        (lambda: LearnedConcentration(minimum=40.0, maximum=40.0), "maximum", "40.0", "above minimum=40.0"),
        (lambda: GaussianLatent(0), "latent_dim", "0", ">= 1"),
        (lambda: GaussianLatent(5, kl_weight=-0.1), "kl_weight", "-0.1", ">= 0"),
        (lambda: GaussianLatent(5, kl_weight=float("inf")), "kl_weight", "inf", "finite"),
        (lambda: GaussianLatent("5"), "latent_dim", "'5'", "integer"),
        (lambda: GaussianLatent(5, seed=-3), "seed", "-3", "integer"),
    ],
)
def test_bad_arguments_are_refused_with_what_was_expected(make_bad, name, received, expected):
    with refused(name, received, expected):
        make_bad()


@pytest.mark.parametrize(
    "number",
    [20, 20.0, np.float32(20), np.int64(20), np.array(20.0), tf.constant(20.0), tf.constant(20)],
)
def test_numbers_of_every_kind_are_numbers(number):
    layer = VonMisesFisherLatent(5, concentration=number, kl_weight=number, norm_penalty=number)
    assert (layer.concentration, layer.kl_weight, layer.norm_penalty) == (20.0, 20.0, 20.0)
    json.dumps(layer.get_config())
    head = LearnedConcentration(initial=number, minimum=np.float64(2), rate=number)
    assert (head.initial, head.minimum, head.rate) == (20.0, 2.0, 20.0)
    assert GaussianLatent(number).latent_dim == 20


@pytest.mark.parametrize(
    "value", [True, np.bool_(True), tf.constant(True), "5", None, np.nan, -np.inf, -1, [5.0], 1j, 10**400]
)
def test_what_is_no_number_is_refused_with_what_was_expected(value):
    for make_bad, name in (
        (lambda: VonMisesFisherLatent(5, concentration=value), "concentration"),
        (lambda: VonMisesFisherLatent(5, norm_penalty=value), "norm_penalty"),
        (lambda: GaussianLatent(5, kl_weight=value), "kl_weight"),
        (lambda: GaussianLatent(value), "latent_dim"),
        *(() if value is None else ((lambda: LearnedConcentration(initial=value), "initial"),)),
        *(() if value is None else ((lambda: LearnedConcentration(minimum=value), "minimum"),)),
        (lambda: LearnedConcentration(rate=value), "rate"),
    ):
        with refused(name, repr(value)):
            make_bad()


@pytest.mark.parametrize("latent", [VonMisesFisherLatent, PowerSphericalLatent, GaussianLatent])
def test_only_the_dimension_is_positional(latent):
    with pytest.raises(TypeError, match=r"by position latent_dim\. Received: 50\.0"):
        latent(5, 50.0)


def test_learned_stands_for_a_learned_concentration_with_its_defaults(features):
    keras.utils.set_random_seed(0)
    short = VonMisesFisherLatent(5, concentration="learned", seed=1)
    keras.utils.set_random_seed(0)
    long = VonMisesFisherLatent(5, concentration=LearnedConcentration(initial=10.0, minimum=1.0, rate=0.01), seed=1)
    np.testing.assert_array_equal(short(features), long(features))


@pytest.mark.parametrize("dim", [2, 3, 5, 10, 41, 100, 1000])
def test_a_learned_concentration_starts_at_a_kl_per_dimension_that_hardly_depends_on_the_dimension(dim):
    head = VonMisesFisherLatent(dim, concentration="learned").concentration
    kl = vmf_math.kl_to_uniform(tf.constant([head.initial, head.minimum], tf.float64), dim).numpy()
    at_start, at_least = kl / dim
    assert 0.46 < at_start < 0.52
    assert 0.018 < at_least < 0.021


def test_what_is_given_of_a_learned_concentration_decides_what_is_not():
    high = VonMisesFisherLatent(10, concentration=LearnedConcentration(minimum=30.0)).concentration
    assert (high.initial, high.minimum) == (60.0, 30.0)
    low = VonMisesFisherLatent(10, concentration=LearnedConcentration(initial=5.0)).concentration
    assert (low.initial, low.minimum) == (5.0, 0.5)
    copy = LearnedConcentration.from_config(high.get_config())
    assert (copy.initial, copy.minimum) == (60.0, 30.0)


def test_a_learned_concentration_by_itself_needs_numbers(features):
    assert LearnedConcentration(initial=3.0, minimum=1.0)(features).shape == (len(features),)
    with refused("initial", expected="not part of a latent layer"):
        LearnedConcentration()(features)


def test_the_rate_scales_how_far_a_learned_concentration_is_from_its_start():
    h = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    slow, fast = (LearnedConcentration(initial=40.0, minimum=8.0, rate=rate) for rate in (0.01, 0.02))
    slow(h), fast(h)
    fast.set_weights(slow.get_weights())

    def before_softplus(concentration):
        return np.log(np.expm1((concentration.numpy().astype(np.float64) - 8.0) / 32.0)) - np.log(np.e - 1)

    np.testing.assert_allclose(before_softplus(fast(h)), 2 * before_softplus(slow(h)), rtol=1e-2, atol=1e-5)


@pytest.mark.parametrize(
    "head",
    quick(
        1,
        [
            lambda: keras.Sequential(
                [keras.layers.Dense(4, "relu"), keras.layers.Dense(1, "softplus"), keras.layers.Flatten()]
            ),
            lambda: keras.layers.Dense(1, "softplus"),
        ],
    ),
)
def test_a_head_of_ones_own_gives_the_concentration_trains_and_is_saved(head, features, tmp_path):
    inputs = keras.Input((7,))
    head = head()
    layer = VonMisesFisherLatent(5, concentration=head, seed=1)
    model = keras.Model(inputs, layer(inputs))
    concentration = layer.parameters(tf.constant(features))["concentration"]
    np.testing.assert_allclose(concentration, head(features)[:, 0], rtol=1e-6)
    model.compile("adam", loss="mse")
    before = [w.copy() for w in head.get_weights()]
    model.fit(features, features[:, :5], verbose=0)
    assert not np.array_equal(before[0], head.get_weights()[0])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    copy = loaded.layers[-1]
    np.testing.assert_allclose(
        copy.parameters(tf.constant(features))["concentration"],
        layer.parameters(tf.constant(features))["concentration"],
    )


def test_a_head_of_another_shape_or_with_negative_numbers_is_refused(features):
    with refused("concentration", received="(12, 3)", expected="shape (batch,)"):
        VonMisesFisherLatent(5, concentration=keras.layers.Dense(3))(features)
    with refused("concentration", "-", ">= 0"):
        VonMisesFisherLatent(5, concentration=keras.layers.Dense(1, bias_initializer=lambda *_, **__: -50.0))(features)


def test_a_learned_concentration_computes_in_the_dtype_of_its_layer(features):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layer = VonMisesFisherLatent(5, concentration=LearnedConcentration(initial=50.0))
        layer(features)
    finally:
        keras.config.set_dtype_policy("float32")
    assert layer.concentration.compute_dtype == "float32"
    double = VonMisesFisherLatent(5, concentration=LearnedConcentration(initial=50.0), dtype="float64")
    double(features)
    assert double.concentration.compute_dtype == "float64"


def test_another_prior_is_charged_and_scales_codes(features):
    class Wide(GaussianLatent):
        def _prior(self):
            return tfd.MultivariateNormalDiag(tf.zeros(self.latent_dim), 2.0 * tf.ones(self.latent_dim))

    layer = Wide(5)
    layer(features)
    posterior = layer.posterior(features)
    assert float(layer.losses[0]) == pytest.approx(
        float(tf.reduce_mean(posterior.kl_divergence(layer.prior()))), rel=1e-5
    )
    assert layer.coordinate_scale == 0.5
