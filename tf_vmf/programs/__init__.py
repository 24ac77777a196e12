"""Programs as configurations and functions: `DocumentConfig` holds the options of a run, `train_documents` makes it.

The configurations import no TensorFlow; the functions are imported on first use.
"""

from typing import TYPE_CHECKING

from tf_vmf._lazy import lazy_names

if TYPE_CHECKING:
    from tf_vmf.programs.components import make_latent, make_optimizer
    from tf_vmf.programs.export import export_model, prepare_corpus, serve_export
    from tf_vmf.programs.predict import predict_texts
    from tf_vmf.programs.run import Run
    from tf_vmf.programs.sweep import Sweep, run_sweep
    from tf_vmf.programs.topics import find_topics
    from tf_vmf.programs.train import train_documents, train_sentences

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
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "components": ["make_latent", "make_optimizer"],
            "export": ["export_model", "prepare_corpus", "serve_export"],
            "predict": ["predict_texts"],
            "run": ["Run"],
            "sweep": ["Sweep", "run_sweep"],
            "topics": ["find_topics"],
            "train": ["train_documents", "train_sentences"],
        },
        first="tf_vmf._backend",  # Keras must have the right backend
    )
