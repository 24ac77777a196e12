"""Latent layer with a power spherical posterior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from tf_vmf.layers.latent_layer import Parameters
from tf_vmf.layers.spherical_latent import SphericalLatent

if TYPE_CHECKING:
    import tensorflow_probability as tfp


@keras.saving.register_keras_serializable(package="tf_vmf")
class PowerSphericalLatent(SphericalLatent):
    """z ~ PowerSpherical(mean_direction(h), concentration) on S^(d-1), density proportional to (1 + mu.z)^concentration.

    Prior uniform on the sphere. The distribution, its KL and its sampler are TensorFlow Probability's.

    Args:
        latent_dim: d >= 2, the dimension of the ambient space.
        concentration: A number >= 0, or "learned".
        minimum_concentration, initial_concentration, norm_penalty, kl_weight, seed, **kwargs: See
            `tf_vmf.layers.SphericalLatent`.

    References:
        N. De Cao and W. Aziz. The Power Spherical distribution. INNF+ 2020. https://arxiv.org/abs/2006.04437
    """

    def distribution(self, parameters: Parameters) -> tfp.distributions.PowerSpherical:
        import tensorflow_probability as tfp

        return tfp.distributions.PowerSpherical(parameters["mean_direction"], parameters["concentration"])

    def kl_divergence(self, parameters: Parameters) -> tf.Tensor:
        return self.distribution(parameters).kl_divergence(self.prior())

    def sample(self, parameters: Parameters, seed: tf.Tensor, sample_shape: Sequence[int] = ()) -> tf.Tensor:
        return self.distribution(parameters).sample(sample_shape, seed=seed)
