"""Products of latents, and the von Mises-Fisher with a uniform norm."""

import keras
import numpy as np
import pytest
import scipy.integrate
import scipy.special
import tensorflow as tf
import tensorflow_probability as tfp

from tests.refusals import refused
from tf_vmf import models
from tf_vmf.distributions import UniformNormVonMisesFisher, VonMisesFisher
from tf_vmf.layers import (
    GaussianLatent,
    LearnedConcentration,
    PowerSphericalLatent,
    ProductLatent,
    SphereProductLatent,
    UniformNormVonMisesFisherLatent,
    VonMisesFisherLatent,
    deterministic,
    make_latent,
)

tfd = tfp.distributions


def product(**kwargs):
    parts = [
        VonMisesFisherLatent(3, concentration=20.0),
        VonMisesFisherLatent(4, concentration=LearnedConcentration(initial=30.0)),
        GaussianLatent(2),
        PowerSphericalLatent(2, concentration=5.0, norm_penalty=0.5),
    ]
    return ProductLatent(parts, seed=1, **kwargs)


LATENTS = {
    "product": product,
    "spheres": lambda **kw: SphereProductLatent(
        6, part_dim=3, concentration=LearnedConcentration(initial=20.0), seed=1, **kw
    ),
    "uniform_norm": lambda **kw: UniformNormVonMisesFisherLatent(5, concentration=20.0, seed=1, **kw),
    "uniform_norm_learned": lambda **kw: UniformNormVonMisesFisherLatent(
        5, concentration="learned", norm_max=3.0, norm_width=0.5, seed=1, **kw
    ),
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
    return rng.normal(size=(6, 7)).astype(np.float32)


def test_the_kl_is_that_of_simulation(make, features):
    layer = make()
    layer(features)
    parameters = layer.parameters(features)
    z = layer.sample(parameters, 5, (3000,))
    ratio = (layer.distribution(parameters).log_prob(z) - layer.prior().log_prob(z)).numpy()
    assert np.isfinite(ratio).all()
    error = ratio.std(axis=0) / np.sqrt(3000)
    kl = layer.kl_divergence(parameters).numpy()
    np.testing.assert_array_less(np.abs(kl - ratio.mean(axis=0)), 5 * error + 1e-3)
    assert float(layer.losses[0]) == pytest.approx(kl.mean(), rel=1e-5)
    # The one that is registered for the distributions.
    np.testing.assert_allclose(layer.posterior(features).kl_divergence(layer.prior()), kl, rtol=1e-3)


def test_samples_have_the_mean_of_the_distribution_and_its_own_samples(make, features):
    layer = make()
    parameters = layer.parameters(features)
    distribution = layer.distribution(parameters)
    z, own = layer.sample(parameters, 5, (3000,)).numpy(), distribution.sample(3000, seed=(1, 2)).numpy()
    # 3,000 samples: a standard error below 0.03 each, where the standard deviation is below 1.5.
    np.testing.assert_allclose(z.mean(axis=0), own.mean(axis=0), atol=0.2)
    np.testing.assert_allclose(z.std(axis=0), own.std(axis=0), atol=0.15)


def test_the_scale_gives_coordinates_unit_variance_under_the_prior(make):
    layer = make()
    z = layer.prior().sample(20_000, seed=(1, 2)).numpy()
    np.testing.assert_allclose((z * layer.coordinate_scale).std(axis=0), 1.0, atol=0.05)
    layer.check_codes(z)
    with pytest.raises(ValueError, match=r"unit vectors|norm of at most"):
        layer.check_codes(4.0 * z)


def test_the_nearest_code_is_a_code_and_no_other_is_nearer(make):
    layer = make()
    codes = layer.prior().sample(2000, seed=(1, 2)).numpy()
    np.testing.assert_allclose(layer.nearest_codes(codes), codes, atol=1e-6)
    for z in (codes[:3].mean(axis=0), 1.5 * codes[3], -codes[4]):
        nearest = layer.check_codes(layer.nearest_codes(z)).numpy()
        assert np.linalg.norm(nearest - z) <= np.linalg.norm(codes - z, axis=-1).min() + 1e-6


@on("uniform_norm_learned")  # a product takes 15 s; it is saved below, and trained in tests/layers/test_annealing.py
def test_it_trains_saves_and_loads_in_a_model_of_keras(make, features, tmp_path):
    inputs = keras.Input((7,))
    model = keras.Model(inputs, keras.layers.Dense(7)(make()(inputs)))
    model.compile(keras.optimizers.Adam(1e-2), loss="mse")
    history = model.fit(features, features, epochs=30, verbose=0).history
    assert {name for name in history if name.startswith("kl")} == {"kl", "kl_weight"}
    assert history["loss"][-1] < history["loss"][0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(features, training=True), model(features, training=True))
    assert loaded.layers[1].get_config() == model.layers[1].get_config()


@pytest.mark.slow
@on("spheres")
def test_it_works_in_a_document_model(make, rng, tmp_path):
    x = rng.poisson(1.0, size=(40, 20)).astype(np.float32)
    model = models.BagOfWordsVAE(20, make(), encoder_units=(8,), decoder_units=(), seed=0)
    model.compile(keras.optimizers.Adam(1e-2))
    history = model.fit(x, epochs=5, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert model.log_likelihood(x, 30).numpy().mean() > model.elbo(x).numpy().mean()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.elbo(x, seed=3), model.elbo(x, seed=3), rtol=1e-5)


def test_a_product_is_its_parts_side_by_side(features):
    layer = product()
    layer(features)
    parameters = layer.parameters(features)
    first = VonMisesFisherLatent(3, concentration=20.0)
    first.build((None, 7))
    first.direction_head.set_weights(layer.layers[0].direction_head.get_weights())
    np.testing.assert_allclose(layer.code(parameters)[:, :3], first.code(first.parameters(features)), atol=1e-6)
    z = layer.sample(parameters, 3)
    assert z.shape == (6, 11)
    for part in (z[:, :3], z[:, 3:7], z[:, 9:]):
        np.testing.assert_allclose(np.linalg.norm(part, axis=-1), 1.0, atol=1e-5)
    kls = [part.kl_divergence(own) for part, own in layer._by_part(parameters)]
    np.testing.assert_allclose(layer.kl_divergence(parameters), np.sum(kls, axis=0), rtol=1e-6)
    path = layer.interpolate(z[:1], z[1:2], 3).numpy()[0]
    np.testing.assert_allclose(np.linalg.norm(path[:, :3], axis=-1), 1.0, atol=1e-6)
    np.testing.assert_allclose(path[1, 7:9], 0.5 * (z[0, 7:9] + z[1, 7:9]), rtol=1e-5)
    layer.layers[0].concentration = 3.0
    assert layer.kl_divergence(layer.parameters(features)).numpy().mean() < np.sum(kls, axis=0).mean()
    assert "2 von Mises-Fisher and 1 Gaussian" in layer.describe().posterior


def test_equal_spheres_are_computed_together_as_one_by_one(features):
    """Runs of equal parts share one sampler and one KL; a subclass that samples in its own way is left alone."""

    class Own(VonMisesFisherLatent):
        def _sample(self, parameters, seed, sample_shape):
            return super()._sample(parameters, seed, sample_shape)

    def sphere(cls=VonMisesFisherLatent, dim=3):
        return cls(dim, concentration=LearnedConcentration(initial=20.0))

    parts = [sphere(), sphere(), sphere(dim=4), GaussianLatent(2), sphere(Own), sphere(Own), sphere(), sphere()]
    layer = ProductLatent(parts, seed=1)
    parameters = layer.parameters(features)
    assert [count for _, _, count in layer._runs(parameters)] == [2, 1, 1, 1, 1, 2]
    z = layer.sample(parameters, 3, (1500,))
    posterior, prior = layer.distribution(parameters), layer.prior()
    kl = log_q = log_p = 0.0
    for (part, own), code in zip(layer._by_part(parameters), layer._split(z), strict=True):
        kl += part.kl_divergence(own)
        log_q += part.distribution(own).log_prob(code)
        log_p += part.prior().log_prob(code)
        if isinstance(part, VonMisesFisherLatent):
            error = code.numpy().std(axis=0) / np.sqrt(1500)
            assert np.all(np.abs(code.numpy().mean(axis=0) - part.distribution(own).mean()) < 5 * error)
    np.testing.assert_allclose(layer.kl_divergence(parameters), kl, rtol=1e-6)
    np.testing.assert_allclose(posterior.kl_divergence(prior), kl, rtol=1e-5)
    np.testing.assert_allclose(posterior.log_prob(z), log_q, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(prior.log_prob(z), log_p, rtol=1e-5)
    # Two parts of one run have noise of their own.
    first, second = (layer._split(z)[i].numpy() - layer._split(z)[i].numpy().mean(axis=0) for i in (0, 1))
    assert abs(np.corrcoef(first[:, 0, 1], second[:, 0, 1])[0, 1]) < 0.15


def test_parameters_of_the_parts_may_be_computed_elsewhere(rng):
    latents = [
        UniformNormVonMisesFisherLatent(3, concentration=5.0),
        VonMisesFisherLatent(2, concentration="learned"),
        GaussianLatent(1),
    ]
    layer = ProductLatent(latents, return_parameters=True)
    values = {
        "norm_low_0": rng.uniform(size=4).astype(np.float32),
        "mean_direction_0": rng.normal(size=(4, 3)).astype(np.float32),
        "mean_direction_1": rng.normal(size=(4, 2)).astype(np.float32),
        "concentration_1": rng.uniform(1.0, 9.0, size=4).astype(np.float32),
        "mean_2": rng.normal(size=(4, 1)).astype(np.float32),
        "log_variance_2": rng.normal(size=(4, 1)).astype(np.float32),
    }
    inputs = {name: keras.Input(value.shape[1:], name=name) for name, value in values.items()}
    outputs = layer(inputs)
    assert outputs["z"].shape == (None, 6)
    predicted = keras.Model(inputs, outputs).predict(values, verbose=0)
    assert not layer.trainable_variables
    for name in ("norm_low_0", "concentration_1", "mean_2", "log_variance_2"):
        np.testing.assert_array_equal(predicted[name], values[name])
    # KLs of the circle from scipy's Bessel functions, of the normal distribution from its formula; on S^2 they are elementary.
    kappa = values["concentration_1"].astype(np.float64)
    ratio = scipy.special.ive(1, kappa) / scipy.special.ive(0, kappa)
    circle = kappa * ratio - kappa - np.log(scipy.special.ive(0, kappa))
    sphere = 5.0 / np.tanh(5.0) - 1.0 - np.log(np.sinh(5.0) / 5.0) + np.log(2.0)
    mean, log_variance = values["mean_2"][:, 0], values["log_variance_2"][:, 0]
    normal = 0.5 * (mean**2 + np.exp(log_variance) - 1.0 - log_variance)
    np.testing.assert_allclose(predicted["kl"], sphere + circle + normal, rtol=1e-5)


def test_a_head_of_ones_own_gives_the_least_norm_and_is_saved(features, tmp_path):
    head = keras.Sequential([keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])
    inputs = keras.Input((7,))
    layer = UniformNormVonMisesFisherLatent(5, concentration=20.0, norm_max=3.0, norm_head=head, seed=1)
    model = keras.Model(inputs, layer(inputs))
    expected = 2.0 * scipy.special.expit(head(features).numpy()[:, 0])
    np.testing.assert_allclose(layer.parameters(features)["norm_low"], expected, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras").layers[-1]
    np.testing.assert_allclose(loaded.parameters(features)["norm_low"], expected, rtol=1e-5)
    with refused("norm_head", expected="(batch, 1)"):
        UniformNormVonMisesFisherLatent(5, norm_head=keras.layers.Dense(2))(features)


@pytest.mark.slow
def test_parameters_and_samples_are_outputs_and_a_saved_model_gives_them(make, features, tmp_path):
    inputs = keras.Input((7,))
    layer = make(num_samples=400, return_parameters=True)
    outputs = layer(inputs)
    model = keras.Model(inputs, {**outputs, "decoded": keras.layers.Dense(2)(outputs["z"])})
    parameters = layer.parameters(tf.constant(features))
    assert set(outputs) == {"z", "kl", *parameters}
    model.export(tmp_path / "sampling", verbose=False)
    sampling = tf.saved_model.load(tmp_path / "sampling")
    served = sampling.serve(tf.constant(features))
    for name, expected in {**parameters, "kl": layer.kl_divergence(parameters)}.items():
        np.testing.assert_allclose(served[name], expected, rtol=1e-4, atol=1e-6)
    z = served["z"].numpy()
    assert z.shape == (6, 400, layer.latent_dim)
    posterior = layer.posterior(features)
    mean = np.mean(posterior.sample(20_000, seed=(1, 2)), axis=0)
    assert np.all(np.abs(z.mean(axis=1) - mean) < 6 * z.std(axis=1) / np.sqrt(400))
    with deterministic(model):
        expected = model.predict(features, verbose=0)
        model.export(tmp_path / "codes", verbose=False)
    np.testing.assert_allclose(expected["z"][:, 7], layer.code(parameters), rtol=1e-4, atol=1e-5)
    central = tf.saved_model.load(tmp_path / "codes")
    np.testing.assert_allclose(
        central.serve(tf.constant(features))["decoded"], expected["decoded"], rtol=1e-4, atol=1e-5
    )


def test_parts_that_cannot_be_are_refused():
    one = GaussianLatent(2)
    for bad in (
        [],
        [one, one],
        [keras.layers.Dense(2)],
        [GaussianLatent(2, kl_weight=0.5)],
        [GaussianLatent(2, num_samples=3)],
    ):
        with pytest.raises(ValueError, match="`layers` of ProductLatent"):
            ProductLatent(bad)


def test_the_kl_of_a_uniform_norm_is_that_of_the_direction_and_a_constant(features):
    layer = UniformNormVonMisesFisherLatent(25, concentration=100.0)
    parameters = layer.parameters(features)
    # 18.802 nats: the published exact KL of vMF(25, 100).
    np.testing.assert_allclose(layer.kl_divergence(parameters), 6 * [18.802 + np.log(2.0)], atol=1e-3)
    low = parameters["norm_low"].numpy()
    assert np.all((low >= 0) & (low <= 1.0))
    norms = np.linalg.norm(layer.sample(parameters, 3, (2000,)), axis=-1)
    assert scipy.stats.kstest((norms - low).ravel(), "uniform").pvalue > 1e-3


def test_the_density_of_a_uniform_norm_integrates_to_one_in_the_plane():
    p = UniformNormVonMisesFisher(tf.constant([0.6, 0.8], tf.float64), 3.0, 0.5, 1.0)
    angle, norm = np.meshgrid(np.linspace(0, 2 * np.pi, 400, endpoint=False), 0.5 + (np.arange(200) + 0.5) / 200)
    x = np.stack([norm * np.cos(angle), norm * np.sin(angle)], axis=-1)
    assert np.mean(p.prob(x).numpy() * norm) * 2 * np.pi == pytest.approx(1.0, rel=1e-6)
    assert float(p.prob([0.1, 0.0])) == 0.0
    assert np.isnan(float(p.log_prob([np.nan, 0.0])))
    np.testing.assert_allclose(
        p.mean(), scipy.special.ive(1, 3) / scipy.special.ive(0, 3) * np.array([0.6, 0.8]), rtol=1e-6
    )


def test_the_kl_of_a_norm_that_the_other_cannot_have_is_infinite():
    p, q = (UniformNormVonMisesFisher([0.0, 1.0, 0.0], 3.0, 0.0, width) for width in (2.0, 1.0))
    assert np.isinf(float(p.kl_divergence(q)))
    assert float(q.kl_divergence(p)) == pytest.approx(np.log(2.0), rel=1e-5)
    assert isinstance(p.direction, VonMisesFisher)


def test_a_product_of_equal_spheres_learns_a_concentration_per_part_and_is_found_by_name(features):
    latent = make_latent("vmf_product", 12, {"concentration": LearnedConcentration(initial=9.0), "part_dim": 4})
    assert [part.latent_dim for part in latent.layers] == [4, 4, 4]
    assert len({id(part.concentration) for part in latent.layers}) == 3
    latent(features)
    assert len([weight for weight in latent.trainable_variables if "concentration" in weight.path]) == 6
    with pytest.raises(ValueError, match=r"`part_dim`.*divisor of latent_dim=10"):
        SphereProductLatent(10, part_dim=4)


def test_the_trainers_find_it_by_name_and_bad_norms_are_refused():
    latent = make_latent("uniform_norm_vmf", 4, {"concentration": 7.0, "norm_penalty": 0.0})
    assert isinstance(latent, UniformNormVonMisesFisherLatent)
    for options, name in (
        ({"norm_max": 0.0}, "norm_max"),
        ({"norm_width": 3.0}, "norm_width"),
        ({"norm_width": True}, "norm_width"),
    ):
        with pytest.raises(ValueError, match=f"`{name}`"):
            UniformNormVonMisesFisherLatent(4, concentration=1.0, **options)
