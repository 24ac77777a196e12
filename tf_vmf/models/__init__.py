"""Variational autoencoders of text: subclassed `keras.Model`s around a latent layer."""

from tf_vmf.models.adam import FusedAdam
from tf_vmf.models.bag_of_words_vae import BagOfWordsVAE
from tf_vmf.models.load import LoadedModel, load
from tf_vmf.models.lstm_vae import LSTMVAE
from tf_vmf.models.replicated_model import ReplicatedModel
from tf_vmf.models.variational_autoencoder import VariationalAutoencoder
from tf_vmf.models.word_vectors import read_word_vectors

__all__ = [
    "LSTMVAE",
    "BagOfWordsVAE",
    "FusedAdam",
    "LoadedModel",
    "ReplicatedModel",
    "VariationalAutoencoder",
    "load",
    "read_word_vectors",
]
