"""Heads of latent layers: the Keras layers that compute a parameter of the posterior from the features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_vmf._errors import ArgumentError


class HasHeads:
    """Mixin of a latent layer with heads: the user's own, or dense layers. To be inherited before the Keras class."""

    kernel_initializer: Any
    dtype_policy: Any
    _own_heads: tuple[str, ...] = ()

    def add_head(self, name: str, head: Any, units: int) -> None:
        """Keeps a head under a name: a Keras layer or its configuration; None for a dense layer of some units."""
        if isinstance(head, Mapping):
            head = keras.saving.deserialize_keras_object(head)
        if head is not None and not isinstance(head, keras.layers.Layer):
            remedy = "A function becomes a layer by keras.layers.Lambda(function)."
            raise ArgumentError(name, "a Keras layer, or None", repr(head), remedy, owner=type(self).__name__)
        if head is None:
            options = {"dtype": self.dtype_policy, "name": name.removesuffix("_head")}
            head = keras.layers.Dense(units, kernel_initializer=self.kernel_initializer, **options)
        else:
            self._own_heads = (*self._own_heads, name)
        setattr(self, name, head)

    def config_of_heads(self, *names: str) -> dict[str, Any]:
        """The entries of `get_config`: a dense layer is made anew from the others, unless it was quantized."""
        kept = {name: getattr(self, name) for name in names}
        return {
            name: head_config(head) if name in self._own_heads or getattr(head, "quantization_mode", None) else None
            for name, head in kept.items()
        }


def head_config(head: keras.layers.Layer) -> dict[str, Any]:
    """The configuration of a head, for the `get_config` of the latent layer that builds it."""
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
