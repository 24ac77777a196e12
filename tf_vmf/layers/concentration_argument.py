"""The argument `concentration` of spherical latent layers: a number, a schedule, a variable, or a layer that computes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from tf_vmf.layers.concentration import LearnedConcentration
from tf_vmf.layers.scheduled import Scheduled
from tf_vmf.layers.shared_concentration import SharedConcentration

Concentration: TypeAlias = float | keras.optimizers.schedules.LearningRateSchedule | tf.Variable | keras.layers.Layer

_BY_NAME = {"learned": LearnedConcentration, "shared": SharedConcentration}
_ALTERNATIVE = (
    " for a fixed concentration, 'learned', 'shared', a schedule such as tf_vmf.layers.LinearSchedule, or a layer such as "
    "tf_vmf.layers.LearnedConcentration(initial=50.0)"
)


def check_concentration(owner: str, concentration: Any) -> Scheduled | keras.layers.Layer:
    """The number, schedule or variable as `Scheduled`, or the layer that computes the concentration.

    Raises:
        ArgumentError: It is neither a finite number >= 0, nor a schedule of such numbers, nor a floating variable of shape (), nor
            a Keras layer, nor "learned" or "shared".
    """
    if isinstance(concentration, str) and concentration in _BY_NAME:
        return _BY_NAME[concentration](name="concentration")
    if isinstance(concentration, Mapping):
        concentration = keras.saving.deserialize_keras_object(concentration)
    if isinstance(concentration, keras.layers.Layer):
        return concentration
    return Scheduled(owner, "concentration", concentration, alternative=_ALTERNATIVE)
