"""Latent layer with a power spherical posterior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from tf_vmf import math as vmf_math
from tf_vmf.layers.latent_contract import Parameters
from tf_vmf.layers.registry import register_latent
from tf_vmf.layers.spherical_latent import SphericalLatent
from tf_vmf.math.power_spherical import power_spherical_sample

if TYPE_CHECKING:
    from tf_vmf import distributions


@register_latent("power_spherical")
class PowerSphericalLatent(SphericalLatent):
    """z ~ PowerSpherical(mean_direction(h), concentration) on S^(d-1), density proportional to (1 + mu.z)^concentration.

    Prior uniform on the sphere, or learned. Density, KL and sampler are not TensorFlow Probability's: in float32 those lose their
    digits at small and large concentrations, and give NaN gradients on the circle.

    Its noise holds two gamma variables, which TensorFlow draws by another algorithm under XLA: the same seed then gives other
    samples of the same distribution. (The noise of the other layers is the same with and without XLA.)

    Args:
        latent_dim: d >= 2, the dimension of the ambient space.
        concentration: A number >= 0, a layer such as `tf_vmf.layers.LearnedConcentration(initial=50.0)`, or "learned".
        prior, norm_penalty, kl_weight, seed, kl_name, **kwargs: See `tf_vmf.layers.SphericalLatent`.

    References:
        N. De Cao and W. Aziz. The Power Spherical distribution. INNF+ 2020. https://arxiv.org/abs/2006.04437
    """

    _posterior_name = "power spherical"

    def distribution(self, parameters: Parameters) -> distributions.PowerSpherical:
        from tf_vmf import distributions

        return distributions.PowerSpherical(parameters["mean_direction"], parameters["concentration"])

    def closed_form_kl(self, parameters: Parameters) -> tf.Tensor:
        return vmf_math.power_spherical_kl_to_uniform(parameters["concentration"], self.latent_dim)

    def _sample(self, parameters: Parameters, seed: tf.Tensor, sample_shape: Sequence[int]) -> tf.Tensor:
        return power_spherical_sample(parameters["mean_direction"], parameters["concentration"], seed, sample_shape)
