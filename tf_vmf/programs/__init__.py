"""Programs as configurations and functions: `DocumentConfig` holds the options of a run, `train_documents` makes it.

The configurations import no TensorFlow; the functions are imported on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tf_vmf.programs.components import make_latent, make_optimizer
    from tf_vmf.programs.export import export_model, serve_export
    from tf_vmf.programs.predict import predict_texts
    from tf_vmf.programs.prepare import prepare_corpus
    from tf_vmf.programs.run import Run
    from tf_vmf.programs.sweep import Sweep, run_sweep
    from tf_vmf.programs.topics import find_topics
    from tf_vmf.programs.train import train_documents, train_sentences

_FUNCTIONS = {
    "Run": "run",
    "Sweep": "sweep",
    "export_model": "export",
    "find_topics": "topics",
    "make_latent": "components",
    "make_optimizer": "components",
    "predict_texts": "predict",
    "prepare_corpus": "prepare",
    "run_sweep": "sweep",
    "serve_export": "export",
    "train_documents": "train",
    "train_sentences": "train",
}

__all__ = [
    "Run",
    "Sweep",
    "export_model",
    "find_topics",
    "make_latent",
    "make_optimizer",
    "predict_texts",
    "prepare_corpus",
    "run_sweep",
    "serve_export",
    "train_documents",
    "train_sentences",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _FUNCTIONS:
            raise AttributeError(
                f"module 'tf_vmf.programs' has no attribute {name!r}. Its names are {', '.join(__all__)}."
            )
        from tf_vmf import _backend  # noqa: F401  (first: Keras must have the right backend)

        return getattr(importlib.import_module(f"tf_vmf.programs.{_FUNCTIONS[name]}"), name)
