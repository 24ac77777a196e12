"""Latent layer with a diagonal Gaussian posterior: the baseline that collapses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from tf_vmf.layers.latent_layer import KLWeight, LatentLayer, Parameters

if TYPE_CHECKING:
    import tensorflow_probability as tfp


@keras.saving.register_keras_serializable(package="tf_vmf")
class GaussianLatent(LatentLayer):
    """z ~ N(mu(h), diag(sigma(h)^2)), prior N(0, I) (Kingma and Welling, 2014).

    The second head is the logarithm of the variance. (In Xu and Durrett's code what is named so is that of sigma.)

    Args:
        latent_dim: Number of dimensions of z, >= 1.
        kl_weight, seed, **kwargs: See `tf_vmf.layers.LatentLayer`.

    References:
        D. P. Kingma and M. Welling. Auto-Encoding Variational Bayes. ICLR 2014. https://arxiv.org/abs/1312.6114
    """

    def __init__(self, latent_dim: int, kl_weight: KLWeight = 1.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(latent_dim, kl_weight=kl_weight, seed=seed, **kwargs)
        self.mean_head = keras.layers.Dense(self.latent_dim, dtype=self.dtype_policy, name="mean")
        self.log_variance_head = keras.layers.Dense(self.latent_dim, dtype=self.dtype_policy, name="log_variance")

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.mean_head.build(input_shape)
        self.log_variance_head.build(input_shape)
        super().build(input_shape)

    def parameters(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `mean` and `log_variance`, both (batch, latent_dim)."""
        return {"mean": self.mean_head(inputs), "log_variance": self.log_variance_head(inputs)}

    def distribution(self, parameters: Parameters) -> tfp.distributions.MultivariateNormalDiag:
        import tensorflow_probability as tfp

        return tfp.distributions.MultivariateNormalDiag(
            parameters["mean"], scale_diag=tf.exp(0.5 * parameters["log_variance"])
        )

    def prior(self) -> tfp.distributions.MultivariateNormalDiag:
        import tensorflow_probability as tfp

        return tfp.distributions.MultivariateNormalDiag(tf.zeros([self.latent_dim], self.compute_dtype))

    def kl_divergence(self, parameters: Parameters) -> tf.Tensor:
        mean, log_variance = parameters["mean"], parameters["log_variance"]
        # expm1(v) - v is exact near the prior, where exp(v) - 1 - v cancels.
        return 0.5 * tf.reduce_sum(tf.square(mean) + tf.math.expm1(log_variance) - log_variance, axis=-1)

    def sample(self, parameters: Parameters, seed: tf.Tensor, sample_shape: Sequence[int] = ()) -> tf.Tensor:
        mean, log_variance = parameters["mean"], parameters["log_variance"]
        shape = tf.concat([tf.convert_to_tensor(sample_shape, tf.int32), tf.shape(mean)], axis=0)
        # Philox by name: the default algorithm is many times slower under XLA on CPU.
        noise = tf.random.stateless_normal(shape, seed, dtype=mean.dtype, alg="philox")
        return mean + tf.exp(0.5 * log_variance) * noise

    def code(self, parameters: Parameters) -> tf.Tensor:
        return parameters["mean"]
