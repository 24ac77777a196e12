"""What latent layers on the unit sphere share: a mean direction, a concentration and a uniform prior."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from tf_vmf import math as vmf_math
from tf_vmf._checks import SetOnce, check_number, require
from tf_vmf.layers.concentration import BoundedConcentration
from tf_vmf.layers.concentration_argument import Concentration, check_concentration
from tf_vmf.layers.description import LatentDescription
from tf_vmf.layers.heads import build_head, check_head, check_width, head_config, initializer_config
from tf_vmf.layers.latent_contract import Parameters, fractions
from tf_vmf.layers.latent_layer import LatentLayer
from tf_vmf.layers.latent_metrics import LatentMetric
from tf_vmf.layers.learned_prior import LearnedPrior, check_prior
from tf_vmf.layers.settings import checked, is_symbolic, make_counter, make_setting, number_or_scheduled, value_of
from tf_vmf.layers.shared_concentration import SharedConcentration
from tf_vmf.layers.von_mises_fisher_mixture_prior import VonMisesFisherMixturePrior
from tf_vmf.math.unit_vector import unit_vector
from tf_vmf.math.xla import is_compiled_by_xla

if TYPE_CHECKING:
    import tensorflow_probability as tfp


class SphericalLatent(LatentLayer):
    """Base of the posteriors q(z|h) with a mean direction and a concentration on S^(d-1), the prior uniform or learned.

    Args:
        latent_dim: d >= 2, the dimension of the ambient space: z is a unit vector in R^d.
        concentration: A number >= 0, the same for every row: the KL is then a constant that no optimizer can shrink.
            `layer.concentration = number` changes it at any time, in a callback and in graph mode too. Or a
            `keras.optimizers.schedules.LearningRateSchedule` over the number of training steps, such as
            `tf_vmf.layers.LinearSchedule(10_000, start=10.0, end=100.0)`; evaluation has the value that training has reached.
            Or a Keras layer that computes one for every row from the features, shape (batch,) or (batch, 1), such as
            `tf_vmf.layers.LearnedConcentration(initial=50.0, minimum=15.0)`; "learned" stands for `LearnedConcentration()`,
            "shared" for `tf_vmf.layers.SharedConcentration()`.
        prior: "uniform" on the sphere; or a `tf_vmf.layers.VonMisesFisherMixturePrior`, which is learned; "mixture" stands for one
            with its defaults.
        direction_head: A Keras layer that computes the mean direction from the features, shape (batch, latent_dim), of any length:
            it is normalised here. None: a dense layer.
        kernel_initializer: Initializer of the dense heads: a Keras initializer, its name or its configuration.
        norm_penalty: Weight of (||m|| - 1)^2, where m is the mean direction before it is normalised; the auxiliary term of Xu
            and Durrett's code (1e-4 or 0).
        **kwargs: `kl_weight`, `num_samples`, `return_parameters`, `seed`, `kl_name` and those of `keras.layers.Layer`; see
            `tf_vmf.layers.LatentLayer`.

    Call arguments:
        inputs: Features; or a dict of parameters that are computed elsewhere, for which no head is made: `mean_direction`, shape
            (batch, latent_dim), of any length, and `concentration`, shape (batch,) or (batch, 1), where the layer's own number is
            not meant.
    """

    _smallest_latent_dim = 2

    mixture_prior: type[LearnedPrior] | None = VonMisesFisherMixturePrior
    norm_penalty = SetOnce()

    # The distribution's name in prose.
    _posterior_name = ""

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
        self._concentration_setting: Any = None
        self._concentration_schedule: Any = None
        self.concentration_head: Any = None
        self.concentration = concentration
        self.norm_penalty = check_number(name, "norm_penalty", norm_penalty)
        self.kernel_initializer = kernel_initializer
        own_head = check_head(name, "direction_head", direction_head)
        self._has_own_head = own_head is not None
        self.direction_head: Any = own_head
        if own_head is None:
            self.direction_head = keras.layers.Dense(
                self.latent_dim, kernel_initializer=kernel_initializer, dtype=self.dtype_policy, name="direction"
            )
        self.concentration_tracker = LatentMetric("concentration", self.name)
        if isinstance(self.concentration_head, BoundedConcentration):
            self.concentration_head.inherit(self.latent_dim, self.dtype_policy, kernel_initializer)

    @property
    def concentration(self) -> Concentration:
        """The number, which may be set at any time, the schedule, or the layer that computes the concentration."""
        if self.concentration_head is not None:
            return self.concentration_head
        number = self._concentration if self._concentration_setting is None else value_of(self._concentration_setting)
        return self._concentration_schedule if math.isnan(number) else number

    @concentration.setter
    def concentration(self, value: Any) -> None:
        setting = self._concentration_setting
        if setting is not None and is_symbolic(value):
            setting.assign(checked(value, f"`concentration` of {self.name}"))
            return
        value = check_concentration(type(self).__name__, value)
        is_number, made = isinstance(value, float), hasattr(self, "concentration_tracker")
        if self.concentration_head is not None or (
            made and not is_number and value is not self._concentration_schedule
        ):
            raise ValueError(
                f"Attribute `concentration` of {self.name}: expected a layer that was made with a number or a schedule, and a "
                "number to set. A concentration that is computed from the features cannot be set, nor replace a number, and a "
                f"schedule must be given to the constructor: make another layer. Received: {value!r}."
            )
        if isinstance(value, keras.layers.Layer):
            self.concentration_head = value
            return
        if not is_number:
            self._concentration_schedule = value
        self._concentration = value if is_number else math.nan  # NaN: follow the schedule
        if setting is not None:
            setting.assign(self._concentration)

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, Mapping):
            build_head(self.direction_head, input_shape)
            if self.concentration_head is not None:
                build_head(self.concentration_head, input_shape)
        if self.concentration_head is None:
            self._concentration_setting = make_setting(self._concentration, "concentration")
        if self._concentration_schedule is not None:
            self._schedule_step = make_counter("schedule_step")
        super().build(input_shape)

    def follow(self, step: int | tf.Tensor) -> None:
        if self._concentration_schedule is not None:
            self._schedule_step.assign(tf.cast(step, tf.int64))

    def current_concentration(self) -> tf.Tensor:
        """The number that was set, or that of the schedule: a float64 scalar."""
        number = tf.convert_to_tensor(self._concentration_setting)
        if self._concentration_schedule is None:
            return number
        scheduled = self._concentration_schedule(tf.convert_to_tensor(self._schedule_step))
        return number_or_scheduled(number, scheduled, f"`concentration` of {self.name}")

    def parameters(self, inputs: tf.Tensor | Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns `mean_direction` (batch, d), `concentration` (batch,) and, with a norm penalty, `norm` (batch,)."""
        computed = isinstance(inputs, Mapping)
        raw = inputs["mean_direction"] if computed else tf.cast(self.direction_head(inputs), self.compute_dtype)
        raw = check_width(raw, self.latent_dim, type(self).__name__, "mean_direction")
        direction = unit_vector(raw)
        if computed and "concentration" in inputs:
            concentration = self._checked_concentration(inputs["concentration"], raw, "of the inputs")
        elif self.concentration_head is None:
            concentration = tf.fill(tf.shape(raw)[:-1], tf.cast(self.current_concentration(), raw.dtype))
        elif computed:
            raise ValueError(
                f"Inputs of {self.name}: expected `concentration` beside `mean_direction`, as the layer has no number of its own. "
                f"Received: {sorted(inputs)}."
            )
        elif isinstance(self.concentration_head, BoundedConcentration):
            concentration = tf.cast(self.concentration_head(inputs), raw.dtype)
        else:
            output = tf.cast(self.concentration_head(inputs), raw.dtype)
            concentration = self._checked_concentration(output, raw, f"of the layer {self.concentration_head.name}")
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
            raise ValueError(
                f"`concentration` {origin}, in {type(self).__name__}: expected one number per row, shape (batch,) or (batch, 1). "
                f"Received: shape {values.shape}."
            )
        return require(~tf.reduce_any(values < 0), values, "Concentrations must be >= 0. Received:", values)

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
        if self.concentration_head is not None or self._concentration_schedule is not None:
            return compute(rows)
        number = self._concentration  # the weight itself has no value yet where the layer is built in a graph
        as_traced = tf.reduce_all(rows == tf.cast(number, rows.dtype))
        if tf.executing_eagerly():
            return compute(number if bool(as_traced) else rows)
        if is_compiled_by_xla():  # which takes no gradient of a branch that broadcasts
            return (compute_rows or compute)(rows)
        return tf.cond(as_traced, lambda: compute(number), lambda: (compute_rows or compute)(rows))

    def logged_values(self, parameters: Parameters) -> Mapping[str, tf.Tensor]:
        return {"concentration_tracker": parameters["concentration"]}

    @property
    def logged_by_row(self) -> tuple[str, ...]:
        return () if self.concentration_head is None else ("concentration_tracker",)

    def numbers_at(self, step: int) -> dict[str, float]:
        numbers = super().numbers_at(step)
        if self.concentration_head is None:
            numbers["concentration"] = float(self.current_concentration())
        return numbers

    def code(self, parameters: Parameters) -> tf.Tensor:
        return parameters["mean_direction"]

    def prior(self) -> tfp.distributions.Distribution:
        import tensorflow_probability as tfp

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
        fixed = self.concentration_head is None
        shared = isinstance(self.concentration_head, SharedConcentration)
        amount = "a shared learned concentration" if shared else "learned concentration"
        if fixed and self._concentration_setting is None and self._concentration_schedule is not None:
            amount = "scheduled concentration"
        elif fixed:
            setting = self._concentration_setting
            amount = (
                f"concentration {self._concentration if setting is None else float(self.current_concentration()):g}"
            )
        return LatentDescription(
            posterior=self._posterior_name or super().describe().posterior,
            space=f"on the unit sphere in {self.latent_dim} dimensions",
            spread=f"{amount}; higher is more certain",
            fixed_spread=fixed,
            shared_spread=shared,
            prior=self.prior_in_prose(),
            constant_kl=fixed and self.learned_prior is None and self._is_that_of(SphericalLatent, "prior"),
            metric="cosine",
            path="great circle",
        )

    def _law_of(self, cls: type) -> Hashable | None:
        """`law` for a layer of exactly this class, none of whose methods the object overrides."""
        methods = ("sample", "distribution", "prior", "code", "closed_form_kl", "kl_divergence")
        if (
            self.learned_prior is not None
            or type(self) is not cls
            or not all(self._is_that_of(cls, name) for name in methods)
        ):
            return None
        rows = self.concentration_head is not None or self._concentration_schedule is not None
        return cls, self.latent_dim, "by row" if rows else self._concentration

    def auxiliary_loss(self, parameters: Parameters) -> tf.Tensor | None:
        if "norm" not in parameters:
            return None
        return self.norm_penalty * tf.square(parameters["norm"] - 1.0)

    def get_config(self) -> dict[str, Any]:
        concentration = self.concentration
        if isinstance(concentration, keras.layers.Layer):
            concentration = head_config(concentration)
        elif not isinstance(concentration, float):
            concentration = keras.saving.serialize_keras_object(concentration)
        return {
            **super().get_config(),
            "concentration": concentration,
            "prior": "uniform" if self.learned_prior is None else head_config(self.learned_prior),
            "direction_head": head_config(self.direction_head if self._has_own_head else None),
            "kernel_initializer": initializer_config(self.kernel_initializer),
            "norm_penalty": self.norm_penalty,
        }
