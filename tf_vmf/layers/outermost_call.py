"""Which call of a Keras layer or model the current one belongs to; Keras keeps it to itself (`keras.src`, 3.15)."""

from __future__ import annotations

from typing import Any

import keras
from keras.src.backend.common import global_state


def outermost_call() -> Any | None:
    """The context of the outermost `__call__` in progress, the same object in all calls inside it; None outside of any.

    The losses that layers add are collected over one such context: a layer called twice in it is charged twice.
    """
    return global_state.get_global_attribute("current_call_ctx")


def called_model(context: Any | None) -> keras.Model | None:
    """The model whose call it is; None where a layer was called by itself."""
    entry = None if context is None else context.entry_layer
    return entry if isinstance(entry, keras.Model) else None


def layers_inside(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The layer and all layers inside it, at any depth, each once."""
    return layer._flatten_layers()
