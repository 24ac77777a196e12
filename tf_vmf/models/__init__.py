"""Variational autoencoders, of text and of anything else: subclassed `keras.Model`s around a latent layer."""

from tf_vmf import _backend  # noqa: F401  (first: Keras must have the right backend)
from tf_vmf.models.adam import FusedAdam
from tf_vmf.models.bag_of_words_vae import BagOfWordsVAE
from tf_vmf.models.generation import BeamSampler, GreedySampler, RandomSampler, Sampler
from tf_vmf.models.likelihoods import (
    Bernoulli,
    Categorical,
    DistributionLikelihood,
    Gaussian,
    Likelihood,
    Multinomial,
    TokenLikelihood,
    VonMisesFisherLikelihood,
    likelihood_names,
    register_likelihood,
)
from tf_vmf.models.load import LoadedModel, load, read_word_vectors
from tf_vmf.models.lstm_vae import LSTMVAE
from tf_vmf.models.replicated_model import ReplicatedModel
from tf_vmf.models.vae import VAE
from tf_vmf.models.variational_autoencoder import VariationalAutoencoder

__all__ = [
    "LSTMVAE",
    "VAE",
    "BagOfWordsVAE",
    "BeamSampler",
    "Bernoulli",
    "Categorical",
    "DistributionLikelihood",
    "FusedAdam",
    "Gaussian",
    "GreedySampler",
    "Likelihood",
    "LoadedModel",
    "Multinomial",
    "RandomSampler",
    "ReplicatedModel",
    "Sampler",
    "TokenLikelihood",
    "VariationalAutoencoder",
    "VonMisesFisherLikelihood",
    "likelihood_names",
    "load",
    "read_word_vectors",
    "register_likelihood",
]
