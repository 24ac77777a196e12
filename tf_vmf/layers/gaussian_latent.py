"""Latent layer with a diagonal Gaussian posterior: the baseline that collapses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_vmf import _tfp as tfp
from tf_vmf.layers.heads import HasHeads, build_head, check_width, head_config, initializer_config
from tf_vmf.layers.latent_contract import LatentDescription, Parameters
from tf_vmf.layers.latent_layer import LatentLayer
from tf_vmf.layers.learned_priors import GaussianMixturePrior, LearnedPrior, check_prior
from tf_vmf.layers.registry import register_latent
from tf_vmf.math.noise import stateless_normal


@register_latent("gaussian")
class GaussianLatent(HasHeads, LatentLayer):
    """z ~ N(mu(h), diag(sigma(h)^2)), prior N(0, I) or learned (Kingma and Welling, 2014).

    The second head is the logarithm of the variance. (In Xu and Durrett's code what is named so is that of sigma.)

    Args:
        latent_dim: Number of dimensions of z, >= 1.
        prior: "standard" for N(0, I); or a `tf_vmf.layers.GaussianMixturePrior`, which is learned; "mixture" stands for one with
            its defaults.
        mean_head, log_variance_head: Keras layers that compute the parameters from the features, each of shape (batch, latent_dim).
            None: dense layers.
        kernel_initializer: Initializer of the dense heads: a Keras initializer, its name or its configuration.
        **kwargs: `kl_weight`, `num_samples`, `return_parameters`, `seed`, `kl_name` and those of `keras.layers.Layer`; see
            `tf_vmf.layers.LatentLayer`.

    Call arguments:
        inputs: Features; or a dict of parameters that are computed elsewhere, for which no head is made: `mean` and
            `log_variance`, both of shape (batch, latent_dim).

    References:
        D. P. Kingma and M. Welling. Auto-Encoding Variational Bayes. ICLR 2014. https://arxiv.org/abs/1312.6114
    """

    mixture_prior: type[LearnedPrior] | None = GaussianMixturePrior
    mean_head: Any
    log_variance_head: Any

    def __init__(
        self,
        latent_dim: int,
        *,
        prior: Any = "standard",
        mean_head: keras.layers.Layer | None = None,
        log_variance_head: keras.layers.Layer | None = None,
        kernel_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(latent_dim, **kwargs)
        self.learned_prior = check_prior(type(self).__name__, prior, "standard", self.mixture_prior)
        if self.learned_prior is not None:
            self.learned_prior.inherit(self.dtype_policy)
        self.kernel_initializer = kernel_initializer
        self.add_head("mean_head", mean_head, self.latent_dim)
        self.add_head("log_variance_head", log_variance_head, self.latent_dim)

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, Mapping):
            build_head(self.mean_head, input_shape)
            build_head(self.log_variance_head, input_shape)
        super().build(input_shape)

    def _parameters(self, inputs: tf.Tensor | Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns `mean` and `log_variance`, both (batch, latent_dim)."""
        if isinstance(inputs, Mapping):
            values = {name: inputs[name] for name in ("mean", "log_variance")}
        else:
            values = {"mean": self.mean_head(inputs), "log_variance": self.log_variance_head(inputs)}
        owner, dtype = type(self).__name__, self.compute_dtype
        return {
            name: check_width(tf.cast(value, dtype), self.latent_dim, owner, name) for name, value in values.items()
        }

    def distribution(self, parameters: Parameters) -> tfp.distributions.MultivariateNormalDiag:
        return tfp.distributions.MultivariateNormalDiag(
            parameters["mean"], scale_diag=tf.exp(0.5 * parameters["log_variance"])
        )

    def _prior(self) -> tfp.distributions.MultivariateNormalDiag:
        return tfp.distributions.MultivariateNormalDiag(tf.zeros([self.latent_dim], self.compute_dtype))

    def closed_form_kl(self, parameters: Parameters) -> tf.Tensor:
        mean, log_variance = parameters["mean"], parameters["log_variance"]
        # expm1(v) - v is exact near the prior, where exp(v) - 1 - v cancels.
        return 0.5 * tf.reduce_sum(tf.square(mean) + tf.math.expm1(log_variance) - log_variance, axis=-1)

    def _sample(self, parameters: Parameters, seed: tf.Tensor, sample_shape: Sequence[int]) -> tf.Tensor:
        mean, log_variance = parameters["mean"], parameters["log_variance"]
        shape = tf.concat([tf.convert_to_tensor(sample_shape, tf.int32), tf.shape(mean)], axis=0)
        noise = stateless_normal(shape, seed, mean.dtype)
        return mean + tf.exp(0.5 * log_variance) * noise

    def code(self, parameters: Parameters) -> tf.Tensor:
        return parameters["mean"]

    @property
    def coordinate_scale(self) -> float | np.ndarray:
        return 1.0

    def describe(self) -> LatentDescription:
        space = f"in {self.latent_dim} dimensions"
        return LatentDescription(posterior="Gaussian", space=space, prior=self.prior_in_prose())

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "prior": "standard" if self.learned_prior is None else head_config(self.learned_prior),
            **self.config_of_heads("mean_head", "log_variance_head"),
            "kernel_initializer": initializer_config(self.kernel_initializer),
        }
