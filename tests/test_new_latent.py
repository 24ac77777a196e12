"""A latent layer of a user's own, defined in this file and registered by one line, in every part of the package."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tests.report.engine import sentence_models
from tests.report.engine.document_models import METRICS, make_corpus
from tf_vmf import evaluation, layers, models, programs, report, serving
from tf_vmf.programs.configs import DocumentConfig
from tf_vmf.report import engine

VARIANCE = 4.0


@layers.register_latent("wide_gaussian", package="tests")
class WideGaussianLatent(layers.LatentLayer):
    """z ~ N(mu(h), sigma(h)^2 I), prior N(0, 4 I): distributions only, no KL and no scale of its own."""

    def __init__(self, latent_dim, *, start=0.5, **kwargs):
        super().__init__(latent_dim, **kwargs)
        self.start = start
        self.head = keras.layers.Dense(latent_dim + 1)

    def build(self, input_shape):
        self.head.build(input_shape)
        super().build(input_shape)

    def _parameters(self, inputs):
        output = self.head(inputs)
        return {
            "mean": output[..., :-1],
            "scale": self.start * tf.exp(output[..., -1:]) * tf.ones_like(output[..., :-1]),
        }

    def distribution(self, parameters):
        return tfp.distributions.MultivariateNormalDiag(parameters["mean"], parameters["scale"])

    def _prior(self):
        zeros = tf.zeros([self.latent_dim])
        return tfp.distributions.MultivariateNormalDiag(zeros, zeros + np.sqrt(VARIANCE).astype(np.float32))

    def _sample(self, parameters, seed, sample_shape):
        return self.distribution(parameters).sample(sample_shape, seed=seed)

    def code(self, parameters):
        return parameters["mean"]

    def get_config(self):
        return {**super().get_config(), "start": self.start}


def documents(rng, size=48, words=30):
    return rng.poisson(1.0, size=(size, words)).astype(np.float32)


def document_model(**options):
    return models.BagOfWordsVAE(
        30, WideGaussianLatent(4, seed=1, **options), encoder_units=(16,), decoder_units=(), seed=0
    )


def sentence_model():
    latent = WideGaussianLatent(4, seed=1)
    return models.LSTMVAE(sentence_models.SIZE, latent, embedding_dim=8, hidden_units=8, seed=0)


def exact_kl(parameters):
    """Sums of one-dimensional KLs of normal distributions."""
    mean, scale = (parameters[name].numpy().astype(np.float64) for name in ("mean", "scale"))
    terms = np.log(np.sqrt(VARIANCE) / scale) + (scale**2 + mean**2) / (2 * VARIANCE) - 0.5
    return terms.sum(axis=-1)


def test_its_kl_and_scale_follow_from_its_distributions(rng):
    layer = WideGaussianLatent(4)
    h = rng.normal(size=(6, 7)).astype(np.float32)
    layer(h)
    parameters = layer.parameters(tf.constant(h))
    np.testing.assert_allclose(layer.kl_divergence(parameters), exact_kl(parameters), rtol=1e-5)
    assert float(layer.losses[0]) == pytest.approx(exact_kl(parameters).mean(), rel=1e-5)
    assert layer.coordinate_scale == pytest.approx(1 / np.sqrt(VARIANCE))
    assert layer.describe().metric == "euclidean"
    np.testing.assert_allclose(layer.interpolate(tf.zeros(4), tf.ones(4), 3)[1], 0.5 * np.ones(4), rtol=1e-6)
    with pytest.raises(ValueError, match="finite"):
        layer.check_codes(tf.constant([[np.nan, 0.0, 0.0, 0.0]]))


@pytest.mark.parametrize("kind", ["documents", "sentences"])
def test_a_model_trains_and_its_bounds_are_ordered(rng, kind):
    if kind == "documents":
        model, x = document_model(), documents(rng)
        model.compile(keras.optimizers.Adam(1e-2))
        losses = model.fit(x, batch_size=16, epochs=8, verbose=0).history["loss"]
    else:
        sentences = sentence_models.make_sentences(rng, 60)
        model = sentence_model()
        model.compile(keras.optimizers.Adam(1e-2))
        x = engine.sentence_decoding.sentence_tensors(sentences)
        losses = model.fit(x, batch_size=20, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.z_scale == pytest.approx(1 / np.sqrt(VARIANCE))
    terms = model.elbo_terms(x, tf.constant([0, 1]))
    np.testing.assert_allclose(terms["kl"], exact_kl(model.posterior_parameters(x)), rtol=1e-4)
    assert model.log_likelihood(x, 50).numpy().mean() > model.elbo(x).numpy().mean()
    figures = evaluation.evaluate(model, tf.data.Dataset.from_tensors(x), num_importance_samples=5)
    assert figures["kl"] == pytest.approx(exact_kl(model.posterior_parameters(x)).mean(), rel=1e-4)
    codes = model.posterior_parameters(x)["mean"].numpy()
    assert figures["active_units"] == np.sum(codes.var(axis=0) / VARIANCE > 0.01)


@pytest.mark.parametrize("make", [document_model, pytest.param(sentence_model, marks=pytest.mark.slow)])
def test_a_model_is_saved_loaded_and_served(make, rng, tmp_path):
    model = make()
    model.save(tmp_path / "model.keras")
    loaded = models.load(tmp_path / "model.keras").model
    assert isinstance(loaded.latent, WideGaussianLatent)
    assert loaded.latent.get_config() == model.latent.get_config()
    path = serving.export(loaded, tmp_path / "export")
    served = tf.saved_model.load(str(path))
    z = rng.normal(size=(2, 4)).astype(np.float32)
    more = {} if isinstance(model, models.BagOfWordsVAE) else {"max_length": tf.constant(5)}
    points = served.signatures["interpolate"](
        start=tf.constant(z[:1]), end=tf.constant(z[1:]), num_points=tf.constant(3), **more
    )["codes"]
    np.testing.assert_allclose(points[0, 1], z.mean(axis=0), rtol=1e-6)
    if isinstance(model, models.BagOfWordsVAE):
        x = documents(rng)
        np.testing.assert_allclose(
            served.signatures["encode"](counts=tf.constant(x))["code"], model.encode(x).mean(), rtol=1e-5
        )


def test_reports_describe_it(rng, tmp_path):
    findings = report.find_documents(document_model(), make_corpus(rng), METRICS)
    report.document_report(tmp_path / "documents.html", findings)
    page = (tmp_path / "documents.html").read_text(encoding="utf-8")
    assert "a point in 4 dimensions with an uncertainty learned for every document (Wide Gaussian" in page
    assert "straight line" in page
    corpus = sentence_models.make_corpus(rng)
    metrics = {"test": {**METRICS["test"], "iw_perplexity": 3.0}, "baseline": METRICS["baseline"]}
    report.sentence_report(tmp_path / "sentences.html", report.find_sentences(sentence_model(), corpus, metrics))
    assert "an uncertainty learned for every sentence (Wide Gaussian" in (tmp_path / "sentences.html").read_text(
        encoding="utf-8"
    )


def test_the_trainers_make_it_by_name():
    options = {"corpus": "wikipedia", "latent": "wide_gaussian", "latent_dim": 3}
    config = DocumentConfig(**options, kl_weight=0.5, latent_options=("start=0.7",))
    latent = programs.make_latent(config, seed=0)
    assert type(latent) is WideGaussianLatent
    assert (latent.latent_dim, latent.kl_weight, latent.start) == (3, 0.5, 0.7)
    with pytest.raises(ValueError, match="options of the latent 'wide_gaussian': start"):
        programs.make_latent(DocumentConfig(**options, latent_options=("begin=1",)), seed=0)
    with pytest.raises(ValueError, match="no `concentration`"):
        programs.make_latent(DocumentConfig(**options, concentration=7.0), seed=0)
    assert "wide_gaussian" in layers.latent_names()


def test_a_name_is_given_once():
    with pytest.raises(ValueError, match=r"'vmf'.*VonMisesFisherLatent"):
        layers.register_latent("vmf")(WideGaussianLatent)
    with pytest.raises(ValueError, match="expected one of gaussian"):
        layers.make_latent("cauchy", 3, {})


def test_samples_have_the_law_of_the_distribution(rng):
    layer = WideGaussianLatent(2, seed=1)
    h = np.zeros((4000, 3), np.float32)
    z = layer(h).numpy()
    assert scipy.stats.kstest(z[:, 0] / 0.5, "norm").pvalue > 1e-3
