"""A VAE of any encoder and decoder: likelihoods, shapes, training, saving and what is refused."""

import keras
import numpy as np
import pytest
import scipy.sparse
import scipy.special
import scipy.stats
import tensorflow as tf

from tests.conftest import mirrored
from tests.parameters import quick
from tf_vmf import evaluation, models, serving
from tf_vmf.layers import GaussianLatent, VonMisesFisherLatent
from tf_vmf.models import VAE, BagOfWordsVAE, Categorical, Gaussian
from tf_vmf.training import Workdir, fit

DIM, CLASSES = 3, 4
SHAPE = (2, 3)
X = {
    "bernoulli": np.random.default_rng(0).integers(0, 2, (12, *SHAPE)).astype(np.float32),
    "gaussian": np.random.default_rng(1).normal(size=(12, *SHAPE)).astype(np.float32),
    "categorical": np.random.default_rng(2).integers(0, CLASSES, (12, *SHAPE)).astype(np.int32),
    "multinomial": np.random.default_rng(3).poisson(2.0, (12, 6)).astype(np.float32),
}


def make_model(likelihood="bernoulli", latent=None, **kwargs):
    keras.utils.set_random_seed(0)
    shape = X[likelihood].shape[1:] if isinstance(likelihood, str) else SHAPE
    out = (*shape, CLASSES) if likelihood == "categorical" else shape
    encoder = keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(8, "tanh")])
    z = keras.Input((DIM,))
    decoder = keras.Model(z, keras.layers.Reshape(out)(keras.layers.Dense(int(np.prod(out)))(z)))
    latent = latent or VonMisesFisherLatent(DIM, concentration=20.0, seed=1)
    return VAE(encoder, latent, decoder, likelihood, seed=4, **kwargs)


def expected_log_prob(likelihood, x, output):
    """By scipy; summed over all axes but the first."""
    output = np.asarray(output, np.float64)
    if likelihood == "bernoulli":
        log_p = scipy.stats.bernoulli.logpmf(x.astype(int), scipy.special.expit(output))
    elif likelihood == "gaussian":
        log_p = scipy.stats.norm.logpdf(x, output, 1.0)
    elif likelihood == "categorical":
        log_p = np.take_along_axis(scipy.special.log_softmax(output, axis=-1), x[..., np.newaxis], axis=-1)
    else:
        log_p = x * scipy.special.log_softmax(output, axis=-1)
    return log_p.reshape(len(x), -1).sum(axis=1)


@pytest.mark.parametrize("likelihood", X)
def test_log_prob_is_that_of_scipy_for_every_sample_of_the_code(likelihood):
    model, x = make_model(likelihood), X[likelihood]
    z = tf.random.stateless_normal((3, 12, DIM), (0, 1))
    got = model.reconstruction_log_prob(x, z)
    for i in range(3):
        np.testing.assert_allclose(got[i], expected_log_prob(likelihood, x, model.decode(z[i])), rtol=1e-5)


def test_the_scale_of_a_gaussian_is_its_standard_deviation():
    x, mean = X["gaussian"], 0.3 * X["gaussian"]
    expected = scipy.stats.norm.logpdf(x, mean, 0.5).sum(axis=(1, 2))
    np.testing.assert_allclose(Gaussian(0.5)(tf.constant(x), tf.constant(mean)), expected, rtol=1e-5)


@pytest.mark.parametrize("likelihood", quick(2, ["categorical", "gaussian", "bernoulli", "multinomial"]))
def test_fit_lowers_the_loss_and_logs_a_perplexity_of_tokens_only(likelihood):
    model, x = make_model(likelihood), X[likelihood]
    model.compile(keras.optimizers.Adam(0.03))
    before = model.evaluate(x, verbose=0, return_dict=True)
    history = model.fit(x, batch_size=5, epochs=20, verbose=0).history
    after = model.evaluate(x, verbose=0, return_dict=True)
    assert after["loss"] < before["loss"] - 0.3
    assert after["loss"] == pytest.approx(after["nll"] + after["kl"], rel=1e-5)
    tokens = {"categorical": x.size, "multinomial": x.sum()}.get(likelihood)
    of_latent = {"kl_weight", "concentration"}
    assert set(history) == {"loss", "nll", "kl"} | of_latent | ({"perplexity"} if tokens else set())
    if tokens:
        assert after["perplexity"] == pytest.approx(np.exp(12 * after["loss"] / tokens), rel=1e-4)


def test_the_bounds_are_ordered_and_approach_the_exact_likelihood_on_the_circle():
    """For d = 2 the marginal likelihood is an integral over an angle, done here by the trapezoid rule."""
    keras.utils.set_random_seed(0)
    encoder = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(8, "tanh")])
    decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(6), keras.layers.Reshape(SHAPE)])
    model = VAE(encoder, VonMisesFisherLatent(2, concentration=2.0, seed=1), decoder, "bernoulli", seed=1)
    x = X["bernoulli"]
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)
    log_p = np.stack(
        [
            expected_log_prob("bernoulli", x, np.repeat(each[np.newaxis], 12, axis=0))
            for each in model.decode(circle).numpy()
        ]
    )
    exact = scipy.special.logsumexp(log_p, axis=0) - np.log(len(angles))
    elbo = np.mean([model.elbo(x, seed=i) for i in range(50)], axis=0)
    thousand = model.log_likelihood(x, 1000)
    assert elbo.mean() < exact.mean() - 0.1
    np.testing.assert_allclose(thousand, exact, atol=0.2)


def test_predict_is_the_decoder_at_the_mean_code_without_dropout():
    keras.utils.set_random_seed(0)
    encoder = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8), keras.layers.Dropout(0.5)])
    decoder = keras.Sequential([keras.Input((DIM,)), keras.layers.Dropout(0.5), keras.layers.Dense(6)])
    model = VAE(encoder, GaussianLatent(DIM, seed=1), decoder, "gaussian", seed=1)
    x = X["multinomial"]
    prediction = model.predict(x, verbose=0)
    np.testing.assert_allclose(prediction, decoder.layers[1](model.encode(x).mean()), atol=1e-6)
    np.testing.assert_array_equal(prediction, model.predict(x, verbose=0))
    # In training it is there.
    seeds = tf.constant([0, 1])
    assert not np.allclose(model.features(x, seeds), model.features(x))


class Encoder(keras.Model):
    """Subclassed, of structured x, and not built before it is called."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = keras.layers.Dense(units, "tanh")

    def call(self, x):
        return self.dense(keras.ops.concatenate([x["a"], x["b"]], axis=-1))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Decoder(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(5)

    def call(self, z):
        a, b = keras.ops.split(self.dense(z), [2], axis=-1)
        return {"a": a, "b": b}


for each in (Encoder, Decoder):
    keras.saving.register_keras_serializable(package="tests")(each)


@keras.saving.register_keras_serializable(package="tests")
def both_gaussian(x, output):
    return sum(tf.reduce_sum(-0.5 * tf.square(x[name] - output[name]), axis=-1) for name in ("a", "b"))


def structured():
    rng = np.random.default_rng(0)
    return {"a": rng.normal(size=(12, 2)).astype(np.float32), "b": rng.normal(size=(12, 3)).astype(np.float32)}


def test_subclassed_parts_of_structured_examples_train_and_are_saved(tmp_path):
    keras.utils.set_random_seed(0)
    x = structured()
    model = VAE(Encoder(7), GaussianLatent(DIM, seed=1), Decoder(), both_gaussian, seed=2, num_samples=2)
    assert not model.built
    model.compile(keras.optimizers.Adam(0.03))
    losses = model.fit(x, batch_size=5, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0] - 0.3
    assert len(model.trainable_variables) == 8
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.elbo(x, seed=1), model.elbo(x, seed=1), rtol=1e-6)
    for one in (model, again):
        one.fit(x, shuffle=False, verbose=0)
    for got, want in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-7)
    figures = evaluation.evaluate(again, tf.data.Dataset.from_tensor_slices(x).batch(5), num_importance_samples=2)
    assert figures["examples"] == 12


@pytest.mark.parametrize("likelihood", quick(1, X))
def test_a_saved_model_goes_on_as_the_original(likelihood, tmp_path):
    model, x = make_model(likelihood), X[likelihood]
    model.compile(keras.optimizers.Adam(0.01))
    model.fit(x, verbose=0)
    model.save(tmp_path / "model.keras")
    again = models.load(tmp_path / "model.keras").model
    np.testing.assert_array_equal(again.elbo(x, seed=1), model.elbo(x, seed=1))
    for one in (model, again):
        one.fit(x, shuffle=False, verbose=0)
    for got, want in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)


def test_the_scale_of_a_likelihood_is_saved(tmp_path):
    model = make_model(Gaussian(scale=0.25))
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").likelihood.scale == 0.25


def test_a_callable_that_is_not_registered_trains_but_is_not_saved(tmp_path):
    model = make_model(lambda x, output: -tf.reduce_sum(tf.abs(x - output), axis=[1, 2]))
    model.compile("adam")
    assert np.isfinite(model.fit(X["gaussian"], verbose=0).history["loss"][0])
    with pytest.raises(ValueError, match=r"registered with Keras.*<lambda>.*register_keras_serializable"):
        model.save(tmp_path / "model.keras")


def test_a_multinomial_vae_is_a_bag_of_words_model():
    """The same weights give the same bounds in both classes; x may be sparse in both."""
    keras.utils.set_random_seed(0)
    x = X["multinomial"]
    documents = BagOfWordsVAE(
        6,
        VonMisesFisherLatent(DIM, concentration=20.0, seed=1),
        encoder_units=(8,),
        decoder_units=(),
        z_scale=1.0,
        input_transform="counts",
    )
    encoder = keras.Sequential([keras.Input((6,)), *documents.encoder_layers])
    decoder = keras.Sequential([keras.Input((DIM,)), documents.output_layer])
    model = VAE(encoder, documents.latent, decoder, "multinomial")
    for each in (x, scipy.sparse.csc_array(x), tf.sparse.from_dense(x), x.tolist()):
        np.testing.assert_allclose(
            model.log_likelihood(each, 5, seed=1), documents.log_likelihood(x, 5, seed=1), rtol=1e-5
        )


def test_regularizers_of_the_parts_are_charged():
    kernels = []
    for regularizer in (None, keras.regularizers.L2(10.0)):
        keras.utils.set_random_seed(0)
        encoder = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, kernel_regularizer=regularizer)])
        decoder = keras.Sequential([keras.Input((DIM,)), keras.layers.Dense(6)])
        model = VAE(encoder, GaussianLatent(DIM, seed=1), decoder, "gaussian", seed=1)
        model.compile(keras.optimizers.SGD(1e-3))
        kernel = encoder.layers[0].kernel
        start = kernel.numpy()
        model.train_on_batch(X["multinomial"])
        kernels.append(kernel.numpy())
    np.testing.assert_allclose(kernels[0] - kernels[1], 1e-3 * 20.0 * start, rtol=1e-3, atol=1e-6)


@pytest.mark.slow
def test_our_own_loop_trains_and_resumes_it(tmp_path):
    x = X["bernoulli"]

    def batches(step):
        return tf.data.Dataset.from_tensor_slices(x).batch(6).repeat().skip(step)

    states = []
    for epochs in ((3,), (1, 3)):
        for until in epochs:
            model = make_model()
            model.compile(keras.optimizers.Adam(0.01))
            validation = tf.data.Dataset.from_tensor_slices(x).batch(6)
            state = fit(model, Workdir(tmp_path / str(len(epochs))), batches, 2, validation, epochs=until, verbose=0)
        states.append(state)
    assert [row["loss"] for row in states[0].history] == pytest.approx([row["loss"] for row in states[1].history])
    assert states[0].step == 6


class NoNoise(GaussianLatent):
    def sample(self, parameters, seed, sample_shape=()):
        code = self.code(parameters)
        return tf.broadcast_to(code, tf.concat([tf.constant(sample_shape, tf.int32), tf.shape(code)], axis=0))


@pytest.mark.parametrize("built", quick(1, [False, True]))
def test_replicas_take_the_steps_of_one_device(built):
    x = structured()
    weights = []
    for strategy in (tf.distribute.get_strategy(), mirrored(2)):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            model = VAE(Encoder(7), NoNoise(DIM, seed=1), Decoder(), both_gaussian, seed=2)
            if built:
                model.build({"a": (None, 2), "b": (None, 3)})
            model.compile(keras.optimizers.SGD(0.1, global_clipnorm=1.0))
        model.fit(tf.data.Dataset.from_tensor_slices(x).batch(11), epochs=3, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    for one, two in zip(*weights, strict=True):
        np.testing.assert_allclose(two, one, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"likelihood": "poisson"}, "likelihood.*'bernoulli', 'categorical', 'gaussian'.*'multinomial'.*'poisson'"),
        ({"likelihood": Gaussian}, "likelihood.*expected one of"),
        ({"encoder": 3}, "encoder.*Keras layer or model.*3"),
        ({"decoder": lambda z: z}, "decoder.*Keras layer or model"),
        ({"latent": 3}, "latent layer"),
        (
            {"encoder": keras.Sequential([keras.Input((2, 3)), keras.layers.Dense(4)])},
            r"features of shape \(batch, units\).*Flatten",
        ),
        ({"decoder": keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])}, "4"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    parts = {
        "encoder": keras.Sequential([keras.Input((6,)), keras.layers.Dense(4)]),
        "latent": GaussianLatent(DIM),
        "decoder": keras.Sequential([keras.Input((DIM,)), keras.layers.Dense(6)]),
        "likelihood": "gaussian",
        **arguments,
    }
    with pytest.raises(ValueError, match=message):
        VAE(**parts).elbo(np.ones((2, 6), np.float32))


@pytest.mark.parametrize(
    ("likelihood", "x", "message"),
    [
        ("bernoulli", np.ones((4, 2, 3, 1)), r"shape of x. Received: x of shape \(4, 2, 3, 1\)"),
        (Categorical(), np.ones((4, 2, 3)), r"\(batch, ..., classes\)"),
        (lambda x, output: tf.reduce_mean(x - output), np.ones((4, 2, 3)), r"log p\(x\|z\) of shape \(batch,\)"),
        (lambda x, output: x - output, np.ones((4, 2, 3)), r"of shape \(batch,\)"),
    ],
)
def test_shapes_that_would_be_broadcast_to_a_wrong_number_are_refused(likelihood, x, message):
    model = make_model(likelihood)
    with pytest.raises(ValueError, match=message):
        model.reconstruction_log_prob(x.astype(np.float32), tf.zeros([1, 4, DIM]))


@pytest.mark.parametrize(
    ("likelihood", "value"), [("bernoulli", 16.0), ("bernoulli", -0.5), ("bernoulli", np.nan), ("multinomial", -1.0)]
)
def test_values_that_a_likelihood_does_not_know_are_refused(likelihood, value):
    model, x = make_model(likelihood), X[likelihood].copy()
    x[3, 1] = value
    model.compile("adam")
    for method in (lambda: model.fit(x, verbose=0), lambda: model.elbo(x)):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"likelihood|counts|finite"):
            method()


def test_an_export_needs_one_tensor_in_and_out(tmp_path):
    model = VAE(Encoder(7), GaussianLatent(DIM), Decoder(), both_gaussian)
    model.build({"a": (None, 2), "b": (None, 3)})
    with pytest.raises(ValueError, match="functional or Sequential model of one tensor"):
        serving.export(model, tmp_path / "1")
