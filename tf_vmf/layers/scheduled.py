"""Numbers of a layer that may be set at any time or follow a schedule, and the schedules."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from tf_vmf._checks import check_integer, check_number, require
from tf_vmf._errors import ArgumentError

Schedule = keras.optimizers.schedules.LearningRateSchedule

# Orders of magnitude of the lengths of training.
_PROBED_STEPS = (0, *(10**power for power in range(7)))


class Scheduled(tf.Module):
    """A number >= 0 of a layer: constant, on a schedule over training steps, or read from a variable of the user's.

    The number lies in a variable, so that a traced function obeys a change. The variable belongs to the configuration of the layer
    and not to its weights: `set_weights` and `load_weights` leave it alone, `get_config` holds its value, and
    `tf.train.Checkpoint` saves and restores it with the layer. `value` is a number, a schedule, or a floating variable of shape (),
    which is read at every step; else an ArgumentError names the attribute `name` of `owner`, and the `alternative`.
    """

    def __init__(self, owner: str, name: str, value: Any, *, alternative: str = "") -> None:
        super().__init__()
        self._owner, self._attribute, self._alternative = owner, name, alternative
        self.schedule: Any = None
        self.is_live = is_live_variable(value)
        self.known = 0.0  # the number set last from Python; a restored checkpoint or a graph may have changed it
        if isinstance(value, Schedule):
            check_schedule(owner, name, value)
            self.schedule = value
        elif not self.is_live:
            self.known = self._checked_number(value)
        self._number = value if self.is_live else _variable(self.known, "float64", name)
        self._follows: Any = None if self.schedule is None else _variable(True, "bool", f"{name}_follows")

    @property
    def is_constant(self) -> bool:
        """True if it has one value until it is set anew, and no gradient."""
        return self.schedule is None and not self.is_live

    @property
    def value(self) -> Any:
        """The number, the schedule while it is followed, or the user's variable."""
        if self.is_live:
            return self._number
        if self._follows is not None and bool(_value_of(self._follows)):
            return self.schedule
        return float(_value_of(self._number))

    @property
    def state(self) -> list[keras.Variable]:
        """The variables in which the layer keeps it; a variable of the user's is not among them."""
        own = [] if self.is_live else [self._number]
        return own if self._follows is None else [*own, self._follows]

    def set(self, value: Any) -> None:
        """Sets the number, in a `tf.function` a tensor of shape (), or takes up again the schedule that it was made with."""
        if isinstance(value, Schedule):
            if value is not self.schedule:
                expected = "a number, or the schedule that the layer was made with"
                remedy = (
                    "Another schedule must be given to the constructor. In a callback, set the attribute to "
                    "`float(schedule(step))` before every batch."
                )
                raise ArgumentError(self._attribute, expected, repr(value), remedy, owner=self._owner)
            self._follows.assign(True)
            return
        if is_symbolic(value):
            self._number.assign(checked(value, self._attribute, self._owner))
        else:
            self.known = self._checked_number(value)
            self._number.assign(self.known)
        if self._follows is not None:
            self._follows.assign(False)

    def at(self, of_schedule: Callable[[Any], Any]) -> tf.Tensor:
        """The number, or what `of_schedule` returns for the schedule where one is followed: a float64 scalar."""
        number = tf.cast(tf.convert_to_tensor(self._number), tf.float64)
        if self.is_constant:
            return number
        if self._follows is not None:
            scheduled = tf.cast(of_schedule(self.schedule), tf.float64)
            number = tf.where(tf.convert_to_tensor(self._follows), scheduled, number)
        return checked(number, self._attribute, self._owner)

    def get_config(self) -> Any:
        """The value as `get_config` of the layer holds it; that of a user's variable is its number."""
        value = self.value
        if isinstance(value, Schedule):
            return keras.saving.serialize_keras_object(value)
        return float(_value_of(value)) if self.is_live else value

    def _checked_number(self, value: Any) -> float:
        return check_number(self._owner, self._attribute, value, alternative=self._alternative)


def is_live_variable(value: Any) -> bool:
    """True for a variable of one floating number."""
    return (
        isinstance(value, tf.Variable | keras.Variable) and value.shape == () and tf.as_dtype(value.dtype).is_floating
    )


def is_symbolic(value: Any) -> bool:
    """True for a tensor of a graph, which has no value yet."""
    return tf.is_symbolic_tensor(value) if tf.is_tensor(value) else isinstance(value, keras.KerasTensor)


def check_schedule(owner: str, name: str, schedule: Callable[[Any], Any]) -> None:
    """Refuses a schedule that leaves the numbers >= 0, as far as a few steps show; every step of training is `checked`."""
    with tf.init_scope():
        for step in _PROBED_STEPS:
            value = float(keras.ops.convert_to_numpy(schedule(tf.constant(step, tf.int64))))
            if not value >= 0 or (step == 0 and math.isinf(value)):
                received = f"{value:g} at step {step} of {schedule!r}"
                remedy = "Does an end value of 0, or tf.maximum(value, 0.0) in a schedule of your own, help?"
                raise ArgumentError(name, "a schedule of finite numbers >= 0", received, remedy, owner=owner)


def checked(value: Any, name: str, owner: str) -> tf.Tensor:
    """A float64 scalar that a schedule, a variable or a graph gives, if it is finite and >= 0.

    XLA leaves out the check. There the value becomes NaN, so that the loss shows it.
    """
    value = tf.cast(value, tf.float64)
    ok = (value >= 0) & tf.math.is_finite(value)
    valid = tf.where(ok, value, tf.constant(float("nan"), tf.float64))
    return require(ok, valid, name, "a finite number >= 0, and of a schedule one for every step", value, owner=owner)


def _variable(value: Any, dtype: str, name: str) -> keras.Variable:
    return keras.Variable(
        lambda shape, dtype=None: tf.constant(value, dtype, shape),
        shape=(),
        dtype=dtype,
        trainable=False,
        autocast=False,
        aggregation="only_first_replica",
        name=name,
    )


def _value_of(variable: Any) -> Any:
    """The current value, outside graphs and while one is traced."""
    with tf.init_scope():
        return tf.convert_to_tensor(variable).numpy()


@keras.saving.register_keras_serializable(package="tf_vmf")
class LinearSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """From `start` to `end` in a straight line over `steps` steps, then `end`.

    A training step is one batch, also where the optimizer accumulates the gradients of several.

    Args:
        steps: Number of steps, >= 1.
        start: Value at step 0.
        end: Value from step `steps` on.
        delay: Steps at `start` before the line begins.
    """

    def __init__(self, steps: int, start: float = 0.0, end: float = 1.0, delay: int = 0) -> None:
        self.steps = check_number("LinearSchedule", "steps", steps, above=True)
        self.start = check_number("LinearSchedule", "start", start)
        self.end = check_number("LinearSchedule", "end", end)
        self.delay = check_number("LinearSchedule", "delay", delay)

    def __call__(self, step: int | tf.Tensor) -> tf.Tensor:
        progress = (tf.cast(step, tf.float32) - self.delay) / self.steps
        return self.start + (self.end - self.start) * tf.clip_by_value(progress, 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"steps": self.steps, "start": self.start, "end": self.end, "delay": self.delay}


@keras.saving.register_keras_serializable(package="tf_vmf")
class SigmoidSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """The logistic annealing of Bowman et al. (2016): end * sigmoid((step - midpoint) / width).

    Args:
        midpoint: Step at which half of `end` is reached.
        width: Steps over which the argument of the sigmoid grows by one, > 0; from 2 % to 98 % it takes 8 of them. None: a
            sixth of the midpoint, which starts at 0.25 %.
        end: The value approached.

    References:
        S. R. Bowman, L. Vilnis, O. Vinyals, A. M. Dai, R. Jozefowicz and S. Bengio. Generating Sentences from a Continuous
        Space. CoNLL 2016.
    """

    def __init__(self, midpoint: float, width: float | None = None, end: float = 1.0) -> None:
        self.midpoint = check_number("SigmoidSchedule", "midpoint", midpoint, above=True)
        width = self.midpoint / 6.0 if width is None else width
        self.width = check_number("SigmoidSchedule", "width", width, above=True)
        self.end = check_number("SigmoidSchedule", "end", end)

    def __call__(self, step: int | tf.Tensor) -> tf.Tensor:
        return self.end * tf.sigmoid((tf.cast(step, tf.float32) - self.midpoint) / self.width)

    def get_config(self) -> dict[str, Any]:
        return {"midpoint": self.midpoint, "width": self.width, "end": self.end}


@keras.saving.register_keras_serializable(package="tf_vmf")
class CyclicalSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """The cyclical annealing of Fu et al. (2019): every cycle rises linearly from `start` to `end`, then stays there.

    Args:
        period: Steps a cycle, >= 1.
        rise: Share of a cycle in which it rises, in (0, 1].
        cycles: Number of cycles, after which the value stays at `end`; None never stops.
        start: Value at the start of a cycle.
        end: Value at its end.

    References:
        H. Fu, C. Li, X. Liu, J. Gao, A. Celikyilmaz and L. Carin. Cyclical Annealing Schedule: A Simple Approach to Mitigating KL
        Vanishing. NAACL 2019.
    """

    def __init__(
        self, period: int, rise: float = 0.5, cycles: int | None = 4, start: float = 0.0, end: float = 1.0
    ) -> None:
        name = "CyclicalSchedule"
        self.period = check_integer(name, "period", period, minimum=1)
        self.rise = check_number(name, "rise", rise, above=True)
        self.cycles = None if cycles is None else check_integer(name, "cycles", cycles, minimum=1)
        self.start = check_number(name, "start", start)
        self.end = check_number(name, "end", end)
        if self.rise > 1:
            raise ArgumentError("rise", "a share in (0, 1]", repr(rise), owner="CyclicalSchedule")

    def __call__(self, step: int | tf.Tensor) -> tf.Tensor:
        step = tf.cast(step, tf.int64)
        within = tf.cast(step % self.period, tf.float32) / (self.period * self.rise)
        value = self.start + (self.end - self.start) * tf.minimum(within, 1.0)
        if self.cycles is None:
            return value
        return tf.where(step < self.period * self.cycles, value, self.end)

    def get_config(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("period", "rise", "cycles", "start", "end")}
