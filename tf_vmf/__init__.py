"""tf_vmf: latent variables on the hypersphere for TensorFlow and Keras 3.

Subpackages are imported on first use (PEP 562), so that `import tf_vmf` costs neither TensorFlow Probability nor matplotlib.
"""

import importlib
import sys
from types import ModuleType

from tf_vmf.version import __version__

_SUBPACKAGES = (
    "analysis",
    "data",
    "distributions",
    "evaluation",
    "layers",
    "math",
    "models",
    "serving",
    "text",
    "training",
)

__all__ = ["__version__", *_SUBPACKAGES]


def __getattr__(name: str) -> ModuleType:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"tf_vmf.{name}")
    raise AttributeError(f"module 'tf_vmf' has no attribute {name!r}. Its subpackages are {', '.join(_SUBPACKAGES)}.")


def __dir__() -> list[str]:
    return sorted(__all__)


# `keras.saving.load_model` finds custom classes only once they are imported: a program that uses Keras gets them here. One that
# imports Keras later asks for `tf_vmf.models` (or `tf_vmf.layers`) before it loads a file.
if "keras" in sys.modules:
    importlib.import_module("tf_vmf.models")
