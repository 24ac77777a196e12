"""From raw documents to word counts inside a model, as the corpus was made."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_vmf.data.text_layer import TextLayer
from tf_vmf.data.vocabulary import text_vectorization


@keras.saving.register_keras_serializable(package="tf_vmf")
class DocumentVectorization(TextLayer):
    """Turns strings into counts of the words of a vocabulary; all other words are passed over.

    ```python
    vectorize = DocumentVectorization(["star", "planet"], tokenization="words")
    vectorize(["A star, another star.", ""])  # [[2, 0], [0, 0]]
    ```

    Args:
        vocabulary: the V words.
        tokenization: a key of `tf_vmf.data.vocabulary.STANDARDIZERS`.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        texts: strings of shape (batch,), a tensor or a list, a document each.

    Returns:
        float32 counts (batch, V).

    Raises:
        ValueError: no such tokenization.
    """

    def __init__(self, vocabulary: Sequence[str], *, tokenization: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vocabulary = tuple(vocabulary)
        self.tokenization = tokenization
        self._words = text_vectorization(vocabulary, tokenization=tokenization, output_mode="count")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self._words.build(input_shape)

    def call(self, texts: tf.Tensor) -> tf.Tensor:
        return tf.cast(self._words(texts), tf.float32)[:, 1:]  # column 0 counts what is not in the vocabulary

    def compute_output_spec(self, texts: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor((texts.shape[0], len(self.vocabulary)), dtype="float32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "vocabulary": list(self.vocabulary), "tokenization": self.tokenization}
