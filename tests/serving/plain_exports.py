"""Small SavedModels that are made by TensorFlow alone, for tests of the service."""

import tensorflow as tf


class Plain(tf.Module):
    """Endpoints whose answers are plain to see: the example of TensorFlow Serving's manual, echoes, and checks."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def half_plus_three(self, x):
        return {"y": x * 0.5 + 3.0}

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, "x"), tf.TensorSpec([None], tf.int32, "k")])
    def echo_numbers(self, x, k):
        return {"x": tf.identity(x), "k": tf.identity(k)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.int64, "big"),
            tf.TensorSpec([None, None], tf.bool, "flags"),
            tf.TensorSpec([], tf.float32, "scale"),
        ]
    )
    def echo_columns(self, big, flags, scale):
        return {"big": tf.identity(big), "flags": tf.identity(flags), "scale": tf.identity(scale)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "texts")])
    def echo_text(self, texts):
        return {"texts": tf.identity(texts), "texts_bytes": tf.identity(texts)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, "labels")])
    def echo_labels(self, labels):
        return {"labels": tf.identity(labels)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def logarithm(self, x):
        return {"y": tf.math.log(x)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float32, "x"),
            tf.TensorSpec([], tf.int32, "num_points"),
            tf.TensorSpec([], tf.int32, "num_samples"),
        ]
    )
    def repeat(self, x, num_points, num_samples):
        tf.debugging.Assert(num_points >= 1, ["num_points must be >= 1. Received:", num_points])
        rows = tf.repeat(x[:, tf.newaxis], num_points, axis=1)
        return {"rows": rows + tf.cast(num_samples, tf.float32)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def total(self, x):
        return {"y": tf.reduce_sum(x)}


ENDPOINTS = (
    "echo_numbers",
    "echo_columns",
    "echo_text",
    "echo_labels",
    "logarithm",
    "repeat",
    "total",
)


def save_plain(path):
    """Writes the endpoints of `Plain`; `serving_default` is `half_plus_three`."""
    module = Plain()
    signatures = {name: getattr(module, name) for name in ENDPOINTS}
    tf.saved_model.save(module, str(path), {"serving_default": module.half_plus_three, **signatures})
    return path


_TEXTS = tf.TensorSpec([None], tf.string)
_LABELS = tf.TensorSpec([None], tf.int32, "labels")
_INTEGER, _NUMBER = tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.float32)


class PlainSentences(tf.Module):
    """The endpoints of a conditional sentence model; each writes into its sentences what it was asked for."""

    @tf.function(input_signature=[_TEXTS, _LABELS])
    def encode_text(self, texts, labels):
        lengths = tf.cast(tf.strings.length(texts), tf.float32)
        return {"code": tf.stack([lengths, tf.cast(labels, tf.float32)], axis=1), "tokens": tf.strings.length(texts)}

    @tf.function(input_signature=[_TEXTS, _INTEGER, _LABELS])
    def reconstruct_text(self, texts, max_length, labels):
        return {"texts": tf.strings.join([tf.strings.upper(texts), tf.strings.as_string(labels)], " label "),
                "tokens": tf.fill([tf.size(texts), max_length], 1)}  # fmt: skip

    @tf.function(input_signature=[_TEXTS, _TEXTS, _INTEGER, _INTEGER, _LABELS])
    def interpolate_text(self, start, end, num_points, max_length, labels):
        point = tf.strings.as_string(tf.range(num_points))
        texts = tf.strings.join([start[0], point, end[0]], " | ")[tf.newaxis]
        return {"codes": tf.zeros([1, num_points, 2]), "texts": texts, "tokens": tf.fill([1, max_length], labels[0])}

    @tf.function(input_signature=[_INTEGER, _INTEGER, _NUMBER, _INTEGER, _NUMBER, _INTEGER, _LABELS])
    def sample(self, n, max_length, temperature, top_k, top_p, seed, labels):
        asked = [tf.as_string(each, precision=2) for each in (temperature, top_p)]
        counts = [tf.as_string(each) for each in (max_length, top_k, seed, labels)]
        text = tf.strings.join(["sample", *asked, *counts], " ")
        return {"codes": tf.zeros([n, 2]), "texts": text}

    @tf.function(input_signature=[_TEXTS, _INTEGER])
    def nearest_text(self, texts, num_neighbors):
        rank = tf.range(num_neighbors)
        neighbors = tf.strings.join([texts[0], tf.strings.as_string(rank)], " neighbor ")[tf.newaxis]
        similarities = (1.0 - 0.1 * tf.cast(rank, tf.float32))[tf.newaxis]
        return {"neighbors": neighbors, "similarities": similarities, "tokens": tf.strings.length(texts)}


class PlainDocuments(tf.Module):
    """The endpoints of a document model that the page asks; the words of a text are its own, in order."""

    @tf.function(input_signature=[_TEXTS])
    def encode_text(self, texts):
        return {"code": tf.ones([tf.size(texts), 3]), "concentration": tf.fill([tf.size(texts), 1], 5.0)}

    @tf.function(input_signature=[_TEXTS, _INTEGER])
    def reconstruct_text(self, texts, num_words):
        words = tf.strings.split(texts).to_tensor("")[:, :num_words]
        return {"words": words, "log_probs": -tf.cast(tf.ones_like(words, tf.int32), tf.float32)}

    @tf.function(input_signature=[_TEXTS])
    def topics_text(self, texts):
        known = tf.reduce_sum(tf.cast(tf.strings.split(texts) != "unknown", tf.int32), axis=1)
        space = tf.where(tf.strings.regex_full_match(texts, ".*moon.*"), 0.75, 0.125)
        return {
            "proportions": tf.stack([1.0 - space, space], axis=1),
            "topic": tf.cast(space > 0.5, tf.int32),
            "tokens": known,
        }

    @tf.function(input_signature=[_INTEGER, _INTEGER])
    def topic_labels(self, first, number):
        return {"labels": tf.constant(["cooking", "space"])[first : first + number]}

    @tf.function(input_signature=[_TEXTS, _TEXTS, _INTEGER])
    def interpolate_text(self, start, end, num_points):
        return {"codes": tf.tile(tf.range(num_points)[tf.newaxis, :, tf.newaxis], [1, 1, 3]), "log_probs": start}

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.int32), _INTEGER, _NUMBER])
    def topics(self, z, num_words, relevance_weight):
        shape = [tf.shape(z)[0], num_words]
        ids = tf.broadcast_to(z[:, :1], shape), tf.broadcast_to(tf.range(num_words), shape)
        names = tf.strings.join(["word", *map(tf.strings.as_string, ids)], "-")
        return {"words": names, "log_probs": tf.fill(shape, -relevance_weight)}


def save_texts(module, path):
    """Writes all endpoints of a module; `serving_default` is `encode_text`."""
    names = [
        name for name in dir(type(module)) if isinstance(getattr(type(module), name), type(tf.function(lambda: 0)))
    ]
    signatures = {name: getattr(module, name) for name in names}
    tf.saved_model.save(module, str(path), {"serving_default": module.encode_text, **signatures})
    return path
