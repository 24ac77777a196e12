"""Programs as configurations and functions: `DocumentConfig` holds the options of a run, `train_documents` makes it.

The configurations import neither TensorFlow nor anything else of the package; the functions are imported on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tf_vmf.programs.components import make_latent, make_optimizer
    from tf_vmf.programs.documents import train_documents
    from tf_vmf.programs.run import Run
    from tf_vmf.programs.sentences import train_sentences

_FUNCTIONS = {
    "Run": "run",
    "make_latent": "components",
    "make_optimizer": "components",
    "train_documents": "documents",
    "train_sentences": "sentences",
}

__all__ = ["Run", "make_latent", "make_optimizer", "train_documents", "train_sentences"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _FUNCTIONS:
            raise AttributeError(
                f"module 'tf_vmf.programs' has no attribute {name!r}. Its names are {', '.join(__all__)}."
            )
        from tf_vmf import _backend  # noqa: F401  (first: Keras must have the right backend)

        return getattr(importlib.import_module(f"tf_vmf.programs.{_FUNCTIONS[name]}"), name)
