"""The learning-rate schedule of an optimizer, to be compared with that of a checkpoint."""

import json
from collections.abc import Mapping
from typing import Any

import keras


def learning_rate_schedule(optimizer: keras.optimizers.Optimizer) -> dict[str, Any] | None:
    """The learning-rate schedule of an optimizer as JSON holds it; None for a rate that is a number."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of a LossScaleOptimizer
    rate = optimizer.get_config()["learning_rate"]
    return json.loads(json.dumps(rate, default=str)) if isinstance(rate, dict) else None


def describe_schedule(schedule: Mapping[str, Any] | None) -> str:
    """A schedule in words: `CosineDecay(initial_learning_rate=0.1, decay_steps=10)`."""
    if schedule is None:
        return "a constant rate"
    arguments = ", ".join(f"{name}={value}" for name, value in schedule["config"].items() if name != "name")
    return f"{schedule['class_name']}({arguments})"
