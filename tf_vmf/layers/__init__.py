"""Keras layers with a latent variable inside; none of them imports TensorFlow Probability before a distribution is asked for."""

from tf_vmf import _backend  # noqa: F401  (first: Keras must have the right backend)
from tf_vmf.layers.controls import LatentAnnealing, deterministic
from tf_vmf.layers.gaussian_latent import GaussianLatent
from tf_vmf.layers.heads import LearnedConcentration, SharedConcentration
from tf_vmf.layers.latent_contract import LatentDescription
from tf_vmf.layers.latent_layer import LatentLayer
from tf_vmf.layers.learned_priors import GaussianMixturePrior, LearnedPrior, VonMisesFisherMixturePrior
from tf_vmf.layers.lstm import TimeMajorLSTM
from tf_vmf.layers.product_latent import ProductLatent, SphereProductLatent
from tf_vmf.layers.registry import latent_names, latent_options, make_latent, mixture_prior_of, register_latent
from tf_vmf.layers.scheduled import CyclicalSchedule, LinearSchedule, SigmoidSchedule
from tf_vmf.layers.spherical_latent import PowerSphericalLatent, VonMisesFisherLatent
from tf_vmf.layers.token_softmax import TokenSoftmax
from tf_vmf.layers.uniform_norm_latent import UniformNormVonMisesFisherLatent

__all__ = [
    "CyclicalSchedule",
    "GaussianLatent",
    "GaussianMixturePrior",
    "LatentAnnealing",
    "LatentDescription",
    "LatentLayer",
    "LearnedConcentration",
    "LearnedPrior",
    "LinearSchedule",
    "PowerSphericalLatent",
    "ProductLatent",
    "SharedConcentration",
    "SigmoidSchedule",
    "SphereProductLatent",
    "TimeMajorLSTM",
    "TokenSoftmax",
    "UniformNormVonMisesFisherLatent",
    "VonMisesFisherLatent",
    "VonMisesFisherMixturePrior",
    "deterministic",
    "latent_names",
    "latent_options",
    "make_latent",
    "mixture_prior_of",
    "register_latent",
]
