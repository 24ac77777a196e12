"""A SavedModel with the topics of texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.models import BagOfWordsVAE
from tf_vmf.serving.endpoint import INTEGER, TEXTS, Endpoint, at_least
from tf_vmf.serving.export import export
from tf_vmf.text import DocumentVectorization
from tf_vmf.topics.fitted import FittedTopics
from tf_vmf.topics.mixture import PRIOR_WORDS, SHARPNESS, STEPS, VECTOR_TEMPERATURE, TopicMixture
from tf_vmf.topics.tables import NO_TOPIC, NO_TOPIC_LABEL


def proportions_function(mixture: TopicMixture) -> Callable[..., tf.Tensor]:
    """`mixture.proportions` on tensors, in float32: from dense counts (n, V), and vectors (n, e) where it has some, to (n, K)."""
    words = tf.constant(mixture.words, tf.float32)
    prior = tf.constant(PRIOR_WORDS * mixture.weights[np.newaxis], tf.float32)
    log_weights = tf.constant(np.log(mixture.weights), tf.float32)
    emphasis = tf.constant(1.0 if mixture.emphasis is None else mixture.emphasis, tf.float32)

    def proportions(counts: tf.Tensor, vectors: tf.Tensor | None = None) -> tf.Tensor:
        given = tf.repeat(prior, tf.shape(counts)[0], axis=0)
        if (sphere := mixture.vectors) is not None:
            components = tf.constant(sphere.components, tf.float32)
            points = tf.matmul(vectors - tf.constant(sphere.mean, tf.float32), components, transpose_b=True)
            # The topics share a concentration: its normalizer cancels.
            directions = tf.constant(VECTOR_TEMPERATURE * sphere.concentration * sphere.mean_directions, tf.float32)
            cosines = tf.matmul(tf.math.l2_normalize(points, axis=1), directions, transpose_b=True)
            given += sphere.words * tf.nn.softmax(log_weights + cosines)
        theta = given / tf.reduce_sum(given, axis=1, keepdims=True)
        for _ in range(STEPS):
            share = counts * emphasis / tf.matmul(theta, words)
            theta = theta * tf.matmul(share, words, transpose_b=True) + given
            theta /= tf.reduce_sum(theta, axis=1, keepdims=True)
        powers = theta**SHARPNESS
        return powers / tf.reduce_sum(powers, axis=1, keepdims=True)

    return proportions


def topics_text(vectorizer: DocumentVectorization, topics: FittedTopics, labels: Sequence[str]) -> Endpoint:
    """The endpoint from texts to topics: what `TopicModel.transform` computes, in float32.

    Without a known word the topic is -1. Topics of vectors have an input `embeddings` (n, e) too, and every text has a topic then.
    """
    sphere = topics.mixture.vectors
    of_components = proportions_function(topics.mixture)
    members = tf.one_hot(topics.topic_of, topics.num_topics)
    mean, names = tf.constant(topics.weights, tf.float32), tf.constant(list(labels))

    def function(texts: tf.Tensor, embeddings: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        counts = vectorizer(texts)
        known = tf.reduce_sum(counts, axis=1)
        vectors = None if embeddings is None else _directions(embeddings, tf.shape(texts)[0])
        placed = known > 0 if vectors is None else tf.ones_like(known, tf.bool)
        proportions = tf.where(placed[:, tf.newaxis], tf.matmul(of_components(counts, vectors), members), mean)
        topic = tf.argmax(proportions, axis=1, output_type=tf.int32)
        return {
            "proportions": proportions,
            "topic": tf.where(placed, topic, NO_TOPIC),
            "label": tf.where(placed, tf.gather(names, topic), NO_TOPIC_LABEL),
            "tokens": tf.cast(known, tf.int32),
        }

    inputs = {"texts": TEXTS}
    if sphere is not None:
        inputs["embeddings"] = tf.TensorSpec([None, len(sphere.mean)], tf.float32)
    return Endpoint(function, inputs, "proportions, most probable topic and its label, of raw text")


def _directions(embeddings: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Vectors scaled to length 1; an error at run time where there are not `size`, or one is not finite or zero."""
    largest = tf.reduce_max(tf.abs(embeddings), axis=1, keepdims=True)
    checks = [
        tf.debugging.Assert(
            tf.shape(embeddings)[0] == size,
            ["embeddings must have a row per text. Received:", tf.shape(embeddings)[0], "rows and", size, "texts"],
        ),
        tf.debugging.Assert(
            tf.reduce_all(tf.math.is_finite(largest) & (largest > 0)),
            ["embeddings must be finite, and no row all zeros. Received:", embeddings],
        ),
    ]
    with tf.control_dependencies(checks):
        return tf.math.l2_normalize(embeddings / largest, axis=1)


def topic_labels(labels: Sequence[str]) -> Endpoint:
    """The endpoint with the labels of the topics, in the order of `proportions`."""
    names = tf.constant(list(labels))

    def function(first: tf.Tensor, number: tf.Tensor) -> dict[str, tf.Tensor]:
        first, number = at_least(first, 0, "first"), at_least(number, 1, "number")
        return {"labels": names[first : first + number]}

    return Endpoint(
        function, {"first": INTEGER, "number": INTEGER}, "labels of the topics, in the order of proportions"
    )


def export_topics(
    model: BagOfWordsVAE,
    vectorizer: DocumentVectorization | None,
    topics: FittedTopics,
    labels: Sequence[str],
    path: str | Path,
    examples: Sequence[str] | None = None,
) -> Path:
    """`tf_vmf.serving.export` with the endpoints `topics_text` and `topic_labels`; the model needs a vectorizer."""
    if vectorizer is None:
        raise ArgumentError("path", "a model that was fitted on texts, to export it", "one that was fitted on counts")
    added = {"topics_text": topics_text(vectorizer, topics, labels), "topic_labels": topic_labels(labels)}
    return export(model, path, vectorizer, examples=examples, extra_endpoints=added)
