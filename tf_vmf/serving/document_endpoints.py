"""The endpoints of a document model."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tf_vmf.evaluation.topics import prior_word_probabilities, relevance
from tf_vmf.models import BagOfWordsVAE
from tf_vmf.serving.endpoint import (
    INTEGER,
    NUMBER,
    TEXTS,
    Endpoint,
    at_least,
    codes,
    encodings,
    scores,
)
from tf_vmf.text.vectorization import DocumentVectorization


def document_endpoints(model: BagOfWordsVAE, vectorizer: DocumentVectorization | None) -> dict[str, Endpoint]:
    """The endpoints by name; those with text only where there is a vectorizer.

    Raises:
        ValueError: The vectorizer's vocabulary is not the model's.
    """
    latent = model.latent
    counts, z = tf.TensorSpec([None, model.vocabulary_size], tf.float32), codes(latent)
    log_word_probabilities = tf.constant(np.log(np.maximum(prior_word_probabilities(model), 1e-30)), tf.float32)
    words = None
    if vectorizer is not None:
        if len(vectorizer.vocabulary) != model.vocabulary_size:
            raise ValueError(
                f"Argument `vectorizer`: expected a vocabulary of {model.vocabulary_size} words, as many as the model's. "
                f"Received: {len(vectorizer.vocabulary)}."
            )
        words = tf.constant(vectorizer.vocabulary)

    def encode(counts: tf.Tensor) -> dict[str, tf.Tensor]:
        return encodings(model, _checked(counts))

    def score(counts: tf.Tensor, num_samples: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        return scores(model, _checked(counts), num_samples, seed)

    def reconstruct(counts: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"log_probs": model.decode(latent.code(model.posterior_parameters(_checked(counts))))}

    def decode(z: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"log_probs": model.decode(latent.check_codes(z))}

    def sample(n: tf.Tensor, document_length: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        length = at_least(document_length, 1, "document_length")
        return {"counts": model.sample(at_least(n, 1, "n"), document_length=length, seed=seed)}

    def interpolate(start: tf.Tensor, end: tf.Tensor, num_points: tf.Tensor) -> dict[str, tf.Tensor]:
        points = latent.interpolate(start, end, num_points)
        return {"codes": points, "log_probs": model.decode(points)}

    def topics(z: tf.Tensor, num_words: tf.Tensor, relevance_weight: tf.Tensor) -> dict[str, tf.Tensor]:
        log_probs = model.decode(latent.check_codes(z))
        scores_of_words = relevance(log_probs, log_word_probabilities, relevance_weight)
        k = tf.minimum(at_least(num_words, 1, "num_words"), model.vocabulary_size)
        ids = tf.math.top_k(scores_of_words, k).indices
        found = {"ids": ids, "log_probs": tf.gather(log_probs, ids, batch_dims=1)}
        return found if words is None else {**found, "words": tf.gather(words, ids)}

    endpoints = {
        "encode": Endpoint(encode, [counts], "parameters of q(z|x) and its deterministic code"),
        "score": Endpoint(
            score, [counts, INTEGER, INTEGER], "nll, kl, one-sample elbo and importance-weighted log likelihood, nats"
        ),
        "reconstruct": Endpoint(reconstruct, [counts], "log p(w|code) of every word"),
        "decode": Endpoint(decode, [z], "log p(w|z) of every word"),
        "sample": Endpoint(sample, [INTEGER] * 3, "counts of documents drawn from the model"),
        "interpolate": Endpoint(interpolate, [z, z, INTEGER], "codes between two, and log p(w|z) there"),
        "topics": Endpoint(
            topics, [z, INTEGER, NUMBER], "the most relevant words of a code (Sievert and Shirley, 2014)"
        ),
    }
    if vectorizer is None:
        return endpoints

    def serving_default(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        return encode(vectorizer(texts))

    def score_text(texts: tf.Tensor, num_samples: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        return score(vectorizer(texts), num_samples, seed)

    def reconstruct_text(texts: tf.Tensor, num_words: tf.Tensor) -> dict[str, tf.Tensor]:
        z = latent.code(model.posterior_parameters(vectorizer(texts)))
        return {"code": z, **topics(z, num_words, tf.constant(1.0))}

    def interpolate_text(start: tf.Tensor, end: tf.Tensor, num_points: tf.Tensor) -> dict[str, tf.Tensor]:
        first, last = (latent.code(model.posterior_parameters(vectorizer(texts))) for texts in (start, end))
        return interpolate(first, last, num_points)

    return {
        "serving_default": Endpoint(serving_default, [TEXTS], "encode_text"),
        **endpoints,
        "encode_text": Endpoint(serving_default, [TEXTS], "encode, of raw text"),
        "score_text": Endpoint(score_text, [TEXTS, INTEGER, INTEGER], "score, of raw text"),
        "reconstruct_text": Endpoint(reconstruct_text, [TEXTS, INTEGER], "the most probable words at a text's code"),
        "interpolate_text": Endpoint(interpolate_text, [TEXTS, TEXTS, INTEGER], "interpolate, between two texts"),
    }


def _checked(counts: tf.Tensor) -> tf.Tensor:
    """The counts themselves; an error at run time where one is negative or not finite."""
    ok = tf.reduce_all((counts >= 0) & tf.math.is_finite(counts))
    with tf.control_dependencies([tf.debugging.Assert(ok, ["Counts must be finite numbers >= 0. Received:", counts])]):
        return tf.identity(counts)
