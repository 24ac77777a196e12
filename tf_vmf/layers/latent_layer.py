"""The contract shared by all latent layers."""

from __future__ import annotations

import abc
import math
import numbers
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import keras
import tensorflow as tf

from tf_vmf._keywords import CheckedKeywords
from tf_vmf.seeds import draw_seed, replica_seed

if TYPE_CHECKING:
    import tensorflow_probability as tfp

KLWeight: TypeAlias = float | keras.optimizers.schedules.LearningRateSchedule
Parameters: TypeAlias = Mapping[str, tf.Tensor]


class LatentLayer(CheckedKeywords, keras.layers.Layer, abc.ABC):
    """A stochastic layer: projects features to a posterior q(z|h), samples z and charges KL(q(z|h) || p(z)).

    Called in a functional, Sequential or subclassed model it adds `kl_weight` times its KL (nats, mean over the batch) to the
    model's losses, so `model.fit` trains the negative evidence lower bound, and reports the unweighted KL as the metric `kl`.

    A layer that returned a `tfd.Distribution` would break the functional API and `predict`; so `call` returns tensors, and
    `posterior(h)` builds the distribution from the same weights.

    Noise is a function of (seed, number of calls, replica): it differs by step and by replica, and since the number of calls is
    a weight, a model restored from a `.keras` file or a checkpoint goes on with the noise an uninterrupted run would have had.

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
        kl_weight: KLWeight = 1.0,
        seed: int | None = None,
        kl_name: str = "kl",
        **kwargs: Any,
    ) -> None:
        super().__init__(**{**kwargs, "dtype": _full_precision(kwargs.get("dtype"))})
        is_number = isinstance(latent_dim, numbers.Real) and not isinstance(latent_dim, bool)
        if not is_number or int(latent_dim) != latent_dim or latent_dim < self._smallest_latent_dim:
            raise ValueError(
                f"Argument `latent_dim` of {type(self).__name__}: expected an integer >= {self._smallest_latent_dim}. "
                f"Received: latent_dim={latent_dim!r}."
            )
        if isinstance(kl_weight, Mapping):
            kl_weight = keras.saving.deserialize_keras_object(kl_weight)
        is_schedule = isinstance(kl_weight, keras.optimizers.schedules.LearningRateSchedule)
        if not is_schedule and not (isinstance(kl_weight, numbers.Real) and 0 <= float(kl_weight) < math.inf):
            raise ValueError(
                f"Argument `kl_weight` of {type(self).__name__}: expected a number >= 0 or a "
                f"keras.optimizers.schedules.LearningRateSchedule. Received: kl_weight={kl_weight!r}."
            )
        self.latent_dim = int(latent_dim)
        self.kl_weight: Any = kl_weight if is_schedule else float(kl_weight)
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
    def kl_divergence(self, parameters: Parameters) -> tf.Tensor:
        """KL(q(z|h) || p(z)) in nats, shape (batch,)."""

    @abc.abstractmethod
    def sample(self, parameters: Parameters, seed: tf.Tensor, sample_shape: Sequence[int] = ()) -> tf.Tensor:
        """Reparameterised samples of q(z|h), shape sample_shape + (batch, latent_dim), from a stateless seed of shape (2,)."""

    @abc.abstractmethod
    def code(self, parameters: Parameters) -> tf.Tensor:
        """The deterministic code, shape (batch, latent_dim): mean direction on the sphere, mean of a Gaussian."""

    # What all layers share.

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
        kl = _of_examples(self.kl_divergence(parameters))
        loss = self.kl_weight_at(step[0], training) * kl
        auxiliary = self.auxiliary_loss(parameters) if training else None
        if auxiliary is not None:
            loss += _of_examples(auxiliary)
        mean = tf.math.divide_no_nan(tf.reduce_sum(loss), tf.cast(tf.size(loss), loss.dtype))  # of no examples: 0
        # Keras adds up the losses of all layers, and asks for one dtype.
        self.add_loss(tf.cast(mean, keras.config.floatx()))
        self.kl_tracker.update_state(kl)
        phase = 0 if training else 1
        self.noise_step.assign_add([1, 0] if training else [0, 1])
        return self.sample(parameters, replica_seed(self.seed, phase, step[phase]))

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


def _full_precision(dtype: Any) -> Any:
    """The dtype policy, or float32 where its computations would be in half precision."""
    policy = keras.dtype_policies.get(dtype)
    return "float32" if policy.compute_dtype in ("float16", "bfloat16") else policy
