"""From raw text to the input of a model, inside the model, as the corpus was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_vmf import _backend  # noqa: F401  (Keras must have the right backend)
from tf_vmf._errors import ArgumentError
from tf_vmf.text.files import as_texts
from tf_vmf.text.tokenization import Tokenizer
from tf_vmf.text.vocabulary import EOS_ID, FIRST_WORD_ID, PAD_ID, SPECIAL_TOKENS, UNK_ID, checked_words

# Stands for unknown words in the lookup table. No word holds a NUL, so that no word of a vocabulary is taken for it.
_UNKNOWN = "\0"


class TextLayer(keras.layers.Layer):
    """The base of layers that are called on strings: a tensor, an array or a list of them, shape (batch,).

    Args:
        vocabulary: the string of every number, from 0.
        tokenizer: from text to words.
        first_word: the position of the first word of the vocabulary.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, vocabulary: Sequence[str], tokenizer: Tokenizer, first_word: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vocabulary = checked_words(vocabulary, owner=type(self).__name__)
        self.tokenization = tokenizer.tokenization
        self._tokenizer = tokenizer
        words = list(self.vocabulary[first_word:])
        self._lookup = keras.layers.StringLookup(vocabulary=words, mask_token=None, oov_token=_UNKNOWN)

    def __call__(self, texts: Any, *args: Any, **kwargs: Any) -> Any:
        # Keras layers accept tensors only; this converts lists of strings.
        return super().__call__(_as_strings(texts), *args, **kwargs)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self._lookup.build(input_shape)

    def known_tokens(self, texts: Any) -> tf.Tensor:
        """The number of tokens of each text that are in the vocabulary; 0 where the model sees nothing of the text.

        Args:
            texts: strings of shape (batch,), a tensor, an array or a list.

        Returns:
            int32 (batch,).
        """
        known = self.numbers(_as_strings(texts)) > 0
        return tf.reduce_sum(tf.cast(known, tf.int32), axis=1)

    def numbers(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """int64 (batch, None): 0 for unknown words, w + 1 for word w."""
        return self._lookup(self._tokenizer.ragged(texts))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "vocabulary": list(self.vocabulary), "tokenization": self.tokenization}


@keras.saving.register_keras_serializable(package="tf_vmf")
class DocumentVectorization(TextLayer):
    """Turns strings into counts of the words of a vocabulary; all other words are passed over.

    ```python
    vectorize = tf_vmf.text.DocumentVectorization(["star", "planet"], tokenization="words")
    vectorize(["A star, another star.", ""])  # [[2, 0], [0, 0]]
    vectorize.known_tokens(["A star, another star.", ""])  # [2, 0]
    ```

    Args:
        vocabulary: the V words.
        tokenization: this and the next as in `tf_vmf.text.Tokenizer`.
        ngram_range: the lengths of runs of words that count as a word of the vocabulary.
        separator: what joins the words of a run in the vocabulary.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        texts: strings of shape (batch,), a tensor or a list, one per document.

    Returns:
        float32 counts (batch, V).

    Raises:
        ValueError: no such tokenization.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        *,
        tokenization: str = "words",
        ngram_range: tuple[int, int] = (1, 1),
        separator: str = "_",
        **kwargs: Any,
    ) -> None:
        super().__init__(vocabulary, Tokenizer(tokenization, ngram_range, separator=separator), **kwargs)
        self.ngram_range = self._tokenizer.ngram_range

    def call(self, texts: tf.Tensor) -> tf.Tensor:
        size = len(self.vocabulary) + 1
        counts = tf.math.bincount(self.numbers(texts), minlength=size, maxlength=size, axis=-1, dtype=tf.float32)
        return tf.ensure_shape(counts, (None, size))[:, 1:]  # column 0 counts what is not in the vocabulary

    def compute_output_spec(self, texts: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor((texts.shape[0], len(self.vocabulary)), dtype="float32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "ngram_range": list(self.ngram_range), "separator": self._tokenizer.separator}


@keras.saving.register_keras_serializable(package="tf_vmf")
class SentenceVectorization(TextLayer):
    """Turns strings into token ids, each sentence ending in `<eos>`, padded to the longest.

    ```python
    vectorize = tf_vmf.text.SentenceVectorization(["<pad>", "<eos>", "<unk>", "the", "cat"], tokenization="punctuation")
    vectorize(["The cat", "The old cat!"])  # [[3, 4, 1, 0, 0], [3, 2, 4, 2, 1]]
    vectorize.known_tokens(["The cat", "The old cat!"])  # [2, 2]
    ```

    Args:
        vocabulary: the string of every id, special tokens first, as `SentenceCorpus.vocabulary`.
        tokenization: as in `tf_vmf.text.Tokenizer`.
        max_length: tokens a sentence may have, `<eos>` included; longer ones are cut to that. None: no limit.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        texts: strings of shape (batch,), a tensor or a list, one per sentence.

    Returns:
        int32 ids (batch, length).

    Raises:
        ValueError: the vocabulary does not begin with the special tokens; no such tokenization; `max_length` below 2.
    """

    def __init__(
        self, vocabulary: Sequence[str], *, tokenization: str, max_length: int | None = None, **kwargs: Any
    ) -> None:
        vocabulary = checked_words(vocabulary, owner="SentenceVectorization")
        if vocabulary[:FIRST_WORD_ID] != SPECIAL_TOKENS:
            expected = f"words that begin with {', '.join(SPECIAL_TOKENS)}"
            received = str(vocabulary[:FIRST_WORD_ID])
            raise ArgumentError("vocabulary", expected, received, owner="SentenceVectorization")
        if max_length is not None and max_length < 2:
            raise ArgumentError("max_length", "an integer >= 2", repr(max_length), owner="SentenceVectorization")
        super().__init__(vocabulary, Tokenizer(tokenization), FIRST_WORD_ID, **kwargs)
        self.max_length = max_length

    def call(self, texts: tf.Tensor) -> tf.Tensor:
        ids = tf.cast(self.numbers(texts), tf.int32) + UNK_ID
        ends = tf.fill((tf.shape(texts)[0], 1), EOS_ID)
        return tf.concat([ids, tf.RaggedTensor.from_tensor(ends)], axis=1).to_tensor(PAD_ID)

    def numbers(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """int64 (batch, None): 0 for unknown words, w + 1 for word w; one place is left for `<eos>`."""
        numbers = super().numbers(texts)
        return numbers if self.max_length is None else numbers[:, : self.max_length - 1]

    def compute_output_spec(self, texts: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor((texts.shape[0], None), dtype="int32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "max_length": self.max_length}


def _as_strings(texts: Any) -> Any:
    """A tensor of strings; one string alone is refused, as its letters are not meant."""
    if isinstance(texts, str):
        raise ArgumentError("texts", "a list of strings, one per example", f"the string {texts!r}")
    if tf.is_tensor(texts) or isinstance(texts, keras.KerasTensor):
        return texts
    try:
        return tf.convert_to_tensor(texts, tf.string)
    except ValueError:  # half of a surrogate pair
        for text in as_texts(texts):
            text.check_unicode()
        raise


# Arguments of `CountVectorizer`, and the one value of each that a graph can follow.
_ARGUMENTS = {
    "analyzer": "word",
    "binary": False,
    "input": "content",
    "lowercase": True,
    "preprocessor": None,
    "strip_accents": None,
    "token_pattern": r"(?u)\b\w\w+\b",
    "tokenizer": None,
}


def as_vectorizer(vectorizer: Any) -> TextLayer | None:
    """A text layer, as it is or from a fitted `sklearn.feature_extraction.text.CountVectorizer`; None stays None.

    The layer runs inside a TensorFlow graph, as a saved model needs it, and counts as the vectorizer does.

    ```python
    from sklearn.feature_extraction.text import CountVectorizer

    words = CountVectorizer().fit(["red moon", "red sea"])
    tf_vmf.text.as_vectorizer(words)(["Red, red moon!"])  # [[1, 2, 0]]
    ```

    Raises:
        ValueError: It is not fitted; it is another vectorizer, such as one of TF-IDF weights; it was made with an argument that a
            graph cannot follow, such as a function, or with stop words beside runs of words or a vocabulary.
    """
    if vectorizer is None or isinstance(vectorizer, TextLayer):
        return vectorizer
    kind = type(vectorizer).__name__
    if kind != "CountVectorizer" or not hasattr(vectorizer, "get_params"):
        expected = (
            "the layer `corpus.vectorizer()`, a CountVectorizer of scikit-learn, or None for a model without endpoints "
        )
        raise ArgumentError("vectorizer", f"{expected}for text", kind)
    parameters = vectorizer.get_params()
    wanted = dict(_ARGUMENTS)
    # In runs, words on both sides of a stop word become neighbors; and a vocabulary that was given may hold one, whose count is 0.
    if tuple(parameters["ngram_range"]) != (1, 1) or parameters["vocabulary"] is not None:
        wanted["stop_words"] = None
    for name, value in wanted.items():
        if parameters[name] != value:
            raise ArgumentError(
                "vectorizer",
                f"a CountVectorizer with {name}={value!r}, which a saved model can follow",
                f"{name}={parameters[name]!r}",
                "Leave the vectorizer out to serve the endpoints that take counts.",
            )
    if not hasattr(vectorizer, "vocabulary_") and parameters["vocabulary"] is None:
        raise ArgumentError("vectorizer", "a fitted CountVectorizer", "one that is not", "Call its `fit`.")
    return DocumentVectorization(
        list(vectorizer.get_feature_names_out()),
        tokenization="scikit-learn",
        ngram_range=tuple(parameters["ngram_range"]),
        separator=" ",
    )
