"""The contract shared by all latent layers."""

from __future__ import annotations

import abc
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from tf_vmf import math as vmf_math
from tf_vmf._checks import check_integer, check_number, require
from tf_vmf._keywords import CheckedKeywords
from tf_vmf.layers.description import LatentDescription
from tf_vmf.seeds import draw_seed, replica_seed, stateless_seed

if TYPE_CHECKING:
    import tensorflow_probability as tfp

KLWeight: TypeAlias = float | keras.optimizers.schedules.LearningRateSchedule
Parameters: TypeAlias = Mapping[str, tf.Tensor]

# Samples behind an estimate of a KL, or of a prior's scale, that nothing else gives.
_KL_SAMPLES, _PRIOR_SAMPLES = 100, 10_000


class LatentLayer(CheckedKeywords, keras.layers.Layer, abc.ABC):
    """A stochastic layer: projects features to a posterior q(z|h), samples z and charges KL(q(z|h) || p(z)).

    Called in a functional, Sequential or subclassed model it adds `kl_weight` times its KL (nats, mean over the batch) to the
    model's losses, so `model.fit` trains the negative evidence lower bound, and reports the unweighted KL as the metric `kl`.

    A layer that returned a `tfd.Distribution` would break the functional API and `predict`; so `call` returns tensors, and
    `posterior(h)` builds the distribution from the same weights.

    Noise is a function of (seed, number of calls, replica): it differs by step and by replica, and since the number of calls is
    a weight, a model restored from a `.keras` file or a checkpoint goes on with the noise an uninterrupted run would have had.

    A new latent layer is a subclass that defines `parameters`, `distribution`, `prior`, `sample` and `code`, registered by
    `tf_vmf.layers.register_latent`. The KL follows from the distributions where `closed_form_kl` is not defined.

    Args:
        latent_dim: Dimension of the space in which z lives.
        kl_weight: Factor of the KL in the loss: a number, or a `keras.optimizers.schedules.LearningRateSchedule` over the number
            of training steps (for instance `PolynomialDecay(0.0, 10_000, 1.0)` for linear warm-up). A schedule holds for
            training only; evaluation then charges the whole KL.
        seed: Seed of the noise; None draws one (it follows `keras.utils.set_random_seed`).
        kl_name: Name of the metric. Keras shows one metric a name, so give each of several latent layers in a model its own.
        **kwargs: Passed to `keras.layers.Layer`. A half-precision `dtype` policy is replaced by float32, because the KL and the
            sampler need it.

    Call arguments:
        inputs: Features h, shape (batch, features); with further axes in between, one z for every place, whose KLs add up.
        deterministic: If True, returns the posterior's central code (mean direction or mean) and charges no KL.
        training: `False` still samples; it tells evaluation noise from training noise.

    Returns:
        z, shape (batch, latent_dim).
    """

    def __init__(
        self,
        latent_dim: int,
        *,
        kl_weight: KLWeight = 1.0,
        seed: int | None = None,
        kl_name: str = "kl",
        **kwargs: Any,
    ) -> None:
        super().__init__(**{**kwargs, "dtype": _full_precision(kwargs.get("dtype"))})
        name = type(self).__name__
        self.latent_dim = check_integer(name, "latent_dim", latent_dim, minimum=self._smallest_latent_dim)
        if isinstance(kl_weight, Mapping):
            kl_weight = keras.saving.deserialize_keras_object(kl_weight)
        if not isinstance(kl_weight, keras.optimizers.schedules.LearningRateSchedule):
            kl_weight = check_number(
                name, "kl_weight", kl_weight, alternative=" or a keras.optimizers.schedules.LearningRateSchedule"
            )
        self.kl_weight: Any = kl_weight
        self.kl_name = kl_name
        self.seed = draw_seed(seed)
        self.kl_tracker = keras.metrics.Mean(name=kl_name)

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
        """Reparameterised samples of q(z|h), shape sample_shape + (batch, latent_dim), from a stateless seed of shape (2,)."""

    @abc.abstractmethod
    def code(self, parameters: Parameters) -> tf.Tensor:
        """The deterministic code, shape (batch, latent_dim): mean direction on the sphere, mean of a Gaussian."""

    # What a subclass may define.

    def closed_form_kl(self, parameters: Parameters) -> tf.Tensor | None:
        """KL(q(z|h) || p(z)) in nats, shape (batch,), for the class's own `distribution` and `prior`; None: there is no formula.

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

    def describe(self) -> LatentDescription:
        """What reports say about the codes."""
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(self).__name__.removesuffix("Latent"))
        return LatentDescription(posterior=kind, space=f"in {self.latent_dim} dimensions")

    # What all layers share.

    def kl_divergence(self, parameters: Parameters, z: tf.Tensor | None = None) -> tf.Tensor:
        """KL(q(z|h) || p(z)) in nats, shape (batch,), q being `distribution(parameters)` and p `prior()`.

        It is the closed form of the layer, if `distribution` and `prior` are those that it was derived for; else the one that
        TensorFlow Probability has registered for the two distributions; else the mean of log q(z|h) - log p(z) over samples.

        Args:
            parameters: What `parameters` returned.
            z: Samples of q for such a mean, shape sample_shape + (batch, latent_dim). None draws 100, always with the same noise.
        """
        if self._has_closed_form():
            kl = self.closed_form_kl(parameters)
            if kl is not None:
                return kl
        posterior, prior = self.distribution(parameters), self.prior()
        try:
            return posterior.kl_divergence(prior)
        except NotImplementedError:
            if z is None:
                z = self.sample(parameters, stateless_seed(0), (_KL_SAMPLES,))
            ratio = posterior.log_prob(z) - prior.log_prob(z)
            return tf.reduce_mean(ratio, axis=list(range(ratio.shape.rank - len(posterior.batch_shape))))

    def kl_at(self, parameters: Parameters, z: tf.Tensor) -> tf.Tensor:
        """The KL that a loss charges beside the samples z, shape (batch,): `kl_divergence`, z serving where samples are needed."""
        if type(self).kl_divergence is not LatentLayer.kl_divergence:  # a subclass with one of its own
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
        if not self.built:
            self.build(tf.convert_to_tensor(inputs).shape)
        return self.distribution(self.parameters(tf.cast(inputs, self.compute_dtype)))

    def kl_weight_at(self, step: int | tf.Tensor, training: bool | None = True) -> tf.Tensor:
        """The weight of the KL in the loss at a training step: a scalar of the layer's dtype."""
        if isinstance(self.kl_weight, keras.optimizers.schedules.LearningRateSchedule):
            return tf.cast(self.kl_weight(step) if training else 1.0, self.compute_dtype)
        return tf.cast(self.kl_weight, self.compute_dtype)

    def build(self, input_shape: Sequence[int | None]) -> None:
        # Two counts - training calls, other calls - so that evaluating in between leaves the training noise as it was.
        # Every replica counts for itself: an assignment that waits for the others in the middle of the forward pass would make
        # Keras collect the losses of one replica as those of another. (`add_weight` knows no synchronization.)
        self.noise_step = keras.Variable(
            "zeros",
            shape=(2,),
            dtype="int64",
            trainable=False,
            aggregation="only_first_replica",
            synchronization="on_read",
            name="noise_step",
        )
        super().build(input_shape)

    def call(self, inputs: tf.Tensor, deterministic: bool = False, training: bool | None = None) -> tf.Tensor:
        parameters = self.parameters(inputs)
        if deterministic:
            return self.code(parameters)
        step = tf.convert_to_tensor(self.noise_step)
        phase = 0 if training else 1
        z = self.sample(parameters, replica_seed(self.seed, phase, step[phase]))
        kl = _of_examples(self.kl_at(parameters, z))
        loss = self.kl_weight_at(step[0], training) * kl
        auxiliary = self.auxiliary_loss(parameters) if training else None
        if auxiliary is not None:
            loss += _of_examples(auxiliary)
        mean = tf.math.divide_no_nan(tf.reduce_sum(loss), tf.cast(tf.size(loss), loss.dtype))  # of no examples: 0
        # Keras adds up the losses of all layers, and asks for one dtype.
        self.add_loss(tf.cast(mean, keras.config.floatx()))
        self.kl_tracker.update_state(kl)
        self.noise_step.assign_add([1, 0] if training else [0, 1])
        return z

    def compute_output_shape(self, input_shape: Sequence[int | None], **_: Any) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.latent_dim)

    def get_config(self) -> dict[str, Any]:
        kl_weight = self.kl_weight
        if isinstance(kl_weight, keras.optimizers.schedules.LearningRateSchedule):
            kl_weight = keras.saving.serialize_keras_object(kl_weight)
        return {
            **super().get_config(),
            "latent_dim": self.latent_dim,
            "kl_weight": kl_weight,
            "seed": self.seed,
            "kl_name": self.kl_name,
        }


def _of_examples(values: tf.Tensor) -> tf.Tensor:
    """Sums over all axes but the first: shape (batch,)."""
    return tf.reduce_sum(values, axis=list(range(1, values.shape.rank)))


def fractions(num_points: int | tf.Tensor) -> tf.Tensor:
    """`num_points` numbers from 0 to 1 at equal distances."""
    num_points = tf.convert_to_tensor(num_points, tf.int32)
    num_points = require(num_points >= 2, num_points, "`num_points` must be >= 2, the two ends. Received:", num_points)
    return tf.linspace(tf.constant(0.0, tf.float64), 1.0, num_points)


def _full_precision(dtype: Any) -> Any:
    """The dtype policy, or float32 where its computations would be in half precision."""
    policy = keras.dtype_policies.get(dtype)
    return "float32" if policy.compute_dtype in ("float16", "bfloat16") else policy
