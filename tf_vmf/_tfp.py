"""TensorFlow Probability, imported where something of it is first used: that takes seconds, which training does without."""

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    return getattr(importlib.import_module("tensorflow_probability"), name)
