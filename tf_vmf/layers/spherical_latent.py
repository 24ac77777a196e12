"""Latent layers on the unit sphere: von Mises-Fisher and power spherical posteriors."""

from __future__ import annotations

import functools
import math
from collections.abc import Hashable, Sequence
from typing import Any

import tensorflow as tf

from tf_vmf import _tfp as tfp
from tf_vmf import distributions
from tf_vmf import math as vmf_math
from tf_vmf.layers.directional_latent import DirectionalLatent
from tf_vmf.layers.heads import SharedConcentration
from tf_vmf.layers.latent_contract import LatentDescription, Parameters, fractions
from tf_vmf.layers.learned_priors import LearnedPrior, VonMisesFisherMixturePrior
from tf_vmf.layers.registry import register_latent
from tf_vmf.math.noise import is_compiled_by_xla
from tf_vmf.math.power_spherical import power_spherical_sample
from tf_vmf.math.unit_vectors import unit_vector
from tf_vmf.math.von_mises_fisher_sampler import moves_inside_a_graph


class SphericalLatent(DirectionalLatent):
    """Base of the posteriors q(z|h) with a mean direction and a concentration on S^(d-1), the prior uniform or learned.

    Args:
        latent_dim: d >= 2, the dimension of the ambient space: z is a unit vector in R^d.
        prior: "uniform" on the sphere; or a `tf_vmf.layers.VonMisesFisherMixturePrior`, which is learned; "mixture" stands for one
            with its defaults.
        **kwargs: `concentration`, `direction_head`, `kernel_initializer` and `norm_penalty`, see
            `DirectionalLatent`; `kl_weight`, `num_samples`, `return_parameters`, `seed`, `kl_name` and those of
            `keras.layers.Layer`, see `tf_vmf.layers.LatentLayer`.
    """

    mixture_prior: type[LearnedPrior] | None = VonMisesFisherMixturePrior

    # The distribution's name in prose.
    _posterior_name = ""

    def code(self, parameters: Parameters) -> tf.Tensor:
        return parameters["mean_direction"]

    def _prior(self) -> tfp.distributions.Distribution:
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


@functools.lru_cache(maxsize=1024)
def _constant_kl(concentration: float, dim: int) -> float:
    """The KL of a concentration that all rows share, computed once, in double precision."""
    with tf.init_scope():
        return float(vmf_math.kl_to_uniform(tf.constant(concentration, tf.float64), dim))


@functools.lru_cache(maxsize=64)
def _draws(*trace: Hashable, inline: bool) -> Any:
    """The sampler as a function that all models of a process share: 650 operations to trace, and as many for the gradient.

    `trace` is the key of the cache: ranks, static dimensions, a fixed concentration and XLA; each needs a trace of its own.

    A function that is not inlined is one node: TensorFlow visits every node of the branch of a `tf.cond` that is not taken.
    """
    del trace
    attributes = None if inline else {"_noinline": True}
    return tf.function(
        vmf_math.von_mises_fisher_sample, autograph=False, reduce_retracing=True, experimental_attributes=attributes
    )


class VonMisesFisherDirection(DirectionalLatent):
    """Base of the latent layers whose direction is von Mises-Fisher."""

    def direction_kl(self, parameters: Parameters) -> tf.Tensor:
        """KL of the direction to the uniform distribution on the sphere, in nats, shape (batch,)."""
        mean_direction = parameters["mean_direction"]

        def kl(concentration: tf.Tensor | float) -> tf.Tensor:
            if not isinstance(concentration, float):
                return vmf_math.kl_to_uniform(concentration, self.latent_dim)
            constant = tf.constant(_constant_kl(concentration, self.latent_dim), mean_direction.dtype)
            return tf.fill(tf.shape(mean_direction)[:-1], constant)

        return self.with_concentration(parameters, kl)

    def sample_direction(self, parameters: Parameters, seed: tf.Tensor, sample_shape: Sequence[int]) -> tf.Tensor:
        """Unit vectors ~ vMF, shape sample_shape + (batch, latent_dim)."""
        mean_direction = parameters["mean_direction"]
        shared = not tf.executing_eagerly() and all(isinstance(n, int) for n in sample_shape)

        def draw(concentration: tf.Tensor | float, inline: bool = True) -> tf.Tensor:
            sample = vmf_math.von_mises_fisher_sample
            number = concentration if isinstance(concentration, float) else None
            tensors = [mean_direction] if number is not None else [mean_direction, tf.convert_to_tensor(concentration)]
            ranks = tuple(tensor.shape.rank for tensor in tensors)
            if shared and None not in ranks and not moves_inside_a_graph(*tensors):
                static = (*ranks, mean_direction.shape[-1], number, tuple(sample_shape))
                sample = _draws(*static, is_compiled_by_xla(), inline=inline)
            return sample(mean_direction, concentration, seed=seed, sample_shape=sample_shape)

        def draw_rows(concentration: tf.Tensor) -> tf.Tensor:
            return draw(concentration, inline=False)

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
        prior, norm_penalty, kl_weight, seed, kl_name, **kwargs: See `SphericalLatent`.

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
        return distributions.VonMisesFisher(parameters["mean_direction"], parameters["concentration"])

    def static_key(self) -> Hashable | None:
        if self.learned_prior is not None:
            return None
        return VonMisesFisherLatent, self.latent_dim, self._concentration_key()

    def closed_form_kl(self, parameters: Parameters) -> tf.Tensor:
        return self.direction_kl(parameters)

    def _sample(self, parameters: Parameters, seed: tf.Tensor, sample_shape: Sequence[int]) -> tf.Tensor:
        return self.sample_direction(parameters, seed, sample_shape)


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
        prior, norm_penalty, kl_weight, seed, kl_name, **kwargs: See `SphericalLatent`.

    References:
        N. De Cao and W. Aziz. The Power Spherical distribution. INNF+ 2020. https://arxiv.org/abs/2006.04437
    """

    _posterior_name = "power spherical"

    def distribution(self, parameters: Parameters) -> distributions.PowerSpherical:
        return distributions.PowerSpherical(parameters["mean_direction"], parameters["concentration"])

    def closed_form_kl(self, parameters: Parameters) -> tf.Tensor:
        return vmf_math.power_spherical_kl_to_uniform(parameters["concentration"], self.latent_dim)

    def _sample(self, parameters: Parameters, seed: tf.Tensor, sample_shape: Sequence[int]) -> tf.Tensor:
        return power_spherical_sample(parameters["mean_direction"], parameters["concentration"], seed, sample_shape)
