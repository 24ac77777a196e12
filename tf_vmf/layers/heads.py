"""Heads of latent layers: Keras layers that compute a parameter of the posterior from the features, such as the concentration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from tf_vmf._checks import check_number
from tf_vmf._errors import ArgumentError
from tf_vmf.layers.scheduled import Scheduled
from tf_vmf.math.custom_gradient import custom_gradient


class HasHeads:
    """Mixin of a latent layer with heads: the user's own, or dense layers. To be inherited before the Keras class."""

    kernel_initializer: Any
    dtype_policy: Any
    _own_heads: tuple[str, ...] = ()

    def add_head(self, name: str, head: Any, units: int) -> None:
        """Keeps a head under a name: a Keras layer or its configuration; None for a dense layer of some units."""
        if isinstance(head, Mapping):
            head = keras.saving.deserialize_keras_object(head)
        if head is not None and not isinstance(head, keras.layers.Layer):
            remedy = "A function becomes a layer by keras.layers.Lambda(function)."
            raise ArgumentError(name, "a Keras layer, or None", repr(head), remedy, owner=type(self).__name__)
        if head is None:
            options = {"dtype": self.dtype_policy, "name": name.removesuffix("_head")}
            head = keras.layers.Dense(units, kernel_initializer=self.kernel_initializer, **options)
        else:
            self._own_heads = (*self._own_heads, name)
        setattr(self, name, head)

    def config_of_heads(self, *names: str) -> dict[str, Any]:
        """The entries of `get_config`: a dense layer is made anew from the others, unless it was quantized."""
        kept = {name: getattr(self, name) for name in names}
        return {
            name: head_config(head) if name in self._own_heads or getattr(head, "quantization_mode", None) else None
            for name, head in kept.items()
        }


def head_config(head: keras.layers.Layer) -> dict[str, Any]:
    """The configuration of a head, for the `get_config` of the latent layer that builds it."""
    config = dict(keras.saving.serialize_keras_object(head))
    config.pop("build_config", None)
    return config


def initializer_config(initializer: Any) -> Any:
    """An initializer as a name or a configuration."""
    if isinstance(initializer, keras.initializers.Initializer):
        return keras.initializers.serialize(initializer)
    return initializer


def build_head(head: keras.layers.Layer, input_shape: Sequence[int | None]) -> None:
    """Builds a head that is not built, as one that another layer shares or that comes from a file may be."""
    if not head.built:
        head.build(input_shape)


def check_width(values: tf.Tensor, width: int, owner: str, name: str) -> tf.Tensor:
    """Returns the values; an ArgumentError where the last axis is not of the width."""
    if values.shape.rank == 0 or values.shape[-1] != width:
        raise ArgumentError(name, f"shape (batch, {width})", f"shape {values.shape}", owner=owner)
    return values


# Beyond, the angular standard deviation of a code is below 1e-4, near what float32 features resolve, and nothing is gained.
LARGEST_CONCENTRATION = 1e8

# Defaults per dimension of the space: 2 d is a KL to the uniform distribution of 0.47 to 0.5 nats per dimension for every d, and
# 0.2 d one of 0.02.
_INITIAL_PER_DIMENSION, _MINIMUM_PER_DIMENSION = 2.0, 0.2


class BoundedConcentration(keras.layers.Layer):
    """Base of the layers that learn a concentration between two bounds; see `LearnedConcentration`.

    concentration = min(minimum + (initial - minimum) * softplus(raw + log(e - 1)), maximum), which is `initial` at raw = 0. At
    `maximum` the gradient is that of the identity where a step would lower the concentration, and 0 where it would raise it.
    """

    def __init__(
        self, *, initial: float | None, minimum: float | None, maximum: float, rate: float, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self._has_dtype = kwargs.get("dtype") is not None
        name = type(self).__name__
        self.minimum = None if minimum is None else check_number(name, "minimum", minimum)
        self.initial = None if initial is None else check_number(name, "initial", initial, above=True)
        if self.minimum is not None and self.initial is not None and not self.minimum < self.initial:
            raise ArgumentError("minimum", f"a number below initial={self.initial!r}", repr(self.minimum), owner=name)
        self.maximum = check_number(name, "maximum", maximum, above=True)
        if not (self.minimum or 0.0) < self.maximum or not (self.initial or 0.0) <= self.maximum:
            expected = f"a number above minimum={self.minimum!r} and at least initial={self.initial!r}"
            raise ArgumentError("maximum", expected, repr(maximum), owner=name)
        self.rate = check_number(name, "rate", rate, above=True)

    def inherit(self, latent_dim: int, dtype: Any, kernel_initializer: Any) -> None:
        """Takes from the latent layer what was not given: numbers that follow the dimension, dtype policy and initializer."""
        del kernel_initializer
        if self.initial is None:
            self.initial = min(max(_INITIAL_PER_DIMENSION * latent_dim, 2.0 * (self.minimum or 0.0)), self.maximum)
        if self.minimum is None:
            self.minimum = min(_MINIMUM_PER_DIMENSION * latent_dim, 0.1 * self.initial)
        if not self._has_dtype and not self.built:
            self.dtype_policy = dtype

    def build(self, input_shape: Any) -> None:
        if self.initial is None or self.minimum is None:
            expected = (
                "numbers, as is `minimum`, where the layer is not part of a latent layer, whose dimension they follow"
            )
            received = f"initial={self.initial!r}, minimum={self.minimum!r}"
            raise ArgumentError("initial", expected, received, owner=type(self).__name__)
        super().build(input_shape)

    def bounded(self, raw: tf.Tensor) -> tf.Tensor:
        """The concentration of an unbounded number."""
        assert self.initial is not None  # `build` has checked it
        assert self.minimum is not None
        spread = tf.nn.softplus(raw + math.log(math.e - 1.0))  # softplus(log(e - 1)) = 1
        return _at_most(self.minimum + (self.initial - self.minimum) * spread, self.maximum)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return tuple(input_shape[:-1])

    def get_config(self) -> dict[str, Any]:
        numbers = {name: getattr(self, name) for name in ("initial", "minimum", "maximum", "rate")}
        return {**super().get_config(), **numbers}


@keras.saving.register_keras_serializable(package="tf_vmf")
class LearnedConcentration(BoundedConcentration):
    """A concentration learned for every row, between two bounds; pass one as `concentration` of a spherical latent layer.

    concentration(h) = minimum + (initial - minimum) * softplus(rate * (w.h + b) + log(e - 1)), which is `initial` at w.h + b = 0,
    and at most `maximum`. It is linear in w.h for large values, so that no outlier makes it explode as exp would, and relative to
    `initial`, so that one learning rate suits any.

    Args:
        initial: Concentration at the start of training, > `minimum`. None: 2 d for a latent layer in R^d, a KL of 0.47 to 0.5
            nats per dimension whatever d is.
        minimum: Lower bound, >= 0; one above 0 keeps the posterior from collapsing onto the uniform prior. None: 0.2 d, a KL of
            0.02 nats per dimension, or a tenth of `initial` if that is less.
        maximum: Upper bound, >= `initial`. At the default, 1e8, the angular standard deviation of a code is 1e-4 in every
            direction. Below the bound it changes nothing.
        rate: How fast the concentration moves beside the layer's other outputs, > 0. At 1 it falls to its lower bound before the
            decoder has learned to read the code (20 Newsgroups, d = 50, Adam: validation perplexity after 20 epochs 825 at rate 1,
            776 at 0.05, 769 at 0.01; after 70 epochs at 0.01 about 735, and no collapse).
        kernel_initializer: Initializer of w: a Keras initializer, its name or its configuration. None takes that of the latent
            layer.
        projection: The layer of w.h + b in the configuration of a quantized one; None makes it here.
        **kwargs: Passed to `keras.layers.Layer`. Without a `dtype` the layer computes in that of the latent layer.

    Call arguments:
        inputs: Features h, shape (batch, features), or with further axes in between.

    Returns:
        Concentrations, shape (batch,).

    Raises:
        ValueError: An argument is no finite number in its range.

    Example:
    ```python
    concentration = tf_vmf.layers.LearnedConcentration(initial=50.0, minimum=15.0)
    z = tf_vmf.layers.VonMisesFisherLatent(25, concentration=concentration)(keras.Input((400,)))
    ```
    """

    def __init__(
        self,
        *,
        initial: float | None = None,
        minimum: float | None = None,
        maximum: float = LARGEST_CONCENTRATION,
        rate: float = 0.01,
        kernel_initializer: Any = None,
        projection: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(initial=initial, minimum=minimum, maximum=maximum, rate=rate, **kwargs)
        self.kernel_initializer = kernel_initializer
        # A Dense layer, made once its initializer is known.
        self.projection: Any = None if projection is None else keras.saving.deserialize_keras_object(projection)

    def inherit(self, latent_dim: int, dtype: Any, kernel_initializer: Any) -> None:
        if self.projection is None:
            super().inherit(latent_dim, dtype, kernel_initializer)
            self._make_projection(kernel_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        if self.projection is None:
            self._make_projection("glorot_uniform")
        self.projection.build(input_shape)
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return self.bounded(self.rate * self.projection(inputs)[..., 0])

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "kernel_initializer": initializer_config(self.kernel_initializer)}
        is_quantized = getattr(self.projection, "quantization_mode", None) is not None
        return {**config, "projection": head_config(self.projection)} if is_quantized else config

    def _make_projection(self, kernel_initializer: Any) -> None:
        if self.kernel_initializer is not None:
            kernel_initializer = self.kernel_initializer
        self.projection = keras.layers.Dense(
            1, kernel_initializer=kernel_initializer, dtype=self.dtype_policy, name="projection"
        )


@custom_gradient
def _at_most(x: tf.Tensor, largest: float) -> tuple[tf.Tensor, Any]:
    """min(x, largest), whose gradient leads back from above the bound but not further up."""
    largest = tf.cast(largest, x.dtype)  # which may have become a tensor in float32

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        return tf.where((x <= largest) | (upstream > 0), upstream, tf.zeros_like(upstream)), None

    return tf.minimum(x, largest), gradient


@keras.saving.register_keras_serializable(package="tf_vmf")
class SharedConcentration(BoundedConcentration):
    """A concentration that is learned and the same for every row; pass one as `concentration` of a spherical latent layer.

    concentration = minimum + (initial - minimum) * softplus(rate * s + log(e - 1)), at most `maximum`, with one weight s that
    starts at 0. All rows have the same KL, as with a number, but training finds how large it is.

    Args:
        initial: Concentration at the start of training, > `minimum`. None: 2 d for a latent layer in R^d.
        minimum: Lower bound, >= 0. None: 0.2 d, or a tenth of `initial` if that is less.
        maximum: Upper bound, >= `initial`.
        rate: How fast the concentration moves beside the other weights, > 0. With Adam one step changes it by about 0.6 * `rate` *
            learning rate, relative to `initial`.
        **kwargs: Passed to `keras.layers.Layer`. Without a `dtype` the layer computes in that of the latent layer.

    Call arguments:
        inputs: Features, shape (batch, features), or with further axes in between; only their shape counts.

    Returns:
        Concentrations, shape (batch,), all equal.

    Raises:
        ValueError: An argument is no finite number in its range.

    Example:
    ```python
    concentration = tf_vmf.layers.SharedConcentration(initial=50.0)
    z = tf_vmf.layers.VonMisesFisherLatent(25, concentration=concentration)(keras.Input((400,)))
    ```
    """

    def __init__(
        self,
        *,
        initial: float | None = None,
        minimum: float | None = None,
        maximum: float = LARGEST_CONCENTRATION,
        rate: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(initial=initial, minimum=minimum, maximum=maximum, rate=rate, **kwargs)

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.raw = self.add_weight(shape=(), initializer="zeros", name="raw")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        concentration = self.bounded(self.rate * tf.convert_to_tensor(self.raw))
        return tf.fill(tf.shape(inputs)[:-1], concentration)


Concentration: TypeAlias = float | keras.optimizers.schedules.LearningRateSchedule | tf.Variable | keras.layers.Layer

_BY_NAME = {"learned": LearnedConcentration, "shared": SharedConcentration}
_ALTERNATIVE = (
    " for a fixed concentration, 'learned', 'shared', a schedule such as tf_vmf.layers.LinearSchedule, or a layer such as "
    "tf_vmf.layers.LearnedConcentration(initial=50.0)"
)


def check_concentration(owner: str, concentration: Any) -> Scheduled | keras.layers.Layer:
    """The number, schedule or variable as `Scheduled`, or the layer that computes the concentration; else an ArgumentError."""
    if isinstance(concentration, str) and concentration in _BY_NAME:
        return _BY_NAME[concentration](name="concentration")
    if isinstance(concentration, Mapping):
        concentration = keras.saving.deserialize_keras_object(concentration)
    if isinstance(concentration, keras.layers.Layer):
        return concentration
    return Scheduled(owner, "concentration", concentration, alternative=_ALTERNATIVE)
