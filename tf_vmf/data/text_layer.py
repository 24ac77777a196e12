"""The base of layers that read raw text."""

from typing import Any

import keras
import tensorflow as tf


class TextLayer(keras.layers.Layer):
    """A layer that is called on strings: a tensor, an array or a list of them, shape (batch,).

    Keras passes on tensors alone; strings in a list are the first thing to try.
    """

    def __call__(self, texts: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(texts, str):
            raise ValueError(f"Expected a list of strings, one an example. Received: the string {texts!r}.")
        if not tf.is_tensor(texts) and not isinstance(texts, keras.KerasTensor):
            texts = tf.convert_to_tensor(texts, tf.string)
        return super().__call__(texts, *args, **kwargs)
