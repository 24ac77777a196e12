"""The base of models over a vocabulary of words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import keras
import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.text.vocabulary import checked_words


class WordModel:
    """Mixin for models whose decoder ends in a softmax over a vocabulary."""

    vocabulary_size: int

    # The hash of the words, for files: `tf_vmf.models.load` refuses a vectorizer of other words, or of another order.
    vocabulary_hash: str | None = None

    # The words themselves, where they are known: a file holds the hash alone.
    _words: tuple[str, ...] | None = None

    @property
    def output_bias(self) -> keras.Variable:
        """The bias of the softmax, shape (vocabulary_size,)."""
        raise NotImplementedError

    def set_vocabulary(self, vocabulary: Sequence[str]) -> None:
        """Records, as a hash, which words the model was made for.

        Args:
            vocabulary: The word of every column or token id, in order.

        Raises:
            ArgumentError: There are more or fewer than `vocabulary_size`.
        """
        words = checked_words(vocabulary, owner=type(self).__name__)
        if len(words) != self.vocabulary_size:
            expected, received = f"{self.vocabulary_size} words", f"{len(words)} words"
            raise ArgumentError("vocabulary", expected, received, owner=type(self).__name__)
        self.vocabulary_hash = hash_of_vocabulary(words)
        vars(self)["_words"] = words  # where Keras, which would make it a part of checkpoints, does not see it

    def set_unigram_bias(self, counts: np.ndarray) -> None:
        """Starts the softmax's bias at the log frequencies of the corpus, so that the decoder learns deviations from them.

        Args:
            counts: How often each word or token id occurs in the training data, shape (vocabulary_size,), the end of sentences
                included where it is one; zeros are smoothed by one half.

        Raises:
            ArgumentError: The shape is another.
        """
        counts = np.asarray(counts, np.float64)
        if counts.shape != (self.vocabulary_size,):
            expected = f"shape ({self.vocabulary_size},)"
            raise ArgumentError("counts", expected, f"shape {counts.shape}", owner=type(self).__name__)
        smoothed = counts + 0.5
        self.output_bias.assign(np.log(smoothed / smoothed.sum()))


def hash_of_vocabulary(vocabulary: Sequence[str]) -> str:
    """The SHA-256 of the words in their order."""
    return hashlib.sha256(json.dumps([str(word) for word in vocabulary]).encode("utf-8")).hexdigest()
