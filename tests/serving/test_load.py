"""The service where predictions take long, clients leave and connections wait."""

import contextlib
import logging
import socket
import subprocess
import sys
import threading

import pytest
import tensorflow as tf

from tests.serving.running import running
from tf_vmf import serving
from tf_vmf.serving.requests import RequestError

pytest.importorskip("fastapi")
httpx = pytest.importorskip("httpx")

FOREVER = 2**31 - 1


class Slow(tf.Module):
    """A loop of as many steps as are asked for, and the inputs of a sentence model."""

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32, "steps")])
    def spin(self, steps):
        x = tf.while_loop(lambda i, _: i < steps, lambda i, x: (i + 1, tf.tanh(x)), (0, tf.ones([50])))[1]
        return {"x": tf.reduce_sum(x)}

    @tf.function(
        input_signature=[tf.TensorSpec([None, None], tf.int32, "tokens"), tf.TensorSpec([], tf.int32, "num_samples")]
    )
    def score(self, tokens, num_samples):
        return {"nll": tf.cast(tf.shape(tokens)[:1] * num_samples, tf.float32)}

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, "texts"), tf.TensorSpec([], tf.int32, "num_samples")]
    )
    def score_text(self, texts, num_samples):
        return {"nll": tf.cast(tf.strings.length(texts) * num_samples, tf.float32)}


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    path, module = tmp_path_factory.mktemp("exports") / "1", Slow()
    names = ("spin", "score", "score_text")
    tf.saved_model.save(module, str(path), {name: getattr(module, name) for name in names})
    return path


@contextlib.contextmanager
def service(export, **limits):
    numbers = {"steps": FOREVER, "num_samples": 1000}
    served = serving.Served(export, serving.Limits(predictions=1, numbers=numbers, **limits))
    with running(serving.make_app(served)) as url:
        yield url


def spin(url, steps, **options):
    body = {"signature_name": "spin", "inputs": {"steps": steps}}
    return httpx.post(f"{url}/v1/models/model:predict", json=body, **options)


def test_a_prediction_ends_with_its_time_and_the_next_one_is_answered(export):
    with service(export, seconds=5.0) as url:
        late = spin(url, FOREVER, timeout=60)
        assert late.status_code == 503
        assert "not there after 5 seconds" in late.json()["error"]
        assert spin(url, 3, timeout=60).status_code == 200  # the only thread that predicts is free again


def test_a_prediction_ends_with_its_client_and_liveness_waits_for_none(export):
    with service(export, seconds=3600.0) as url:

        def leave():
            with contextlib.suppress(httpx.ReadTimeout):
                spin(url, FOREVER, timeout=2.0)

        thread = threading.Thread(target=leave)
        thread.start()
        for path in ("/health/live", "/health/ready", "/metrics", "/v1/models/model", "/v1/models/model/metadata"):
            assert httpx.get(f"{url}{path}", timeout=30).status_code in (200, 503)
        thread.join()
        # The only thread that predicts was taken by what would have gone on for hours.
        assert spin(url, 3, timeout=60).status_code == 200


@pytest.mark.parametrize(
    ("texts", "num_samples", "message"),
    [
        (["word " * 30_000], 1, "at most 10,000 tokens per text. Received: about 30,001"),
        ([*["a"] * 1000, "word " * 5_000], 1, "tokens to be at most 500,000. Received: 5,006,001"),
        (["word " * 1000] * 20, 1000, "tokens times num_samples to be at most 2,000,000. Received: 20,020,000"),
    ],
)
def test_what_a_sentence_model_would_pad_or_sample_for_minutes_is_refused(export, texts, num_samples, message):
    served = serving.Served(export)
    with pytest.raises(RequestError, match=message) as raised:
        served.predict({"signature_name": "score_text", "inputs": {"texts": texts, "num_samples": num_samples}})
    assert raised.value.status == 413
    ids = [[1] * max(len(text.split()) + 1 for text in texts)] * len(texts)
    if len(ids) * len(ids[0]) < 1_000_000:
        with pytest.raises(RequestError, match="tokens"):
            served.predict({"signature_name": "score", "inputs": {"tokens": ids, "num_samples": num_samples}})
    few = served.predict({"signature_name": "score_text", "inputs": {"texts": ["a b"] * 20, "num_samples": 1000}})
    assert few["outputs"] == [3000.0] * 20


def test_an_export_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"no protocol buffer")
    with pytest.raises(ValueError, match="`path` of Served: expected an export that can be read") as raised:
        serving.Served(tmp_path)
    assert raised.value.name == "path"


@pytest.mark.slow
def test_half_open_connections_are_closed_and_do_not_shut_others_out(export):
    """In a process with few files, as the limit of connections depends on it."""
    program = f"""
import resource, socket, sys, time, threading
resource.setrlimit(resource.RLIMIT_NOFILE, (150, 150))
from tf_vmf import serving
limits = serving.Limits(idle_seconds=2.0, connections=40)
serving.serve(lambda: serving.Served({str(export)!r}, limits), port=0, limits=limits)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            first = process.stdout.readline()
            host, port = first.strip().rpartition("http://")[2].split(":")
            waiting = [socket.create_connection((host, int(port))) for _ in range(300)]
            for each in waiting[:3]:
                each.sendall(b"POST /v1/models/model:predict HTTP/1.1\r\nHost: x\r\n")
            for each in waiting:
                each.settimeout(60)
                with contextlib.suppress(ConnectionResetError):
                    assert each.recv(10) == b""  # closed by the service, which answers nothing
                each.close()
            assert httpx.get(f"http://{host}:{port}/health/live", timeout=60).status_code == 200
        finally:
            process.terminate()
        _, errors = process.communicate(timeout=60)
    lines = [line for line in errors.splitlines() if "onnections" in line or "accept" in line]
    assert len(lines) == 1, errors[-2000:]
    assert "More than 40 connections" in lines[0]


def test_a_kind_of_record_is_logged_once_with_the_number_of_those_before(monkeypatch):
    from tf_vmf.serving import connections

    records, now = [], [100.0]
    monkeypatch.setattr(connections.time, "monotonic", lambda: now[0])
    logger = logging.Logger("test")
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    logger.addHandler(handler)
    logger.addFilter(connections.OncePerKind())
    for number in range(7):
        now[0] += 61 if number == 5 else 0
        logger.warning("file %d", number)
    logger.warning("another kind")
    assert records == ["file 0", "file 5 (4 more of this kind before)", "another kind"]
