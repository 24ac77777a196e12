"""Distributions on the unit sphere, for TensorFlow Probability.

TensorFlow Probability is imported when a class is first used (PEP 562), not with this package.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tf_vmf.distributions.uniform_norm_von_mises_fisher import UniformNormVonMisesFisher
    from tf_vmf.distributions.von_mises_fisher import VonMisesFisher

_MODULES = {
    "UniformNormVonMisesFisher": "uniform_norm_von_mises_fisher",
    "VonMisesFisher": "von_mises_fisher",
}

__all__ = ["UniformNormVonMisesFisher", "VonMisesFisher"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"tf_vmf.distributions.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'tf_vmf.distributions' has no attribute {name!r}. It has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return sorted(__all__)
