"""Priors of a code that training adapts to the data."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from tf_vmf._checks import check_integer
from tf_vmf._errors import ArgumentError
from tf_vmf._keywords import CheckedKeywords

if TYPE_CHECKING:
    import tensorflow_probability as tfp


class LearnedPrior(CheckedKeywords, keras.layers.Layer, abc.ABC):
    """Base of the mixtures of K components that a latent layer takes as `prior`.

    Args:
        num_components: K >= 1.
        seed: Seed of the first components; None draws one (it follows `keras.utils.set_random_seed`).
        **kwargs: Passed to `keras.layers.Layer`.

    Raises:
        ValueError: `num_components` is no integer >= 1.
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
    """The argument `prior` of a latent layer: None for its fixed prior.

    Args:
        owner: Name of the latent layer's class.
        prior: The name of the fixed prior, "mixture", a layer or its configuration.
        fixed: That name.
        mixture: The class of learned priors that the latent layer takes; None: it takes none.

    Raises:
        ValueError: It is something else.
    """
    if isinstance(prior, Mapping):
        prior = keras.saving.deserialize_keras_object(prior)
    if isinstance(prior, str) and prior == fixed:
        return None
    if mixture is None:
        raise ArgumentError("prior", repr(fixed), repr(prior), owner=owner)
    if isinstance(prior, str) and prior == "mixture":
        return mixture(name="prior")
    if not isinstance(prior, mixture):
        raise ArgumentError(
            "prior",
            f"{fixed!r}, 'mixture', or a layer such as tf_vmf.layers.{mixture.__name__}(100)",
            repr(prior),
            owner=owner,
        )
    return prior
