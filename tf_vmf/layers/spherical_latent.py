"""The base of latent layers on the unit sphere: mean direction, concentration and uniform prior."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import tensorflow as tf

from tf_vmf import math as vmf_math
from tf_vmf.layers.description import LatentDescription
from tf_vmf.layers.directional_latent import DirectionalLatent
from tf_vmf.layers.latent_contract import Parameters, fractions
from tf_vmf.layers.learned_prior import LearnedPrior
from tf_vmf.layers.shared_concentration import SharedConcentration
from tf_vmf.layers.von_mises_fisher_mixture_prior import VonMisesFisherMixturePrior
from tf_vmf.math.unit_vector import unit_vector

if TYPE_CHECKING:
    import tensorflow_probability as tfp


class SphericalLatent(DirectionalLatent):
    """Base of the posteriors q(z|h) with a mean direction and a concentration on S^(d-1), the prior uniform or learned.

    Args:
        latent_dim: d >= 2, the dimension of the ambient space: z is a unit vector in R^d.
        prior: "uniform" on the sphere; or a `tf_vmf.layers.VonMisesFisherMixturePrior`, which is learned; "mixture" stands for one
            with its defaults.
        **kwargs: `concentration`, `direction_head`, `kernel_initializer` and `norm_penalty`, see
            `tf_vmf.layers.DirectionalLatent`; `kl_weight`, `num_samples`, `return_parameters`, `seed`, `kl_name` and those of
            `keras.layers.Layer`, see `tf_vmf.layers.LatentLayer`.
    """

    mixture_prior: type[LearnedPrior] | None = VonMisesFisherMixturePrior

    # The distribution's name in prose.
    _posterior_name = ""

    def code(self, parameters: Parameters) -> tf.Tensor:
        return parameters["mean_direction"]

    def _prior(self) -> tfp.distributions.Distribution:
        import tensorflow_probability as tfp

        return tfp.distributions.SphericalUniform(self.latent_dim, dtype=tf.as_dtype(self.compute_dtype))

    @property
    def coordinate_scale(self) -> float:
        """sqrt(d): the entries of a unit vector have mean square 1 / d."""
        return math.sqrt(self.latent_dim)

    def interpolate(self, start: tf.Tensor, end: tf.Tensor, num_points: int | tf.Tensor = 5) -> tf.Tensor:
        return vmf_math.great_circle(self.check_codes(start), self.check_codes(end), fractions(num_points))

    def check_codes(self, z: tf.Tensor) -> tf.Tensor:
        return vmf_math.check_unit_vectors(super().check_codes(z), "codes")

    def nearest_codes(self, z: tf.Tensor) -> tf.Tensor:
        return unit_vector(tf.convert_to_tensor(z))

    def describe(self) -> LatentDescription:
        return LatentDescription(
            posterior=self._posterior_name or super().describe().posterior,
            space=f"on the unit sphere in {self.latent_dim} dimensions",
            spread=self.spread_in_prose(),
            fixed_spread=self.concentration_head is None,
            shared_spread=isinstance(self.concentration_head, SharedConcentration),
            prior=self.prior_in_prose(),
            constant_kl=self.has_constant_kl,
            metric="cosine",
            path="great circle",
        )

    @property
    def has_constant_kl(self) -> bool:
        return self.concentration_head is None and self.learned_prior is None
