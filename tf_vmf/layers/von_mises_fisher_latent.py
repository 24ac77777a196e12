"""Latent layer with a von Mises-Fisher posterior."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from tf_vmf import math as vmf_math
from tf_vmf.layers.directional_latent import DirectionalLatent
from tf_vmf.layers.latent_contract import Parameters
from tf_vmf.layers.registry import register_latent
from tf_vmf.layers.spherical_latent import SphericalLatent

if TYPE_CHECKING:
    from tf_vmf import distributions


class VonMisesFisherDirection(DirectionalLatent):
    """Base of the latent layers whose direction is von Mises-Fisher."""

    def direction_kl(self, parameters: Parameters) -> tf.Tensor:
        """KL of the direction to the uniform distribution on the sphere, in nats, shape (batch,)."""
        mean_direction = parameters["mean_direction"]

        def kl(concentration: tf.Tensor | float) -> tf.Tensor:
            if not isinstance(concentration, float):
                return vmf_math.kl_to_uniform(concentration, self.latent_dim)
            # A constant: computed once, in double precision, and broadcast.
            with tf.init_scope():
                constant = vmf_math.kl_to_uniform(tf.constant(concentration, tf.float64), self.latent_dim)
            return tf.fill(tf.shape(mean_direction)[:-1], tf.cast(constant, mean_direction.dtype))

        return self.with_concentration(parameters, kl)

    def sample_direction(self, parameters: Parameters, seed: tf.Tensor, sample_shape: Sequence[int]) -> tf.Tensor:
        """Unit vectors ~ vMF, shape sample_shape + (batch, latent_dim)."""

        def draw(concentration: tf.Tensor | float) -> tf.Tensor:
            return vmf_math.von_mises_fisher_sample(
                parameters["mean_direction"], concentration, seed=seed, sample_shape=sample_shape
            )

        # A function that is not inlined is one node: TensorFlow visits every node of the branch that is not taken.
        draw_rows = tf.function(draw, autograph=False, experimental_attributes={"_noinline": True})
        return self.with_concentration(parameters, draw, draw_rows)


@register_latent("vmf")
class VonMisesFisherLatent(VonMisesFisherDirection, SphericalLatent):
    """z ~ vMF(mean_direction(h), concentration) on the unit sphere S^(d-1), prior uniform on it or learned (Xu and Durrett, 2018).

    With a fixed concentration and the uniform prior, KL(q || p) depends on (d, concentration) alone: a constant, so it cannot
    collapse. It is exact (the authors' closed form is that of dimension d + 2) and sampled without rejection, with exact gradients
    in both parameters.

    Args:
        latent_dim: d >= 2, the dimension of the ambient space.
        concentration: A number >= 0, a layer such as `tf_vmf.layers.LearnedConcentration(initial=50.0)`, or "learned".
        prior, norm_penalty, kl_weight, seed, kl_name, **kwargs: See `tf_vmf.layers.SphericalLatent`.

    Example:
    ```python
    inputs = keras.Input((2000,))
    h = keras.layers.Dense(400, "tanh")(inputs)
    z = tf_vmf.layers.VonMisesFisherLatent(25, concentration=100.0)(h)
    model = keras.Model(inputs, keras.layers.Dense(2000)(z))

    def squared_error(x, mean):  # a sum over the entries: the KL is in nats per example, not per entry
        return 0.5 * keras.ops.sum(keras.ops.square(x - mean), axis=-1)

    model.compile("adam", loss=squared_error)  # model.fit then minimizes loss + KL
    ```

    References:
        J. Xu and G. Durrett. Spherical Latent Spaces for Stable Variational Autoencoders. EMNLP 2018.
        https://arxiv.org/abs/1808.10805
    """

    _posterior_name = "von Mises-Fisher"

    def distribution(self, parameters: Parameters) -> distributions.VonMisesFisher:
        from tf_vmf import distributions

        return distributions.VonMisesFisher(parameters["mean_direction"], parameters["concentration"])

    def static_key(self) -> Hashable | None:
        if self.learned_prior is not None:
            return None
        return VonMisesFisherLatent, self.latent_dim, self._concentration_key()

    def closed_form_kl(self, parameters: Parameters) -> tf.Tensor:
        return self.direction_kl(parameters)

    def _sample(self, parameters: Parameters, seed: tf.Tensor, sample_shape: Sequence[int]) -> tf.Tensor:
        return self.sample_direction(parameters, seed, sample_shape)
