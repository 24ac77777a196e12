"""ONNX files of the endpoints that ONNX can hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf._optional import optional
from tf_vmf.files import write_atomically
from tf_vmf.models import LSTMVAE, VariationalAutoencoder
from tf_vmf.serving.endpoint import encodings
from tf_vmf.serving.endpoints import model_endpoints

ONNX_ENDPOINTS = ("encode", "score")


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
        raise ValueError(
            f"ONNX cannot hold endpoint {endpoint!r}: strings, random numbers with a seed and word-by-word generation have no "
            f"operators there. Expected one of: {', '.join(ONNX_ENDPOINTS)}. For the others use tf_vmf.serving.export."
        )
    if model.latent is None:
        raise ValueError("Argument `model`: expected a model with a latent variable. Received: latent=None.")
    if getattr(model, "num_labels", 0) or getattr(model, "bag_of_words_units", 0):
        raise ValueError("Argument `model`: expected one that is not conditional. Use tf_vmf.serving.export.")
    if endpoint == "score" and isinstance(model, LSTMVAE):
        raise ValueError(
            "ONNX cannot hold endpoint 'score' of a sentence model: its loop over words does not convert. Expected "
            "endpoint='encode'. For the others use tf_vmf.serving.export."
        )
    if endpoint == "score" and model.latent.learned_prior is not None:
        raise ValueError(
            "ONNX cannot hold endpoint 'score' of a model with a learned prior: its KL is taken at random codes. Expected "
            "endpoint='encode'. For the others use tf_vmf.serving.export."
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
