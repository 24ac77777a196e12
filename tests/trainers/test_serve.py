"""The program that serves an export, as its users start it."""

import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving.plain_exports import PlainSentences, save_texts
from tf_vmf import serving

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi")

# What the container of docs/SERVING.md does not install.
_LEFT_OUT = [
    "tensorflow_probability",
    "tf_keras",
    "sklearn",
    "matplotlib",
    "gensim",
    "jinja2",
    "pandas",
    "hypothesis",
    "httpx",
]
_PROGRAM = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({_LEFT_OUT}))
sys.argv[0] = "serve"
runpy.run_module("trainers.serve", run_name="__main__")
"""
_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    path = save_texts(PlainSentences(), tmp_path_factory.mktemp("exports") / "4")
    (path / "assets.extra").mkdir()
    (path / "assets.extra" / "labels.json").write_text('["bad", "it\'s good"]')
    return path


@pytest.mark.slow
def test_the_service_says_where_it_is_and_its_own_example_works(export):
    arguments = [f"--export_dir={export}", "--port=0", "--model_name=reviews", "--version_labels=best,latest"]
    command = [sys.executable, "-c", _PROGRAM, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=_ROOT) as process:
        try:
            lines = [process.stdout.readline() for _ in range(7)]
            said = dict(line.split(maxsplit=1) for line in lines[1:])
            url = re.search(r"http://127\.0\.0\.1:(\d+)$", lines[0].strip())
            assert int(url[1]) > 0
            assert 'model "reviews", version 4' in lines[0]
            assert said["endpoints"].strip().split(", ") == sorted(serving.Served(export).signatures)
            for name in ("page", "docs", "health", "metrics"):
                assert httpx.get(said[name].strip()).status_code in (200, 503)
            program, option, body, address = shlex.split(said["try"])
            assert (program, option) == ("curl", "-d")
            predictions = httpx.post(address, content=body).json()["predictions"]
            assert predictions == [{"code": [21.0, 0.0], "tokens": 21}]  # "The orbit of the moon", label "bad"
            labelled = address.replace(":predict", "/labels/latest:predict")
            assert httpx.post(labelled, content=body).json()["predictions"] == predictions
        finally:
            process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=60)
    assert (rest, errors) == ("", "")


def test_a_port_that_is_taken_is_told_before_the_export_is_loaded(export):
    def load():
        raise AssertionError("loaded")

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"expected an address that is free\. Received: 127\.0\.0\.1, {port}"):
            serving.serve(load, port=port)
    with pytest.raises(OSError, match=r"no\.such\.host"):
        serving.serve(load, host="no.such.host.invalid")


@pytest.mark.slow
def test_wrong_use_of_the_program_is_one_line(tmp_path):
    for arguments, message in (
        ([f"--export_dir={tmp_path}"], "made by `python -m trainers.export`"),
        ([f"--export_dir={tmp_path}", "--port=70000"], "--port: expected an integer"),
    ):
        finished = subprocess.run(
            [sys.executable, "-m", "trainers.serve", *arguments], capture_output=True, text=True, check=False, cwd=_ROOT
        )
        assert finished.returncode == 2
        assert message in finished.stderr
        assert len(finished.stderr.strip().splitlines()) <= 2, finished.stderr
