"""What latent layers on the unit sphere share: a mean direction, a concentration and a uniform prior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from tf_vmf.layers.concentration import LearnedConcentration, check_concentration
from tf_vmf.layers.latent_layer import KLWeight, LatentLayer, Parameters
from tf_vmf.layers.unit_vector import unit_vector

if TYPE_CHECKING:
    import tensorflow_probability as tfp


class SphericalLatent(LatentLayer):
    """Base of the posteriors q(z|h) with a mean direction and a concentration on S^(d-1), against the uniform prior.

    Args:
        latent_dim: d >= 2, the dimension of the ambient space: z is a unit vector in R^d.
        concentration: A number >= 0, the same for every row: the KL is then a constant that no optimiser can shrink. Or
            "learned": one a row, never below `minimum_concentration`.
        minimum_concentration: Lower bound of a learned concentration.
        initial_concentration: Learned concentration at the start of training.
        norm_penalty: Weight of (||m|| - 1)^2, where m is the mean direction before it is normalised; the auxiliary term of Xu
            and Durrett's code (1e-4 or 0).
        kl_weight, kl_name, seed, **kwargs: See `tf_vmf.layers.LatentLayer`.
    """

    _smallest_latent_dim = 2

    def __init__(
        self,
        latent_dim: int,
        concentration: float | str = 100.0,
        minimum_concentration: float = 1.0,
        initial_concentration: float = 100.0,
        norm_penalty: float = 0.0,
        kl_weight: KLWeight = 1.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(latent_dim, kl_weight=kl_weight, seed=seed, **kwargs)
        name = type(self).__name__
        self.concentration = check_concentration(name, concentration, minimum_concentration, initial_concentration)
        self.minimum_concentration = minimum_concentration
        self.initial_concentration = initial_concentration
        if not norm_penalty >= 0:
            raise ValueError(f"Argument `norm_penalty` of {name}: expected a number >= 0. Received: {norm_penalty!r}.")
        self.norm_penalty = norm_penalty
        self.direction_head = keras.layers.Dense(self.latent_dim, dtype=self.dtype_policy, name="direction")
        self.concentration_head = None
        if self.concentration == "learned":
            self.concentration_head = LearnedConcentration(
                minimum_concentration, initial_concentration, dtype=self.dtype_policy, name="concentration"
            )

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.direction_head.build(input_shape)
        if self.concentration_head is not None:
            self.concentration_head.build(input_shape)
        super().build(input_shape)

    def parameters(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `mean_direction` (batch, d), `concentration` (batch,) and, with a norm penalty, `norm` (batch,)."""
        raw = self.direction_head(inputs)
        direction = unit_vector(raw)
        if self.concentration_head is None:
            concentration = tf.fill(tf.shape(raw)[:-1], tf.cast(self.concentration, raw.dtype))
        else:
            concentration = self.concentration_head(inputs)
        parameters = {"mean_direction": direction, "concentration": concentration}
        if self.norm_penalty:
            # The norm as a product with its own gradient, which the square root does not have at zero.
            parameters["norm"] = tf.reduce_sum(raw * tf.stop_gradient(direction), axis=-1)
        return parameters

    def code(self, parameters: Parameters) -> tf.Tensor:
        return parameters["mean_direction"]

    def prior(self) -> tfp.distributions.Distribution:
        import tensorflow_probability as tfp

        return tfp.distributions.SphericalUniform(self.latent_dim, dtype=tf.as_dtype(self.compute_dtype))

    def auxiliary_loss(self, parameters: Parameters) -> tf.Tensor | None:
        if "norm" not in parameters:
            return None
        return self.norm_penalty * tf.square(parameters["norm"] - 1.0)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "concentration": self.concentration,
            "minimum_concentration": self.minimum_concentration,
            "initial_concentration": self.initial_concentration,
            "norm_penalty": self.norm_penalty,
        }
