"""The Python blocks of the guides run as they stand, given the data that they speak of."""

import shlex
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_vmf
from tests.docs.pages import DOCS, blocks
from tests.serving.running import running
from tests.topics.planted import planted_texts

IMPORTS = {"keras": keras, "np": np, "tf": tf, "tf_vmf": tf_vmf}


def distributed(_):
    return {"x": np.random.default_rng(0).normal(size=(16, 64))}


def serving(folder):
    texts, _ = planted_texts()
    model = tf_vmf.TopicModel(3, epochs=2, latent_dim=5, hidden_units=8, stop_words="none").fit(texts)
    model.export(folder / "exports/reviews/1")
    return {}


def topics(_):
    texts, _ = planted_texts(300)
    return {"texts": texts, "new_texts": texts[:3]}


def nothing(_):
    return {}


DATA = {
    "CONCENTRATION": nothing,
    "DIRECTIONAL": nothing,
    "DISTRIBUTED": distributed,
    "SERVING": serving,
    "TOPICS": topics,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(DATA))
def test_the_blocks_of_a_guide_run(name, tmp_path, monkeypatch):
    pytest.importorskip("gensim")
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    names = IMPORTS | DATA[name](tmp_path)
    for _, content in blocks(DOCS / f"{name}.md", "python"):
        exec(compile(content, name, "exec"), names)


@pytest.mark.slow
def test_the_calls_of_the_guide_to_serving_are_answered(tmp_path, monkeypatch):
    httpx = pytest.importorskip("httpx")
    pytest.importorskip("fastapi")
    monkeypatch.chdir(tmp_path)
    serving(tmp_path)
    lines = [
        line
        for _, content in blocks(DOCS / "SERVING.md", "sh")
        for line in content.replace("\\\n", " ").splitlines()
        if line.startswith(("curl ", "saved_model_cli "))
    ]
    assert {line.split()[0] for line in lines} == {"curl", "saved_model_cli"}
    with running(tf_vmf.serving.make_app(tf_vmf.serving.Served("exports/reviews/1"), "model")) as address:
        for program, *words in map(shlex.split, lines):
            if program == "curl":
                option, body, url = words
                assert option == "-d"
                answer = httpx.post(url.replace("http://localhost:8501", address), content=body, timeout=60)
                assert answer.status_code == 200, answer.text
            else:
                command = [str(Path(sys.executable).with_name(program)), *words]
                subprocess.run(command, check=True, capture_output=True)


def test_every_guide_with_python_blocks_is_run():
    assert {page.stem for page in DOCS.glob("*.md") if blocks(page, "python")} == set(DATA)
