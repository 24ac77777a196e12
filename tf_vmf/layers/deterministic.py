"""One switch that makes all latent layers of a model return their deterministic codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras

from tf_vmf._errors import ArgumentError
from tf_vmf._keras import layers_inside
from tf_vmf.layers.latent_layer import LatentLayer


@contextmanager
def deterministic(model: keras.layers.Layer) -> Iterator[None]:
    """Within the block every latent layer of the model returns its deterministic code and charges no KL.

    It holds for `predict`, `evaluate`, direct calls and exports of functional, Sequential and subclassed models: an export made
    within the block draws no random numbers. Functions that Keras compiled before or within the block are not reused across it. A
    `tf.function` of your own keeps the behavior that held when it was traced.

    ```python
    inputs = keras.Input((8,))
    z = tf_vmf.layers.VonMisesFisherLatent(3, concentration=20.0)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(8)(z))
    with tf_vmf.layers.deterministic(model):
        reconstructions = model.predict(np.ones((2, 8)))  # the same at each call
    ```

    Args:
        model: A model, or a single layer.

    Raises:
        ValueError: There is no latent layer in it.
    """
    inside = layers_inside(model)
    latents = [layer for layer in inside if isinstance(layer, LatentLayer)]
    if not latents:
        received = f"{model.name!r}, which has none"
        raise ArgumentError("model", "a model with a latent layer", received, owner="deterministic")
    before = [layer.always_deterministic for layer in latents]
    try:
        for layer in latents:
            layer.always_deterministic = True
        _forget_compiled_functions(inside)
        yield
    finally:
        for layer, value in zip(latents, before, strict=True):
            layer.always_deterministic = value
        _forget_compiled_functions(inside)


def _forget_compiled_functions(layers: list[keras.layers.Layer]) -> None:
    """Makes Keras trace its steps again."""
    for layer in layers:
        if isinstance(layer, keras.Model):
            layer.train_function = layer.test_function = layer.predict_function = None
