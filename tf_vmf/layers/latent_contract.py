"""What a latent layer says about its posterior, its prior and its codes."""

from __future__ import annotations

import abc
import functools
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from tf_vmf import math as vmf_math
from tf_vmf._checks import require
from tf_vmf.layers.description import LatentDescription
from tf_vmf.layers.learned_prior import LearnedPrior
from tf_vmf.seeds import stateless_seed

if TYPE_CHECKING:
    import tensorflow_probability as tfp

Parameters: TypeAlias = Mapping[str, tf.Tensor]

# Samples behind an estimate of a KL, or of a prior's scale, that nothing else gives.
_KL_SAMPLES, _PRIOR_SAMPLES = 100, 10_000


class LatentContract(abc.ABC):
    """The mathematics of a latent layer, without its part in a Keras model; see `tf_vmf.layers.LatentLayer`."""

    latent_dim: int

    # A prior that is learned in the place of the class's own; `prior` returns its distribution then.
    learned_prior: LearnedPrior | None = None
    # The class of such priors, of a layer that takes one as the argument `prior`.
    mixture_prior: type[LearnedPrior] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # What holds for every latent layer is written once, here, and not in every subclass.
        for name, wrap in (("parameters", _built_first), ("sample", _with_seed), ("prior", _learned_first)):
            if name in vars(cls):
                setattr(cls, name, wrap(vars(cls)[name]))

    _smallest_latent_dim = 1

    # What a subclass defines.

    @abc.abstractmethod
    def parameters(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """The posterior's parameters as a dict of tensors, made from features of shape (batch, features)."""

    @abc.abstractmethod
    def distribution(self, parameters: Parameters) -> tfp.distributions.Distribution:
        """The TFP distribution of z, batch shape (batch,), event shape (latent_dim,), from what `parameters` returned."""

    @abc.abstractmethod
    def prior(self) -> tfp.distributions.Distribution:
        """The TFP distribution p(z), batch shape (), event shape (latent_dim,)."""

    @abc.abstractmethod
    def sample(self, parameters: Parameters, seed: tf.Tensor, sample_shape: Sequence[int] = ()) -> tf.Tensor:
        """Reparameterised samples of q(z|h), shape sample_shape + (batch, latent_dim); seed an int or a stateless seed (2,)."""

    @abc.abstractmethod
    def code(self, parameters: Parameters) -> tf.Tensor:
        """The deterministic code, shape (batch, latent_dim): mean direction on the sphere, mean of a Gaussian."""

    # What a subclass may define.

    def closed_form_kl(self, parameters: Parameters) -> tf.Tensor | None:
        """KL(q(z|h) || p(z)) in nats, shape (batch,), for the class's own `distribution` and `prior`; None: there is no formula.

        Where a `learned_prior` stands in the place of the class's own, `kl_divergence` adds what it changes.

        `kl_divergence` calls it unless a subclass overrides one of the two.
        """
        del parameters
        return None

    @property
    def coordinate_scale(self) -> float | np.ndarray:
        """Factor that gives every coordinate of z unit variance under the prior: a number, or an array of shape (latent_dim,)."""
        prior = self.prior()
        try:
            deviation = prior.stddev().numpy()
        except NotImplementedError:
            deviation = prior.sample(_PRIOR_SAMPLES, seed=(0, 0)).numpy().std(axis=0)
        scale = 1.0 / np.asarray(deviation, np.float64)
        return float(scale[0]) if np.all(scale == scale[0]) else scale

    def interpolate(self, start: tf.Tensor, end: tf.Tensor, num_points: int | tf.Tensor = 5) -> tf.Tensor:
        """Codes at equal distances on the path from `start` to `end`, both included.

        Args:
            start: Codes, shape (..., latent_dim).
            end: Codes of a shape that broadcasts with it.
            num_points: k >= 2.

        Returns:
            Codes of shape (..., k, latent_dim), in the dtype of `start`. The path is the shorter great circle where codes are
            unit vectors, and a straight line otherwise.

        Raises:
            ValueError: `num_points` is below 2, a code is none (see `check_codes`), or, on the sphere, two codes are opposite (in
                a graph `tf.errors.InvalidArgumentError`).
        """
        return vmf_math.straight_line(self.check_codes(start), self.check_codes(end), fractions(num_points))

    def check_codes(self, z: tf.Tensor) -> tf.Tensor:
        """Returns z; fails where it can be no code of this layer: where a number is not finite or, on the sphere, a norm is not 1.

        Args:
            z: Shape (..., latent_dim).

        Raises:
            ValueError: See above; in a graph it is `tf.errors.InvalidArgumentError` at run time.
        """
        z = tf.convert_to_tensor(z)
        if z.shape.rank == 0 or z.shape[-1] not in (None, self.latent_dim):
            raise ValueError(f"Expected codes of shape (..., {self.latent_dim}). Received: shape {z.shape}.")
        return require(tf.reduce_all(tf.math.is_finite(z)), z, "Codes must be finite numbers. Received:", z)

    def nearest_codes(self, z: tf.Tensor) -> tf.Tensor:
        """The codes of this layer that are nearest to z, such as a mean of codes: on the sphere z divided by its norm.

        Args:
            z: Finite numbers, shape (..., latent_dim).
        """
        return tf.convert_to_tensor(z)

    def law(self) -> Hashable | None:
        """What, beside the parameters, `sample`, `distribution`, `prior`, `code` and the KL depend on; None: not known.

        Layers with equal laws compute the same functions of their parameters, and have the uniform prior on the sphere: a product
        evaluates them together.
        """
        return None

    def describe(self) -> LatentDescription:
        """What reports say about the codes."""
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(self).__name__.removesuffix("Latent"))
        return LatentDescription(posterior=kind, space=f"in {self.latent_dim} dimensions")

    # What all layers share.

    def prior_in_prose(self) -> str:
        """The learned prior as reports name it; "" for a fixed one."""
        prior = self.learned_prior
        return "" if prior is None else f"learned mixture of {prior.num_components} components"

    def kl_divergence(self, parameters: Parameters, z: tf.Tensor | None = None) -> tf.Tensor:
        """KL(q(z|h) || p(z)) in nats, shape (batch,), q being `distribution(parameters)` and p `prior()`.

        It is the closed form of the layer, if `distribution` and `prior` are those that it was derived for; else the one that
        TensorFlow Probability has registered for the two distributions; else the mean of log q(z|h) - log p(z) over samples. With a
        learned prior it is the closed form for the fixed prior p0 less the mean of log p(z) - log p0(z) over samples.

        Args:
            parameters: What `parameters` returned.
            z: Samples of q for such a mean, shape sample_shape + (batch, latent_dim). None draws 100, always with the same noise.
        """
        if self._has_closed_form():
            kl = self.closed_form_kl(parameters)
            if kl is not None:
                return (
                    kl if self.learned_prior is None else kl - self._mean_log_ratio(self.learned_prior, parameters, z)
                )
        posterior, prior = self.distribution(parameters), self.prior()
        try:
            return posterior.kl_divergence(prior)
        except NotImplementedError:
            if z is None:
                z = self.sample(parameters, stateless_seed(0), (_KL_SAMPLES,))
            ratio = posterior.log_prob(z) - prior.log_prob(z)
            return tf.reduce_mean(ratio, axis=list(range(ratio.shape.rank - len(posterior.batch_shape))))

    def _mean_log_ratio(self, prior: LearnedPrior, parameters: Parameters, z: tf.Tensor | None) -> tf.Tensor:
        if z is None:
            z = self.sample(parameters, stateless_seed(0), (_KL_SAMPLES,))
        ratio = prior.log_ratio(z)
        return tf.reduce_mean(ratio, axis=list(range(ratio.shape.rank - (self.code(parameters).shape.rank - 1))))

    def kl_at(self, parameters: Parameters, z: tf.Tensor) -> tf.Tensor:
        """The KL that a loss charges beside the samples z, shape (batch,): `kl_divergence`, z serving where samples are needed."""
        if type(self).kl_divergence is not LatentContract.kl_divergence:  # a subclass with one of its own
            return self.kl_divergence(parameters)
        return self.kl_divergence(parameters, z)

    def _has_closed_form(self) -> bool:
        """Whether `closed_form_kl` was defined together with `distribution` and `prior`, or below them."""
        owner = next(cls for cls in type(self).__mro__ if "closed_form_kl" in vars(cls))
        return all(self._is_that_of(owner, name) for name in ("distribution", "prior"))

    def _is_that_of(self, cls: type, method: str) -> bool:
        """Whether neither a subclass of `cls` nor the object itself overrides the method."""
        return getattr(getattr(self, method), "__func__", None) is getattr(cls, method)

    def auxiliary_loss(self, parameters: Parameters) -> tf.Tensor | None:
        """A further loss of the layer, shape (batch,), or None; it is charged in training only."""
        del parameters
        return None

    def posterior(self, inputs: tf.Tensor) -> tfp.distributions.Distribution:
        """q(z|h) as a TFP distribution, batch shape (batch,), event shape (latent_dim,)."""
        return self.distribution(self.parameters(inputs))


def _built_first(parameters: Callable[..., dict[str, tf.Tensor]]) -> Callable[..., dict[str, tf.Tensor]]:
    """`parameters` for a layer that was not called yet, and with a hint for symbolic features."""

    @functools.wraps(parameters)
    def wrapped(self: Any, inputs: Any) -> dict[str, tf.Tensor]:
        if any(isinstance(each, keras.KerasTensor) for each in tf.nest.flatten(inputs)):
            raise ValueError(
                f"Expected features as tensors or arrays. Received: {inputs}, of the functional API. For parameters as outputs of "
                f"a model make the layer with {type(self).__name__}(..., return_parameters=True) and call it."
            )
        if not isinstance(inputs, (tuple, dict)):
            inputs = tf.cast(inputs, self.compute_dtype)
            shape = tuple(inputs.shape)
        else:  # for a layer of a user's own with several inputs
            inputs = tf.nest.map_structure(lambda each: tf.cast(each, self.compute_dtype), inputs)
            shape = tf.nest.map_structure(lambda each: tuple(each.shape), inputs)
        if not self.built:
            self.build(shape)
        return parameters(self, inputs)

    return wrapped


def _learned_first(prior: Callable[..., Any]) -> Callable[..., Any]:
    """`prior` for a layer that has a learned one."""

    @functools.wraps(prior)
    def wrapped(self: Any) -> Any:
        return prior(self) if self.learned_prior is None else self.learned_prior.distribution()

    return wrapped


def _with_seed(sample: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """`sample` for a seed that is an int too, and for a sample shape that is an int."""

    @functools.wraps(sample)
    def wrapped(self: Any, parameters: Parameters, seed: Any, sample_shape: Any = ()) -> tf.Tensor:
        if isinstance(sample_shape, (int, np.integer)):
            sample_shape = (sample_shape,)
        return sample(self, parameters, stateless_seed(seed), sample_shape)

    return wrapped


def fractions(num_points: int | tf.Tensor) -> tf.Tensor:
    """`num_points` numbers from 0 to 1 at equal distances."""
    num_points = tf.convert_to_tensor(num_points, tf.int32)
    num_points = require(num_points >= 2, num_points, "`num_points` must be >= 2, the two ends. Received:", num_points)
    return tf.linspace(tf.constant(0.0, tf.float64), 1.0, num_points)
