"""The endpoints of a model by its kind, and the one that finds the nearest of some examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.models import LSTMVAE, VAE, BagOfWordsVAE, VariationalAutoencoder
from tf_vmf.serving.document_endpoints import DocumentEndpoints
from tf_vmf.serving.endpoint import INTEGER, TEXTS, Endpoint, ModelEndpoints, Outputs, VAEEndpoints, at_least
from tf_vmf.serving.sentence_endpoints import SentenceEndpoints

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

    A text without a known word is near to nothing: its neighbors are "" with similarity 0.

    Args:
        of_model: The endpoints of a model of text.
        examples: Texts to find. Those without a known word have the code of nothing, and are left out.
    """
    vectorizer = of_model.vectorizer
    if vectorizer is None or of_model.latent is None or set(of_model.batch) != {of_model.example}:
        raise ArgumentError(
            "examples",
            "none for this model, as they need a vectorizer and a code that depends on the text alone, not on a label",
            f"{len(examples)} texts",
            owner="export",
        )
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
