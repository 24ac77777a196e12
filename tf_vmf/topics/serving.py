"""A SavedModel with the topics of texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_vmf.models import BagOfWordsVAE
from tf_vmf.serving.endpoint import INTEGER, TEXTS, Endpoint, at_least
from tf_vmf.serving.export import export
from tf_vmf.text import DocumentVectorization
from tf_vmf.topics.fitted import FittedTopics
from tf_vmf.topics.tables import NO_TOPIC, NO_TOPIC_LABEL


def topics_text(
    model: BagOfWordsVAE, vectorizer: DocumentVectorization, topics: FittedTopics, labels: Sequence[str]
) -> Endpoint:
    """The endpoint from texts to topics: what `TopicModel.transform` computes, in float32; topic -1 without a known word."""
    mixture = topics.mixture
    log_weights = tf.constant(np.log(mixture.weights), tf.float32)
    directions = tf.constant(mixture.mean_directions * mixture.concentration, tf.float32)
    members = tf.one_hot(topics.topic_of, topics.num_topics)
    mean, names = tf.constant(topics.weights, tf.float32), tf.constant(list(labels))

    def function(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        counts = vectorizer(texts)
        known = tf.reduce_sum(counts, axis=1)
        codes = model.posterior_parameters(counts)["mean_direction"]
        # The mixture has one concentration: its normalizer cancels in the proportions.
        of_components = tf.nn.softmax(log_weights + tf.matmul(codes, directions, transpose_b=True))
        proportions = tf.where(known[:, tf.newaxis] > 0, tf.matmul(of_components, members), mean)
        topic = tf.argmax(proportions, axis=1, output_type=tf.int32)
        return {
            "proportions": proportions,
            "topic": tf.where(known > 0, topic, NO_TOPIC),
            "label": tf.where(known > 0, tf.gather(names, topic), NO_TOPIC_LABEL),
            "tokens": tf.cast(known, tf.int32),
        }

    return Endpoint(function, {"texts": TEXTS}, "proportions, most probable topic and its label, of raw text")


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
    vectorizer: DocumentVectorization,
    topics: FittedTopics,
    labels: Sequence[str],
    path: str | Path,
    examples: Sequence[str] | None = None,
) -> Path:
    """`tf_vmf.serving.export` with the endpoints `topics_text` and `topic_labels`."""
    added = {"topics_text": topics_text(model, vectorizer, topics, labels), "topic_labels": topic_labels(labels)}
    return export(model, path, vectorizer, examples=examples, extra_endpoints=added)
