"""From a trained model to one SavedModel with named endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tf_vmf._errors import ArgumentError, check_unicode
from tf_vmf.files import new_folder
from tf_vmf.models import LSTMVAE, VAE, BagOfWordsVAE, VariationalAutoencoder
from tf_vmf.models.load import EXPORT_FOLDER, MODEL_FILE, VECTORIZER_FILE, Vectorizer, write_vectorizer
from tf_vmf.serving.document_endpoints import DocumentEndpoints
from tf_vmf.serving.endpoint import INTEGER, TEXTS, Endpoint, ModelEndpoints, Outputs, VAEEndpoints, at_least
from tf_vmf.serving.json_tensors import write_labels
from tf_vmf.serving.model_card import model_card
from tf_vmf.serving.sentence_endpoints import SentenceEndpoints
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
        names = (
            (label_names or (metrics or {}).get("protocol", {}).get("labels"))
            if getattr(model, "num_labels", 0)
            else None
        )
        if names:
            write_labels(folder, names, model.num_labels)
        card = model_card(model, vectorizer, served, metrics, names, data)
        (folder / CARD_FILE).write_text(card, encoding="utf-8")
    return Path(path)


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


_BATCH = 256
_ENDPOINTS: dict[type[VariationalAutoencoder], type[ModelEndpoints]] = {
    BagOfWordsVAE: DocumentEndpoints,
    LSTMVAE: SentenceEndpoints,
    VAE: VAEEndpoints,
}


def model_endpoints(model: VariationalAutoencoder, vectorizer: Any = None, **options: Any) -> ModelEndpoints:
    """The endpoints of a model, as an object of the class for its kind."""
    kind = next((_ENDPOINTS[base] for base in type(model).__mro__ if base in _ENDPOINTS), None)
    if kind is None:
        names = ", ".join(each.__name__ for each in _ENDPOINTS)
        raise ArgumentError("model", f"one of {names}", type(model).__name__, owner="export")
    if not options.get("allow_unknown", True) and "allow_unknown" not in kind.options:
        raise ArgumentError("allow_unknown", "True, as this model writes no sentences", "False", owner="export")
    return kind(model, vectorizer, **{name: value for name, value in options.items() if name in kind.options})


def endpoints(
    model: VariationalAutoencoder, vectorizer: Any = None, *, allow_unknown: bool = True
) -> dict[str, Endpoint]:
    """The endpoints that an export of the model has, by name; the arguments are those of `export`.

    Raises:
        ValueError: The model is of another kind, or the vectorizer does not go with it.
    """
    return model_endpoints(model, vectorizer, allow_unknown=allow_unknown).endpoints()


def nearest_text(of_model: ModelEndpoints, examples: Sequence[str]) -> Endpoint:
    """The endpoint from texts to the examples whose codes have the largest cosine with theirs, which the export then holds.

    A text without a known word is near to nothing: its neighbors are "" with similarity 0. Examples without one are left out.
    """
    vectorizer = of_model.vectorizer
    if vectorizer is None or of_model.latent is None or set(of_model.batch) != {of_model.example}:
        raise ArgumentError(
            "examples",
            "none for this model, as they need a vectorizer and a code that depends on the text alone, not on a label",
            f"{len(examples)} texts",
            owner="export",
        )
    for row, text in enumerate(examples):
        check_unicode(text, f"examples[{row}]", "export")
    known = [text for batch in _batches(examples) for text, count in _counted(vectorizer, batch) if count]
    if not known:
        raise ArgumentError(
            "examples", "texts with words of the model", f"{len(examples)} texts without one", owner="export"
        )
    codes = tf.concat([_directions(of_model, vectorizer(tf.constant(batch))) for batch in _batches(known)], axis=0)
    held = tf.constant(known)

    def function(texts: tf.Tensor, num_neighbors: tf.Tensor) -> Outputs:
        x = vectorizer(texts)
        k = tf.minimum(at_least(num_neighbors, 1, "num_neighbors"), len(known))
        nearest = tf.math.top_k(tf.matmul(_directions(of_model, x), codes, transpose_b=True), k)
        known_tokens = vectorizer.known_tokens(texts)[:, tf.newaxis]
        return {
            "neighbors": tf.where(known_tokens > 0, tf.gather(held, nearest.indices), ""),
            "similarities": tf.where(known_tokens > 0, nearest.values, 0.0),
            **of_model.known_tokens(x),
        }

    return Endpoint(
        function,
        {"texts": TEXTS, "num_neighbors": INTEGER},
        f"those of {len(known):,} examples in this export whose codes have the largest cosine with a text's",
    )


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH))


def _counted(vectorizer: Any, texts: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Texts with the number of their known words."""
    return zip(texts, vectorizer.known_tokens(tf.constant(texts)).numpy().tolist(), strict=True)


def _directions(of_model: ModelEndpoints, x: tf.Tensor) -> tf.Tensor:
    """Codes of length 1."""
    return tf.math.l2_normalize(of_model.code(x), axis=-1)
