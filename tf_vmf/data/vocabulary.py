"""Tokenising and vocabularies with Keras `TextVectorization`: a saved model can do to new text what was done here.

Two things `TextVectorization` cannot do, minimum counts and stop words, happen between two layers: one adapts to the
training texts without a limit, the words that it finds are counted exactly and filtered, and another is made of those
that remain.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy import sparse

from tf_vmf._optional import optional
from tf_vmf.data.lines import read_lines

_CHUNK = 512  # texts that go through TensorFlow at once: enough to hide the cost of a call, few enough to stay small


@keras.saving.register_keras_serializable(package="tf_vmf")
def separate_words(texts: tf.Tensor) -> tf.Tensor:
    """Lower-case words of two letters or more, separated by spaces; all that is not a letter separates words.

    Letters are those of Unicode, with their combining marks. "Don't fly in the 20th century!" becomes
    "don fly in the century": numbers with what is glued to them, punctuation and what an apostrophe cuts off ("t", "s")
    carry no topic. Unicode is not normalised.
    """
    texts = tf.strings.lower(texts, encoding="utf-8")
    # Two spaces between words: the next pattern consumes the space on either side of a single letter.
    texts = tf.strings.regex_replace(texts, r"(?:\pN[\pL\pM\pN]*|[^\pL\pM])+", "  ")
    return tf.strings.regex_replace(texts, r"(?:^| )\pL(?: |$)", " ")


@keras.saving.register_keras_serializable(package="tf_vmf")
def separate_punctuation(texts: tf.Tensor) -> tf.Tensor:
    r"""Lower-case words and punctuation marks, separated by spaces, with numbers as `N`: text that reads as text.

    "Don't pay $1,500 in the U.S., Anne's well-known 'café' said." becomes
    "don't pay $ N in the u.s. , anne 's well-known ' café ' said .". In detail:

    - a word is a run of letters, marks and digits, with hyphens and apostrophes inside ("don't", "20th-century");
      single letters with full stops are one word ("u.s."), and `<unk>` stays what it is;
    - 's, 're, 've, 'll, 'd and 'm are words of their own, as in the Penn Treebank;
    - a word of digits, with points and commas inside, is `N`, as in the Penn Treebank's text for language models; capital,
      and so unlike every other word;
    - every other visible character is a token; curly quotes and accents that stand for them are straight ones.
    """
    texts = tf.strings.regex_replace(texts, r"[\pZ\pC]+", " ")  # first: tf.strings.lower drops what follows a NUL
    texts = tf.strings.lower(texts, encoding="utf-8")
    texts = tf.strings.regex_replace(texts, r"[\x{2018}\x{2019}\x{02BC}\x{00B4}`]", "'")
    texts = tf.strings.regex_replace(texts, r"[\x{201C}\x{201D}]", '"')
    texts = tf.strings.regex_replace(texts, r"([\pL\pM\pN])('(?:s|re|ve|ll|d|m))(?:([^\pL\pM\pN'-])|$)", r"\1 \2 \3")
    # The first alternative that fits is taken, so that this is a list of tokens, each put between spaces.
    token = (
        r"<unk>|(?:\pL\.){2,}|'(?:s|re|ve|ll|d|m)\b|"
        r"[\pL\pM\pN]+(?:[.,]\pN+)*(?:['-][\pL\pM\pN]+)*|[^ ]"
    )
    texts = tf.strings.regex_replace(texts, f"({token})", r" \1 ")
    return tf.strings.regex_replace(texts, r"(^| )\pN+(?:[.,]\pN+)*( |$)", r"\1N\2")


# How raw text becomes words separated by whitespace; None leaves the text as it is (already tokenised).
STANDARDIZERS: dict[str, Callable[[tf.Tensor], tf.Tensor] | None] = {
    "words": separate_words,
    "whitespace": None,
    "punctuation": separate_punctuation,
}


def text_vectorization(
    vocabulary: Sequence[str] | None = None,
    *,
    tokenization: str = "words",
    output_mode: str = "int",
    ragged: bool = False,
    output_sequence_length: int | None = None,
) -> keras.layers.TextVectorization:
    """The layer from raw strings to word ids or counts over `vocabulary`, ready to be part of a saved model.

    Args:
        vocabulary: the V words, or None for a layer yet to be adapted.
        tokenization: `"words"` (`separate_words`), `"whitespace"` (already tokenised text, taken as it is) or
            `"punctuation"` (`separate_punctuation`).
        output_mode: `"int"`: ids, 0 = padding, 1 = outside the vocabulary, w + 2 = `vocabulary[w]`; `"count"`: float32
            counts (batch, V + 1), whose column 0 counts words outside the vocabulary: models take columns 1 and up.
        ragged: whether `"int"` yields a `tf.RaggedTensor` without padding.
        output_sequence_length: length to pad or cut `"int"` to.

    Returns:
        A `keras.layers.TextVectorization`, for strings of shape (batch,).
    """
    if tokenization not in STANDARDIZERS:
        raise ValueError(
            f"`tokenization` must be one of {', '.join(STANDARDIZERS)}. Received: tokenization={tokenization!r}."
        )
    return keras.layers.TextVectorization(
        standardize=STANDARDIZERS[tokenization],
        output_mode=output_mode,
        ragged=ragged,
        output_sequence_length=output_sequence_length,
        vocabulary=None if vocabulary is None else list(vocabulary),
    )


def find_words(texts: Iterable[str], tokenization: str) -> tuple[str, ...]:
    """All distinct words of the texts: what a `TextVectorization` without a limit adapts to. Streams."""
    layer = text_vectorization(tokenization=tokenization)
    layer.adapt(tf.constant(chunk) for chunk in _chunks(texts))
    return tuple(str(word) for word in layer.get_vocabulary(include_special_tokens=False))  # numpy strings until here


def count_words(texts: Iterable[str], vocabulary: Sequence[str], tokenization: str) -> sparse.csr_matrix:
    """Counts the words of the vocabulary in each text: int32 CSR matrix (number of texts, V). Streams."""
    width = len(vocabulary)
    layer = text_vectorization(vocabulary, tokenization=tokenization, ragged=True)
    parts = [sparse.csr_matrix((0, width), dtype=np.int32)]
    for chunk in _chunks(texts):
        ids = layer(tf.constant(chunk))
        rows, columns = ids.value_rowids().numpy(), ids.values.numpy() - 2
        rows, columns = rows[columns >= 0], columns[columns >= 0]
        ones = np.ones(len(rows), dtype=np.int32)
        parts.append(sparse.csr_matrix((ones, (rows, columns)), shape=(len(chunk), width)))  # sums repeated words
    return sparse.vstack(parts, format="csr", dtype=np.int32)


def select_words(
    words: Sequence[str], totals: np.ndarray, *, size: int, min_count: int, stop_words: frozenset[str]
) -> list[int]:
    """Positions of the `size` most frequent words that are no stop words and occur `min_count` times or more.

    Ordered by falling count, ties alphabetically, so that the result depends on the texts alone.
    """
    allowed = [i for i, word in enumerate(words) if totals[i] >= min_count and word not in stop_words]
    return sorted(allowed, key=lambda i: (-totals[i], words[i]))[:size]


def read_stop_words(stop_words: str | Path | Iterable[str], tokenization: str) -> frozenset[str]:
    """The stop words as the tokeniser writes them.

    Args:
        stop_words: `"english"` (the 337 of gensim), `"none"`, the path of a file with one a line, or the words.
        tokenization: as in `text_vectorization`.

    Raises:
        ModuleNotFoundError: `"english"` without gensim.
        FileNotFoundError: there is no such file.
    """
    if isinstance(stop_words, str) and stop_words == "none":
        return frozenset()
    if isinstance(stop_words, str) and stop_words == "english":
        words: Iterable[str] = require_gensim("gensim.parsing.preprocessing", "the English stop words").STOPWORDS
    elif isinstance(stop_words, str | Path):
        if not Path(stop_words).is_file():
            raise FileNotFoundError(
                "`stop_words` must be 'english', 'none', the path of a file with a word a line, or a sequence of "
                f"words. Received: stop_words={str(stop_words)!r}, which is no file."
            )
        words = [line for _, line in read_lines(stop_words)]
    else:
        words = stop_words
    return frozenset(find_words(words, tokenization)) if words else frozenset()


def require_gensim(module: str, purpose: str) -> Any:
    """Imports a module of the optional dependency gensim, or says how to get it."""
    with optional("demo", purpose):
        return importlib.import_module(module)


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(texts)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
