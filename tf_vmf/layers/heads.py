"""Heads of latent layers: the Keras layers that compute a parameter of the posterior from the features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_vmf._errors import ArgumentError


def check_head(owner: str, name: str, head: Any) -> keras.layers.Layer | None:
    """The argument `name` of a latent layer: a Keras layer, its configuration, or None for the layer's own head."""
    if isinstance(head, Mapping):
        head = keras.saving.deserialize_keras_object(head)
    if head is not None and not isinstance(head, keras.layers.Layer):
        remedy = "A function becomes a layer by keras.layers.Lambda(function)."
        raise ArgumentError(name, "a Keras layer, or None", repr(head), remedy, owner=owner)
    return head


def head_config(head: keras.layers.Layer | None) -> dict[str, Any] | None:
    """The configuration of a head, for the `get_config` of the latent layer that builds it."""
    if head is None:
        return None
    config = dict(keras.saving.serialize_keras_object(head))
    config.pop("build_config", None)
    return config


def initializer_config(initializer: Any) -> Any:
    """An initializer as a name or a configuration."""
    if isinstance(initializer, keras.initializers.Initializer):
        return keras.initializers.serialize(initializer)
    return initializer


def build_head(head: keras.layers.Layer, input_shape: Sequence[int | None]) -> None:
    """Builds a head that is not built, as one that another layer shares or that comes from a file may be."""
    if not head.built:
        head.build(input_shape)


def check_width(values: tf.Tensor, width: int, owner: str, name: str) -> tf.Tensor:
    """Returns the values; an ArgumentError where the last axis is not of the width."""
    if values.shape.rank == 0 or values.shape[-1] != width:
        raise ArgumentError(name, f"shape (batch, {width})", f"shape {values.shape}", owner=owner)
    return values
