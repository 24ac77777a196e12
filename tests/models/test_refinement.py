"""Refined posteriors: where they end, and that their bounds stay bounds."""

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from tests.parameters import quick
from tf_vmf import layers
from tf_vmf.models import VAE, BagOfWordsVAE, Gaussian


def test_a_refined_gaussian_posterior_of_a_linear_model_is_the_exact_one(rng):
    """For x = W z + noise of scale s it is N(S W^T x / s^2, S), S = (I + W^T W / s^2)^-1, diagonal as W has orthogonal columns."""
    directions = np.linalg.qr(rng.normal(size=(4, 2)))[0] * np.array([1.0, 2.0])
    scale = 0.5
    x = rng.normal(size=(6, 4)).astype(np.float32)
    encoder = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4, use_bias=False)])
    model = VAE(encoder, layers.GaussianLatent(2, seed=1), decoder, Gaussian(scale), seed=1)
    decoder.layers[0].kernel.assign(directions.T)
    covariance = np.linalg.inv(np.eye(2) + directions.T @ directions / scale**2)
    mean = x @ directions @ covariance / scale**2
    posterior = model.encode(x, refine_steps=400, seed=3)
    # One sample a step leaves some noise; the deviations are 0.45 and 0.24.
    np.testing.assert_allclose(posterior.mean(), mean, atol=0.15)
    np.testing.assert_allclose(posterior.stddev().numpy().mean(axis=0), np.sqrt(np.diag(covariance)), rtol=0.2)
    exact = scipy.stats.multivariate_normal(np.zeros(4), directions @ directions.T + scale**2 * np.eye(4)).logpdf(x)
    # With the exact posterior every weight is the likelihood itself.
    assert np.mean(model.log_likelihood(x, 20, refine_steps=400)) == pytest.approx(exact.mean(), abs=0.1)
    assert np.mean([model.elbo(x, seed=i) for i in range(20)]) < exact.mean() - 0.3
    again = model.encode(x, refine_steps=400, seed=3)
    np.testing.assert_array_equal(again.mean(), posterior.mean())


@pytest.mark.parametrize(
    "make",
    quick(
        1,
        [
            lambda: layers.VonMisesFisherLatent(2, concentration=2.0, seed=1),
            lambda: layers.UniformNormVonMisesFisherLatent(2, concentration="learned", seed=1),
            lambda: layers.VonMisesFisherLatent(2, concentration="learned", seed=1),
            lambda: layers.ProductLatent(
                [layers.PowerSphericalLatent(2, concentration="learned"), layers.GaussianLatent(1)]
            ),
        ],
    ),
)
def test_refining_raises_the_bound_and_keeps_it_below_the_likelihood(make, rng):
    keras.utils.set_random_seed(0)
    x = rng.poisson(3.0, size=(8, 12)).astype(np.float32)
    model = BagOfWordsVAE(12, make(), encoder_units=(4,), decoder_units=(), dropout=0.0, z_scale=3.0, seed=1)
    before, after = (
        np.mean([model.log_likelihood(x, 1, seed=i, refine_steps=steps).numpy() for i in range(10)], axis=0)
        for steps in (0, 60)
    )
    assert after.mean() > before.mean() + 0.3
    # log p(x) by plain Monte Carlo over the prior, in two dimensions.
    z = model.latent.prior().sample(20_000, seed=(1, 2))
    log_p = x @ model.decode(z).numpy().T
    exact = scipy.special.logsumexp(log_p, axis=1) - np.log(20_000)
    assert after.mean() < exact.mean() + 0.1
    if make().get_config().get("concentration") == 2.0:
        np.testing.assert_array_equal(model.encode(x, refine_steps=5).concentration, 8 * [2.0])


def test_the_number_of_steps_is_checked(rng):
    model = BagOfWordsVAE(12, layers.GaussianLatent(2), encoder_units=(4,), decoder_units=())
    with pytest.raises(ValueError, match="refine_steps"):
        model.encode(tf.ones([1, 12]), refine_steps=-1)
