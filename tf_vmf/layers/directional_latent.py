"""The base of latent layers with a mean direction and a concentration."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import keras
import tensorflow as tf

from tf_vmf._checks import SetOnce, check_number, require
from tf_vmf._errors import ArgumentError
from tf_vmf.layers.heads import (
    LARGEST_CONCENTRATION,
    BoundedConcentration,
    Concentration,
    HasHeads,
    SharedConcentration,
    build_head,
    check_concentration,
    check_width,
    head_config,
    initializer_config,
)
from tf_vmf.layers.latent_contract import Parameters
from tf_vmf.layers.latent_layer import LatentLayer, LatentMetric
from tf_vmf.layers.learned_priors import check_prior
from tf_vmf.layers.scheduled import Scheduled
from tf_vmf.math.noise import is_compiled_by_xla
from tf_vmf.math.unit_vectors import unit_vector

# A refined concentration starts from at least this.
_LEAST_REFINED = 1e-3


class DirectionalLatent(HasHeads, LatentLayer):
    """Base of the posteriors q(z|h) with a mean direction and a concentration.

    Args:
        latent_dim: d >= 2, the dimension of the space of z.
        concentration: A number >= 0, the same for every row: the KL is then a constant that no optimizer can shrink.
            `layer.concentration = number` changes it at any time, in a callback and in graph mode too. Or a
            `keras.optimizers.schedules.LearningRateSchedule` over the number of training steps, such as
            `tf_vmf.layers.LinearSchedule(10_000, start=10.0, end=100.0)`; evaluation has the value that training has reached.
            Or a `tf.Variable` of shape (), which is read at every step (`fit` does not train it). Or a Keras layer that computes
            a concentration for every row from the features, shape (batch,) or (batch, 1), such as
            `tf_vmf.layers.LearnedConcentration(initial=50.0, minimum=15.0)`; "learned" stands for `LearnedConcentration()`,
            "shared" for `tf_vmf.layers.SharedConcentration()`.
        prior: "uniform"; or a learned one, where the class takes any (`mixture_prior`); "mixture" stands for one with its
            defaults.
        direction_head: A Keras layer that computes the mean direction from the features, shape (batch, latent_dim), of any length:
            it is normalized here. None: a dense layer.
        kernel_initializer: Initializer of the dense heads: a Keras initializer, its name or its configuration.
        norm_penalty: Weight of (||m|| - 1)^2, where m is the mean direction before it is normalized; the auxiliary term of Xu
            and Durrett's code (1e-4 or 0).
        **kwargs: `kl_weight`, `num_samples`, `return_parameters`, `seed`, `kl_name` and those of `keras.layers.Layer`; see
            `tf_vmf.layers.LatentLayer`.

    Call arguments:
        inputs: Features; or a dict of parameters that are computed elsewhere, for which no head is made: `mean_direction`, shape
            (batch, latent_dim), of any length, and `concentration`, shape (batch,) or (batch, 1), where the layer's own number is
            not meant.
    """

    _smallest_latent_dim = 2

    direction_head: Any
    norm_penalty = SetOnce()

    def __init__(
        self,
        latent_dim: int,
        *,
        concentration: Any = 100.0,
        prior: Any = "uniform",
        direction_head: keras.layers.Layer | None = None,
        kernel_initializer: Any = "glorot_uniform",
        norm_penalty: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(latent_dim, **kwargs)
        name = type(self).__name__
        self.learned_prior = check_prior(name, prior, "uniform", self.mixture_prior)
        if self.learned_prior is not None:
            self.learned_prior.inherit(self.dtype_policy)
        concentration = check_concentration(name, concentration)
        # One of the two: the number, schedule or variable, or the layer that computes a concentration for every row.
        self._concentration: Any = concentration if isinstance(concentration, Scheduled) else None
        self.concentration_head: Any = None if isinstance(concentration, Scheduled) else concentration
        self.norm_penalty = check_number(name, "norm_penalty", norm_penalty)
        self.kernel_initializer = kernel_initializer
        self.add_head("direction_head", direction_head, self.latent_dim)
        self.concentration_tracker = LatentMetric("concentration", self.name)
        if isinstance(self.concentration_head, BoundedConcentration):
            self.concentration_head.inherit(self.latent_dim, self.dtype_policy, kernel_initializer)

    @property
    def concentration(self) -> Concentration:
        """The number, which may be set at any time, the schedule, the variable, or the layer that computes the concentration."""
        return self._concentration.value if self.concentration_head is None else self.concentration_head

    @concentration.setter
    def concentration(self, value: Any) -> None:
        if self._concentration is None:
            expected = "no value to be set, as the layer computes one for every row"
            remedy = "Only a layer that was made with a number, a schedule or a variable takes another number: make another layer."
            raise ArgumentError("concentration", expected, repr(value), remedy, owner=type(self).__name__)
        self._concentration.set(value)

    def own_state(self) -> list[keras.Variable]:
        own = [] if self._concentration is None else self._concentration.state
        return [*super().own_state(), *own]

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, Mapping):
            build_head(self.direction_head, input_shape)
            if self.concentration_head is not None:
                build_head(self.concentration_head, input_shape)
        if self._concentration is not None and self._concentration.schedule is not None:
            self.add_counter("schedule_step")
        super().build(input_shape)

    def set_step(self, step: int | tf.Tensor) -> None:
        if self._concentration is not None and self._concentration.schedule is not None:
            self.counter("schedule_step").assign(tf.cast(step, tf.int64))

    def current_concentration(self) -> tf.Tensor:
        """The number that was set, or that of the schedule or variable: a float64 scalar."""
        return self._concentration.at(lambda schedule: schedule(tf.convert_to_tensor(self.counter("schedule_step"))))

    def _parameters(self, inputs: tf.Tensor | Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns `mean_direction` (batch, d), `concentration` (batch,) and, with a norm penalty, `norm` (batch,)."""
        computed = isinstance(inputs, Mapping)
        raw = inputs["mean_direction"] if computed else tf.cast(self.direction_head(inputs), self.compute_dtype)
        raw = check_width(raw, self.latent_dim, type(self).__name__, "mean_direction")
        direction = unit_vector(raw)
        if computed and "concentration" in inputs:
            concentration = self._checked_concentration(inputs["concentration"], raw, "inputs")
        elif self.concentration_head is None:
            concentration = tf.fill(tf.shape(raw)[:-1], tf.cast(self.current_concentration(), raw.dtype))
        elif computed:
            expected = "`concentration` beside `mean_direction`, as the layer has no number of its own"
            raise ArgumentError("inputs", expected, f"{sorted(inputs)}", owner=self.name)
        elif isinstance(self.concentration_head, BoundedConcentration):
            concentration = tf.cast(self.concentration_head(inputs), raw.dtype)
        else:
            output = tf.cast(self.concentration_head(inputs), raw.dtype)
            concentration = self._checked_concentration(output, raw, f"layer {self.concentration_head.name}")
        # Features that are not finite give no direction, and nothing else may look as if they did.
        first = tf.stop_gradient(direction[..., 0])
        concentration = tf.where(tf.math.is_nan(first), first, concentration)
        parameters = {"mean_direction": direction, "concentration": concentration}
        if self.norm_penalty:
            # The norm as a product with its own gradient, which the square root does not have at zero.
            parameters["norm"] = tf.reduce_sum(raw * tf.stop_gradient(direction), axis=-1)
        return parameters

    def _checked_concentration(self, values: tf.Tensor, direction: tf.Tensor, origin: str) -> tf.Tensor:
        """Concentrations that are not this package's, shape (batch,)."""
        if values.shape.rank == direction.shape.rank and values.shape[-1] == 1:
            values = values[..., 0]
        if values.shape.rank != direction.shape.rank - 1:
            expected, owner = (
                "one number per row, shape (batch,) or (batch, 1)",
                f"the {origin} of {type(self).__name__}",
            )
            raise ArgumentError("concentration", expected, f"shape {values.shape}", owner=owner)
        return require(~tf.reduce_any(values < 0), values, "concentration", "numbers >= 0", values)

    def with_concentration(
        self,
        parameters: Parameters,
        compute: Callable[[tf.Tensor | float], tf.Tensor],
        compute_rows: Callable[[tf.Tensor], tf.Tensor] | None = None,
    ) -> tf.Tensor:
        """`compute(concentration)`, for which a Python number is much cheaper than a tensor of one per row.

        A layer with a fixed concentration calls it with the number, as long as all rows have the value that was set when the graph
        was traced; else with the tensor. `compute_rows` may stand for `compute` there, inside a graph.
        """
        rows = tf.convert_to_tensor(parameters["concentration"])
        if self._concentration is None or not self._concentration.is_constant:
            return compute(rows)
        number = self._concentration.known
        as_traced = tf.reduce_all(rows == tf.cast(number, rows.dtype))
        if tf.executing_eagerly():
            return compute(number if bool(as_traced) else rows)
        if is_compiled_by_xla():  # which takes no gradient of a branch that broadcasts
            return (compute_rows or compute)(rows)
        return tf.cond(as_traced, lambda: compute(number), lambda: (compute_rows or compute)(rows))

    def unconstrained(self, parameters: Parameters) -> dict[str, tf.Tensor]:
        """The mean direction times sqrt(d) and, where it is learned, the logarithm of the concentration."""
        numbers = {"mean_direction": math.sqrt(self.latent_dim) * parameters["mean_direction"]}
        if self.concentration_head is not None:
            numbers["concentration"] = tf.math.log(tf.maximum(parameters["concentration"], _LEAST_REFINED))
        return numbers

    def constrained(self, numbers: Parameters, parameters: Parameters) -> dict[str, tf.Tensor]:
        found = {**parameters, "mean_direction": unit_vector(numbers["mean_direction"])}
        if "concentration" in numbers:
            found["concentration"] = tf.minimum(tf.exp(numbers["concentration"]), LARGEST_CONCENTRATION)
        return found

    def logged_values(self, parameters: Parameters) -> Mapping[str, tf.Tensor]:
        return {"concentration_tracker": parameters["concentration"]}

    def _constant_metrics(self) -> list[keras.metrics.Metric]:
        is_constant = self._concentration is not None and self._concentration.is_constant
        return [*super()._constant_metrics(), *([self.concentration_tracker] if is_constant else [])]

    @property
    def logged_by_row(self) -> tuple[str, ...]:
        return () if self.concentration_head is None else ("concentration_tracker",)

    def numbers_at(self, step: int) -> dict[str, float]:
        numbers = super().numbers_at(step)
        if self.concentration_head is None:
            numbers["concentration"] = float(self.current_concentration())
        return numbers

    def spread_in_prose(self) -> str:
        """The concentration in words, as the spread of a code."""
        if isinstance(self.concentration_head, SharedConcentration):
            amount = "a shared learned concentration"
        elif self._concentration is None:
            amount = "learned concentration"
        elif self._concentration.schedule is not None and not self.built:
            amount = "scheduled concentration"
        else:
            amount = f"concentration {float(self.current_concentration()):g}"
        return f"{amount}; higher is more certain"

    def _concentration_key(self) -> Hashable:
        """The number that `with_concentration` passes on, or "by row"; part of `static_key`."""
        constant = self._concentration is not None and self._concentration.is_constant
        return self._concentration.known if constant else "by row"

    def auxiliary_loss(self, parameters: Parameters) -> tf.Tensor | None:
        if "norm" not in parameters:
            return None
        return self.norm_penalty * tf.square(parameters["norm"] - 1.0)

    def get_config(self) -> dict[str, Any]:
        head = self.concentration_head
        return {
            **super().get_config(),
            "concentration": self._concentration.get_config() if head is None else head_config(head),
            "prior": "uniform" if self.learned_prior is None else head_config(self.learned_prior),
            **self.config_of_heads("direction_head"),
            "kernel_initializer": initializer_config(self.kernel_initializer),
            "norm_penalty": self.norm_penalty,
        }
