"""Trained models, with what turns text into their input, and word vectors from files."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from tf_vmf._errors import ArgumentError, MissingPlaceError
from tf_vmf.files import read_metrics, write_json
from tf_vmf.models.lstm_vae import LSTMVAE
from tf_vmf.models.variational_autoencoder import VariationalAutoencoder
from tf_vmf.models.word_model import hash_of_vocabulary
from tf_vmf.text.vectorization import DocumentVectorization, SentenceVectorization
from tf_vmf.text.vocabulary import require_gensim

Vectorizer = DocumentVectorization | SentenceVectorization

MODEL_FILE, VECTORIZER_FILE, METRICS_FILE = "model.keras", "vectorizer.json", "metrics.json"
EXPORT_FOLDER = "assets.extra"  # where a SavedModel keeps what is not its own


class LoadedModel(NamedTuple):
    """The result of `load`.

    Attributes:
        model: The model, compiled as it was saved.
        vectorizer: The layer from strings (batch,) to the model's input, or None where none was kept.
    """

    model: VariationalAutoencoder
    vectorizer: Vectorizer | None


def load(path: str | Path) -> LoadedModel:
    """Loads a model with its vectorizer.

    ```python
    texts = ["A rocket flew to the moon.", "Bread with butter."] * 50
    tf_vmf.TopicModel(num_topics=2, min_df=1, epochs=1).fit(texts).export("exports/1")
    model, vectorizer = tf_vmf.models.load("exports/1")  # or the folder of a run
    model.encode(vectorizer(tf.constant(["The orbit of the moon"]))).mean_direction
    ```

    No file can run code of its own: Keras's `safe_mode` is on, and only classes of Keras and of this package are made.

    Args:
        path: The folder of a finished run, a `.keras` file (with its `vectorizer.json` beside it, if there is one), or the folder
            of an export.

    Raises:
        FileNotFoundError: There is no model at the path.
        ValueError: The file is damaged, holds no model of this package, or is not that of the vectorizer or metrics beside it.
    """
    path = Path(path)
    candidates = [path] if path.suffix == ".keras" else [path / MODEL_FILE, path / EXPORT_FOLDER / MODEL_FILE]
    found = [candidate for candidate in candidates if candidate.is_file()]
    if not found:
        raise MissingPlaceError(
            "the folder of a finished run, a .keras file or the folder of an export",
            path,
            f"where there is no {' nor '.join(str(candidate) for candidate in candidates)}",
            name="path",
            owner="load",
        )
    try:
        model = keras.saving.load_model(found[0], safe_mode=True)
    except (zipfile.BadZipFile, KeyError, OSError, TypeError, ValueError) as error:
        first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"{found[0]} cannot be loaded: it is damaged, or not a model of this package. Keras says: {first_line[:300]}"
        ) from error
    if not isinstance(model, VariationalAutoencoder):
        raise ValueError(
            f"{found[0]} holds a {type(model).__name__}. Expected a model of tf_vmf.models; use keras.saving.load_model."
        )
    file = found[0].parent / VECTORIZER_FILE
    vectorizer = read_vectorizer(file) if file.is_file() else None
    recorded = getattr(model, "vocabulary_hash", None)
    if vectorizer is not None and recorded is not None and hash_of_vocabulary(vectorizer.vocabulary) != recorded:
        raise ValueError(
            f"{file} holds other words than {found[0]} was made for, or holds them in another order: it belongs to another model. "
            "Bring back the file that was written with the model."
        )
    metrics = found[0].parent / METRICS_FILE
    protocol = read_metrics(metrics)["protocol"] if metrics.is_file() else {}
    if protocol.get("weights_sha256") not in (None, hash_of_weights(model)):
        raise ValueError(
            f"{found[0]} is not the model that {metrics} measures: it belongs to another run, or was changed. Bring back the file, "
            "or repeat the command of the run, which writes it anew."
        )
    if vectorizer is not None and protocol.get("tokenization") not in (None, vectorizer.tokenization):
        raise ValueError(
            f"{file} has tokenization={vectorizer.tokenization!r}, and {found[0]} was made for {protocol['tokenization']!r}. Bring "
            "back the file that was written with the model."
        )
    return LoadedModel(model, vectorizer)


def hash_of_weights(model: keras.Model) -> str:
    """The SHA-256 of all weights in their order."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def read_vectorizer(file: str | Path) -> Vectorizer:
    """Reads the `vectorizer.json` of a run; a ValueError where it describes none."""
    try:
        description = json.loads(Path(file).read_text(encoding="utf-8"))
        kinds = {f"tf_vmf>{kind.__name__}": kind for kind in (DocumentVectorization, SentenceVectorization)}
        return kinds[description["registered_name"]].from_config(description["config"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{file} does not describe a vectorizer of this package: {error!r}.") from error


def write_vectorizer(file: str | Path, vectorizer: Vectorizer) -> None:
    """Writes the `vectorizer.json` beside a model."""
    write_json(file, keras.saving.serialize_keras_object(vectorizer))


def read_word_vectors(path: str | Path) -> Mapping[str, np.ndarray]:
    r"""The vector of every word, special tokens such as `<eos>` included where the source has them.

    ```python
    with open("vectors.txt", "w") as file:  # word2vec's format: counts; then a word and its numbers per line
        file.write("2 2\nmoon 0.1 0.2\nrocket 0.3 -0.4\n")
    vocabulary = ["<pad>", "<eos>", "<unk>", "moon", "rocket", "star"]
    latent = tf_vmf.layers.VonMisesFisherLatent(8, concentration=14.0)
    model = tf_vmf.models.LSTMVAE(len(vocabulary), latent, embedding_dim=2)
    model.set_embeddings(vocabulary, tf_vmf.models.read_word_vectors("vectors.txt"))
    ```

    Args:
        path: The folder of a finished run of `LSTMVAE` or its `.keras` file; or a text file, perhaps gzipped, with a word and its
            numbers per line, with word2vec's first line of two counts or, as GloVe, without. Words hold no spaces.

    Returns:
        A mapping from words to float32 vectors of one width.

    Raises:
        FileNotFoundError: There is nothing at the path.
        ModuleNotFoundError: gensim, which reads text files, is not installed.
        ValueError: The model has no word embeddings or no vocabulary, or the file is malformed.
    """
    path = Path(path)
    if path.is_dir() or path.suffix == ".keras":
        model, vectorizer = load(path)
        if not isinstance(model, LSTMVAE) or vectorizer is None:
            received = f"{path}, which holds a {type(model).__name__} {'without' if vectorizer is None else 'with'} a vocabulary"
            expected = "a run of a sentence model with its vectorizer.json"
            raise ArgumentError("path", expected, received, owner="read_word_vectors")
        vectors = keras.ops.convert_to_numpy(model.embedding.embeddings)
        return dict(zip(vectorizer.vocabulary, vectors, strict=True))
    if not path.is_file():
        expected = "a run of a sentence model, or a file of word vectors"
        raise MissingPlaceError(expected, path, name="path", owner="read_word_vectors")
    gensim = require_gensim("gensim.models.keyedvectors", "the reader of word vectors")
    smart_open = require_gensim("gensim.utils", "the reader of word vectors").open
    with smart_open(str(path), "rb") as file:
        has_header = len(file.readline().split()) == 2
    try:
        found = gensim.KeyedVectors.load_word2vec_format(str(path), no_header=not has_header)
    except (ValueError, TypeError, EOFError) as error:  # TypeError: gensim on an empty file
        raise ValueError(
            f"{path} is not a text file of word vectors: expected a word and its numbers per line. gensim says: {error}"
        ) from error
    # Where a word comes twice gensim leaves places without a word at the end.
    return {word: vector for word, vector in zip(found.index_to_key, found.vectors, strict=True) if word is not None}
