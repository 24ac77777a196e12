"""Whole runs from a configuration: train or resume, measure, write model, metrics and report."""

from tf_vmf import _backend  # noqa: F401  (first: Keras must have the right backend)
from tf_vmf.runs.components import make_latent, make_optimizer
from tf_vmf.runs.documents import train_documents
from tf_vmf.runs.run import Run
from tf_vmf.runs.sentences import train_sentences

__all__ = ["Run", "make_latent", "make_optimizer", "train_documents", "train_sentences"]
