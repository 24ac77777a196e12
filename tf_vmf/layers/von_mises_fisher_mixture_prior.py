"""A learned mixture of von Mises-Fisher distributions as the prior of a code on the sphere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from tf_vmf import math as vmf_math
from tf_vmf._checks import check_number
from tf_vmf.distributions.pairwise import pairwise_log_prob
from tf_vmf.layers.learned_prior import LearnedPrior
from tf_vmf.math.unit_vector import unit_vector

if TYPE_CHECKING:
    import tensorflow_probability as tfp

# The KL of such a component to the uniform distribution is 0.02 nats per dimension.
_INITIAL_PER_DIMENSION = 0.2


@keras.saving.register_keras_serializable(package="tf_vmf")
class VonMisesFisherMixturePrior(LearnedPrior):
    """p(z) = sum_k w_k vMF(z; mu_k, kappa_k), whose weights, mean directions and concentrations are learned with the model.

    Pass one as `prior` of a spherical latent layer. The prior then goes where the codes are, so a code costs fewer nats than
    against the uniform prior, and samples of the model look more like its data. There is no formula for the KL: a latent layer
    charges KL(q || uniform) exactly, and the rest, -E_q[log p(z) - log uniform(z)], at its samples of z. So the loss is still a
    bound, with a little more noise. With a fixed concentration the KL is no constant any more, and a prior can follow codes that
    collapse onto one point: look at the code gain.

    Args:
        num_components: K >= 1.
        initial_concentration: kappa_k at the start of training, > 0. None: 0.2 d, nearly uniform.
        seed: Seed of the first mean directions, which are uniform; None draws one (it follows `keras.utils.set_random_seed`).
        **kwargs: Passed to `keras.layers.Layer`. Without a `dtype` the layer computes in that of the latent layer.

    Raises:
        ValueError: An argument is out of its range.

    Example:
    ```python
    prior = tf_vmf.layers.VonMisesFisherMixturePrior(100)
    z = tf_vmf.layers.VonMisesFisherLatent(50, concentration="learned", prior=prior)(keras.Input((400,)))
    ```

    References:
        J. M. Tomczak and M. Welling. VAE with a VampPrior. AISTATS 2018. https://arxiv.org/abs/1705.07120 (the prior that is best
        for the bound is the mixture of all posteriors; they compare it with learned mixtures of Gaussians)
    """

    def __init__(
        self,
        num_components: int = 100,
        *,
        initial_concentration: float | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_components, seed=seed, **kwargs)
        self.initial_concentration = (
            None
            if initial_concentration is None
            else check_number(type(self).__name__, "initial_concentration", initial_concentration, above=True)
        )

    def build(self, input_shape: Any) -> None:
        dim = input_shape[-1]
        if self.initial_concentration is None:
            self.initial_concentration = _INITIAL_PER_DIMENSION * dim
        self.directions = self.add_weight(
            shape=(self.num_components, dim),
            initializer=keras.initializers.RandomNormal(0.0, 1.0, seed=self.seed),
            name="directions",
        )
        self.spreads = self.add_weight(shape=(self.num_components,), initializer="zeros", name="spreads")
        super().build(input_shape)

    @property
    def mean_directions(self) -> tf.Tensor:
        """mu_k, unit vectors, shape (K, latent_dim)."""
        return unit_vector(tf.convert_to_tensor(self.directions))

    @property
    def concentrations(self) -> tf.Tensor:
        """kappa_k, shape (K,)."""
        # Relative to the first value, so that one learning rate suits any; softplus(log(e - 1)) = 1.
        spread = tf.nn.softplus(tf.convert_to_tensor(self.spreads) + math.log(math.e - 1.0))
        return self.initial_concentration * spread

    def distribution(self) -> tfp.distributions.MixtureSameFamily:
        import tensorflow_probability as tfp

        from tf_vmf import distributions

        return tfp.distributions.MixtureSameFamily(
            tfp.distributions.Categorical(logits=self.log_weights),
            distributions.VonMisesFisher(self.mean_directions, self.concentrations),
        )

    def log_ratio(self, z: tf.Tensor) -> tf.Tensor:
        dim = z.shape[-1]
        mean_directions, concentrations, log_weights = (
            tf.cast(each, z.dtype) for each in (self.mean_directions, self.concentrations, self.log_weights)
        )
        by_component = pairwise_log_prob(tf.reshape(z, [-1, dim]), mean_directions, concentrations)
        log_prob = tf.reduce_logsumexp(by_component + log_weights, axis=-1)
        return tf.reshape(log_prob, tf.shape(z)[:-1]) + vmf_math.log_sphere_area(dim)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "initial_concentration": self.initial_concentration}
