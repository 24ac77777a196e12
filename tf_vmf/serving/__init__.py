"""Serving: one SavedModel with named endpoints, which needs neither this package nor TensorFlow Probability."""

from tf_vmf import _backend  # noqa: F401  (first: Keras must have the right backend)
from tf_vmf.serving.export import endpoints, export
from tf_vmf.serving.model_card import model_card
from tf_vmf.serving.onnx import ONNX_ENDPOINTS, export_onnx
from tf_vmf.serving.requests import Limits, RequestError
from tf_vmf.serving.served import Served
from tf_vmf.serving.server import make_app, serve

__all__ = [
    "ONNX_ENDPOINTS",
    "Limits",
    "RequestError",
    "Served",
    "endpoints",
    "export",
    "export_onnx",
    "make_app",
    "model_card",
    "serve",
]
