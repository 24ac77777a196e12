"""A decoder that starts from the word frequencies of the corpus."""

from __future__ import annotations

import keras
import numpy as np


class UnigramBias:
    """Mixin for models whose decoder ends in a softmax over a vocabulary."""

    vocabulary_size: int

    @property
    def output_bias(self) -> keras.Variable:
        """The bias of the softmax, shape (vocabulary_size,)."""
        raise NotImplementedError

    def set_unigram_bias(self, counts: np.ndarray) -> None:
        """Starts the softmax's bias at the log frequencies of the corpus, so that the decoder learns deviations from them.

        Args:
            counts: How often each word or token id occurs in the training data, shape (vocabulary_size,), the end of sentences
                included where it is one; zeros are smoothed by one half.

        Raises:
            ValueError: The shape is another.
        """
        counts = np.asarray(counts, np.float64)
        if counts.shape != (self.vocabulary_size,):
            raise ValueError(f"Argument `counts`: expected shape ({self.vocabulary_size},). Received: {counts.shape}.")
        smoothed = counts + 0.5
        self.output_bias.assign(np.log(smoothed / smoothed.sum()))
