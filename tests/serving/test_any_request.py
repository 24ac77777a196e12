"""Whatever is sent to the service, the answer is right or says what was wrong with the request."""

import contextlib
import gzip
import json
import math
import socket
import time

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.random_cases import many
from tests.serving.plain_exports import save_plain
from tests.serving.running import running
from tf_vmf import serving
from tf_vmf.layers import VonMisesFisherLatent
from tf_vmf.models import LSTMVAE, BagOfWordsVAE
from tf_vmf.text import DocumentVectorization, SentenceVectorization

testclient = pytest.importorskip("fastapi.testclient")

PATH = "/v1/models/model:predict"
QUICK, MANY = 25, many(200)
INPUTS = ["x", "k", "big", "flags", "scale", "texts", "labels", "num_points", "num_samples"]


def examples(number):
    # The fixture is an application without state of its own.
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=number, deadline=None, suppress_health_check=checks)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    limits = serving.Limits(body_bytes=20_000, text_bytes=500, examples=20, answer_numbers=1_000)
    return serving.Served(save_plain(tmp_path_factory.mktemp("exports") / "1"), limits)


@pytest.fixture(scope="module")
def client(served):
    with testclient.TestClient(serving.make_app(served)) as client:  # raises what the application raises
        yield client


# Lone surrogates and NUL are among the characters: JSON can hold them all.
texts = st.text(st.characters(exclude_categories=()), max_size=20)
numbers = st.one_of(
    st.integers(-3, 5),
    st.integers(),
    st.floats(),
    st.sampled_from([2**31, -(2**31) - 1, 2**63, 10**400, 1e39, -0.0, math.nan, math.inf]),
)
scalars = st.one_of(numbers, st.booleans(), st.none(), texts, st.builds(lambda text: {"b64": text}, texts | numbers))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=3), max_leaves=12
)
names = st.sampled_from(
    ["serving_default", "", "echo_numbers", "echo_columns", "echo_text", "echo_labels", "repeat", "total"]
)
rows = st.lists(values, max_size=5) | st.lists(st.dictionaries(st.sampled_from(INPUTS), values, max_size=4), max_size=4)
columns = st.dictionaries(st.sampled_from(INPUTS), values, max_size=4)
requests = st.one_of(
    values,
    st.fixed_dictionaries(
        {}, optional={"signature_name": names | values, "instances": rows | values, "inputs": columns | values}
    ),
)


def nested(depth, character):
    return (character * depth).encode()


bodies = st.one_of(
    requests.map(lambda request: json.dumps(request).encode()),
    requests.map(lambda request: json.dumps(request, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    st.sampled_from(["utf-16", "utf-32", "latin-1"]).map(lambda encoding: '{"instances": ["ü"]}'.encode(encoding)),
    st.binary(max_size=200),
    st.integers(1, 9_000).map(lambda depth: b'{"instances": ' + nested(depth, "[")),
    st.integers(1, 9_000).map(lambda depth: b'{"instances": ' + nested(depth, "[") + nested(depth, "]") + b"}"),
    st.integers(1, 3_000).map(lambda depth: nested(depth, '{"a":') + b"1" + nested(depth, "}")),
    st.integers(1, 25_000).map(lambda size: b'{"instances": [' + b"9" * size + b"]}"),
    st.integers(1, 25_000).map(lambda size: b'{"instances": [' + b"1," * (size // 2) + b"1]}"),
)
encodings = st.sampled_from([None, None, None, "", "identity", "gzip", "GZIP ", "br", "gzip, gzip", "x"])
other_headers = st.dictionaries(
    st.sampled_from(["Content-Type", "Accept", "Accept-Encoding", "Origin", "X-Forwarded-For", "Range", "Expect"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(str.strip),
    max_size=3,
)


def check_any_body(client, body, encoding, headers, compress):
    if encoding is not None:
        headers = {**headers, "Content-Encoding": encoding.strip()}
        body = gzip.compress(body) if compress else body
    answer = client.post(PATH, content=body, headers=headers)
    assert answer.status_code in (200, 400, 413, 415)
    if answer.status_code == 200:
        assert set(answer.json()) <= {"predictions", "outputs"}
    else:
        assert list(answer.json()) == ["error"]
        assert len(answer.json()["error"]) > 10


@given(bodies, encodings, other_headers, st.booleans())
@examples(QUICK)
def test_any_body_is_answered_or_refused(client, body, encoding, headers, compress):
    check_any_body(client, body, encoding, headers, compress)


@pytest.mark.slow
@given(bodies, encodings, other_headers, st.booleans())
@examples(MANY)
def test_many_bodies_are_answered_or_refused(client, body, encoding, headers, compress):
    check_any_body(client, body, encoding, headers, compress)


floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
pairs = st.lists(
    st.tuples(st.lists(floats, min_size=2, max_size=2), st.integers(-(2**31), 2**31 - 1)), min_size=1, max_size=20
)


def check_numbers_come_back(client, drawn):
    columns = {"x": [x for x, _ in drawn], "k": [k for _, k in drawn]}
    answer = client.post(PATH, json={"signature_name": "echo_numbers", "inputs": columns}).json()["outputs"]
    np.testing.assert_array_equal(np.float32(answer["x"]), np.float32(columns["x"]))
    assert answer["k"] == columns["k"]
    rows = [{"x": x, "k": k} for x, k in drawn]
    predictions = client.post(PATH, json={"signature_name": "echo_numbers", "instances": rows}).json()["predictions"]
    assert predictions == [dict(zip(answer, row, strict=True)) for row in zip(*answer.values(), strict=True)]


def check_text_comes_back(client, drawn):
    whole = [text for text in drawn if not any(0xD800 <= ord(character) < 0xE000 for character in text)]
    answer = client.post(PATH, content=json.dumps({"signature_name": "echo_text", "inputs": drawn}))
    if whole == drawn:
        assert answer.json()["outputs"]["texts"] == drawn
    else:
        assert answer.status_code == 400
        assert "not UTF-8" in answer.json()["error"]


@given(pairs)
@examples(QUICK)
def test_numbers_come_back_as_they_were_sent(client, drawn):
    check_numbers_come_back(client, drawn)


@given(st.lists(texts, min_size=1, max_size=5))
@examples(QUICK)
def test_text_comes_back_as_it_was_sent(client, drawn):
    check_text_comes_back(client, drawn)


@pytest.mark.slow
@given(pairs, st.lists(texts, min_size=1, max_size=20))
@examples(MANY)
def test_much_comes_back_as_it_was_sent(client, numbers, texts):
    check_numbers_come_back(client, numbers)
    check_text_comes_back(client, texts)


methods = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
parts = st.sampled_from(
    ["v1", "models", "model", "versions", "1", "labels", "stable", "metadata", "model:predict", "", "..", "%00", "%ff"]
)
paths = st.lists(parts, max_size=7).map("/".join) | st.text(
    st.characters(min_codepoint=33, max_codepoint=126), max_size=20
)


@given(methods, paths)
@examples(QUICK)
def test_any_path_is_answered_or_refused(client, method, path):
    answer = client.request(method, "/" + path.lstrip("/").replace("#", "").replace("?", ""))
    assert answer.status_code in (200, 400, 404, 405)
    if answer.status_code >= 400 and method != "HEAD":
        assert list(answer.json()) == ["error"]


@pytest.fixture(scope="module")
def address(served):
    with running(serving.make_app(served)) as url:
        host, port = url.removeprefix("http://").split(":")
        yield host, int(port)


@pytest.mark.slow
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5))
@examples(MANY)
def test_bytes_that_are_no_http_leave_the_service_up(address, chunks):
    with contextlib.suppress(ConnectionError), socket.create_connection(address, timeout=20) as connection:
        for chunk in (b"POST " + PATH.encode() + b" HTTP/1.1\r\n", *chunks):
            connection.sendall(chunk)
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


WORDS = ["star", "planet", "orbit", "bread"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Services over exports of a document model and of a conditional sentence model."""
    folder = tmp_path_factory.mktemp("models")
    latent = VonMisesFisherLatent(3, concentration=10.0, seed=1)
    documents = BagOfWordsVAE(4, latent, encoder_units=(8,), decoder_units=(), seed=1)
    serving.export(documents, folder / "documents", DocumentVectorization(WORDS, tokenization="words"))
    latent = VonMisesFisherLatent(3, concentration=10.0, seed=1)
    sentences = LSTMVAE(7, latent, embedding_dim=4, hidden_units=8, num_labels=2, seed=1)
    vectorizer = SentenceVectorization(["<pad>", "<eos>", "<unk>", *WORDS], tokenization="words")
    serving.export(sentences, folder / "sentences", vectorizer)
    limits = serving.Limits(text_bytes=500, examples=20, numbers={name: 20 for name in serving.Limits().numbers})
    both = [serving.Served(folder / name, limits) for name in ("documents", "sentences")]
    with (
        testclient.TestClient(serving.make_app(both[0])) as first,
        testclient.TestClient(serving.make_app(both[1])) as second,
    ):
        yield list(zip(both, (first, second), strict=True))


def of_spec(spec):
    """Values of a dtype and about the right shape, and some that are neither."""
    if spec.dtype == tf.string:
        item = texts | st.lists(st.sampled_from([*WORDS, "\0", "."]), max_size=6).map(" ".join)
    elif spec.dtype == tf.int32:
        item = st.integers(-1, 22) | st.integers(-(2**31), 2**31 - 1)
    else:
        item = st.floats(0, 2, width=32) | st.floats(allow_nan=False, allow_infinity=False, width=32)
    for dimension in reversed(spec.shape):
        sizes = {"min_size": dimension, "max_size": dimension} if dimension else {"max_size": 4}
        item = st.lists(item, **sizes)
    unit = st.sampled_from([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.6, 0.0, 0.8]])
    if spec.dtype == tf.float32 and spec.shape.as_list() == [None, 3]:
        item = item | st.lists(unit, min_size=1, max_size=4)
    return st.one_of(item, item, item, values)


@pytest.mark.slow
@given(st.data())
@examples(3 * MANY)
def test_any_values_of_any_endpoint_of_a_model_are_answered_or_refused(models, data):
    served, client = data.draw(st.sampled_from(models))
    name = data.draw(st.sampled_from(sorted(served.signatures)))
    inputs = {key: data.draw(of_spec(spec), key) for key, spec in served.inputs[name].items()}
    body = json.dumps({"signature_name": name, "inputs": inputs})
    answer = client.post(PATH, content=body)
    assert answer.status_code in (200, 400, 413)
    if answer.status_code == 200:
        flat = str(answer.json()["outputs"])
        assert "nan" not in flat
    else:
        assert len(answer.json()["error"]) > 10


def test_a_body_that_does_not_arrive_is_given_up(served):
    hasty = serving.Served(served.path, serving.Limits(body_seconds=0.2))
    with running(serving.make_app(hasty)) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n".encode() + b'{"inst')
            assert connection.recv(1000).startswith(b"HTTP/1.1 408")
        with socket.create_connection((host, int(port)), timeout=20) as connection:  # and one that is broken off
            connection.sendall(f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n".encode() + b'{"inst')
        time.sleep(0.3)
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
