"""The HTTP service, asked as TensorFlow Serving is asked."""

import base64
import json
import re
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
from prometheus_client.parser import text_string_to_metric_families

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
    served = serving.Served(path, limits)
    with testclient.TestClient(serving.make_app(served, "topics")) as client:
        client.served = served
        deadline = time.monotonic() + 60
        while client.get("/health/ready").status_code == 503 and time.monotonic() < deadline:
            time.sleep(0.05)  # it answers a first request of its own
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
        ({"signature_name": "encode", "instances": [[1, True, 2, 3]]}, 400, "Received: a boolean"),
        ({"signature_name": "encode", "instances": [[1, None, 2, 3]]}, 400, "Received: null"),
        ({"signature_name": "encode", "instances": [[[1], 0, 2, 3]]}, 400, "nested more than 2 deep"),
        ({"signature_name": "encode", "inputs": 3}, 400, "in place of a list"),
        ({"signature_name": ["encode"], "inputs": 3}, 400, "Unknown signature_name"),
        ({"signature_name": "encode", "inputs": {"\ud800": 3}}, 400, r"ud800"),
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
    answer = client.post(PREDICT, content=json.dumps(request_))
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


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/metrics", "/", "/v1/models/topics"])
def test_health_metrics_page_and_state_answer_get_and_head(client, method, path):
    answer = client.request(method, path)
    assert answer.status_code == 200
    assert bool(answer.content) == (method == "GET")


def test_the_schema_names_the_paths_and_what_is_missing_is_an_error(client):
    schema = client.get("/openapi.json").json()
    assert {PREDICT, "/v1/models/topics/versions/1:predict", "/metrics"} <= set(schema["paths"])
    for method, path, status in (("GET", "/v1/models/other", 404), ("DELETE", PREDICT, 405), ("GET", "/\0", 404)):
        other = client.request(method, path.replace("\0", "%00"))
        assert other.status_code == status
        assert list(other.json()) == ["error"]


def test_the_interface_is_described_without_a_request_to_another_machine(client):
    page = client.get("/docs").text
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page)
    assert len(addresses) >= 2
    assert "//" not in "".join(addresses)
    for address in addresses:
        assert client.get(address).status_code == 200


def test_the_service_is_alive_before_it_is_ready(model, client):
    class Slow:
        """An export whose first answer takes as long as the test wants."""

        def __init__(self, served):
            self._served, self.go_on = served, threading.Event()

        def __getattr__(self, name):
            return getattr(self._served, name)

        def warm_up(self):
            self.go_on.wait(60)

    slow = Slow(client.served)
    with testclient.TestClient(serving.make_app(slow)) as starting:
        assert starting.get("/health/live").status_code == 200
        answer = starting.get("/health/ready")
        assert answer.status_code == 503
        assert "first request" in answer.json()["error"]
        slow.go_on.set()
        while starting.get("/health/ready").status_code == 503:
            pass
        assert starting.get("/health/ready").json() == {"status": "ready"}


def test_metrics_count_requests_errors_and_time_by_endpoint(client):
    def values():
        text = client.get("/metrics").text
        families = text_string_to_metric_families(text)
        return {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}

    before = values()
    for _ in range(3):
        post(client, instances=["star"])
    post(client, signature_name="encode", inputs=[[1, 2]])
    post(client, signature_name="translate", inputs=[[1, 2]])
    client.post(PREDICT, content=b"x" * 30_000)
    counted = {key: value - before.get(key, 0) for key, value in values().items()}
    total = "tf_vmf_requests_total"
    assert counted[total, "200", "serving_default"] == 3
    assert counted[total, "400", "encode"] == 1
    assert counted[total, "400", "unknown"] == 1
    assert counted[total, "413", "unknown"] == 1
    assert counted["tf_vmf_request_seconds_count", "serving_default"] == 3
    assert counted["tf_vmf_request_seconds_sum", "serving_default"] > 0
    assert values()[("tf_vmf_requests_in_progress",)] == 0
    assert not any("translate" in key for key in counted)


def test_an_endpoints_own_check_comes_with_what_it_received(client):
    request = {"signature_name": "encode", "inputs": {"counts": [[-1.0, 0, 0, 2]]}}
    answer = client.post(PREDICT, json=request)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Counts must be finite numbers >= 0. Received: ")
    assert "-1" in answer.json()["error"]


@pytest.mark.parametrize("name", ["", "a/b", "a b", "{name}", "a:predict", "ü"])
def test_a_name_that_cannot_be_part_of_a_url_is_refused(client, name):
    with pytest.raises(ValueError, match="Argument `name`"):
        serving.make_app(client.served, name)
    with pytest.raises(ValueError, match="Argument `version_labels`"):
        serving.make_app(client.served, version_labels=[name])


def test_a_folder_without_an_export_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"trainers\.export"):
        serving.Served(tmp_path)
