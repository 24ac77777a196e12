"""From raw sentences to padded token ids inside a model, as the corpus was made."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_vmf.data.special_tokens import EOS_ID, PAD_ID, SPECIAL_TOKENS, UNK_ID
from tf_vmf.data.text_layer import TextLayer
from tf_vmf.data.vocabulary import text_vectorization

_FIRST_WORD = len(SPECIAL_TOKENS)


@keras.saving.register_keras_serializable(package="tf_vmf")
class SentenceVectorization(TextLayer):
    """Turns strings into token ids, each sentence ending in `<eos>`, padded to the longest.

    ```python
    vectorize = SentenceVectorization(["<pad>", "<eos>", "<unk>", "the", "cat"], tokenization="punctuation")
    vectorize(["The cat", "The old cat!"])  # [[3, 4, 1, 0, 0], [3, 2, 4, 2, 1]]
    ```

    Args:
        vocabulary: the string of every id, special tokens first, as `SentenceCorpus.vocabulary`.
        tokenization: a key of `tf_vmf.data.vocabulary.STANDARDIZERS`.
        max_length: tokens a sentence may have, `<eos>` included; longer ones are cut to that. None: no limit.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        texts: strings of shape (batch,), a tensor or a list, a sentence each.

    Returns:
        int32 ids (batch, length).

    Raises:
        ValueError: the vocabulary does not begin with the special tokens; no such tokenization; `max_length` below 2.
    """

    def __init__(
        self, vocabulary: Sequence[str], *, tokenization: str, max_length: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if tuple(vocabulary[:_FIRST_WORD]) != SPECIAL_TOKENS:
            raise ValueError(
                f"`vocabulary` must begin with {', '.join(SPECIAL_TOKENS)}. Received: {tuple(vocabulary[:_FIRST_WORD])}."
            )
        if max_length is not None and max_length < 2:
            raise ValueError(f"`max_length` must be at least 2. Received: max_length={max_length}.")
        self.vocabulary = tuple(vocabulary)
        self.tokenization = tokenization
        self.max_length = max_length
        self._words = text_vectorization(vocabulary[_FIRST_WORD:], tokenization=tokenization, ragged=True)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self._words.build(input_shape)

    def call(self, texts: tf.Tensor) -> tf.Tensor:
        # TextVectorization has 1 for unknown words and counts the others from 2, a special token less than here.
        ids = tf.cast(self._words(texts), tf.int32) + (UNK_ID - 1)
        if self.max_length is not None:
            ids = ids[:, : self.max_length - 1]
        ends = tf.fill((tf.shape(texts)[0], 1), EOS_ID)
        return tf.concat([ids, tf.RaggedTensor.from_tensor(ends)], axis=1).to_tensor(PAD_ID)

    def compute_output_spec(self, texts: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor((texts.shape[0], None), dtype="int32")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "vocabulary": list(self.vocabulary),
            "tokenization": self.tokenization,
            "max_length": self.max_length,
        }
