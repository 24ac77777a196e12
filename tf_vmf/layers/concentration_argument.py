"""The argument `concentration` of spherical latent layers: a number, a schedule, or a layer that computes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import keras

from tf_vmf._checks import check_number
from tf_vmf.layers.concentration import LearnedConcentration
from tf_vmf.layers.settings import check_schedule
from tf_vmf.layers.shared_concentration import SharedConcentration

Concentration: TypeAlias = float | keras.optimizers.schedules.LearningRateSchedule | keras.layers.Layer

_BY_NAME = {"learned": LearnedConcentration, "shared": SharedConcentration}


def check_concentration(owner: str, concentration: Any) -> Concentration:
    """A float, a schedule over training steps, or the layer that computes the concentration.

    Raises:
        ValueError: It is neither a finite number >= 0, nor a schedule of such numbers, nor a Keras layer, nor "learned" or
            "shared".
    """
    if isinstance(concentration, str) and concentration in _BY_NAME:
        return _BY_NAME[concentration](name="concentration")
    if isinstance(concentration, Mapping):
        concentration = keras.saving.deserialize_keras_object(concentration)
    if isinstance(concentration, keras.optimizers.schedules.LearningRateSchedule):
        check_schedule(owner, "concentration", concentration)
        return concentration
    if isinstance(concentration, keras.layers.Layer):
        return concentration
    return check_number(
        owner,
        "concentration",
        concentration,
        alternative=" for a fixed concentration, 'learned', 'shared', a schedule such as tf_vmf.layers.LinearSchedule, or a layer "
        "such as tf_vmf.layers.LearnedConcentration(initial=50.0)",
    )
