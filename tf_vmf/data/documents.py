"""Documents: word counts, a row per document, in memory or in files mapped into memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.data import batches
from tf_vmf.data.arrays import content_fingerprint
from tf_vmf.data.batches import Examples, Gather, Plan, count_gatherer, epoch_order, in_order
from tf_vmf.data.counts import checked_counts, names_of_columns, numbers_of_frame

_ENTRY_BYTES = 12  # of a count in the tensors: int64 column, float32 value


@dataclass(frozen=True, eq=False)
class Documents(Examples):
    """The documents of one split as rows of a sparse count matrix.

    Training and evaluation batches are float32 counts (batch, V); those of evaluation come in the order of the rows.

    ```python
    documents = tf_vmf.data.Documents([[1, 0, 2], [0, 3, 0]])
    for batch in documents.evaluation_batches(2):
        print(batch)  # [[1, 0, 2], [0, 3, 0]]
    ```

    Attributes:
        counts: how often each word occurs in each document, shape (n, V): a scipy sparse matrix or array of any format, or a
            dense array or a data frame. Kept as a `csr_matrix` with sorted indices, each once.
        labels: array of shape (n,), in a corpus int64 positions in `Corpus.label_names`, or None.
        texts: n strings, the beginning of each document for display, or None where only counts are known.
        titles: n strings, or None.
        sparse: whether batches are `tf.SparseTensor`s. None: with a large vocabulary, where they are faster, and where a
            dense array of all counts would not stay in memory.
        words: the V words, or None where they are not known; of a data frame the names of its columns.

    Raises:
        ArgumentError: A count is negative, NaN or infinite, or an index lies outside the matrix; the columns have different
            lengths.
    """

    counts: Any
    labels: np.ndarray | None = None
    texts: tuple[str, ...] | None = None
    titles: tuple[str, ...] | None = None
    sparse: bool | None = None
    words: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if hasattr(self.counts, "columns"):
            names = names_of_columns(self.counts)
            object.__setattr__(self, "words", None if names is None else tuple(names))
            object.__setattr__(self, "counts", numbers_of_frame(self.counts))
        object.__setattr__(self, "counts", checked_counts(self.counts))
        for name in ("labels", "texts", "titles"):
            column = getattr(self, name)
            if column is not None and len(column) != len(self):
                raise ArgumentError(name, f"one per document, {len(self)}", str(len(column)), owner="Documents")

    def __len__(self) -> int:
        return int(self.counts.shape[0])

    @property
    def vocabulary_size(self) -> int:
        return int(self.counts.shape[1])

    @property
    def num_tokens(self) -> int:
        """The number of tokens that the counts hold; words outside the vocabulary are not among them."""
        return int(self.word_counts.sum())

    @cached_property
    def word_counts(self) -> np.ndarray:
        """Counts of each word, int64 (V,)."""
        return np.asarray(self.counts.sum(axis=0, dtype=np.int64)).ravel()

    @cached_property
    def statistics(self) -> dict[str, Any]:
        """Sizes and a fingerprint of the content."""
        counts = self.counts
        return {
            "documents": len(self),
            "tokens": self.num_tokens,
            "sha256": content_fingerprint(counts.indptr, counts.indices, counts.data, self.labels),
        }

    def take(self, rows: np.ndarray) -> Documents:
        """The documents at the positions `rows`, in that order."""
        return replace(
            self,
            counts=self.counts[rows],
            labels=None if self.labels is None else self.labels[rows],
            texts=None if self.texts is None else tuple(self.texts[row] for row in rows),
            titles=None if self.titles is None else tuple(self.titles[row] for row in rows),
        )

    def with_columns(self, columns: Sequence[int]) -> Documents:
        """The documents over the words at the positions `columns`, in that order."""
        words = None if self.words is None else tuple(self.words[column] for column in columns)
        return replace(self, counts=self.counts[:, columns], words=words)

    def without_empty(self) -> Documents:
        """The documents that hold at least one word of the vocabulary, in order."""
        rows = np.flatnonzero(np.diff(self.counts.indptr))
        return self if len(rows) == len(self) else self.take(rows)

    @property
    def batches_are_sparse(self) -> bool:
        """True if batches are `tf.SparseTensor`s."""
        return self.vocabulary_size > batches.SPARSE_ABOVE or self._too_large if self.sparse is None else self.sparse

    @property
    def _too_large(self) -> bool:
        return len(self) * self.vocabulary_size * self._resident_dtype.itemsize > batches.LARGEST_RESIDENT_BYTES

    @property
    def _resident_dtype(self) -> np.dtype:
        """int16 where it holds every count: half the memory of float32, and gathering and casting cost no more."""
        counts = self.counts
        small = np.issubdtype(counts.dtype, np.integer) and counts.nnz and counts.max() <= np.iinfo(np.int16).max
        return np.dtype(np.int16 if small else np.float32)

    def _plan(self, batch_size: int, seed: int) -> Plan:
        return lambda epoch: in_order(epoch_order(len(self), seed, epoch), batch_size)

    def _gather(self) -> Gather:
        counts = self.counts
        if not self.batches_are_sparse and not self._too_large:
            # A quarter of the CPU that building each batch from the sparse matrix costs (20NG, 2,000 words, batch 200, one core:
            # 1.3 million documents per second against 0.35 million).
            resident = tf.constant(counts.toarray().astype(self._resident_dtype))
            return lambda rows: tf.cast(tf.gather(resident, rows), tf.float32)
        fits = counts.nnz * _ENTRY_BYTES <= batches.LARGEST_RESIDENT_BYTES
        entries = batches.entries_in_memory(counts) if fits else batches.entries_mapped(counts)
        return count_gatherer(entries, self.vocabulary_size, sparse=self.batches_are_sparse)
