"""Schedules over training steps; pass one as `kl_weight` or `concentration` of a latent layer.

A training step is one batch: with `gradient_accumulation_steps` of an optimizer each of the batches that make up an update counts.
The models of `tf_vmf.models` count their steps; in other models a latent layer counts its calls in training.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from tf_vmf._checks import check_integer, check_number
from tf_vmf._errors import ArgumentError


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
        return {
            "period": self.period,
            "rise": self.rise,
            "cycles": self.cycles,
            "start": self.start,
            "end": self.end,
        }
