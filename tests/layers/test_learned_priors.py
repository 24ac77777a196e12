"""Priors that are mixtures and learned with the model."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tests.conftest import mirrored
from tests.layers.test_latents_in_models import NOTHING, functional, nothing
from tests.parameters import quick
from tf_vmf import models, programs
from tf_vmf._errors import ArgumentError
from tf_vmf.layers import (
    GaussianLatent,
    GaussianMixturePrior,
    PowerSphericalLatent,
    ProductLatent,
    UniformNormVonMisesFisherLatent,
    VonMisesFisherLatent,
    VonMisesFisherMixturePrior,
)
from tf_vmf.programs.configs import DocumentConfig, SentenceConfig


def sphere(**kwargs):
    prior = VonMisesFisherMixturePrior(3, initial_concentration=4.0, seed=1)
    return VonMisesFisherLatent(3, concentration=20.0, prior=prior, seed=1, **kwargs)


LATENTS = {
    "vmf": sphere,
    "power_spherical": lambda **kw: PowerSphericalLatent(
        4, concentration="learned", prior=VonMisesFisherMixturePrior(5, seed=1), seed=1, **kw
    ),
    "gaussian": lambda **kw: GaussianLatent(4, prior=GaussianMixturePrior(5, seed=1), seed=1, **kw),
    "product": lambda **kw: ProductLatent([sphere(), GaussianLatent(2, prior="mixture")], seed=1, **kw),
}


@pytest.fixture(params=LATENTS)
def make(request):
    return LATENTS[request.param]


@pytest.fixture
def features(rng):
    return rng.normal(size=(12, 7)).astype(np.float32)


def scipy_mixture(prior, z):
    """The density of a mixture prior on S^2 by scipy, for points of shape (n, 3) in double precision."""
    mu = prior.mean_directions.numpy().astype(np.float64)
    mu /= np.linalg.norm(mu, axis=-1, keepdims=True)
    weights = np.exp(prior.log_weights.numpy().astype(np.float64))
    kappas = prior.concentrations.numpy().astype(np.float64)
    return sum(w * scipy.stats.vonmises_fisher(m, k).pdf(z) for w, m, k in zip(weights, mu, kappas, strict=True))


def grid_on_sphere(n=200):
    """Points of S^2 and the area of each: Gauss-Legendre in the height, equal steps around."""
    height, weight = np.polynomial.legendre.leggauss(n)
    angle = 2 * np.pi * np.arange(n) / n
    radius = np.sqrt(1 - height**2)[:, None]
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.broadcast_to(height[:, None], (n, n))], -1)
    return points.reshape(-1, 3), np.repeat(weight * 2 * np.pi / n, n)


def spread_out(prior):
    """Gives the components weights and concentrations of their own."""
    prior.logits.assign([0.5, -1.0, 0.0])
    prior.spreads.assign([1.0, -2.0, 3.0])


def test_the_kl_is_that_of_quadrature(features):
    layer = sphere()
    parameters = layer.parameters(features)
    spread_out(layer.learned_prior)
    points, area = grid_on_sphere()
    z = layer.sample(parameters, 3, (4000,))
    ratio = layer.learned_prior.log_ratio(z).numpy()
    error = ratio.std(axis=0) / np.sqrt(4000)
    log_p = np.log(scipy_mixture(layer.learned_prior, points))
    for i, mean in enumerate(parameters["mean_direction"].numpy().astype(np.float64)):
        q = scipy.stats.vonmises_fisher(mean / np.linalg.norm(mean), 20.0)
        expected = np.sum(area * q.pdf(points) * (q.logpdf(points) - log_p))
        assert layer.kl_divergence(parameters, z).numpy()[i] == pytest.approx(expected, abs=5 * error[i] + 1e-4)


def test_the_density_is_that_of_scipy_and_of_the_distribution(features):
    layer = sphere()
    layer(features)
    prior = layer.learned_prior
    spread_out(prior)
    z = scipy.stats.uniform_direction(3).rvs(20, random_state=0)
    expected = np.log(scipy_mixture(prior, z))
    uniform = -np.log(4 * np.pi)
    np.testing.assert_allclose(prior.log_ratio(z.astype(np.float32)), expected - uniform, atol=1e-5)
    np.testing.assert_allclose(layer.prior().log_prob(z.astype(np.float32)), expected, atol=1e-5)


def test_the_ratio_is_that_of_the_two_priors(make, features):
    layer = make()
    layer(features)
    for part in getattr(layer, "layers", [layer]):
        z = part.sample(part.parameters(features), 2, (6,))
        learned = part.prior().log_prob(z)
        prior, part.learned_prior = part.learned_prior, None
        np.testing.assert_allclose(prior.log_ratio(z), learned - part.prior().log_prob(z), atol=1e-4)
        part.learned_prior = prior


def test_the_kl_charged_is_unbiased(make, features):
    layer = make()
    parameters = layer.parameters(features)
    z = layer.sample(parameters, 5, (3000,))
    ratio = (layer.distribution(parameters).log_prob(z) - layer.prior().log_prob(z)).numpy()
    error = ratio.std(axis=0) / np.sqrt(3000)
    np.testing.assert_array_less(np.abs(layer.kl_estimate(parameters, z) - ratio.mean(axis=0)), 5 * error + 1e-3)


def test_a_central_code_is_not_taken_for_a_sample(features):
    layer = sphere(return_parameters=True)
    outputs = layer(features, deterministic=True)
    np.testing.assert_allclose(outputs["kl"], layer.kl_divergence(layer.parameters(features)), rtol=1e-6)


@pytest.mark.parametrize("latent", quick(1, [VonMisesFisherLatent, GaussianLatent]))
def test_it_moves_to_the_codes_and_lowers_their_kl(latent, rng, tmp_path):
    # Codes of two groups: against a fixed prior each costs more than against components that sit on the groups.
    x = np.repeat(np.eye(2, 4, dtype=np.float32), 16, axis=0) + 0.01 * rng.normal(size=(32, 4)).astype(np.float32)
    kls = {}
    for prior in ("uniform" if latent is VonMisesFisherLatent else "standard", latent.mixture_prior(4, seed=0)):
        keras.utils.set_random_seed(0)
        layer = latent(3, prior=prior, seed=1)
        model = keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(4)])
        model.compile(keras.optimizers.Adam(0.05), loss=lambda y, p: 100.0 * keras.ops.sum((y - p) ** 2, -1))
        many = np.tile(x, (150, 1))
        model.fit(many, many, batch_size=32, shuffle=False, verbose=0)
        parameters = layer.parameters(x)
        z = layer.sample(parameters, 9, (200,))
        kls[type(prior).__name__] = float(tf.reduce_mean(layer.kl_estimate(parameters, z)))
        if not isinstance(prior, str):
            log_prob = layer.prior().log_prob(layer.code(parameters)).numpy()
            other = layer.prior().log_prob(-layer.code(parameters)).numpy()
            assert np.all(log_prob > other + 1.0)
    fixed, learned = kls.pop("str"), kls.popitem()[1]
    assert np.log(2) - 0.05 < learned < fixed - 0.5  # which group it is costs log 2


def test_it_is_saved_with_the_layer(features, tmp_path):
    model = functional(sphere(), nothing())
    spread_out(model.layers[1].learned_prior)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(features, training=True), model(features, training=True))
    z = np.eye(3, dtype=np.float32)
    np.testing.assert_array_equal(loaded.layers[1].prior().log_prob(z), model.layers[1].prior().log_prob(z))
    assert loaded.layers[1].get_config() == model.layers[1].get_config()


@pytest.mark.slow
def test_it_takes_the_steps_of_one_device_on_two_replicas(features):
    def trained():
        keras.utils.set_random_seed(0)
        # Codes of so high a concentration are the same on all replicas, to 1e-3.
        prior = VonMisesFisherMixturePrior(3, initial_concentration=4.0, seed=1)
        model = functional(VonMisesFisherLatent(3, concentration=1e6, prior=prior, seed=1), nothing())
        model.compile(keras.optimizers.SGD(0.1), loss="mse")
        start = [weight.numpy() for weight in prior.trainable_variables]
        model.fit(features, NOTHING, epochs=3, batch_size=12, verbose=0)
        return start, [weight.numpy() for weight in prior.trainable_variables]

    start, one = trained()
    with mirrored(2).scope():
        _, two = trained()
    for before, after, other in zip(start, one, two, strict=True):
        assert np.abs(after - before).max() > 0.01
        np.testing.assert_allclose(other, after, atol=1e-3)


def test_a_document_model_with_one_has_bounds_in_their_order_and_samples_of_its_prior(rng, tmp_path):
    x = rng.poisson(1.0, size=(40, 20)).astype(np.float32)
    model = models.BagOfWordsVAE(20, sphere(), encoder_units=(8,), decoder_units=(), seed=0)
    assert model.log_likelihood(x, 30).numpy().mean() > model.elbo(x).numpy().mean()
    prior = model.latent.learned_prior
    prior.logits.assign([50.0, 0.0, 0.0])
    prior.spreads.assign([1000.0, 0.0, 0.0])
    cosines = model.latent.prior().sample(500, seed=(1, 2)).numpy() @ prior.mean_directions.numpy()[0]
    # A vMF on S^2 has the mean cosine coth(kappa) - 1 / kappa, and kappa is about 4,000 here.
    assert cosines.mean() == pytest.approx(1 - 1 / prior.concentrations.numpy()[0], abs=1e-4)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.elbo(x, seed=3), model.elbo(x, seed=3), rtol=1e-5)


def test_it_computes_in_the_dtype_of_the_layer(features):
    layer = sphere(dtype="float64")
    layer(features)
    assert layer.learned_prior.compute_dtype == "float64"
    assert layer.prior().sample(2).dtype == tf.float64
    assert layer.kl_divergence(layer.parameters(features)).dtype == tf.float64


def test_the_description_names_it_and_no_constant_kl_is_promised(features):
    layer = sphere()
    assert "prior: learned mixture of 3 components" in layer.describe().code("document")
    assert not layer.describe().constant_kl


def test_trainers_make_it_and_refuse_what_has_none():
    def make(latent, **options):
        return programs.make_latent(DocumentConfig(corpus="wikipedia", latent=latent, latent_dim=10, **options), seed=0)

    assert make("vmf").learned_prior is None
    for latent, prior in (("vmf", VonMisesFisherMixturePrior), ("gaussian", GaussianMixturePrior)):
        learned = make(latent, prior="mixture", prior_components=7).learned_prior
        assert type(learned) is prior
        assert learned.num_components == 7
    for latent in ("uniform_norm_vmf", "vmf_product"):
        with pytest.raises(
            ArgumentError, match=rf"`prior`: expected 'fixed' with latent='{latent}'. Received: 'mixture'"
        ):
            make(latent, prior="mixture")
    with pytest.raises(ArgumentError, match=r"`prior`: expected none.*latent='none'"):
        programs.make_latent(SentenceConfig(corpus="ptb", latent="none", prior="mixture"), seed=0)


def test_wrong_priors_are_refused_with_the_choices():
    for prior in ("vamp", 3, None, GaussianMixturePrior()):
        with pytest.raises(
            ValueError, match=r"`prior` of VonMisesFisherLatent: expected 'uniform', 'mixture', or a layer"
        ):
            VonMisesFisherLatent(3, prior=prior)
    with pytest.raises(ValueError, match=r"`prior` of GaussianLatent: expected 'standard'"):
        GaussianLatent(3, prior=VonMisesFisherMixturePrior())
    with pytest.raises(ValueError, match=r"`prior` of UniformNormVonMisesFisherLatent: expected 'uniform'. Received"):
        UniformNormVonMisesFisherLatent(3, prior="mixture")
    with pytest.raises(TypeError, match="num_components"):
        VonMisesFisherMixturePrior(num_component=3)
    with pytest.raises(ValueError, match="`num_components`"):
        VonMisesFisherMixturePrior(0)
    with pytest.raises(ValueError, match="`initial_concentration`"):
        VonMisesFisherMixturePrior(3, initial_concentration=0.0)
