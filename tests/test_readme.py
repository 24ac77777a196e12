"""The snippets of the README run as pasted."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def texts():
    rng = np.random.default_rng(0)
    themes = ["star planet orbit moon comet", "flour butter sugar oven bread", "goal match player league team"]
    return [" ".join(rng.choice(themes[i % 3].split(), 12)) for i in range(120)]


def run(snippet, monkeypatch, tmp_path, **names):
    monkeypatch.chdir(tmp_path)
    exec(snippet, names)
    return names


@pytest.mark.slow
def test_topics(monkeypatch, tmp_path):
    names = run(SNIPPETS[0], monkeypatch, tmp_path, texts=texts())
    assert len(names["model"].topics(10)) == 20
    assert type(names["model"]).load(tmp_path / "topics" / "mine").topics(8) == names["model"].topics(8)


def test_a_layer_in_a_model_that_can_be_saved(monkeypatch, tmp_path):
    digits = (load_digits().data > 8).astype("float32")[:200]
    snippet = SNIPPETS[1].replace("epochs=30", "epochs=2")
    model = run(snippet, monkeypatch, tmp_path, digits=digits)["model"]
    codes = model.encode(digits).mean_direction
    np.testing.assert_allclose(np.linalg.norm(codes, axis=-1), 1.0, atol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.encode(digits).mean_direction, codes, rtol=1e-5, atol=1e-6)


def test_the_distribution(monkeypatch, tmp_path):
    names = run(SNIPPETS[2], monkeypatch, tmp_path)
    assert names["samples"].shape == (1000, 3)


def test_every_snippet_has_its_test_and_the_page_is_short():
    assert len(SNIPPETS) == 3
    assert len(README.splitlines()) <= 120
