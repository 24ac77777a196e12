"""tf_vmf: latent variables on the hypersphere for TensorFlow and Keras 3.

Subpackages are imported on first use (PEP 562), so that `import tf_vmf` costs neither TensorFlow nor Keras. Classes are registered
with Keras as soon as a program imports keras, before or after tf_vmf: `keras.saving.load_model` then reads every file that the
package saves.

Public are the names in `__all__`, here and in the sub-packages, and the module `seeds`. All other modules are internal, with or
without a leading underscore: the place of a name in them may change.
"""

import difflib
import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import wrapt

from tf_vmf.version import __version__

if TYPE_CHECKING:
    from tf_vmf import (
        data,
        distributions,
        evaluation,
        layers,
        losses,
        math,
        models,
        programs,
        report,
        serving,
        text,
        topics,
        training,
    )
    from tf_vmf.distributions import SphericalKMeans, VonMisesFisherMixture
    from tf_vmf.topics import TopicModel

# Classes that have no better place than the top level, and where they are defined.
_CLASSES = {
    "SphericalKMeans": "tf_vmf.distributions",
    "TopicModel": "tf_vmf.topics",
    "VonMisesFisherMixture": "tf_vmf.distributions",
}

__all__ = [
    "SphericalKMeans",
    "TopicModel",
    "VonMisesFisherMixture",
    "__version__",
    "data",
    "distributions",
    "evaluation",
    "layers",
    "losses",
    "math",
    "models",
    "programs",
    "report",
    "serving",
    "text",
    "topics",
    "training",
]

_SUBPACKAGES = tuple(name for name in __all__ if name not in ("__version__", *_CLASSES))

if not TYPE_CHECKING:  # a type checker would take any name of a module with __getattr__ for granted

    def __getattr__(name: str) -> Any:
        if name in (*_SUBPACKAGES, "seeds"):
            return importlib.import_module(f"tf_vmf.{name}")
        if name in _CLASSES:
            return getattr(importlib.import_module(_CLASSES[name]), name)
        closest = difflib.get_close_matches(name, __all__, 1)
        hint = f"Did you mean {closest[0]!r}?" if closest else f"Its names are {', '.join(__all__)}."
        raise AttributeError(f"module 'tf_vmf' has no attribute {name!r}. {hint}", name=name)


def __dir__() -> list[str]:
    return sorted(__all__)


def _register(imported: ModuleType) -> None:
    """Imports what registers all classes with Keras, once keras is imported and none of ours is half imported."""
    loading = [
        name
        for name, module in sys.modules.items()
        if name.startswith("tf_vmf.") and module is not imported and getattr(module.__spec__, "_initializing", False)
    ]
    keras = sys.modules.get("keras")
    if keras is not None and not loading and keras.config.backend() == "tensorflow":
        importlib.import_module("tf_vmf.models")
        importlib.import_module("tf_vmf.losses")


# Keras finds custom classes only where they have been imported. Ours may be the first to import keras: then their own hook does it.
for _name in ("keras", *(f"tf_vmf.{subpackage}" for subpackage in _SUBPACKAGES)):
    wrapt.register_post_import_hook(_register, _name)
