"""ONNX files in ONNX Runtime, against the model in Python."""

import numpy as np
import pytest

from tests.parameters import quick
from tf_vmf import serving
from tf_vmf.layers import GaussianLatent, VonMisesFisherLatent
from tf_vmf.models import LSTMVAE, BagOfWordsVAE

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")

MODELS = {
    "documents": lambda: BagOfWordsVAE(12, VonMisesFisherLatent(5, concentration="learned", seed=1), encoder_units=(8, 8), seed=1),
    "documents, Gaussian": lambda: BagOfWordsVAE(12, GaussianLatent(5, seed=1), encoder_units=(8,), seed=1),
    "sentences": lambda: LSTMVAE(15, VonMisesFisherLatent(4, concentration=20.0, seed=1), embedding_dim=6, hidden_units=8, seed=1),
}  # fmt: skip


@pytest.mark.parametrize("name", quick(2, ["documents", "sentences", "documents, Gaussian"]))
def test_onnx_runtime_encodes_and_scores_as_the_model_does(name, tmp_path):
    model = MODELS[name]()
    rng = np.random.default_rng(0)
    endpoints = ("encode",) if name == "sentences" else serving.ONNX_ENDPOINTS
    files = {e: serving.export_onnx(model, tmp_path / f"{e}.onnx", e) for e in endpoints}
    sessions = {e: onnxruntime.InferenceSession(str(f), providers=["CPUExecutionProvider"]) for e, f in files.items()}
    for rows, length in ((1, 3), (5, 11)):
        if name == "sentences":
            x = rng.integers(2, 15, (rows, length)).astype(np.int32)
            x[:, -1] = 1
            x[0, length // 2 :] = [1] + [0] * (length - length // 2 - 1)
            feed = {"tokens": x}
        else:
            x = rng.poisson(1.0, (rows, 12)).astype(np.float32)
            feed = {"counts": x}
        names = [output.name for output in sessions["encode"].get_outputs()]
        encoded = dict(zip(names, sessions["encode"].run(None, feed), strict=True))
        code = model.latent.code(model.posterior_parameters(x)).numpy()
        np.testing.assert_allclose(encoded["code"], code, rtol=1e-5, atol=1e-5)
        if "score" not in sessions:
            continue
        names = [output.name for output in sessions["score"].get_outputs()]
        scored = dict(zip(names, sessions["score"].run(None, {**feed, "z": code}), strict=True))
        np.testing.assert_allclose(
            scored["nll"], -model.reconstruction_log_prob(x, code[None])[0], rtol=1e-5, atol=1e-5
        )
        np.testing.assert_allclose(scored["kl"], model.elbo_terms(x, np.int32([0, 0]))["kl"], rtol=1e-5)


def test_what_onnx_cannot_hold_is_said(tmp_path):
    with pytest.raises(ValueError, match=r"`endpoint` of export_onnx: .* no operators in ONNX\. Received: 'sample'"):
        serving.export_onnx(MODELS["documents"](), tmp_path / "x.onnx", "sample")
    with pytest.raises(ValueError, match=r"'encode' of a sentence model.*'score'"):
        serving.export_onnx(MODELS["sentences"](), tmp_path / "x.onnx", "score")
    with pytest.raises(ValueError, match="latent variable"):
        serving.export_onnx(LSTMVAE(9, None, embedding_dim=3, hidden_units=4), tmp_path / "x.onnx")
