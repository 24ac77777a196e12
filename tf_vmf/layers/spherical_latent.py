"""What latent layers on the unit sphere share: a mean direction, a concentration and a uniform prior."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from tf_vmf import math as vmf_math
from tf_vmf._checks import check_number, require
from tf_vmf.layers.concentration import LearnedConcentration, check_concentration
from tf_vmf.layers.description import LatentDescription
from tf_vmf.layers.latent_layer import LatentLayer, Parameters, fractions
from tf_vmf.layers.unit_vector import unit_vector

if TYPE_CHECKING:
    import tensorflow_probability as tfp


class SphericalLatent(LatentLayer):
    """Base of the posteriors q(z|h) with a mean direction and a concentration on S^(d-1), against the uniform prior.

    Args:
        latent_dim: d >= 2, the dimension of the ambient space: z is a unit vector in R^d.
        concentration: A number >= 0, the same for every row: the KL is then a constant that no optimizer can shrink. Or a Keras
            layer that computes one for every row from the features, shape (batch,) or (batch, 1), such as
            `tf_vmf.layers.LearnedConcentration(initial=50.0, minimum=15.0)`; "learned" stands for `LearnedConcentration()`.
        norm_penalty: Weight of (||m|| - 1)^2, where m is the mean direction before it is normalised; the auxiliary term of Xu
            and Durrett's code (1e-4 or 0).
        **kwargs: `kl_weight`, `seed`, `kl_name` and those of `keras.layers.Layer`; see `tf_vmf.layers.LatentLayer`.
    """

    _smallest_latent_dim = 2

    # The distribution's name in prose.
    _posterior_name = ""

    def __init__(
        self, latent_dim: int, *, concentration: Any = 100.0, norm_penalty: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(latent_dim, **kwargs)
        name = type(self).__name__
        self.concentration = check_concentration(name, concentration)
        self.norm_penalty = check_number(name, "norm_penalty", norm_penalty)
        self.direction_head = keras.layers.Dense(self.latent_dim, dtype=self.dtype_policy, name="direction")
        self.concentration_head: Any = None
        if isinstance(self.concentration, keras.layers.Layer):
            self.concentration_head = self.concentration
            if isinstance(self.concentration_head, LearnedConcentration):
                self.concentration_head.inherit(self.dtype_policy, "glorot_uniform")

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.direction_head.build(input_shape)
        if self.concentration_head is not None and not self.concentration_head.built:
            self.concentration_head.build(input_shape)
        super().build(input_shape)

    def parameters(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `mean_direction` (batch, d), `concentration` (batch,) and, with a norm penalty, `norm` (batch,)."""
        raw = self.direction_head(inputs)
        direction = unit_vector(raw)
        if self.concentration_head is None:
            concentration = tf.fill(tf.shape(raw)[:-1], tf.cast(self.concentration, raw.dtype))
        else:
            concentration = self._computed_concentration(inputs)
        parameters = {"mean_direction": direction, "concentration": concentration}
        if self.norm_penalty:
            # The norm as a product with its own gradient, which the square root does not have at zero.
            parameters["norm"] = tf.reduce_sum(raw * tf.stop_gradient(direction), axis=-1)
        return parameters

    def _computed_concentration(self, inputs: tf.Tensor) -> tf.Tensor:
        """The output of the head, shape (batch,)."""
        concentration = tf.cast(self.concentration_head(inputs), self.compute_dtype)
        if concentration.shape.rank == inputs.shape.rank and concentration.shape[-1] == 1:
            concentration = concentration[..., 0]
        if concentration.shape.rank != inputs.shape.rank - 1:
            raise ValueError(
                f"Argument `concentration` of {type(self).__name__}: expected a layer that gives a number per row, shape (batch,) "
                f"or (batch, 1). Received: {self.concentration_head.name}, whose output has shape {concentration.shape}."
            )
        if isinstance(self.concentration_head, LearnedConcentration):
            return concentration
        negative = tf.reduce_any(concentration < 0)
        return require(~negative, concentration, "Concentrations must be >= 0. Received:", concentration)

    def code(self, parameters: Parameters) -> tf.Tensor:
        return parameters["mean_direction"]

    def prior(self) -> tfp.distributions.Distribution:
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

    def describe(self) -> LatentDescription:
        fixed = self.concentration_head is None
        amount = f"concentration {self.concentration:g}" if fixed else "learned concentration"
        return LatentDescription(
            posterior=self._posterior_name or super().describe().posterior,
            space=f"on the unit sphere in {self.latent_dim} dimensions",
            spread=f"{amount}; higher is more certain",
            fixed_spread=fixed,
            constant_kl=fixed and self._is_that_of(SphericalLatent, "prior"),
            metric="cosine",
            path="great circle",
        )

    def auxiliary_loss(self, parameters: Parameters) -> tf.Tensor | None:
        if "norm" not in parameters:
            return None
        return self.norm_penalty * tf.square(parameters["norm"] - 1.0)

    def get_config(self) -> dict[str, Any]:
        concentration = self.concentration
        if self.concentration_head is not None:
            concentration = dict(keras.saving.serialize_keras_object(self.concentration_head))
            concentration.pop("build_config", None)  # this layer builds it
        return {**super().get_config(), "concentration": concentration, "norm_penalty": self.norm_penalty}
