"""The mathematics of a latent layer: posterior, prior and codes, and their description."""

from __future__ import annotations

import abc
import math
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from tf_vmf import _tfp as tfp
from tf_vmf import math as vmf_math
from tf_vmf._checks import require
from tf_vmf._errors import ArgumentError
from tf_vmf.layers.learned_priors import LearnedPrior
from tf_vmf.seeds import stateless_seed


@dataclass(frozen=True)
class LatentDescription:
    """The facts about the codes of a latent layer that a report states.

    Attributes:
        posterior: Name of the distribution q(z|x), as in "von Mises-Fisher".
        space: Where codes lie, as in "on the unit sphere in 25 dimensions".
        spread: What sets the uncertainty of a code, as in "concentration 100; higher is more certain".
        fixed_spread: Whether all examples have the same uncertainty, which training does not change.
        shared_spread: Whether all examples have the same uncertainty, which training changes.
        prior: What the KL of a code is charged against, where that is learned, as in "learned mixture of 100 components"; else "".
        constant_kl: Whether all examples have the same KL, which training does not change.
        metric: How codes are compared: "cosine" for unit vectors, "euclidean" otherwise.
        path: What `interpolate` follows, as in "great circle".
    """

    posterior: str
    space: str
    spread: str = "learned variance"
    fixed_spread: bool = False
    shared_spread: bool = False
    prior: str = ""
    constant_kl: bool = False
    metric: Literal["cosine", "euclidean"] = "euclidean"
    path: str = "straight line"

    def code(self, noun: str) -> str:
        """Describes a code in half a sentence.

        Args:
            noun: What an example is called: "document" or "sentence".
        """
        uncertainty = "fixed uncertainty" if self.fixed_spread else f"an uncertainty learned for every {noun}"
        if self.shared_spread:
            uncertainty = f"an uncertainty learned for all {noun}s together"
        prior = f"; prior: {self.prior}" if self.prior else ""
        return f"a point {self.space} with {uncertainty} ({self.posterior}, {self.spread}{prior})"


Parameters: TypeAlias = Mapping[str, tf.Tensor]

# Samples behind an estimate of a KL, or of a prior's scale, that nothing else gives.
_KL_SAMPLES, _PRIOR_SAMPLES = 100, 10_000


class LatentContract(abc.ABC):
    """The mathematics of a latent layer, without its part in a Keras model; see `tf_vmf.layers.LatentLayer`."""

    latent_dim: int

    # Of the Keras layer.
    compute_dtype: str
    built: bool
    build: Callable[[Any], None]

    # A prior that is learned in the place of the class's own; `prior` returns its distribution then.
    learned_prior: LearnedPrior | None = None
    # The class of such priors, of a layer that takes one as the argument `prior`.
    mixture_prior: type[LearnedPrior] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # What was derived for one distribution and prior does not hold for those of a subclass.
        for name, basis in _DERIVED_FROM.items():
            if any(_depth(cls, each) < _depth(cls, name) for each in basis):
                setattr(cls, name, vars(LatentContract)[name])

    _smallest_latent_dim = 1

    # What a subclass defines.

    def _parameters(self, inputs: Any) -> dict[str, tf.Tensor]:
        """The posterior's parameters as a dict of tensors, from features of shape (batch, features) in the layer's dtype."""
        raise NotImplementedError(f"{type(self).__name__} must define `_parameters(self, inputs)`.")

    def _prior(self) -> tfp.distributions.Distribution:
        """The TFP distribution p(z) that holds where none is learned, batch shape (), event shape (latent_dim,)."""
        raise NotImplementedError(f"{type(self).__name__} must define `_prior(self)`.")

    def _sample(self, parameters: Parameters, seed: tf.Tensor, sample_shape: Sequence[int]) -> tf.Tensor:
        """Reparameterized samples, shape sample_shape + (batch, latent_dim), for a stateless seed of shape (2,)."""
        raise NotImplementedError(f"{type(self).__name__} must define `_sample(self, parameters, seed, sample_shape)`.")

    @abc.abstractmethod
    def distribution(self, parameters: Parameters) -> tfp.distributions.Distribution:
        """The TFP distribution of z, batch shape (batch,), event shape (latent_dim,), from what `parameters` returned."""

    @abc.abstractmethod
    def code(self, parameters: Parameters) -> tf.Tensor:
        """The deterministic code, shape (batch, latent_dim): mean direction on the sphere, mean of a Gaussian."""

    # What callers use of it.

    def parameters(self, inputs: Any) -> dict[str, tf.Tensor]:
        """The posterior's parameters as a dict of tensors; builds the layer if that has not happened.

        Args:
            inputs: Features of shape (batch, features), or what else the layer takes.

        Raises:
            ArgumentError: The features are symbolic.
        """
        if any(isinstance(each, keras.KerasTensor) for each in tf.nest.flatten(inputs)):
            name = type(self).__name__
            received, owner = f"{inputs}, of the functional API", f"{name}.parameters"
            remedy = f"For parameters as outputs of a model make the layer with {name}(..., return_parameters=True) and call it."
            raise ArgumentError("inputs", "features as tensors or arrays", received, remedy, owner=owner)
        if not isinstance(inputs, (tuple, dict)):
            inputs = tf.cast(inputs, self.compute_dtype)
            shape = tuple(inputs.shape)
        else:  # parameters that were computed elsewhere, or several inputs of a user's own layer
            inputs = tf.nest.map_structure(lambda each: tf.cast(each, self.compute_dtype), inputs)
            shape = tf.nest.map_structure(lambda each: tuple(each.shape), inputs)
        if not self.built:
            self.build(shape)
        return self._parameters(inputs)

    def prior(self) -> tfp.distributions.Distribution:
        """The TFP distribution p(z), learned or fixed, batch shape (), event shape (latent_dim,)."""
        return self._prior() if self.learned_prior is None else self.learned_prior.distribution()

    def sample(
        self, parameters: Parameters, seed: int | tf.Tensor, sample_shape: int | Sequence[int] = ()
    ) -> tf.Tensor:
        """Reparameterized samples of q(z|h).

        Args:
            parameters: What `parameters` returned.
            seed: An int or a stateless seed of shape (2,).
            sample_shape: Axes to draw, put before the batch.

        Returns:
            Shape sample_shape + (batch, latent_dim).
        """
        if isinstance(sample_shape, (int, np.integer)):
            sample_shape = (int(sample_shape),)
        return self._sample(parameters, stateless_seed(seed), sample_shape)

    # What a subclass may define.

    def closed_form_kl(self, parameters: Parameters) -> tf.Tensor | None:
        """KL(q(z|h) || p(z)) in nats, shape (batch,), for `distribution` and the fixed prior; None: there is no formula.

        `kl_divergence` adds what a `learned_prior` changes. A subclass that defines `distribution` or `_prior` anew does not
        inherit the formula.
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
        self._check_width(z)
        return require(tf.reduce_all(tf.math.is_finite(z)), z, "z", "codes that are finite numbers", z)

    def nearest_codes(self, z: tf.Tensor) -> tf.Tensor:
        """The codes of this layer that are nearest to z, such as a mean of codes: on the sphere z divided by its norm.

        Args:
            z: Finite numbers, shape (..., latent_dim).
        """
        return tf.convert_to_tensor(z)

    def static_key(self) -> Hashable | None:
        """Hashable key; layers with equal keys compute the same functions of their parameters. None: the layer stands alone.

        A product evaluates layers of one key together. They must have the uniform prior on the sphere. A subclass that changes one
        of these functions does not inherit the key.
        """
        return None

    @property
    def has_constant_kl(self) -> bool:
        """True if the KL is the same for all examples and training does not change it; not inherited with another prior."""
        return False

    def describe(self) -> LatentDescription:
        """The description of the codes for reports."""
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(self).__name__.removesuffix("Latent"))
        return LatentDescription(posterior=kind, space=f"in {self.latent_dim} dimensions")

    def unconstrained(self, parameters: Parameters) -> dict[str, tf.Tensor]:
        """The parameters, or those that a refined posterior changes, as numbers of the order of 1 without bounds."""
        return dict(parameters)

    def constrained(self, numbers: Parameters, parameters: Parameters) -> dict[str, tf.Tensor]:
        """The parameters for numbers of the kind that `unconstrained` returns; the others are those of `parameters`."""
        return {**parameters, **numbers}

    # What all layers share.

    def _check_width(self, z: tf.Tensor) -> None:
        if z.shape.rank == 0 or z.shape[-1] not in (None, self.latent_dim):
            expected = f"codes of shape (..., {self.latent_dim})"
            raise ArgumentError("z", expected, f"shape {z.shape}", owner=type(self).__name__)

    def prior_in_prose(self) -> str:
        """The learned prior as reports name it; "" for a fixed one."""
        prior = self.learned_prior
        return "" if prior is None else f"learned mixture of {prior.num_components} components"

    def kl_divergence(self, parameters: Parameters, z: tf.Tensor | None = None) -> tf.Tensor:
        """KL(q(z|h) || p(z)) in nats, shape (batch,), q being `distribution(parameters)` and p `prior()`.

        It is the closed form of the layer, where there is one; else the KL that TensorFlow Probability has registered for the two
        distributions; else the mean of log q(z|h) - log p(z) over samples. With a learned prior it is the closed form for the
        fixed prior p0 less the mean of log p(z) - log p0(z) over samples.

        Args:
            parameters: What `parameters` returned.
            z: Samples of q for such a mean, shape sample_shape + (batch, latent_dim). None draws 100, always with the same noise.
        """
        # An object may have been given another method than its class has.
        kl = None if vars(self).keys() & {"distribution", "prior", "_prior"} else self.closed_form_kl(parameters)
        if kl is not None:
            return kl if self.learned_prior is None else kl - self._mean_log_ratio(self.learned_prior, parameters, z)
        posterior, prior = self.distribution(parameters), self.prior()
        try:
            return posterior.kl_divergence(prior)
        except NotImplementedError:
            z = self.sample(parameters, 0, (_KL_SAMPLES,)) if z is None else z
            ratio = posterior.log_prob(z) - prior.log_prob(z)
            return tf.reduce_mean(ratio, axis=list(range(ratio.shape.rank - len(posterior.batch_shape))))

    def _mean_log_ratio(self, prior: LearnedPrior, parameters: Parameters, z: tf.Tensor | None) -> tf.Tensor:
        ratio = prior.log_ratio(self.sample(parameters, 0, (_KL_SAMPLES,)) if z is None else z)
        return tf.reduce_mean(ratio, axis=list(range(ratio.shape.rank - (self.code(parameters).shape.rank - 1))))

    def kl_estimate(self, parameters: Parameters, z: tf.Tensor) -> tf.Tensor:
        """KL used in the loss, shape (batch,); reuses the samples `z` where no closed form exists."""
        return self.kl_divergence(parameters, z)

    def auxiliary_loss(self, parameters: Parameters) -> tf.Tensor | None:
        """A further loss of the layer, shape (batch,), or None; added in training only."""
        del parameters
        return None

    def posterior(self, inputs: tf.Tensor) -> tfp.distributions.Distribution:
        """q(z|h) as a TFP distribution, batch shape (batch,), event shape (latent_dim,)."""
        return self.distribution(self.parameters(inputs))


# What a class says of itself, and the methods that it says it of.
_DERIVED_FROM = {
    "closed_form_kl": ("distribution", "prior", "_prior"),
    "coordinate_scale": ("prior", "_prior"),
    "has_constant_kl": ("prior", "_prior", "kl_divergence"),
    "static_key": (
        *("distribution", "prior", "_prior", "sample", "_sample", "code", "closed_form_kl", "kl_divergence"),
        *("kl_estimate", "with_concentration"),
    ),
}


def _depth(cls: type, name: str) -> float:
    """The number of classes between `cls` and the one that defines the attribute."""
    return next((i for i, base in enumerate(cls.__mro__) if name in vars(base)), math.inf)


def fractions(num_points: int | tf.Tensor) -> tf.Tensor:
    """`num_points` numbers from 0 to 1 at equal distances."""
    num_points = tf.convert_to_tensor(num_points, tf.int32)
    num_points = require(num_points >= 2, num_points, "num_points", "a number >= 2, the two ends", num_points)
    return tf.linspace(tf.constant(0.0, tf.float64), 1.0, num_points)
