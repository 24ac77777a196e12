"""The figures of metrics.json."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import sparse, special

from tests.parameters import quick
from tests.refusals import refused
from tf_vmf import data, evaluation
from tf_vmf.evaluation import bounds
from tf_vmf.layers import GaussianLatent, VonMisesFisherLatent
from tf_vmf.models import LSTMVAE, BagOfWordsVAE

V = 20


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(0)  # latent layers draw the seeds of their weights when they are made


@pytest.fixture(scope="module")
def documents():
    rng = np.random.default_rng(0)
    topics = rng.dirichlet(np.full(V, 0.1), size=4)
    lengths = rng.integers(5, 40, size=41)
    counts = np.stack([rng.multinomial(n, topics[rng.integers(0, 4)]) for n in lengths])
    return data.Documents(sparse.csr_matrix(counts.astype(np.int32)))


def make_model(latent):
    keras.utils.set_random_seed(0)
    return BagOfWordsVAE(V, latent, encoder_units=(8, 8), decoder_units=(), seed=2)


def test_perplexities_follow_their_definitions(documents):
    model = make_model(VonMisesFisherLatent(4, concentration=20.0, seed=1))
    # A decoder that ignores the code: the likelihood of every document is known, and so is all else.
    model.output_layer.kernel.assign(np.zeros((4, V)))
    model.set_unigram_bias(1e6 * np.arange(1, V + 1))
    figures = evaluation.evaluate(model, documents.evaluation_batches(20), num_importance_samples=3)
    counts = documents.counts.toarray().astype(np.float64)
    log_p = np.log(np.arange(1, V + 1) / np.arange(1, V + 1).sum())
    nll, tokens = -(counts @ log_p), counts.sum(axis=1)
    kl = float(model.latent.kl_divergence(model.latent.parameters(tf.ones((1, 8))))[0])
    assert figures["nll"] == pytest.approx(nll.mean(), rel=1e-5)
    assert figures["kl"] == pytest.approx(kl, rel=1e-6)
    assert figures["perplexity"] == pytest.approx(np.exp((nll + kl).sum() / tokens.sum()), rel=1e-5)
    assert figures["document_perplexity"] == pytest.approx(np.exp(((nll + kl) / tokens).mean()), rel=1e-5)
    assert figures["code_gain"] == pytest.approx(0.0, abs=1e-5)
    assert (figures["examples"], figures["tokens"]) == (41, tokens.sum())
    # Importance weights p(z) / q(z|x) alone: the bound lies between the ELBO and the likelihood.
    assert nll.mean() < figures["iw_nll"] < nll.mean() + kl
    assert figures["iw_perplexity"] < figures["perplexity"]
    assert figures["iw_document_perplexity"] < figures["document_perplexity"]


def test_a_document_without_tokens_has_no_loss_a_token(documents):
    model = make_model(VonMisesFisherLatent(4, concentration=20.0, seed=1))
    counts = documents.counts.toarray().astype(np.float32)
    batches = tf.data.Dataset.from_tensors(counts)
    with_empty = tf.data.Dataset.from_tensors(np.concatenate([counts, np.zeros((1, V), np.float32)]))
    # The noise of a row does not depend on the rows after it.
    expected = evaluation.evaluate(model, batches)["document_perplexity"]
    assert evaluation.evaluate(model, with_empty)["document_perplexity"] == pytest.approx(expected, rel=0.02)


def test_the_mean_of_many_samples_is_read_while_the_kl_of_one_is_charged(documents):
    """In the limit of many samples the decoder reads the posterior's mean: A(kappa) times the mean direction."""
    model = make_model(VonMisesFisherLatent(4, concentration=5.0, seed=1))
    x = tf.constant(documents.counts.toarray(), tf.float32)
    posterior = model.encode(x)
    nll = -model.reconstruction_log_prob(x, posterior.mean()[tf.newaxis])[0].numpy()
    kl = posterior.kl_divergence(model.latent.prior()).numpy()
    expected = np.exp((nll + kl).sum() / documents.counts.sum())
    batches = documents.evaluation_batches(20)
    # The standard error is 5e-4.
    assert evaluation.mean_code_perplexity(model, batches, num_samples=20_000) == pytest.approx(expected, rel=2e-3)
    single = [evaluation.mean_code_perplexity(model, batches, num_samples=1, seed=seed) for seed in range(10)]
    assert np.mean(single) > expected  # Jensen: the nll is convex in z
    with refused("batches", "none", "at least one batch"):
        evaluation.mean_code_perplexity(model, batches.take(0))
    with refused("num_samples", "0", ">= 1"):
        evaluation.mean_code_perplexity(model, batches, num_samples=0)


@pytest.mark.parametrize(
    "latent", quick(1, [GaussianLatent(4, seed=1), VonMisesFisherLatent(4, concentration=50.0, seed=1)])
)
def test_a_code_that_is_used_has_a_gain_and_information(latent, documents):
    model = make_model(latent)
    model.compile(keras.optimizers.Adam(0.02))
    model.fit(documents.batches(20, seed=0), steps_per_epoch=100, epochs=2, shuffle=False, verbose=0)
    figures = evaluation.evaluate(model, documents.evaluation_batches(20), num_importance_samples=10)
    assert figures["code_gain"] > 5
    assert 0.5 < figures["mutual_information"] <= np.log(41) + 1e-4
    assert figures["active_units"] >= 2


def test_a_last_batch_of_one_document_gets_another_ones_code(documents):
    model = make_model(GaussianLatent(4, seed=1))
    model.compile(keras.optimizers.Adam(0.02))
    model.fit(documents.batches(20, seed=0), steps_per_epoch=100, epochs=2, shuffle=False, verbose=0)
    alone = evaluation.evaluate(model, documents.evaluation_batches(1), num_importance_samples=0)
    assert alone["code_gain"] > 5
    assert "iw_nll" not in alone


def test_mutual_information_of_separate_codes_is_log_n_and_of_equal_codes_zero():
    latent = VonMisesFisherLatent(30, concentration=5000.0, seed=1)
    directions = np.eye(30, dtype=np.float32)
    parameters = {"mean_direction": tf.constant(directions), "concentration": tf.fill([30], 5000.0)}
    assert evaluation.mutual_information(latent, parameters) == pytest.approx(np.log(30), abs=1e-3)
    parameters["mean_direction"] = tf.constant(np.repeat(directions[:1], 30, axis=0))
    assert evaluation.mutual_information(latent, parameters) == pytest.approx(0.0, abs=1e-3)


def test_mutual_information_of_a_gaussian_channel_is_shannons():
    """X ~ N(0, s^2), z = x + N(0, 1): I = log(1 + s^2) / 2, within Monte Carlo error."""
    rng = np.random.default_rng(0)
    means = rng.normal(scale=2.0, size=(4000, 1)).astype(np.float32)
    parameters = {"mean": tf.constant(means), "log_variance": tf.zeros((4000, 1))}
    latent = GaussianLatent(1, seed=1)
    estimate = evaluation.mutual_information(latent, parameters)
    assert estimate == pytest.approx(0.5 * np.log(5.0), abs=0.05)


def test_active_units_counts_dimensions_that_vary():
    means = np.zeros((1000, 3), np.float32)
    means[:, 1] = np.random.default_rng(0).normal(scale=0.5, size=1000)
    means[:, 2] = np.random.default_rng(1).normal(scale=0.05, size=1000)  # variance 0.0025: not active
    parameters = {"mean": tf.constant(means), "log_variance": tf.zeros((1000, 3))}
    assert evaluation.active_units(GaussianLatent(3), parameters) == 1
    # On the sphere in 100 dimensions a spread of 0.05 is half of what a uniform unit vector has: active.
    direction = np.zeros((1000, 100), np.float32)
    direction[:, 0] = means[:, 2]
    direction[:, 1] = np.sqrt(1 - direction[:, 0] ** 2)
    sphere = {"mean_direction": tf.constant(direction), "concentration": tf.ones(1000)}
    assert evaluation.active_units(VonMisesFisherLatent(100), sphere) == 1


class Stub:
    """A model whose log-likelihood of an example is the first number of its code."""

    def to_tensors(self, x):
        return x

    def reconstruction_log_prob(self, x, z):
        return (z[0, :, 0],)


def test_code_gain_takes_the_code_of_another_example_from_anywhere():
    """Examples that follow each other are of one length: their codes would do nearly as well."""
    size = 300
    batches = tf.data.Dataset.from_tensor_slices(np.zeros((size, 1), np.float32)).batch(32)
    codes = np.arange(size, dtype=np.float32)[:, None]
    orders = []
    for seed in (0, 1):
        other = -bounds._nll_with_others_codes(Stub(), batches, codes, seed).astype(int)
        assert sorted(other) == list(range(size))
        seen, at = set(), 0
        while at not in seen:
            seen.add(at)
            at = int(other[at])
        assert len(seen) == size  # one cycle: nobody keeps its own
        distance = np.abs(other - np.arange(size))
        assert np.mean(distance <= 3) < 0.1
        assert np.mean(distance) > size / 4  # of a random pair: size / 3
        orders.append(other.tolist())
    assert orders[0] != orders[1]


def test_refined_bounds_lie_between_those_of_a_bad_encoder_and_the_likelihood(documents):
    model = make_model(GaussianLatent(2, seed=1))
    model.output_layer.kernel.assign(0.5 * np.random.default_rng(3).normal(size=(2, V)))
    for layer in model.encoder_layers:  # all documents have the same posterior
        layer.kernel.assign(tf.zeros_like(layer.kernel))
    batches = documents.evaluation_batches(20)
    figures = evaluation.evaluate(model, batches, num_importance_samples=20)
    refined = evaluation.refined_bounds(model, batches, refine_steps=200, num_importance_samples=20)
    # log p(x) by the midpoint rule on a grid: the prior is a standard normal in the plane.
    ticks = np.linspace(-6, 6, 241)
    grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    log_prior = -0.5 * np.square(grid).sum(axis=1) - np.log(2 * np.pi) + 2 * np.log(ticks[1] - ticks[0])
    counts = documents.counts.toarray().astype(np.float64)
    log_p = special.logsumexp(counts @ model.decode(grid.astype(np.float32)).numpy().T + log_prior, axis=1)
    exact = -log_p.mean()
    one_sample = refined["refined_nll"] + refined["refined_kl"]
    assert exact - 0.05 < refined["refined_iw_nll"] < one_sample < exact + 0.5
    assert figures["nll"] + figures["kl"] > exact + 5
    total, tokens = one_sample * len(counts), counts.sum()
    assert refined["refined_perplexity"] == pytest.approx(np.exp(total / tokens), rel=1e-6)
    assert refined["refined_document_perplexity"] > np.exp((-log_p / counts.sum(axis=1)).mean()) - 0.05
    short = {"refine_steps": 2, "num_importance_samples": 2}
    once, again, other = (evaluation.refined_bounds(model, batches, **short, seed=seed) for seed in (0, 0, 1))
    assert once == again
    assert once["refined_nll"] != other["refined_nll"]


def test_bounds_of_refined_posteriors_need_steps_and_a_code(documents):
    batches = documents.evaluation_batches(20)
    model = make_model(GaussianLatent(2))
    with pytest.raises(ValueError, match="refine_steps"):
        evaluation.refined_bounds(model, batches, refine_steps=0)
    with pytest.raises(ValueError, match="one batch"):
        evaluation.refined_bounds(model, batches.take(0), refine_steps=1)
    with pytest.raises(ValueError, match="latent variable"):
        evaluation.refined_bounds(LSTMVAE(9, None, embedding_dim=2, hidden_units=2), batches, refine_steps=1)
