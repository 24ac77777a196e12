"""The base of all latent layers: samples, losses and logs in a Keras model."""

from __future__ import annotations

import warnings
import weakref
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from tf_vmf._checks import check_integer
from tf_vmf._errors import ArgumentError
from tf_vmf._keras import called_model, layers_inside, outermost_call, portable_export_in_progress
from tf_vmf._keywords import CheckedKeywords
from tf_vmf.layers.latent_contract import LatentContract, Parameters
from tf_vmf.layers.scheduled import Scheduled
from tf_vmf.layers.training_state import TrainingState
from tf_vmf.seeds import draw_seed, replica_seed


class LatentMetric(keras.metrics.Mean):
    """The mean over examples of a quantity that a layer logs; in a model of several its name ends with that of the layer.

    A `fixed` name, which the user chose, is kept.
    """

    def __init__(self, base_name: str, layer_name: str, fixed: bool = False) -> None:
        super().__init__(name=base_name)
        self.name_apart = base_name if fixed else f"{base_name}_{layer_name}"

    def add(self, values: tf.Tensor) -> None:
        """Adds to the values of examples that are counted already."""
        self.total.assign(self.total + tf.cast(tf.reduce_sum(values), self.total.dtype))

    def set(self, value: tf.Tensor) -> None:
        """The value itself in place of a mean; replicas, whose sums Keras divides by each other, agree on it."""
        self.total.assign(tf.cast(value, self.total.dtype))
        self.count.assign(tf.ones([], self.count.dtype))

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("A latent layer makes its metrics itself.")


def name_apart(metrics: Sequence[LatentMetric]) -> None:
    """Gives every metric a name of its own: Keras shows one metric per name, the last one."""
    counts = Counter(metric.name_apart for metric in metrics)
    for name, count in counts.items():
        if count > 1:
            expected = "a name of its own for each latent layer of a model, or None"
            raise ArgumentError("kl_name", expected, f"{name!r} for {count} layers")
    for metric in metrics:
        metric.name = metric.name_apart


KLWeight: TypeAlias = float | keras.optimizers.schedules.LearningRateSchedule | tf.Variable


class LatentLayer(CheckedKeywords, TrainingState, keras.layers.Layer, LatentContract):
    """A stochastic layer: projects features to a posterior q(z|h), samples z and adds KL(q(z|h) || p(z)) to the loss.

    Called in a functional, Sequential or subclassed model it adds `kl_weight` times its KL (nats, mean over the batch) to the
    model's losses, so `model.fit` trains the negative evidence lower bound. It logs the unweighted KL as the metric `kl`, summed
    over what the loss adds up (time steps, calls of the layer in one call of the model), and the weight of the last step as
    `kl_weight`. In a model with several latent layers each has metrics of its own, `kl_<layer name>` and so on, and weights and
    concentrations that are numbers, which the configuration holds, are not logged.

    A layer that returned a `tfd.Distribution` would break the functional API and `predict`; so `call` returns tensors, and
    `posterior(h)` builds the distribution from the same weights.

    Noise is a function of (seed, number of calls, replica): it differs by step and by replica. Files of Keras and checkpoints hold
    the number of calls, so that a restored model goes on with the noise that an uninterrupted run would have had; `set_weights`
    leaves it alone, as it does `kl_weight`, which is a setting and no weight.

    A Keras loss is a mean over the entries of an example, while the KL is a sum in nats per example: weigh the loss by the number
    of entries (`loss_weights=[64]` for 64 pixels), or the KL outweighs it. `sample_weight` of `fit` weighs the losses of `compile`
    alone; the KL of an example of weight 0 is still added, except in the models of `tf_vmf.models`, which weigh the whole bound.

    Inside `tf.vectorized_map` (and `jacobian`, which uses it) a call is traced once for all elements, which then have the same
    noise. Use `tf.map_fn`, `num_samples`, or `sample` with a seed per element.

    Where the input has a mask (`keras.layers.Embedding(mask_zero=True)`), masked steps have no KL, and the mask is passed on.

    Inside a cell of `keras.layers.RNN` losses and metrics cannot be collected. There, use `parameters`, `sample` and
    `kl_divergence`, which charge nothing, and return the KL as an output of the cell:

    ```python
    class Cell(keras.layers.Layer):  # z_t ~ q(z_t | x_t, h)
        state_size, output_size = 8, 9

        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.latent = tf_vmf.layers.GaussianLatent(4)
            self.update = keras.layers.Dense(8, "tanh")

        def build(self, input_shape):
            width = input_shape[-1] + 8
            self.latent.build((None, width))
            self.update.build((None, width + 4))
            super().build(input_shape)

        def call(self, inputs, states):  # inputs: features and, last, the number of the step
            features = tf.concat([inputs, states[0]], axis=-1)
            parameters = self.latent.parameters(features)
            seed = tf_vmf.seeds.stateless_seed(7, tf.cast(inputs[0, -1], tf.int32))
            z = self.latent.sample(parameters, seed)
            h = self.update(tf.concat([features, z], axis=-1))
            return tf.concat([h, self.latent.kl_divergence(parameters)[:, tf.newaxis]], axis=-1), [h]
    ```

    A new latent layer is a subclass that defines `_parameters`, `distribution`, `_prior`, `_sample` and `code`, registered by
    `tf_vmf.layers.register_latent`. The public `parameters`, `prior` and `sample` call these hooks. The KL follows from the
    distributions where `closed_form_kl` is not defined.

    Args:
        latent_dim: Dimension of the space in which z lives.
        kl_weight: Factor of the KL in the loss: a number; a `keras.optimizers.schedules.LearningRateSchedule` over the number of
            training steps (for instance `tf_vmf.layers.LinearSchedule(10_000)` for linear warm-up; see
            `tf_vmf.layers.LinearSchedule` for what a step is); or a `tf.Variable` of shape (), which is read at every step. A
            schedule holds for training only; evaluation then adds the whole KL. `layer.kl_weight = number` changes it at any
            time, in a callback and in graph mode too; files and checkpoints keep the change.
        num_samples: Number of samples per row, in one call: z has shape (batch, num_samples, latent_dim), the KL is charged
            once, and a decoder of `keras.layers.Dense` reads all samples. None: one, and no such axis.
        return_parameters: If True, `call` returns a dict of `z`, `kl` (nats, shape (batch,)) and what `parameters` returns, for
            instance `mean_direction` and `concentration`: tensors of the functional API, which may be outputs of a model.
        seed: Seed of the noise; None draws one (it follows `keras.utils.set_random_seed`).
        kl_name: Name of the metric; None for `kl`, or `kl_<layer name>` in a model with several latent layers.
        **kwargs: Passed to `keras.layers.Layer`. A half-precision `dtype` policy is replaced by float32, because the KL and the
            sampler need it.

    Call arguments:
        inputs: Features h, shape (batch, features); with further axes in between, one z per position, whose KLs add up.
        deterministic: If True, returns the posterior's central code (mean direction or mean) and charges no KL;
            `tf_vmf.layers.deterministic(model)` does it for a whole model.
        training: `False` still samples; it tells evaluation noise from training noise.
        mask: Shape (batch, steps): where it is False there is no KL.

    Returns:
        z, shape (batch, latent_dim); see `num_samples` and `return_parameters`.

    Raises:
        ValueError: An argument is out of its range.
    """

    # Set by `tf_vmf.layers.deterministic`, and by a layer that this one is part of.
    always_deterministic = False
    _kl_weight: Scheduled
    reports = True
    _is_one_of_several = False  # latent layers of the model that was called last

    def __init__(
        self,
        latent_dim: int,
        *,
        kl_weight: KLWeight = 1.0,
        num_samples: int | None = None,
        return_parameters: bool = False,
        seed: int | None = None,
        kl_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{**kwargs, "dtype": _full_precision(kwargs.get("dtype"))})
        name = type(self).__name__
        self.supports_masking = True
        self.latent_dim = check_integer(name, "latent_dim", latent_dim, minimum=self._smallest_latent_dim)
        self.kl_weight = kl_weight
        self.num_samples = None if num_samples is None else check_integer(name, "num_samples", num_samples, minimum=1)
        self.return_parameters = bool(return_parameters)
        self.kl_name = kl_name
        self.seed = draw_seed(seed)
        self.kl_tracker = LatentMetric(kl_name or "kl", self.name, fixed=kl_name is not None)
        self.kl_weight_tracker = LatentMetric("kl_weight", self.name)
        self._last_call: Any = lambda: None  # a weak reference to the context of the last call

    @property
    def kl_weight(self) -> KLWeight:
        """The weight of the KL in the loss: a number, a schedule or a variable; a number may be set at any time."""
        return self._kl_weight.value

    @kl_weight.setter
    def kl_weight(self, value: Any) -> None:
        if isinstance(value, Mapping):
            value = keras.saving.deserialize_keras_object(value)
        if self.built:
            self._kl_weight.set(value)
        else:
            alternative = " or a keras.optimizers.schedules.LearningRateSchedule"
            self._kl_weight = Scheduled(type(self).__name__, "kl_weight", value, alternative=alternative)

    def kl_weight_at(self, step: int | tf.Tensor, training: bool | None = True) -> tf.Tensor:
        """The weight of the KL in the loss at a training step: a scalar of the layer's dtype."""
        return tf.cast(self._kl_weight.at(lambda schedule: schedule(step) if training else 1.0), self.compute_dtype)

    @property
    def noise_step(self) -> keras.Variable:
        """The numbers of calls in training and of other calls, shape (2,)."""
        return self.counter("noise_step")

    def own_state(self) -> list[keras.Variable]:
        return [*super().own_state(), *self._kl_weight.state]

    def build(self, input_shape: Any) -> None:
        # Two counts - training calls, other calls - so that evaluating in between leaves the training noise as it was.
        self.add_counter("noise_step", (2,))
        if self.learned_prior is not None and not self.learned_prior.built:
            self.learned_prior.build((None, self.latent_dim))
        super().build(input_shape)

    def call(
        self,
        inputs: tf.Tensor,
        deterministic: bool = False,
        training: bool | None = None,
        mask: tf.Tensor | None = None,
    ) -> tf.Tensor | dict[str, tf.Tensor]:
        mask = next((each for each in tf.nest.flatten(mask) if each is not None), None)
        deterministic = deterministic or self.always_deterministic
        step = tf.convert_to_tensor(self.noise_step)
        if training and not deterministic:
            self.set_step(step[0])
        parameters = self.parameters(inputs)
        shape = () if self.num_samples is None else (self.num_samples,)
        phase = 0 if training else 1
        if not deterministic and not tf.executing_eagerly():
            self._warn_of_random_numbers()
        if deterministic:
            code = self.code(parameters)
            z = tf.broadcast_to(code, tf.concat([shape, tf.shape(code)], axis=0)) if shape else code
        else:
            z = self.sample(parameters, replica_seed(self.seed, phase, step[phase]), shape)
        if not deterministic or self.return_parameters:
            # The central code is no sample of the posterior.
            kl = self.kl_divergence(parameters) if deterministic else self.kl_estimate(parameters, z)
            kl = _masked(kl, mask, self.name)
        if not deterministic:
            weight = self.kl_weight_at(step[0], training)
            loss = weight * _of_examples(kl)
            auxiliary = self.auxiliary_loss(parameters) if training else None
            if auxiliary is not None:
                loss += _of_examples(_masked(auxiliary, mask, self.name))
            mean = tf.math.divide_no_nan(tf.reduce_sum(loss), tf.cast(tf.size(loss), loss.dtype))  # of no examples: 0
            # Keras adds up the losses of all layers, and asks for one dtype.
            self.add_loss(tf.cast(mean, keras.config.floatx()))
            self._log(_of_examples(kl), weight, parameters, mask)
            self.noise_step.assign_add([1, 0] if training else [0, 1])
        if shape:  # the batch stays the first axis, as Keras wants it, and samples the last but one
            z = tf.transpose(z, [*range(1, z.shape.rank - 1), 0, z.shape.rank - 1])
        if not self.return_parameters:
            return z
        outputs = {"z": z, "kl": kl, **parameters}
        self._output_names = tuple(outputs)
        return outputs

    def _warn_of_random_numbers(self) -> None:
        """Warns where the model is traced for a file whose runtimes have no random numbers."""
        export_format = portable_export_in_progress()
        if export_format is not None:
            warnings.warn(
                f"The layer {self.name!r} draws random numbers, which {export_format} runtimes do not have: they will not load "
                "this file. Export within `with tf_vmf.layers.deterministic(model):`, where latent layers return their central "
                "codes.",
                stacklevel=2,
            )

    def set_step(self, step: int | tf.Tensor) -> None:
        """Sets the step used by scheduled parameters. Call before each training step.

        `call` does so by itself; code that calls `parameters` alone has to. `kl_weight_at` takes the step as an argument.
        """
        del step

    def logged_values(self, parameters: Parameters) -> Mapping[str, tf.Tensor]:
        """Further quantities to log, shape (batch,), by the name of the attribute that holds their `LatentMetric`."""
        del parameters
        return {}

    @property
    def logged_by_row(self) -> tuple[str, ...]:
        """The names in `logged_values` that differ by row; the models of `tf_vmf.models` log the means of these.

        The others are numbers of the layer, of which `numbers_at` tells the value without a mean over rows.
        """
        return ()

    def numbers_at(self, step: int) -> dict[str, float]:
        """The numbers that the layer used in training step `step`, by the name under which they are logged."""
        with tf.init_scope():
            return {"kl_weight": float(self.kl_weight_at(step))}

    def _log(self, kl: tf.Tensor, weight: tf.Tensor, parameters: Parameters, mask: tf.Tensor | None) -> None:
        context = outermost_call()
        model = called_model(context)
        if model is not None:
            latents = [layer for layer in layers_inside(model) if isinstance(layer, LatentLayer) and layer.reports]
            for layer in latents:
                layer._is_one_of_several = len(latents) > 1
            if len(latents) > 1:
                metrics = (metric for layer in latents for metric in layer.metrics)
                name_apart([metric for metric in metrics if isinstance(metric, LatentMetric)])
        if context is not None and self._last_call() is context:
            self.kl_tracker.add(kl)  # the loss adds up the calls, too
        else:
            self.kl_tracker.update_state(kl)
        self._last_call = (lambda: None) if context is None else weakref.ref(context)
        shown = set(map(id, self.metrics))
        if id(self.kl_weight_tracker) in shown:
            self.kl_weight_tracker.set(weight)
        for name, values in self.logged_values(parameters).items():
            if id(getattr(self, name)) in shown:
                counted = None if mask is None else tf.cast(_matching(mask, values, self.name), values.dtype)
                getattr(self, name).update_state(values, sample_weight=counted)

    def _constant_metrics(self) -> list[keras.metrics.Metric]:
        """The metrics of numbers that stay as they are until they are set."""
        return [self.kl_weight_tracker] if self._kl_weight.is_constant else []

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        hidden = set(map(id, self._constant_metrics())) if self._is_one_of_several else ()
        return [each for each in super().metrics if id(each) not in hidden] if self.reports else []

    def compute_mask(self, inputs: Any, previous_mask: tf.Tensor | None = None) -> Any:
        """The mask of the input, for z and all else that is returned."""
        del inputs
        previous_mask = next((each for each in tf.nest.flatten(previous_mask) if each is not None), None)
        if previous_mask is None or not self.return_parameters:
            return previous_mask
        return dict.fromkeys(self._output_names, previous_mask)

    def compute_output_shape(self, input_shape: Any, **_: Any) -> Any:
        # Of parameters, one with an entry per dimension: numbers per row may come as (batch,).
        full = max(input_shape.values(), key=len) if isinstance(input_shape, Mapping) else input_shape
        batch = tuple(full[:-1])
        z = (*batch, *(() if self.num_samples is None else (self.num_samples,)), self.latent_dim)
        if not self.return_parameters:
            return z
        features: Any = (
            tf.TensorSpec(input_shape, self.compute_dtype)
            if not isinstance(input_shape, Mapping)
            else {name: tf.TensorSpec(shape, self.compute_dtype) for name, shape in input_shape.items()}
        )
        parameters = tf.function(self.parameters, autograph=False).get_concrete_function(features).structured_outputs
        return {"z": z, "kl": batch, **{name: tuple(each.shape) for name, each in parameters.items()}}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "latent_dim": self.latent_dim,
            "kl_weight": self._kl_weight.get_config(),
            "num_samples": self.num_samples,
            "return_parameters": self.return_parameters,
            "seed": self.seed,
            "kl_name": self.kl_name,
        }


def _of_examples(values: tf.Tensor) -> tf.Tensor:
    """Sums over all axes but the first: shape (batch,)."""
    return tf.reduce_sum(values, axis=list(range(1, values.shape.rank)))


def _masked(values: tf.Tensor, mask: tf.Tensor | None, layer: str) -> tf.Tensor:
    """The values, 0 where the mask is False."""
    return values if mask is None else tf.where(_matching(mask, values, layer), values, tf.zeros_like(values))


def _matching(mask: tf.Tensor, values: tf.Tensor, layer: str) -> tf.Tensor:
    """The mask with the rank of the values: axes that it lacks are added at its end."""
    mask = tf.cast(mask, tf.bool)
    if mask.shape.rank > values.shape.rank:
        expected = f"a shape that begins with that of the features, without their last axis: {values.shape}"
        raise ArgumentError("mask", expected, f"shape {mask.shape}", owner=layer)
    return tf.reshape(mask, tf.concat([tf.shape(mask), [1] * (values.shape.rank - mask.shape.rank)], axis=0))


def _full_precision(dtype: Any) -> Any:
    """The dtype policy, or float32 where its computations would be in half precision."""
    policy = keras.dtype_policies.get(dtype)
    return "float32" if policy.compute_dtype in ("float16", "bfloat16") else policy
