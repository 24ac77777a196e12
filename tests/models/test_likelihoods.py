"""Likelihoods as plugs of every model, targets, metrics and means; what is no likelihood is refused."""

import functools

import keras
import numpy as np
import pytest
import scipy.sparse
import scipy.special
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tests.parameters import quick
from tf_vmf import layers, models
from tf_vmf._errors import ArgumentError
from tf_vmf.seeds import stateless_seed

D, DIM = 6, 3
TOKENS = np.array([[3, 4, 1], [5, 1, 0]], np.int32)


@pytest.fixture
def x(rng):
    return rng.integers(0, 2, (8, D)).astype(np.float32)


def vae(likelihood="bernoulli", latent=None, decoder=None, dtype=None, **options):
    keras.utils.set_random_seed(0)
    encoder = keras.Sequential([keras.Input((D,)), keras.layers.Dense(4, "relu", dtype=dtype)])
    decoder = decoder or keras.Sequential([keras.Input((DIM,)), keras.layers.Dense(D, dtype=dtype)])
    latent = latent or layers.VonMisesFisherLatent(DIM, concentration=9.0, seed=1, dtype=dtype)
    model = models.VAE(encoder, latent, decoder, likelihood, **options)
    model.compile(keras.optimizers.SGD(0.0))
    return model


def bag_of_words(latent=None, **options):
    keras.utils.set_random_seed(0)
    latent = latent or layers.GaussianLatent(DIM, seed=1)
    model = models.BagOfWordsVAE(D, latent, encoder_units=(4,), decoder_units=(), **options)
    model.compile(keras.optimizers.SGD(0.0))
    return model


def sentences(**options):
    keras.utils.set_random_seed(0)
    latent = layers.VonMisesFisherLatent(DIM, seed=1)
    model = models.LSTMVAE(D, latent, embedding_dim=3, hidden_units=4, **options)
    model.compile(keras.optimizers.SGD(0.0))
    return model


@keras.saving.register_keras_serializable(package="tests")
def laplace(x, output):
    return -tf.reduce_sum(tf.abs(tf.cast(x, output.dtype) - output) + np.log(2.0), axis=-1)


@keras.saving.register_keras_serializable(package="tests")
def normal_of_pairs(output):
    mean, log_scale = tf.split(output, 2, axis=-1)
    return tfp.distributions.Normal(mean, tf.exp(log_scale))


@keras.saving.register_keras_serializable(package="tests")
def softened(ids, logits):
    """The likelihood of a softmax at temperature 2."""
    return tf.gather(tf.nn.log_softmax(logits / 2.0), ids, batch_dims=1)


@pytest.mark.parametrize(
    "likelihood",
    [
        "mse",
        None,
        keras.losses.binary_crossentropy,
        keras.losses.MeanSquaredError(),
        keras.losses.BinaryCrossentropy(reduction=None),
        functools.partial(keras.losses.mean_squared_error),
        models.Gaussian,
    ],
)
def test_what_is_no_likelihood_is_refused(likelihood):
    with pytest.raises(ArgumentError) as caught:
        vae(likelihood)
    assert caught.value.name == "likelihood"
    if callable(likelihood) and likelihood is not models.Gaussian:
        assert "'bernoulli' for" in caught.value.remedy


class Squashed(keras.layers.Layer):
    """A decoder of one's own, whose last step is a function, with or without a condition."""

    def __init__(self, function, **options):
        super().__init__(**options)
        self.function, self.dense = function, keras.layers.Dense(D)

    def call(self, inputs):
        return self.function(self.dense(inputs["z"] + inputs["label"] if isinstance(inputs, dict) else inputs))


@pytest.mark.parametrize(
    ("function", "likelihood"),
    [
        (keras.ops.sigmoid, "bernoulli"),
        (tf.nn.softmax, "multinomial"),
        (lambda x: tf.clip_by_value(x, 0, 1), "bernoulli"),
    ],
)
def test_a_decoder_that_ends_in_an_activation_is_warned_of(function, likelihood):
    z = keras.Input((DIM,))
    decoders = [
        keras.Sequential([keras.Input((DIM,)), keras.layers.Dense(D, function), keras.layers.Reshape((D,))]),
        keras.Sequential([keras.Input((DIM,)), keras.layers.Dense(D), keras.layers.Lambda(function)]),
        keras.layers.Dense(D, function),
        Squashed(function),
    ]
    if function is keras.ops.sigmoid:
        decoders.append(keras.Model(z, keras.layers.Reshape((D,))(function(keras.layers.Dense(D)(z)))))
    for decoder in decoders:
        with pytest.warns(UserWarning, match="takes logits"):
            vae(likelihood, decoder=decoder)
    vae("gaussian", decoder=decoders[0])  # no warning: such means are means
    # Logits, too, as is a hyperbolic tangent, and what is constant.
    vae(likelihood, decoder=Squashed(tf.nn.log_softmax))
    vae(likelihood, decoder=Squashed(tf.tanh))
    vae(likelihood, decoder=keras.layers.Dense(D, kernel_initializer="zeros"))


def test_the_output_of_a_conditional_decoder_is_looked_at():
    parts = {"image": keras.Input((D,), name="image"), "label": keras.Input((DIM,), name="label")}
    encoder = keras.Model(parts, keras.layers.Dense(4)(parts["image"]))
    latent = layers.VonMisesFisherLatent(DIM)
    with pytest.warns(UserWarning, match="takes logits"):
        models.VAE(encoder, latent, Squashed(tf.sigmoid), "bernoulli", target="image", conditions=("label",))


class OwnLoss(models.Likelihood):
    def __call__(self, x, output):
        return tf.reduce_sum(tf.square(x - output), axis=-1)


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (lambda x, output: keras.losses.binary_crossentropy(x, output, from_logits=True), "opposite"),
        (lambda x, output: keras.losses.mean_squared_error(x, output), "opposite"),
        (lambda x, output: keras.losses.poisson(x, output), "opposite"),
        (OwnLoss(), "opposite"),
        (lambda x, output: -keras.losses.binary_crossentropy(x, output, from_logits=True), "twice"),
        (lambda x, output: -tf.reduce_mean(tf.abs(x - output), axis=-1), "twice"),
        (lambda x, output: keras.losses.cosine_similarity(x, output), "twice"),
    ],
)
def test_a_function_around_a_loss_is_warned_of(function, problem):
    for make in (vae, lambda likelihood: bag_of_words(likelihood=likelihood)):
        with pytest.warns(UserWarning, match=problem):
            make(function)


def test_a_function_around_a_loss_of_ids_is_warned_of():
    with pytest.warns(UserWarning, match="opposite"):
        sentences(likelihood=lambda ids, logits: tf.nn.sparse_softmax_cross_entropy_with_logits(ids, logits))


@pytest.mark.parametrize(
    "likelihood",
    [
        lambda x, output: tf.reduce_sum(tfp.distributions.Normal(output, 0.05).log_prob(x), axis=-1),
        lambda x, rate: tf.reduce_sum(tfp.distributions.Exponential(tf.exp(rate)).log_prob(x), axis=-1),
        lambda x, rate: tf.reduce_sum(tfp.distributions.Poisson(log_rate=rate).log_prob(x), axis=-1),
        lambda x, output: tfp.distributions.VonMisesFisher(tf.math.l2_normalize(output, -1), 5.0).log_prob(x),
    ],
)
def test_densities_of_all_kinds_are_not_warned_of(likelihood):
    vae(likelihood)


@pytest.mark.usefixtures("eagerly")
def test_a_target_is_what_is_reconstructed(x):
    def nll(target):
        return vae().fit(x, target, verbose=0, shuffle=False).history["nll"][0]

    model = vae()
    z = model.latent.sample(model.latent.parameters(model.features(x)), model_seed(model), (1,))
    for target in (x, 1 - x, np.zeros_like(x)):
        expected = scipy.stats.bernoulli.logpmf(target.astype(int), scipy.special.expit(model.decode(z[0])))
        assert nll(target) == pytest.approx(-expected.sum(axis=1).mean(), rel=1e-5)
    assert nll(None) == nll(x)


def model_seed(model):
    """The seed of the first training step, as documented: (seed, use, step, replica)."""
    return stateless_seed(model.seed, 0, 0, 0)


@pytest.mark.usefixtures("eagerly")
def test_models_of_text_take_targets_and_refuse_labels(x):
    model = bag_of_words()
    same = model.evaluate(x, x, verbose=0, return_dict=True)
    other = model.evaluate(x, np.roll(x, 1, axis=1), verbose=0, return_dict=True)
    assert same["kl"] == other["kl"]
    assert same["nll"] != other["nll"]
    sparse = scipy.sparse.csr_matrix(x)
    assert model.evaluate(sparse, sparse, verbose=0, return_dict=True) == pytest.approx(same, rel=1e-5)
    model = sentences()
    same = model.evaluate(TOKENS, TOKENS, verbose=0, return_dict=True)
    assert model.evaluate(TOKENS, TOKENS[::-1].copy(), verbose=0, return_dict=True)["nll"] != same["nll"]
    for model, examples in ((vae(), x), (bag_of_words(), x), (sentences(), TOKENS)):
        with pytest.raises(ArgumentError) as caught:
            model.fit(examples, np.arange(len(examples)), verbose=0)
        assert caught.value.name == "y"
        with pytest.raises(ArgumentError) as caught:
            model.fit(examples, class_weight={0: 1.0}, verbose=0)
        assert caught.value.name == "class_weight"


@pytest.mark.parametrize("option", [{"num_samples": 2}, {"return_parameters": True}, {"kl_name": "mine"}])
def test_options_of_a_latent_that_a_model_would_drop_are_refused(option):
    for make in (vae, bag_of_words):
        with pytest.raises(ArgumentError) as caught:
            make(latent=layers.GaussianLatent(DIM, **option))
        assert caught.value.name == "latent"
        assert next(iter(option)) in caught.value.received


@pytest.mark.usefixtures("eagerly")
def test_the_seed_of_the_latent_holds_for_the_model(x):
    runs = [vae(latent=layers.GaussianLatent(DIM, seed=seed)) for seed in (5, 5, 6)]
    for model in runs[1:]:
        model.set_weights(runs[0].get_weights())
    first, same, other = (model.elbo_terms(x, model_seed(model))["nll"].numpy() for model in runs)
    np.testing.assert_array_equal(first, same)
    assert np.all(first != other)


@pytest.mark.slow
def test_metrics_compare_targets_with_mean_reconstructions(x, tmp_path):
    model = vae()
    model.compile(keras.optimizers.SGD(0.1), metrics=["mse"], weighted_metrics=[keras.metrics.MeanAbsoluteError("mae")])
    weights = np.linspace(0.0, 2.0, 8)
    logs = model.evaluate(x, 1 - x, sample_weight=weights, verbose=0, return_dict=True)
    probabilities = model.predict(x, mean=True, verbose=0)
    np.testing.assert_allclose(probabilities, scipy.special.expit(model.predict(x, verbose=0)), rtol=1e-5)
    np.testing.assert_allclose(model.reconstruct(x), probabilities, rtol=1e-6)
    errors = 1 - x - probabilities
    assert logs["mse"] == pytest.approx(np.mean(errors**2), rel=1e-5)
    assert logs["mae"] == pytest.approx(np.average(np.abs(errors).mean(axis=1), weights=weights), rel=1e-5)
    history = model.fit(x, epochs=2, verbose=0, validation_data=(x, x)).history
    assert {"mse", "mae", "val_mse", "val_mae", "loss", "nll", "kl"} <= set(history)
    model.save(tmp_path / "model.keras")
    assert "mse" in keras.saving.load_model(tmp_path / "model.keras").evaluate(x, verbose=0, return_dict=True)
    # Samples of a Bernoulli's logits and means are those of the same codes.
    means, logits = (model.sample(4, seed=2, mean=mean) for mean in (True, False))
    np.testing.assert_allclose(means, scipy.special.expit(logits), rtol=1e-5)


@pytest.mark.slow
def test_a_learned_scale_finds_that_of_the_data_and_is_saved(rng, tmp_path):
    x = 0.1 * rng.normal(size=(64, D)).astype(np.float32)
    model = vae(models.Gaussian("learned"), latent=layers.GaussianLatent(DIM, seed=1))
    model.compile(keras.optimizers.Adam(0.1))
    model.fit(x, batch_size=64, epochs=150, verbose=0)
    # At the optimum the scale is the root of the mean squared error of the reconstruction (Rybkin et al., 2021).
    z = model.latent.sample(model.posterior_parameters(x), 3, (200,))
    errors = x - np.stack([model.decode(each) for each in z])
    scale = float(model.likelihood.scale)
    assert scale == pytest.approx(np.sqrt(np.mean(errors**2)), rel=0.1)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert float(loaded.likelihood.scale) == scale
    np.testing.assert_allclose(loaded.elbo(x), model.elbo(x), rtol=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_the_likelihood_of_a_distribution_is_its_log_prob_and_its_mean(x, tmp_path):
    decoder = keras.Sequential([keras.Input((DIM,)), keras.layers.Dense(2 * D)])
    model = vae(models.DistributionLikelihood(normal_of_pairs), decoder=decoder)
    z = model.latent.sample(model.posterior_parameters(x), 3, (2,))
    got = model.reconstruction_log_prob(x, z)
    for i in range(2):
        mean, log_scale = np.split(np.asarray(model.decode(z[i]), np.float64), 2, axis=-1)
        np.testing.assert_allclose(got[i], scipy.stats.norm.logpdf(x, mean, np.exp(log_scale)).sum(axis=1), rtol=1e-4)
        np.testing.assert_allclose(model.decode(z[i], mean=True), mean, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(keras.saving.load_model(tmp_path / "model.keras").elbo(x), model.elbo(x), rtol=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_a_bag_of_words_takes_any_likelihood(x, tmp_path):
    z = np.random.default_rng(0).normal(size=(2, 8, DIM)).astype(np.float32)
    for likelihood, expected in (
        ("bernoulli", lambda logits: scipy.stats.bernoulli.logpmf(x.astype(int), scipy.special.expit(logits))),
        (laplace, lambda output: scipy.stats.laplace.logpdf(x, output)),
    ):
        model = bag_of_words(likelihood=likelihood)
        output = np.asarray(model.output_layer(z), np.float64)
        got = model.reconstruction_log_prob(x, tf.constant(z))
        np.testing.assert_allclose(got, [expected(each).sum(axis=1) for each in output], rtol=1e-4)
        assert "perplexity" not in model.fit(x, verbose=0).history
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(loaded.elbo(x), model.elbo(x), rtol=1e-5)
    shares = np.exp(bag_of_words(likelihood="bernoulli").decode(z[0]))
    np.testing.assert_allclose(shares.sum(axis=-1), 1.0, rtol=1e-5)


@pytest.mark.slow
def test_a_sentence_model_takes_a_likelihood_of_its_tokens(tmp_path):
    plain, model = sentences(), sentences(likelihood=softened)
    z = tf.math.l2_normalize(tf.ones([1, 2, DIM]), axis=-1)
    soft = model.token_log_prob(TOKENS, z).numpy()
    # By the logits of the plain model: the distribution of each next word, at temperature 2.
    vocabulary = np.stack(
        [plain.token_log_prob(np.array([[word]], np.int32), z[:, :1]).numpy()[0, 0, 0] for word in range(1, D)]
    )
    first = scipy.special.log_softmax(np.concatenate([[first_of_padding(plain, z)], vocabulary]) / 2.0)
    assert soft[0, 0, 0] == pytest.approx(first[TOKENS[0, 0]], rel=1e-4)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.elbo(TOKENS), model.elbo(TOKENS), rtol=1e-5)
    assert np.isfinite(model.fit(TOKENS, verbose=0).history["loss"][0])


def first_of_padding(model, z):
    """Log p of the id 0 as the first word: what the other ids leave."""
    others = [model.token_log_prob(np.array([[word]], np.int32), z[:, :1]).numpy()[0, 0, 0] for word in range(1, D)]
    return np.log1p(-np.exp(scipy.special.logsumexp(others)))


def test_a_name_is_given_to_one_likelihood():
    with pytest.raises(ArgumentError) as caught:
        models.register_likelihood("bernoulli")(models.Gaussian)
    assert caught.value.name == "name"
    assert {"bernoulli", "gaussian", "categorical", "multinomial"} <= set(models.likelihood_names())


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    ("likelihood", "whole"),
    quick(
        1,
        [("learned", False), ("multinomial", True), ("learned", True), ("multinomial", False)]
        + [(name, whole) for name in ("bernoulli", "gaussian") for whole in (True, False)],
    ),
)
def test_every_likelihood_trains_in_double_precision(likelihood, whole, x):
    latent = layers.VonMisesFisherLatent(DIM, concentration="learned", seed=1, dtype="float64")
    likelihood = models.Gaussian("learned") if likelihood == "learned" else likelihood
    model = vae(likelihood, latent=latent, dtype="float64" if whole else None)
    assert np.isfinite(model.fit(x, batch_size=4, verbose=0).history["loss"][0])
    assert model.elbo(x).dtype == model.log_likelihood(x, 2).dtype == tf.float64


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    "make",
    quick(
        1,
        [
            lambda: layers.VonMisesFisherLatent(3, prior="mixture"),
            lambda: layers.PowerSphericalLatent(3),
            lambda: layers.GaussianLatent(3, prior="mixture"),
            lambda: layers.UniformNormVonMisesFisherLatent(3),
            lambda: layers.SphereProductLatent(6, part_dim=3, concentration="learned"),
        ],
    ),
)
def test_every_latent_trains_in_double_precision(make, x):
    keras.config.set_dtype_policy("float64")
    try:
        model = bag_of_words(make())
        assert np.isfinite(model.fit(x, verbose=0).history["loss"][0])
        assert model.log_likelihood(x, 2).dtype == tf.float64
    finally:
        keras.config.set_dtype_policy("float32")


def test_a_sentence_model_trains_in_double_precision():
    keras.config.set_dtype_policy("float64")
    try:
        model = sentences()
        assert np.isfinite(model.fit(TOKENS, verbose=0).history["loss"][0])
        z = model.encode(TOKENS).mean_direction
        assert model.generate(z).dtype == tf.int32
        with tf.GradientTape() as tape:
            tape.watch(z)
            log_prob = model.reconstruction_log_prob(TOKENS, z[tf.newaxis])
        step = 1e-6 * tf.one_hot(0, DIM, dtype=tf.float64)  # whose effect single precision would round away
        above, below = (model.reconstruction_log_prob(TOKENS, (z + s * step)[tf.newaxis]) for s in (1, -1))
        np.testing.assert_allclose(tape.gradient(log_prob, z)[:, 0], (above - below)[0] / 2e-6, rtol=1e-6, atol=1e-9)
    finally:
        keras.config.set_dtype_policy("float32")


# Inputs.


@pytest.mark.usefixtures("eagerly")
def test_examples_that_are_not_finite_are_refused_everywhere(x):
    for likelihood in ("gaussian", "bernoulli"):
        model = vae(likelihood)
        for value in (np.nan, np.inf):
            bad = x.copy()
            bad[2, 1] = value
            for call in (model.encode, model.elbo, model, lambda bad, m=model: m.predict(bad, verbose=0)):
                with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="finite numbers"):
                    call(bad)
            with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="finite numbers"):
                model.fit(bad, verbose=0)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.coo_array])
def test_methods_for_one_batch_take_what_fit_takes(kind, x):
    model = bag_of_words()
    sparse = kind(x)
    np.testing.assert_allclose(model(sparse), model(x), rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(sparse), model.predict_on_batch(x), rtol=1e-5)
    for method in ("test_on_batch", "train_on_batch"):
        results = []
        for each in (sparse, x):
            model = bag_of_words(seed=3)
            results.append(getattr(model, method)(each, sample_weight=np.ones(8), return_dict=True))
        assert results[0] == pytest.approx(results[1], rel=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        ["a b", "c"],
        [["a", "b"], ["c"]],
        [b"a b", b"c"],
        np.array(["a b", "c"]),
        np.array([["a b"], ["c"]], dtype=object),
        np.array([b"a b", b"c"]),
    ],
)
@pytest.mark.parametrize("make", [bag_of_words, sentences])
def test_text_is_refused_with_what_to_do(make, text):
    with pytest.raises(ArgumentError) as caught:
        make().predict(text, verbose=0)
    assert caught.value.name == "x"
    assert "tokenization='whitespace'" in caught.value.remedy


@pytest.mark.slow
def test_a_sentence_without_end_is_refused_in_training():
    model = sentences()
    endless = np.array([[3, 4, 0], [5, 1, 0]], np.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="end with <eos>"):
        model.fit(endless, verbose=0)
    assert np.all(np.isfinite(model.elbo(endless)))  # a beginning may be scored


def test_an_encoder_of_two_outputs_is_told_what_the_latent_computes():
    inputs = keras.Input((D,))
    encoder = keras.Model(inputs, [keras.layers.Dense(3)(inputs), keras.layers.Dense(3)(inputs)])
    with pytest.raises(ArgumentError) as caught:
        models.VAE(encoder, layers.GaussianLatent(3), keras.layers.Dense(D), "bernoulli")
    assert (caught.value.name, "2 outputs" in caught.value.received) == ("encoder", True)
