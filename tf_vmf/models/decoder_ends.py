"""Decoders that end in an activation where a likelihood takes logits."""

from __future__ import annotations

import warnings
from typing import Any

import keras

from tf_vmf import _keras

# Layers that leave the values of their input as they are.
_TRANSPARENT = (keras.layers.Reshape, keras.layers.Flatten, keras.layers.Dropout, keras.layers.Permute)
_SQUASHING = ("sigmoid", "softmax", "hard_sigmoid")


def warn_of_activation(decoder: keras.layers.Layer, likelihood: Any) -> None:
    """Warns where a decoder is seen to end in a sigmoid or softmax and the likelihood applies its own.

    Only Sequential and functional decoders and single layers can be looked into.
    """
    activation = _last_activation(decoder)
    if getattr(likelihood, "takes_logits", False) and activation in _SQUASHING:
        warnings.warn(
            f"The decoder ends in a {activation}, but the {type(likelihood).__name__} likelihood takes logits and applies its own "
            "activation: such a model trains badly. Leave the activation out, and get probabilities by "
            "`model.reconstruct(x)` or `model.sample(n, mean=True)`.",
            stacklevel=4,
        )


def _last_activation(layer: Any) -> str | None:
    """The name of the activation that the output of a layer comes from; None where it is not known."""
    if isinstance(layer, keras.Sequential):
        layers = [each for each in layer.layers if not isinstance(each, _TRANSPARENT)]
        return _last_activation(layers[-1]) if layers else None
    if isinstance(layer, _keras.Functional):
        if not isinstance(layer.output, keras.KerasTensor):
            return None
        operation = _keras.operation_of(layer.output)
        while isinstance(operation, _TRANSPARENT):
            operation = _keras.operation_of(operation.input)
        return _last_activation(operation)
    if isinstance(layer, keras.layers.Softmax):
        return "softmax"
    return getattr(getattr(layer, "activation", None), "__name__", None)
