"""Serving: one SavedModel with named endpoints, which needs neither this package nor TensorFlow Probability."""

from tf_vmf.serving.export import endpoints, export
from tf_vmf.serving.model_card import model_card

__all__ = ["endpoints", "export", "model_card"]
