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
