"""Loading a model from a run's folder, a `.keras` file or an export; files that would run code are refused."""

import hashlib
import json
import os
import pickle
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_vmf import models
from tf_vmf.layers import VonMisesFisherLatent
from tf_vmf.models import BagOfWordsVAE
from tf_vmf.text import DocumentVectorization


@pytest.fixture
def folder(tmp_path):
    model = BagOfWordsVAE(2, VonMisesFisherLatent(3, seed=1), encoder_units=(4,), decoder_units=(), seed=1)
    model.save(tmp_path / "model.keras")
    vectorizer = DocumentVectorization(["star", "planet"], tokenization="words")
    (tmp_path / "vectorizer.json").write_text(json.dumps(keras.saving.serialize_keras_object(vectorizer)))
    return tmp_path, model


def test_a_folder_and_a_file_give_the_model_and_its_vectorizer(folder):
    path, model = folder
    counts = np.array([[2.0, 1.0]], np.float32)
    for place in (path, path / "model.keras", str(path)):
        loaded = models.load(place)
        np.testing.assert_array_equal(loaded.vectorizer(tf.constant(["Star, star: planet!"])), counts)
        np.testing.assert_allclose(loaded.model.encode(counts).mean_direction, model.encode(counts).mean_direction)
    (path / "vectorizer.json").unlink()
    assert models.load(path).vectorizer is None


def test_a_vectorizer_of_other_words_or_of_another_order_is_refused(folder):
    path, model = folder
    model.set_vocabulary(["star", "planet"])
    model.save(path / "model.keras")
    assert models.load(path).model.vocabulary_hash == model.vocabulary_hash
    for words in (["planet", "star"], ["star", "comet"]):
        vectorizer = DocumentVectorization(words, tokenization="words")
        (path / "vectorizer.json").write_text(json.dumps(keras.saving.serialize_keras_object(vectorizer)))
        with pytest.raises(ValueError, match="another order"):
            models.load(path)
    with pytest.raises(ValueError, match="2 words"):
        model.set_vocabulary(["star"])


def test_a_vectorizer_of_another_tokenization_is_refused(folder):
    path, _ = folder
    figures = {"test": {"nll": 1.0}, "valid": {"nll": 1.0}, "protocol": {"tokenization": "words"}}
    (path / "metrics.json").write_text(json.dumps(figures))
    assert models.load(path).vectorizer.tokenization == "words"
    vectorizer = DocumentVectorization(["star", "planet"], tokenization="whitespace")
    (path / "vectorizer.json").write_text(json.dumps(keras.saving.serialize_keras_object(vectorizer)))
    with pytest.raises(ValueError, match="tokenization='whitespace'"):
        models.load(path)


def test_a_model_that_was_not_measured_here_is_refused(folder):
    path, model = folder
    digest = hashlib.sha256(b"".join(weight.tobytes() for weight in model.get_weights())).hexdigest()
    figures = {"test": {"nll": 1.0}, "valid": {"nll": 1.0}, "protocol": {"weights_sha256": digest}}
    (path / "metrics.json").write_text(json.dumps(figures))
    models.load(path)
    model.output_bias.assign_add([0.0, 1e-3])  # as one number of the file, or a model of another run
    model.save(path / "model.keras")
    with pytest.raises(ValueError, match="another run"):
        models.load(path)
    (path / "metrics.json").write_text("{}")
    with pytest.raises(ValueError, match=r"metrics\.json is damaged"):
        models.load(path)


def test_what_is_no_model_is_refused(folder):
    path, _ = folder
    with pytest.raises(FileNotFoundError, match="folder of a finished run"):
        models.load(path / "nothing")
    (path / "vectorizer.json").write_text('{"registered_name": "os>system", "config": {}}')
    with pytest.raises(ValueError, match="does not describe a vectorizer"):
        models.load(path)
    (path / "model.keras").write_bytes((path / "model.keras").read_bytes()[:-200])
    with pytest.raises(ValueError, match="damaged"):
        models.load(path)


_PROOF = Path(tempfile.gettempdir()) / f"tf_vmf-{os.getpid()}-was-here"


class _Mine:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (_PROOF,))


def test_a_pickle_in_place_of_a_model_runs_no_code(folder):
    path, _ = folder
    (path / "model.keras").write_bytes(pickle.dumps(_Mine()))
    with pytest.raises(ValueError, match="damaged"):
        models.load(path)
    assert not _PROOF.exists()


def test_a_lambda_in_a_tampered_file_is_refused(folder, tmp_path):
    path, _ = folder
    proof = str(tmp_path / "proof")
    inputs = keras.Input((2,))
    evil = keras.Model(inputs, keras.layers.Lambda(lambda x: (__import__("pathlib").Path(proof).touch(), x)[1])(inputs))
    evil.save(path / "model.keras")
    (tmp_path / "proof").unlink()
    with pytest.raises(ValueError, match=r"(?i)lambda|unsafe"):
        models.load(path)
    assert not (tmp_path / "proof").exists()


def test_a_module_named_in_a_tampered_file_is_not_called(folder, tmp_path):
    path, _ = folder
    with zipfile.ZipFile(path / "model.keras") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    call = {"module": "os", "class_name": "system", "config": {"command": f"touch {tmp_path / 'proof'}"}}
    files["config.json"] = json.dumps({**call, "registered_name": None}).encode()
    with zipfile.ZipFile(path / "model.keras", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match="cannot be loaded"):
        models.load(path)
    assert not (tmp_path / "proof").exists()
