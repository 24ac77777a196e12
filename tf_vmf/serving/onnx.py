"""ONNX files of the endpoints that ONNX can hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf._optional import optional
from tf_vmf.files import write_atomically
from tf_vmf.models import LSTMVAE, VariationalAutoencoder
from tf_vmf.serving.endpoint import encodings
from tf_vmf.serving.export import model_endpoints

ONNX_ENDPOINTS = ("encode", "score")

_OTHERS = "For the others use tf_vmf.serving.export."


def export_onnx(model: VariationalAutoencoder, path: str | Path, endpoint: str = "encode", opset: int = 17) -> Path:
    """Writes one endpoint as an ONNX file, for ONNX Runtime and other runtimes without TensorFlow.

    - "encode": the model's input to the parameters of q(z|x) and its deterministic `code`.
    - "score", of a document model or a VAE: x and codes z (batch, latent_dim) to `nll` = -log p(x|z) and `kl`, nats, both of shape
      (batch,). Codes come from the caller - `code` from "encode", or samples around it - because ONNX has no random numbers
      that a seed repeats. (tf2onnx 1.17 turns the sentence decoder's loop into one whose shapes ONNX Runtime refuses.)

    Args:
        model: A trained model with a latent variable.
        path: The file to write.
        endpoint: "encode" or "score".
        opset: Version of ONNX's operators.

    Returns:
        The path.

    Raises:
        ModuleNotFoundError: tf2onnx is not installed.
        ValueError: ONNX cannot hold the endpoint, or the model has no latent variable or is conditional.
    """
    if endpoint not in ONNX_ENDPOINTS:
        raise ArgumentError(
            "endpoint",
            f"one of {', '.join(ONNX_ENDPOINTS)}, as strings, random numbers with a seed and word-by-word generation have no "
            "operators in ONNX",
            repr(endpoint),
            _OTHERS,
            owner="export_onnx",
        )
    if model.latent is None:
        raise ArgumentError("model", "a model with a latent variable", "latent=None", owner="export_onnx")
    if getattr(model, "num_labels", 0) or getattr(model, "bag_of_words_units", 0):
        raise ArgumentError(
            "model", "one that is not conditional", "one that is", "Use tf_vmf.serving.export.", owner="export_onnx"
        )
    if endpoint == "score" and isinstance(model, LSTMVAE):
        raise ArgumentError(
            "endpoint",
            "'encode' of a sentence model, whose loop over words does not convert",
            "'score'",
            _OTHERS,
            owner="export_onnx",
        )
    if endpoint == "score" and model.latent.learned_prior is not None:
        raise ArgumentError(
            "endpoint",
            "'encode' of a model with a learned prior, whose KL is taken at random codes",
            "'score'",
            _OTHERS,
            owner="export_onnx",
        )
    served = model_endpoints(model)
    x = served.encode_endpoint().signature()
    with optional("onnx", "ONNX files"):
        import tf2onnx

    def encode(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return encodings(model, x)

    def score(x: tf.Tensor, z: tf.Tensor) -> dict[str, tf.Tensor]:
        kl = model.latent.kl_divergence(model.posterior_parameters(x))
        return {"nll": -model.reconstruction_log_prob(x, z[tf.newaxis])[0], "kl": kl}

    signature = x if endpoint == "encode" else [*x, tf.TensorSpec(served.codes.shape, served.codes.dtype, "z")]
    function = tf.function({"encode": encode, "score": score}[endpoint], input_signature=signature, autograph=False)
    proto, _ = tf2onnx.convert.from_function(
        function, signature, opset=opset, custom_op_handlers={"Log1p": (_log1p, []), "Expm1": (_expm1, [])}
    )
    write_atomically(path, lambda temporary: temporary.write_bytes(proto.SerializeToString()))
    return Path(path)


def _log1p(graph: Any, node: Any, name: str, arguments: list[Any]) -> None:
    # ONNX has no log1p. Counts are integers, for which log(1 + x) is as exact.
    del arguments
    one = graph.make_const(f"{name}_one", np.array(1.0, np.float32))
    graph.insert_new_node_on_input(node, "Add", [node.input[0], one.output[0]])
    node.type = "Log"
    node.domain = ""


def _expm1(graph: Any, node: Any, name: str, arguments: list[Any]) -> None:
    # Nor expm1, which the Gaussian's KL has: exp(x) - 1 is right to 1e-7 absolutely.
    del arguments
    one = graph.make_const(f"{name}_one", np.array(1.0, np.float32))
    node.type = "Exp"
    node.domain = ""
    graph.insert_new_node_on_output(
        "Sub", node.output[0], name=f"{name}_minus_one", inputs=[node.output[0], one.output[0]]
    )
