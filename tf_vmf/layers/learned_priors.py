"""Priors of a code that training adapts to the data: mixtures of Gaussians or of von Mises-Fisher distributions."""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from tf_vmf import _tfp as tfp
from tf_vmf import distributions
from tf_vmf import math as vmf_math
from tf_vmf._checks import check_integer, check_number
from tf_vmf._errors import ArgumentError
from tf_vmf._keywords import CheckedKeywords
from tf_vmf.math.unit_vectors import unit_vector


class LearnedPrior(CheckedKeywords, keras.layers.Layer, abc.ABC):
    """Base of the mixtures of K components that a latent layer takes as `prior`.

    A subclass defines `build`, `distribution` and `log_ratio`.
    """

    def __init__(self, num_components: int = 100, *, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._has_dtype = kwargs.get("dtype") is not None
        self.num_components = check_integer(type(self).__name__, "num_components", num_components, minimum=1)
        self.seed = seed

    @abc.abstractmethod
    def distribution(self) -> tfp.distributions.Distribution:
        """p(z) as a TFP distribution, batch shape (), event shape (latent_dim,)."""

    @abc.abstractmethod
    def log_ratio(self, z: tf.Tensor) -> tf.Tensor:
        """Log p(z) - log p0(z) in nats, shape (...,), for z of shape (..., latent_dim).

        p0 is the fixed prior in whose place p stands, and KL(q || p) = KL(q || p0) - E_q[log p(z) - log p0(z)].
        """

    def inherit(self, dtype: Any) -> None:
        """Takes the dtype policy of the latent layer, unless it was given one."""
        if not self._has_dtype and not self.built:
            self.dtype_policy = dtype

    def build(self, input_shape: Any) -> None:
        self.logits = self.add_weight(shape=(self.num_components,), initializer="zeros", name="logits")
        super().build(input_shape)

    @property
    def log_weights(self) -> tf.Tensor:
        """Logarithms of the weights of the components, shape (K,)."""
        return tf.nn.log_softmax(tf.convert_to_tensor(self.logits))

    def call(self, z: tf.Tensor) -> tf.Tensor:
        return self.log_ratio(z)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape[:-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_components": self.num_components, "seed": self.seed}


def check_prior(owner: str, prior: Any, fixed: str, mixture: type[LearnedPrior] | None) -> LearnedPrior | None:
    """The argument `prior` of a latent layer that takes those of class `mixture`; None for the `fixed` one, by name."""
    if isinstance(prior, Mapping):
        prior = keras.saving.deserialize_keras_object(prior)
    if isinstance(prior, str) and prior == fixed:
        return None
    if mixture is None:
        raise ArgumentError("prior", repr(fixed), repr(prior), owner=owner)
    if isinstance(prior, str) and prior == "mixture":
        return mixture(name="prior")
    if not isinstance(prior, mixture):
        expected = f"{fixed!r}, 'mixture', or a layer such as tf_vmf.layers.{mixture.__name__}(100)"
        raise ArgumentError("prior", expected, repr(prior), owner=owner)
    return prior


# The components start beside each other, with the standard normal distribution inside.
_INITIAL_DEVIATION = 0.5


@keras.saving.register_keras_serializable(package="tf_vmf")
class GaussianMixturePrior(LearnedPrior):
    """p(z) = sum_k w_k N(z; mu_k, diag(sigma_k^2)), learned with the model; pass one as `prior` of `GaussianLatent`.

    The counterpart of `VonMisesFisherMixturePrior`, for comparisons on equal terms. The KL to N(0, I) is exact and the rest is
    taken at the samples of z.

    Args:
        num_components: K >= 1.
        seed: Seed of the first means, ~ N(0, 0.5^2); deviations start at 1. None draws one (it follows
            `keras.utils.set_random_seed`).
        **kwargs: Passed to `keras.layers.Layer`. Without a `dtype` the layer computes in that of the latent layer.

    Raises:
        ValueError: `num_components` is no integer >= 1.

    Example:
    ```python
    z = tf_vmf.layers.GaussianLatent(50, prior=tf_vmf.layers.GaussianMixturePrior(100))(keras.Input((400,)))
    ```

    References:
        J. M. Tomczak and M. Welling. VAE with a VampPrior. AISTATS 2018. https://arxiv.org/abs/1705.07120
    """

    def build(self, input_shape: Any) -> None:
        shape = (self.num_components, input_shape[-1])
        start = keras.initializers.RandomNormal(0.0, _INITIAL_DEVIATION, seed=self.seed)
        self.means = self.add_weight(shape=shape, initializer=start, name="means")
        self.log_deviations = self.add_weight(shape=shape, initializer="zeros", name="log_deviations")
        super().build(input_shape)

    def distribution(self) -> tfp.distributions.MixtureSameFamily:
        deviations = tf.exp(tf.convert_to_tensor(self.log_deviations))
        return tfp.distributions.MixtureSameFamily(
            tfp.distributions.Categorical(logits=self.log_weights),
            tfp.distributions.MultivariateNormalDiag(tf.convert_to_tensor(self.means), deviations),
        )

    def log_ratio(self, z: tf.Tensor) -> tf.Tensor:
        dim = z.shape[-1]
        means, log_deviations, log_weights = (
            tf.cast(tf.convert_to_tensor(each), z.dtype) for each in (self.means, self.log_deviations, self.log_weights)
        )
        points, precisions = tf.reshape(z, [-1, dim]), tf.exp(-2.0 * log_deviations)
        scaled = means * precisions
        # ((z - mu) / sigma)^2 as matrix products: no tensor of all pairs is built.
        squares = tf.matmul(tf.square(points), precisions, transpose_b=True)
        squares += tf.reduce_sum(means * scaled, axis=-1) - 2.0 * tf.matmul(points, scaled, transpose_b=True)
        by_component = log_weights - 0.5 * squares - tf.reduce_sum(log_deviations, axis=-1)
        log_prob = tf.reduce_logsumexp(by_component, axis=-1) + 0.5 * tf.reduce_sum(tf.square(points), axis=-1)
        return tf.reshape(log_prob, tf.shape(z)[:-1])


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
        if initial_concentration is not None:
            name = type(self).__name__
            initial_concentration = check_number(name, "initial_concentration", initial_concentration, above=True)
        self.initial_concentration = initial_concentration

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
        return tfp.distributions.MixtureSameFamily(
            tfp.distributions.Categorical(logits=self.log_weights),
            distributions.VonMisesFisher(self.mean_directions, self.concentrations),
        )

    def log_ratio(self, z: tf.Tensor) -> tf.Tensor:
        dim = z.shape[-1]
        mean_directions, concentrations, log_weights = (
            tf.cast(each, z.dtype) for each in (self.mean_directions, self.concentrations, self.log_weights)
        )
        by_component = distributions.pairwise_log_prob(tf.reshape(z, [-1, dim]), mean_directions, concentrations)
        log_prob = tf.reduce_logsumexp(by_component + log_weights, axis=-1)
        return tf.reshape(log_prob, tf.shape(z)[:-1]) + vmf_math.log_sphere_area(dim)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "initial_concentration": self.initial_concentration}
