"""The service beside the manual of TensorFlow Serving's REST interface (tensorflow.org/tfx/serving/api_rest)."""

import base64
import gzip
import json

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import meta_graph_pb2

from tests.serving.plain_exports import save_plain
from tf_vmf import serving

testclient = pytest.importorskip("fastapi.testclient")

MODEL = "/v1/models/half"
LABELS = ["negative", "positive", "näutral"]


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    path = save_plain(tmp_path_factory.mktemp("exports") / "123")
    (path / "assets.extra").mkdir()
    (path / "assets.extra" / "labels.json").write_text(json.dumps(LABELS), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def client(export):
    limits = serving.Limits(
        body_bytes=50_000, examples=100, answer_numbers=2_000, products={("rows", "num_samples"): 50}
    )
    app = serving.make_app(serving.Served(export, limits), "half", version_labels=("stable", "canary"))
    with testclient.TestClient(app) as client:
        yield client


def post(client, path=f"{MODEL}:predict", **request):
    return client.post(path, json=request)


VERSIONS = ["", "/versions/123", "/labels/stable", "/labels/canary"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_manuals_prediction_is_answered_as_the_manual_says(client, version):
    answer = client.post(f"{MODEL}{version}:predict", content='{"instances": [1.0,2.0,5.0]}')
    assert (answer.status_code, answer.json()) == (200, {"predictions": [3.5, 4.0, 5.5]})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_manuals_status_is_answered_as_the_manual_says(client, version):
    status = {"version": "123", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert client.get(MODEL + version).json() == {"model_version_status": [status]}


@pytest.mark.parametrize("version", VERSIONS)
def test_metadata_are_the_signatures_of_the_saved_model_as_protocol_buffers(client, version):
    answer = client.get(f"{MODEL}{version}/metadata").json()
    assert answer["model_spec"] == {"name": "half", "signature_name": "", "version": "123"}
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    parsed = json_format.ParseDict(signatures["serving_default"], meta_graph_pb2.SignatureDef())
    assert parsed.method_name == "tensorflow/serving/predict"
    assert parsed.inputs["x"].dtype == tf.float32.as_datatype_enum
    assert [dim.size for dim in parsed.inputs["x"].tensor_shape.dim] == [-1]
    assert signatures["echo_numbers"]["inputs"]["x"]["tensor_shape"]["dim"] == [
        {"size": "-1", "name": ""},
        {"size": "2", "name": ""},
    ]
    assert signatures["repeat"]["inputs"]["num_points"]["tensor_shape"] == {"dim": [], "unknown_rank": False}
    assert "__saved_model_init_op" not in signatures
    assert answer["metadata"]["labels"] == LABELS


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/models/other:predict"),
        ("POST", f"{MODEL}/versions/7:predict"),
        ("POST", f"{MODEL}/labels/other:predict"),
        ("GET", "/v1/models/other"),
        ("GET", f"{MODEL}/versions/7"),
        ("GET", f"{MODEL}/labels/other/metadata"),
        ("GET", f"{MODEL}/"),
        ("POST", f"{MODEL}:classify"),
    ],
)
def test_a_model_version_or_verb_that_there_is_not_is_404_with_an_error(client, method, path):
    answer = client.request(method, path, content='{"instances": [1.0,5.0]}')
    assert answer.status_code == 404
    assert list(answer.json()) == ["error"]
    assert path in answer.json()["error"]


def test_rows_and_columns_of_several_inputs_are_answered_in_their_own_format(client):
    rows = [{"x": [1.0, 2.0], "k": 3}, {"x": [4.5, -1.0], "k": -7}]
    answer = post(client, signature_name="echo_numbers", instances=rows)
    assert answer.json() == {"predictions": rows}
    columns = {"x": [[1.0, 2.0], [4.5, -1.0]], "k": [3, -7]}
    answer = post(client, signature_name="echo_numbers", inputs=columns)
    assert answer.json() == {"outputs": columns}


def test_inputs_of_different_lengths_scalars_booleans_and_wide_integers_are_columns(client):
    columns = {"big": [[2**62, -(2**62)], [1, 2], [3, 4]], "flags": [[True], [False]], "scale": 0.5}
    assert post(client, signature_name="echo_columns", inputs=columns).json() == {"outputs": columns}


def test_an_output_without_rows_is_answered_to_columns_only(client):
    assert post(client, signature_name="total", inputs=[1, 2]).json() == {"outputs": 3.0}
    answer = post(client, signature_name="total", instances=[1, 2])
    assert answer.status_code == 400
    assert "give `inputs`" in answer.json()["error"]


def test_an_empty_signature_name_is_the_default(client):
    assert post(client, signature_name="", inputs={"x": [1]}).json() == {"outputs": [3.5]}
    assert post(client, instances=[{"x": 1}]).json() == {"predictions": [3.5]}


def test_strings_come_back_whole_and_those_named_bytes_in_base64(client):
    texts = ["", "näive ☃ \U0001d518", "a\0b\0", '"quoted"\\', {"b64": base64.b64encode("ü".encode()).decode()}]
    answer = post(client, signature_name="echo_text", instances=texts).json()["predictions"]
    expected = [*texts[:4], "ü"]
    assert [row["texts"] for row in answer] == expected
    decoded = [base64.b64decode(row["texts_bytes"]["b64"]).decode() for row in answer]
    assert decoded == expected


def test_numbers_that_are_not_finite_are_written_as_the_manual_says(client):
    answer = post(client, signature_name="logarithm", instances=[0.0, -1.0])
    assert answer.text.replace(" ", "") == '{"predictions":[-Infinity,NaN]}'


def test_numbers_keep_their_value(client):
    x = np.random.default_rng(0).standard_normal((50, 2)).astype(np.float32) * np.float32(1e20)
    answer = post(client, signature_name="echo_numbers", inputs={"x": x.tolist(), "k": [0]}).json()
    np.testing.assert_array_equal(np.array(answer["outputs"]["x"], np.float32), x)
    whole = post(client, instances=[10**30, 1e-3]).json()["predictions"]
    np.testing.assert_allclose(whole, [5e29, 3.0005], rtol=1e-6)


def test_a_body_and_an_answer_may_be_compressed(client):
    body = json.dumps({"instances": list(range(100))}).encode()
    headers = {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
    answer = client.post(f"{MODEL}:predict", content=gzip.compress(body), headers=headers)
    assert answer.json()["predictions"] == [i * 0.5 + 3 for i in range(100)]
    assert "content-encoding" not in answer.headers  # too small to gain from it
    texts = ["word " * 100] * 50
    for accepted, encoding in (("gzip", "gzip"), ("gzip;q=0", None), ("identity", None), ("br, gzip;q=0.5", "gzip")):
        answer = client.post(
            f"{MODEL}:predict",
            json={"signature_name": "echo_text", "inputs": texts},
            headers={"Accept-Encoding": accepted},
        )
        assert answer.headers.get("content-encoding") == encoding
        assert answer.json()["outputs"]["texts"] == texts


@pytest.mark.parametrize(
    ("encoding", "body", "status", "message"),
    [
        ("br", b"{}", 415, "expected gzip or identity"),
        ("gzip", b'{"instances": [1]}', 400, "compressed by gzip"),
        ("gzip", gzip.compress(b'{"instances": [1]}', mtime=0)[:-9], 400, "ends too early"),
        ("gzip", gzip.compress(b"{}") + b"x", 400, "follows its end"),
        ("gzip", b"", 400, "ends too early"),
        ("gzip", gzip.compress(b" " * 10_000_000), 413, "at most 50,000 bytes"),
    ],
    ids=["unknown", "plain", "short", "long", "empty", "large"],  # a compressed body holds the time
)
def test_a_compressed_body_that_is_damaged_or_swells_is_refused(client, encoding, body, status, message):
    answer = client.post(f"{MODEL}:predict", content=body, headers={"Content-Encoding": encoding})
    assert answer.status_code == status
    assert message in answer.json()["error"]


@pytest.mark.parametrize("labels", [["positive", "näutral", "negative"], [1, 2, 0], ["positive", 2, "negative"]])
def test_labels_may_be_names_or_numbers(client, labels):
    answer = post(client, signature_name="echo_labels", inputs={"labels": labels})
    assert answer.json() == {"outputs": [1, 2, 0]}


@pytest.mark.parametrize("label", ["neutral", "", 3, -1, 10**30, 1.0, None, True, ["positive"], {"b64": "AA=="}])
def test_a_label_that_there_is_not_is_refused_by_name(client, label):
    answer = post(client, signature_name="echo_labels", instances=[label])
    assert answer.status_code == 400
    assert "'labels'" in answer.json()["error"]


def test_names_of_labels_are_refused_where_the_export_holds_none(export, tmp_path):
    served = serving.Served(save_plain(tmp_path / "export"))
    assert served.version == 1
    assert served.predict({"signature_name": "echo_labels", "inputs": [5]}) == {"outputs": [5]}
    with pytest.raises(serving.RequestError, match="holds no names of labels"):
        served.predict({"signature_name": "echo_labels", "inputs": ["positive"]})
    (tmp_path / "export" / "assets.extra").mkdir()
    for text in ('["a", "a"]', "{", '{"a": 1}', "[1]", "[]"):
        (tmp_path / "export" / "assets.extra" / "labels.json").write_text(text)
        with pytest.raises(ValueError, match=r"expected a JSON list of .*names in .*labels\.json"):
            serving.Served(tmp_path / "export")


def test_what_would_take_too_long_or_grow_too_large_is_refused_before_it_is_computed(client):
    def repeat(rows, num_points, num_samples):
        columns = {"x": [1.0] * rows, "num_points": num_points, "num_samples": num_samples}
        return post(client, signature_name="repeat", inputs=columns)

    assert np.shape(repeat(40, 50, 1).json()["outputs"]) == (40, 50)
    large = repeat(41, 50, 1)
    assert (large.status_code, "2,050 numbers" in large.json()["error"]) == (413, True)
    long = repeat(11, 1, 5)
    assert (long.status_code, "rows times num_samples to be at most 50" in long.json()["error"]) == (413, True)
    wrong = repeat(1, 0, 1)
    assert (wrong.status_code, wrong.json()["error"]) == (400, "num_points must be >= 1. Received: 0")
