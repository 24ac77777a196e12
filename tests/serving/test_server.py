"""The HTTP service, asked as TensorFlow Serving is asked."""

import base64
import json
import re

import numpy as np
import pytest
import tensorflow as tf

from tf_vmf import serving
from tf_vmf.layers import VonMisesFisherLatent
from tf_vmf.models import BagOfWordsVAE
from tf_vmf.text import DocumentVectorization

testclient = pytest.importorskip("fastapi.testclient")

PREDICT = "/v1/models/topics:predict"
WORDS = ["star", "planet", "orbit", "bread"]


@pytest.fixture(scope="module")
def model():
    latent = VonMisesFisherLatent(3, concentration=10.0, seed=1)
    return BagOfWordsVAE(4, latent, encoder_units=(8,), decoder_units=(), seed=1)


@pytest.fixture(scope="module")
def client(model, tmp_path_factory):
    vectorizer = DocumentVectorization(WORDS, tokenization="words")
    path = serving.export(model, tmp_path_factory.mktemp("exports") / "1", vectorizer)
    limits = serving.Limits(body_bytes=20_000, text_bytes=1_000, examples=8)
    with testclient.TestClient(serving.make_app(serving.Served(path, limits), "topics")) as client:
        yield client


def post(client, **request):
    return client.post(PREDICT, json=request)


def test_rows_of_text_get_a_prediction_each(client, model):
    answer = post(client, instances=["A star, a planet.", "", {"b64": base64.b64encode(b"orbit").decode()}])
    counts = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]], np.float32)
    expected = model.encode(counts).mean_direction.numpy()
    predictions = answer.json()["predictions"]
    np.testing.assert_allclose([row["mean_direction"] for row in predictions], expected, rtol=1e-6, atol=1e-6)


def test_columns_with_scalars_get_whole_tensors(client, model):
    counts = [[1.0, 2.0, 0.0, 0.0]]
    answer = post(client, signature_name="score", inputs={"counts": counts, "num_samples": 5, "seed": 3}).json()
    expected = model.log_likelihood(tf.constant(counts), 5, seed=3)
    np.testing.assert_allclose(answer["outputs"]["log_likelihood"], expected, rtol=1e-6)
    rows = post(client, signature_name="decode", instances=[{"z": [0, 1, 0]}, {"z": [1, 0, 0]}]).json()
    assert np.shape(rows["predictions"]) == (2, 4)


@pytest.mark.parametrize(
    ("request_", "status", "message"),
    [
        ({"instances": ["x"], "signature_name": "translate"}, 400, "Expected one of: decode"),
        ({"instances": []}, 400, "at least one row"),
        ({}, 400, "instances"),
        ({"instances": [1.5]}, 400, "expected string"),
        ({"instances": [{"b64": "/w=="}]}, 400, "not UTF-8"),
        ({"instances": ["x"] * 9}, 413, "1 to 8 rows"),
        ({"instances": ["x" * 1_001]}, 413, "at most 1,000 bytes"),
        ({"instances": ["x" * 30_000]}, 413, "at most 20,000 bytes"),
        ({"signature_name": "encode", "instances": [[1, 2]]}, 400, r"shape \[-1, 4\]"),
        ({"signature_name": "encode", "instances": [[1, 2, 3, 4], [1]]}, 400, "different lengths"),
        ({"signature_name": "encode", "instances": [["a", "b", "c", "d"]]}, 400, "expected float32"),
        ({"signature_name": "decode", "instances": [[2, 0, 0]]}, 400, "unit vectors"),
        ({"signature_name": "score", "instances": [[1, 0, 0, 0]]}, 400, "give `inputs`"),
        ({"signature_name": "score", "inputs": {"counts": [[1, 0, 0, 0]], "num_samples": 0, "seed": 0}}, 400, ">= 1"),
        ({"signature_name": "score", "inputs": {"counts": [[1, 0, 0, 0]], "num_samples": 10**6, "seed": 0}}, 400, "at most 1000"),
        ({"signature_name": "score", "inputs": {"counts": [[1, 0, 0, 0]], "num_samples": 1.5, "seed": 0}}, 400, "int32"),
        ({"signature_name": "score", "inputs": {"counts": [[1, 0, 0, 0]], "num_samples": 1, "seed": 2**40}}, 400, "outside"),
        ({"signature_name": "score", "inputs": {"counts": [[1, 0, 0, 0]]}}, 400, "counts, num_samples, seed"),
    ],
)  # fmt: skip
def test_a_bad_request_is_told_why_and_the_next_one_is_answered(client, request_, status, message):
    answer = client.post(PREDICT, json=request_)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert re.search(message, answer.json()["error"]), answer.json()
    assert post(client, instances=["star"]).status_code == 200


@pytest.mark.parametrize("body", [b"{", b'{"instances": ["\xff"]}', b"[1]", b"[" * 5_000])
def test_a_body_that_is_no_request_is_told_so(client, body):
    answer = client.post(PREDICT, content=body)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e60"])
def test_numbers_that_are_not_finite_are_refused(client, number):
    answer = client.post(PREDICT, content=f'{{"signature_name": "decode", "inputs": [[{number}, 0, 0]]}}')
    assert answer.status_code == 400
    assert "not finite" in answer.json()["error"]


def test_health_state_metadata_and_schema_are_there(client):
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/v1/models/topics").json()["model_version_status"][0]["state"] == "AVAILABLE"
    signatures = client.get("/v1/models/topics/metadata").json()["metadata"]["signature_def"]
    assert signatures["encode"]["inputs"]["counts"] == {"dtype": "float32", "shape": [-1, 4]}
    assert PREDICT in json.dumps(client.get("/openapi.json").json())
    other = client.get("/v1/models/other")
    assert other.status_code == 404
    assert "Not Found" in other.json()["error"]


def test_an_endpoints_own_check_comes_with_what_it_received(client):
    request = {"signature_name": "encode", "inputs": {"counts": [[-1.0, 0, 0, 2]]}}
    answer = client.post(PREDICT, json=request)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Counts must be finite numbers >= 0. Received: ")
    assert "-1" in answer.json()["error"]


def test_a_folder_without_an_export_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"trainers\.export"):
        serving.Served(tmp_path)
