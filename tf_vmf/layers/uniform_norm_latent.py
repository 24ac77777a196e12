"""Latent layer with a von Mises-Fisher direction and a uniform norm ("unif-vMF")."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_vmf import distributions
from tf_vmf._checks import check_number, require
from tf_vmf._errors import ArgumentError
from tf_vmf.layers.heads import SharedConcentration, build_head, check_width
from tf_vmf.layers.latent_contract import LatentDescription, Parameters
from tf_vmf.layers.registry import register_latent
from tf_vmf.layers.spherical_latent import VonMisesFisherDirection
from tf_vmf.math.noise import stateless_uniform
from tf_vmf.seeds import stateless_seed

_NORM_TOLERANCE = 1e-3  # codes that went through text or half precision


@register_latent("uniform_norm_vmf")
class UniformNormVonMisesFisherLatent(VonMisesFisherDirection):
    """z = norm * direction: direction ~ vMF(mean_direction(h), concentration), norm ~ U(r(h), r(h) + norm_width).

    The prior has a uniform direction and norm ~ U(0, norm_max), so KL = KL(vMF || uniform) + log(norm_max / norm_width): with a
    fixed concentration a constant again ("unif-vMF" in Xu and Durrett, 2018; Guu et al., 2018). r is learned, in
    [0, norm_max - norm_width].

    Args:
        latent_dim: d >= 2, the dimension of the space.
        concentration: A number >= 0, a layer such as `tf_vmf.layers.LearnedConcentration(initial=50.0)`, or "learned".
        norm_max: Largest norm of the prior, > 0.
        norm_width: Length of the interval in which the posterior's norm lies, in (0, norm_max].
        norm_head: A Keras layer that computes a number per row from the features, shape (batch, 1), of which
            r = (norm_max - norm_width) * sigmoid(number). None: a dense layer.
        direction_head, kernel_initializer, norm_penalty, **kwargs: See `tf_vmf.layers.VonMisesFisherLatent`.

    Call arguments:
        inputs: Features; or a dict of `mean_direction`, `norm_low` (r, shape (batch,)) and, where meant, `concentration`.

    Example:
    ```python
    h = keras.Input((400,))
    z = tf_vmf.layers.UniformNormVonMisesFisherLatent(25, concentration=100.0)(h)  # norms between 0 and 2
    ```

    References:
        J. Xu and G. Durrett. Spherical Latent Spaces for Stable Variational Autoencoders. EMNLP 2018.
        K. Guu, T. B. Hashimoto, Y. Oren and P. Liang. Generating Sentences by Editing Prototypes. TACL 2018.
    """

    norm_head: Any

    def __init__(
        self,
        latent_dim: int,
        *,
        concentration: Any = 100.0,
        norm_max: float = 2.0,
        norm_width: float = 1.0,
        norm_head: keras.layers.Layer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(latent_dim, concentration=concentration, **kwargs)
        name = type(self).__name__
        self.norm_max = check_number(name, "norm_max", norm_max, above=True)
        self.norm_width = check_number(name, "norm_width", norm_width, above=True)
        if self.norm_width > self.norm_max:
            raise ArgumentError("norm_width", f"at most norm_max={norm_max!r}", repr(norm_width), owner=name)
        self.add_head("norm_head", norm_head, 1)

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, Mapping):
            build_head(self.norm_head, input_shape)
        super().build(input_shape)

    def _parameters(self, inputs: tf.Tensor | Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns what `VonMisesFisherLatent.parameters` does and `norm_low`, r, shape (batch,)."""
        largest = self.norm_max - self.norm_width
        if isinstance(inputs, Mapping):
            low = inputs["norm_low"]
            outside = tf.reduce_any((low < 0) | (low > largest))
            low = require(~outside, low, "norm_low", f"numbers in [0, {largest:g}]", low)
        else:
            number = check_width(self.norm_head(inputs), 1, type(self).__name__, "norm_head")
            low = largest * tf.sigmoid(tf.cast(number[..., 0], self.compute_dtype))
        return {**super()._parameters(inputs), "norm_low": low}

    def distribution(self, parameters: Parameters) -> distributions.UniformNormVonMisesFisher:
        return distributions.UniformNormVonMisesFisher(
            parameters["mean_direction"], parameters["concentration"], parameters["norm_low"], self.norm_width
        )

    def _prior(self) -> distributions.UniformNormVonMisesFisher:
        pole = tf.one_hot(0, self.latent_dim, dtype=tf.as_dtype(self.compute_dtype))
        return distributions.UniformNormVonMisesFisher(pole, 0.0, 0.0, self.norm_max)

    def closed_form_kl(self, parameters: Parameters) -> tf.Tensor:
        return self.direction_kl(parameters) + math.log(self.norm_max / self.norm_width)

    def _sample(self, parameters: Parameters, seed: tf.Tensor, sample_shape: Sequence[int]) -> tf.Tensor:
        direction = self.sample_direction(parameters, stateless_seed(seed, 0), sample_shape)
        uniform = stateless_uniform(tf.shape(direction)[:-1], stateless_seed(seed, 1), direction.dtype)
        return (parameters["norm_low"] + self.norm_width * uniform)[..., tf.newaxis] * direction

    def unconstrained(self, parameters: Parameters) -> dict[str, tf.Tensor]:
        largest = self.norm_max - self.norm_width
        share = tf.clip_by_value(tf.math.divide_no_nan(parameters["norm_low"], largest), 1e-4, 1.0 - 1e-4)
        return {**super().unconstrained(parameters), "norm_low": tf.math.log(share) - tf.math.log1p(-share)}

    def constrained(self, numbers: Parameters, parameters: Parameters) -> dict[str, tf.Tensor]:
        largest = self.norm_max - self.norm_width
        return {**super().constrained(numbers, parameters), "norm_low": largest * tf.sigmoid(numbers["norm_low"])}

    def code(self, parameters: Parameters) -> tf.Tensor:
        """The mean direction times the mean norm."""
        return (parameters["norm_low"] + 0.5 * self.norm_width)[..., tf.newaxis] * parameters["mean_direction"]

    @property
    def coordinate_scale(self) -> float:
        """sqrt(3 d) / norm_max: under the prior the mean squared norm is norm_max^2 / 3."""
        return math.sqrt(3.0 * self.latent_dim) / self.norm_max

    def check_codes(self, z: tf.Tensor) -> tf.Tensor:
        z = super().check_codes(z)
        norm = tf.norm(z, axis=-1)
        ok = tf.reduce_all(norm <= self.norm_max + _NORM_TOLERANCE)
        return require(ok, z, "z", f"codes with a norm of at most {self.norm_max:g}", "norms", norm)

    def nearest_codes(self, z: tf.Tensor) -> tf.Tensor:
        z = tf.convert_to_tensor(z)
        return z * tf.minimum(
            tf.math.divide_no_nan(tf.cast(self.norm_max, z.dtype), tf.norm(z, axis=-1, keepdims=True)), 1.0
        )

    def describe(self) -> LatentDescription:
        return LatentDescription(
            posterior="von Mises-Fisher with uniform norm",
            space=f"in the ball of radius {self.norm_max:g} in {self.latent_dim} dimensions",
            spread=self.spread_in_prose(),
            fixed_spread=self.concentration_head is None,
            shared_spread=isinstance(self.concentration_head, SharedConcentration),
            constant_kl=self.has_constant_kl,
        )

    @property
    def has_constant_kl(self) -> bool:
        return self.concentration_head is None

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "norm_max": self.norm_max,
            "norm_width": self.norm_width,
            **self.config_of_heads("norm_head"),
        }
