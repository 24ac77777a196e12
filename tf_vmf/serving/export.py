"""From a trained model to one SavedModel with named endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tf_vmf.files import new_folder
from tf_vmf.models import VariationalAutoencoder
from tf_vmf.models.load import EXPORT_FOLDER, MODEL_FILE, VECTORIZER_FILE, Vectorizer, write_vectorizer
from tf_vmf.serving.endpoint import Endpoint
from tf_vmf.serving.endpoints import model_endpoints, nearest_text
from tf_vmf.serving.json_tensors import write_labels
from tf_vmf.serving.model_card import model_card
from tf_vmf.text import as_vectorizer

CARD_FILE = "MODEL_CARD.md"


def export(
    model: VariationalAutoencoder,
    path: str | Path,
    vectorizer: Any = None,
    *,
    metrics: Mapping[str, Any] | None = None,
    label_names: Sequence[str] | None = None,
    allow_unknown: bool = True,
    examples: Sequence[str] | None = None,
    extra_endpoints: Mapping[str, Endpoint] | None = None,
    data: Mapping[str, Any] | None = None,
) -> Path:
    """Writes a SavedModel that serves the model, with a model card and the model itself beside it.

    It loads with plain `tf.saved_model.load`, in TensorFlow Serving and with `saved_model_cli`, where neither this package nor
    TensorFlow Probability is installed:

    ```python
    corpus = tf_vmf.data.load_bag_of_words(texts=["A rocket flew to the moon.", "Bread with butter."] * 50)
    model = tf_vmf.models.BagOfWordsVAE(len(corpus.vocabulary), tf_vmf.layers.VonMisesFisherLatent(3, concentration=20.0))
    model.compile("adam")
    model.fit(corpus.train.counts)
    tf_vmf.serving.export(model, "exports/1", corpus.vectorizer())
    served = tf.saved_model.load("exports/1").signatures
    served["encode_text"](texts=tf.constant(["The orbit of the moon"]))["mean_direction"]
    counts = tf.constant(corpus.test.counts.toarray(), tf.float32)
    served["score"](counts=counts, num_samples=tf.constant(100), seed=tf.constant(0))["log_likelihood"]
    ```

    `serving_default` takes raw strings where there is a vectorizer. All floats are float32; log-probabilities are in nats; a seed
    makes noise repeatable. Bad codes and numbers are errors at run time. `tf_vmf.models.load` reads the folder too.

    Args:
        model: A trained model.
        path: The folder to make.
        vectorizer: From strings to the model's input: `corpus.vectorizer()`, or a fitted `CountVectorizer` of scikit-learn. None
            leaves out the endpoints with text.
        metrics: The content of a run's `metrics.json`, for the model card.
        label_names: Names of the labels of a conditional model, in the order of their numbers; None takes those that `metrics`
            holds. The service then takes names, too.
        allow_unknown: False keeps the unknown word, which the texts of a sentence model may hold, out of the sentences it writes.
        examples: Texts, for instance those of training, that the export shall hold for the endpoint `nearest_text`: the examples
            whose codes are closest to that of a new text. Everyone who can use the export can read them. Not for models that are
            conditional on a label.
        extra_endpoints: Further endpoints by name, of functions of the model and the vectorizer.
        data: What is known of the training data, for the model card of a model without `metrics`.

    Returns:
        The path.

    Raises:
        FileExistsError: There is something at the path.
        ValueError: See `endpoints` and `tf_vmf.text.as_vectorizer`; or the model cannot have `examples`, or knows no word of them.
    """
    vectorizer = as_vectorizer(vectorizer)
    with new_folder(path) as folder:
        of_model = model_endpoints(model, vectorizer, allow_unknown=allow_unknown)
        nearest = {} if examples is None else {"nearest_text": nearest_text(of_model, examples)}
        served = {**of_model.endpoints(), **nearest, **(extra_endpoints or {})}
        _write_saved_model(model, vectorizer, served, folder)
        extra = folder / EXPORT_FOLDER
        extra.mkdir()
        model.save(extra / MODEL_FILE)
        if vectorizer is not None:
            write_vectorizer(extra / VECTORIZER_FILE, vectorizer)
        names = (label_names or (metrics or {}).get("protocol", {}).get("labels")) if _takes_labels(model) else None
        if names:
            write_labels(folder, names, model.num_labels)
        card = model_card(model, vectorizer, served, metrics, names, data)
        (folder / CARD_FILE).write_text(card, encoding="utf-8")
    return Path(path)


def _takes_labels(model: VariationalAutoencoder) -> bool:
    return bool(getattr(model, "num_labels", 0))


def _write_saved_model(
    model: VariationalAutoencoder, vectorizer: Vectorizer | None, served: Mapping[str, Endpoint], path: Path
) -> None:
    archive = keras.export.ExportArchive()
    archive.track(model)
    if vectorizer is not None:
        vectorizer(tf.constant([""]))  # makes its table, which must exist before it is tracked
        archive.track(vectorizer)
    for name, endpoint in served.items():
        archive.add_endpoint(name, endpoint.call, endpoint.signature())
    archive.write_out(str(path), verbose=False)
