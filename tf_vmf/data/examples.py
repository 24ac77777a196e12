"""The protocol of what models are trained and measured on."""

from typing import Protocol

import numpy as np
import tensorflow as tf


class Examples(Protocol):
    """Examples in batches: `Documents` and `Sentences`.

    The training batch of a step is a pure function of (seed, step), so that a run that is resumed sees the batches of an
    uninterrupted one. Every epoch holds every example exactly once.
    """

    def __len__(self) -> int: ...

    @property
    def num_tokens(self) -> int:
        """The number of tokens in all examples."""
        ...

    def steps_per_epoch(self, batch_size: int) -> int:
        """The number of batches that hold every example once; some may be smaller than `batch_size`."""
        ...

    def batches(self, batch_size: int, *, seed: int, start_step: int = 0) -> tf.data.Dataset:
        """Endless shuffled batches from step `start_step` on: pass `steps_per_epoch` to `fit`.

        Args:
            batch_size: examples per batch.
            seed: an integer; other seeds give other orders.
            start_step: the number of batches to pass over.

        Raises:
            ValueError: `batch_size` is not positive, or `start_step` is negative.
        """
        ...

    def evaluation_batches(self, batch_size: int) -> tf.data.Dataset:
        """Batches of all examples, once, in the order of `evaluation_order`; some may be smaller."""
        ...

    def evaluation_order(self) -> np.ndarray:
        """The positions of the examples in the order of `evaluation_batches`, int64 (n,)."""
        ...

    def batch_ids(self, step: int, batch_size: int, *, seed: int) -> list[int]:
        """The positions of the examples in the batch of a step."""
        ...
