"""Batches of a sentence model: token ids (batch, length), or a dict of these "tokens" and "labels" (batch,)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tf_vmf.text.tokens import EOS_ID, PAD_ID


def tokens_of(x: Any) -> tf.Tensor:
    """The token ids of a batch, shape (batch, length), int32.

    Raises:
        ValueError: They are of another rank.
    """
    tokens = x["tokens"] if isinstance(x, Mapping) else x
    if isinstance(tokens, tf.RaggedTensor):
        tokens = tokens.to_tensor(PAD_ID)
    tokens = tf.cast(tokens, tf.int32)
    if tokens.shape.rank not in (None, 2):
        raise ValueError(f"Expected token ids of shape (batch, length). Received: shape {tokens.shape}.")
    return tokens


def labels_of(x: Any) -> Any:
    """The labels of a batch, or None."""
    return x.get("labels") if isinstance(x, Mapping) else None


def lengths_of(tokens: tf.Tensor) -> tf.Tensor:
    """The number of tokens of every sentence, shape (batch,), int32."""
    return tf.math.count_nonzero(tokens, axis=-1, dtype=tf.int32)


def padded_at_the_end(tokens: tf.Tensor) -> tf.Tensor:
    """The ids themselves; an error at run time where padding comes before a word, as `keras.utils.pad_sequences` puts it."""
    ok = tf.reduce_all((tokens[:, 1:] == PAD_ID) | (tokens[:, :-1] != PAD_ID))
    message = "Expected padding (id 0) at the end of sentences only; pad_sequences needs padding='post'. Received:"
    with tf.control_dependencies([tf.debugging.Assert(ok, [message, tokens])]):
        return tf.identity(tokens)


def ended(tokens: tf.Tensor) -> tf.Tensor:
    """The ids themselves; an error at run time where a sentence does not end with `EOS_ID`: the model would not learn to end."""
    after = tf.pad(tokens[:, 1:], [[0, 0], [0, 1]], constant_values=PAD_ID)
    ok = tf.reduce_all((tokens == EOS_ID) | (after != PAD_ID) | (tokens == PAD_ID))
    message = f"Expected every sentence to end with <eos> (id {EOS_ID}), before the padding. Received:"
    with tf.control_dependencies([tf.debugging.Assert(ok, [message, tokens])]):
        return tf.identity(tokens)


def concat(first: tf.Tensor | None, second: tf.Tensor | None) -> tf.Tensor | None:
    """The two side by side as float32, the one that there is, or None."""
    parts = [tf.cast(part, tf.float32) for part in (first, second) if part is not None]
    return tf.concat(parts, axis=-1) if parts else None
