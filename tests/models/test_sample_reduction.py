"""The mean of several samples as the code: the protocol of Xu and Durrett's sentence models, which gives no bound."""

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
from scipy.stats import multivariate_normal

from tests.parameters import quick
from tf_vmf import data, evaluation, report
from tf_vmf._errors import ArgumentError
from tf_vmf.layers import GaussianLatent, VonMisesFisherLatent
from tf_vmf.models import LSTMVAE, VAE, BagOfWordsVAE
from tf_vmf.programs.configs import SentenceConfig
from tf_vmf.seeds import stateless_seed
from tf_vmf.text.vocabulary import EOS_ID

V = 12


@pytest.fixture(scope="module")
def documents():
    return data.Documents(np.random.default_rng(0).poisson(1.0, size=(16, V)).astype(np.int32) + 1)


def make_model(**options):
    keras.utils.set_random_seed(0)
    latent = VonMisesFisherLatent(4, concentration=5.0, seed=1)
    model = BagOfWordsVAE(V, latent, encoder_units=(8,), decoder_units=(), dropout=0.0, seed=2, **options)
    model.output_layer.kernel.assign(4.0 * model.output_layer.kernel)  # a decoder for which samples differ
    return model


def counts_of(documents):
    return tf.constant(documents.counts.toarray(), tf.float32)


def test_training_and_validation_charge_one_kl_and_read_the_mean_of_the_samples(documents):
    """In the limit of many samples the decoder reads the posterior's mean, A(kappa) times the mean direction."""
    model = make_model(num_samples=20_000, sample_reduction="mean_code")
    x = counts_of(documents)
    posterior = model.encode(x)
    nll = -model.reconstruction_log_prob(x, posterior.mean()[tf.newaxis])[0].numpy()
    loss = nll + posterior.kl_divergence(model.latent.prior()).numpy()
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.evaluate(x, batch_size=16, verbose=0, return_dict=True)
    trained = model.fit(x, batch_size=16, verbose=0).history
    for found in (logs, {name: values[0] for name, values in trained.items()}):
        figures = set(found) - {"kl_weight", "concentration"}
        assert figures == {"loss", "nll", "kl", "mean_code_perplexity"}  # no figure that is called perplexity
        assert found["loss"] == pytest.approx(loss.mean(), rel=1e-3)
        assert found["nll"] == pytest.approx(nll.mean(), rel=1e-3)
        assert found["mean_code_perplexity"] == pytest.approx(np.exp(loss.sum() / x.numpy().sum()), rel=4e-3)


@pytest.mark.slow
def test_bounds_of_a_model_do_not_depend_on_how_it_was_trained(documents):
    x = counts_of(documents)
    bound, mean_code = make_model(), make_model(num_samples=3, sample_reduction="mean_code")
    np.testing.assert_array_equal(bound.elbo(x, seed=3), mean_code.elbo(x, seed=3))
    np.testing.assert_array_equal(bound.log_likelihood(x, 5, seed=3), mean_code.log_likelihood(x, 5, seed=3))
    batches = documents.evaluation_batches(8)
    expected = evaluation.evaluate(bound, batches, num_importance_samples=5)
    figures = evaluation.evaluate(mean_code, batches, num_importance_samples=5)
    assert {name: figures[name] for name in expected} == expected
    assert set(figures) - set(expected) == {
        f"mean_code_{name}" for name in ("nll", "perplexity", "document_perplexity")
    }
    assert figures["mean_code_perplexity"] == pytest.approx(
        evaluation.mean_code_perplexity(bound, batches, num_samples=3), rel=1e-6
    )


def test_the_loss_of_the_mean_code_may_lie_below_the_exact_negative_log_likelihood():
    """With x = W z + noise and its exact posterior the ELBO is log p(x), and the mean code's loss lies below -log p(x)."""
    w = np.array([[1.5, 0.0], [0.0, 1.0], [1.0, -1.0]])  # x has three entries, z two
    covariance = np.linalg.inv(np.eye(2) + w.T @ w)
    values, vectors = np.linalg.eigh(covariance)
    w = w @ vectors  # in this basis the posterior is diagonal
    keras.utils.set_random_seed(0)
    encoder, decoder = (
        keras.Sequential([keras.Input((size,)), keras.layers.Dense(units, use_bias=False)])
        for size, units in ((3, 3), (2, 3))
    )
    model = VAE(encoder, GaussianLatent(2, seed=1), decoder, "gaussian", num_samples=2000, sample_reduction="mean_code")
    encoder.layers[0].kernel.assign(np.eye(3))
    decoder.layers[0].kernel.assign(w.T)
    model.latent.mean_head.kernel.assign(w @ np.diag(values))
    model.latent.log_variance_head.kernel.assign(np.zeros((3, 2)))
    model.latent.log_variance_head.bias.assign(np.log(values))
    x = np.random.default_rng(0).multivariate_normal(np.zeros(3), w @ w.T + np.eye(3), size=200).astype(np.float32)
    exact = -multivariate_normal(np.zeros(3), w @ w.T + np.eye(3)).logpdf(x).mean()
    model.compile("sgd")
    loss = model.evaluate(x, batch_size=200, verbose=0, return_dict=True)["loss"]
    # Averaging leaves out the variance of W z around W E[z], half its trace in nats.
    missing = 0.5 * np.trace(w @ np.diag(values) @ w.T)
    assert loss == pytest.approx(exact - missing, rel=2e-3)
    assert loss < exact - 0.5
    bounds = np.mean([-model.elbo(x, seed=seed).numpy().mean() for seed in range(50)])
    assert bounds == pytest.approx(exact, rel=0.01)


def test_a_sentence_model_keeps_its_protocol_when_it_is_saved(tmp_path):
    tokens = np.array([[3, 4, EOS_ID, 0], [5, 3, 4, EOS_ID]], np.int32)
    latent = VonMisesFisherLatent(4, concentration=20.0, seed=1)
    options = {"embedding_dim": 4, "hidden_units": 5, "num_samples": 3, "sample_reduction": "mean_code", "seed": 1}
    model = LSTMVAE(7, latent, **options)
    model.compile("adam")
    model.fit(tokens, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.num_samples, loaded.sample_reduction) == (3, "mean_code")
    again = loaded.evaluate(tokens, verbose=0, return_dict=True)
    assert again["loss"] == pytest.approx(model.evaluate(tokens, verbose=0, return_dict=True)["loss"], rel=1e-6)


def test_a_mean_of_one_sample_or_of_none_is_refused():
    latent = VonMisesFisherLatent(4, concentration=20.0)
    with pytest.raises(ValueError, match="num_samples=1"):
        LSTMVAE(7, latent, sample_reduction="mean_code")
    with pytest.raises(ValueError, match="latent=None"):
        LSTMVAE(7, None, num_samples=3, sample_reduction="mean_code")
    with pytest.raises(ValueError, match="'median'"):
        LSTMVAE(7, latent, sample_reduction="median")
    with pytest.raises(ArgumentError, match="num_samples"):
        SentenceConfig(corpus="ptb", sample_reduction="mean_code")


def test_the_terminal_says_that_the_figure_is_no_bound(documents):
    model = make_model(num_samples=3, sample_reduction="mean_code")
    figures = evaluation.evaluate(model, documents.evaluation_batches(8), num_importance_samples=2)
    text = report.summary({"test": figures}, example="document")
    assert "Mean-code perplexity (corpus), not a bound" in text
    assert "not a bound: never compare" in text
    assert "Perplexity (corpus) " in text  # the bound stands beside it


@pytest.mark.parametrize("weight", quick(1, [0.25, 1.0]))
def test_the_importance_weighted_loss_is_that_of_the_weights_of_the_samples(rng, weight):
    x = rng.poisson(1.0, size=(6, 20)).astype(np.float32)
    latent = VonMisesFisherLatent(3, concentration="learned", kl_weight=weight, seed=1)
    model = BagOfWordsVAE(
        20,
        latent,
        encoder_units=(8,),
        decoder_units=(),
        dropout=0.0,
        num_samples=5,
        sample_reduction="importance_weighted",
        seed=4,
    )
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.fit(x, batch_size=6, verbose=0, shuffle=False).history
    parameters = model.posterior_parameters(x)
    # The seed of the first training step, as documented: (seed, use, step, replica).
    z = latent.sample(parameters, stateless_seed(4, 0, 0, 0), (5,))
    direction, kappa = (parameters[name].numpy().astype(np.float64) for name in ("mean_direction", "concentration"))
    # scipy's density of the vMF, and the uniform one on the sphere in three dimensions.
    log_q = np.array(
        [
            [
                scipy.stats.vonmises_fisher(m / np.linalg.norm(m), k).logpdf(point / np.linalg.norm(point))
                for m, k, point in zip(direction, kappa, sample, strict=True)
            ]
            for sample in z.numpy().astype(np.float64)
        ]
    )
    log_p = (x * model.decode(z).numpy()).sum(axis=-1)
    log_weights = log_p + weight * (-np.log(4 * np.pi) - log_q)
    expected = -(scipy.special.logsumexp(log_weights, axis=0) - np.log(5))
    assert logs["loss"][0] == pytest.approx(expected.mean(), rel=1e-5)
    assert logs["nll"][0] == pytest.approx(-log_p.mean(), rel=1e-5)
    assert np.isfinite(model.fit(x, epochs=2, verbose=0).history["loss"]).all()
