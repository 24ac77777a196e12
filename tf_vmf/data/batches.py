"""Batches as a pure function of the step, so that training resumes exactly where it stopped."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import sparse

from tf_vmf._errors import ArgumentError
from tf_vmf.text.vocabulary import PAD_ID

# Arrays up to this size are held as tensors; larger ones are read batch by batch, from their files where they lie in files.
LARGEST_RESIDENT_BYTES = 2**30

# With more words a sparse first layer is faster than a dense one (documents of 100 tokens, whole training step, one core:
# 0.65 of dense at 2,000 words, 1.0 at 10,000, 1.1 at 30,000; benchmarks/document_training.py).
SPARSE_ABOVE = 10_000

Rows = Callable[[tf.Tensor], tf.Tensor]  # from the position of a batch in an epoch to the positions of its examples
Plan = Callable[[tf.Tensor], Rows]  # from the number of an epoch to its batches
Gather = Callable[[tf.Tensor], Any]  # from positions of examples (batch,) to the batch of these examples


class Examples(ABC):
    """Examples in batches: `Documents` and `Sentences`, what models are trained and measured on.

    The training batch of a step is a pure function of (seed, step), so that a run that is resumed sees the batches of an
    uninterrupted one. Every epoch holds every example exactly once.
    """

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def num_tokens(self) -> int:
        """The number of tokens in all examples."""

    @abstractmethod
    def _plan(self, batch_size: int, seed: int) -> Plan:
        """Plans the training batches of an epoch, an int64 scalar. A pure function."""

    @abstractmethod
    def _gather(self) -> Gather:
        """Makes batches."""

    def evaluation_order(self) -> np.ndarray:
        """The positions of the examples in the order of `evaluation_batches`, int64 (n,)."""
        return np.arange(len(self))

    def steps_per_epoch(self, batch_size: int) -> int:
        """The number of batches that hold every example once; some may be smaller than `batch_size`."""
        return num_batches(len(self), batch_size)

    def batches(self, batch_size: int, *, seed: int, start_step: int = 0) -> tf.data.Dataset:
        """Endless shuffled batches from step `start_step` on: pass `steps_per_epoch` to `fit`.

        Step s belongs to epoch s // steps_per_epoch, whose order of the examples is drawn statelessly from (seed, epoch).

        Args:
            batch_size: examples per batch.
            seed: an integer; other seeds give other orders.
            start_step: the number of batches to pass over, which cost nothing.

        Raises:
            ArgumentError: `batch_size` is not positive, or `start_step` is negative.
        """
        steps = self.steps_per_epoch(batch_size)
        if start_step < 0:
            raise ArgumentError("start_step", "an integer >= 0", repr(start_step))
        plan, gather = self._plan(batch_size, seed), self._gather()
        first_epoch, first_position = divmod(start_step, steps)

        def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
            rows = plan(epoch)
            first = tf.where(tf.equal(epoch, first_epoch), tf.constant(first_position, tf.int64), 0)
            return tf.data.Dataset.range(first, steps).map(lambda position: gather(rows(position)))

        batches = tf.data.Dataset.range(first_epoch, tf.int64.max).flat_map(epoch_batches)
        return prefetched(batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)))

    def evaluation_batches(self, batch_size: int) -> tf.data.Dataset:
        """Batches of all examples, once, in the order of `evaluation_order`; the last may be smaller."""
        steps = self.steps_per_epoch(batch_size)
        rows, gather = in_order(tf.constant(self.evaluation_order()), batch_size), self._gather()
        return prefetched(tf.data.Dataset.range(steps).map(lambda position: gather(rows(position))))

    def batch_ids(self, step: int, batch_size: int, *, seed: int) -> list[int]:
        """The positions of the examples in the training batch of a step."""
        epoch, position = divmod(step, self.steps_per_epoch(batch_size))
        rows = self._plan(batch_size, seed)(tf.constant(epoch, tf.int64))
        return [int(row) for row in rows(tf.constant(position, tf.int64)).numpy()]


def num_batches(size: int, batch_size: int) -> int:
    """The number of batches that hold `size` examples once."""
    if batch_size < 1:
        raise ArgumentError("batch_size", "an integer >= 1", repr(batch_size))
    return -(-size // batch_size)


def epoch_order(size: int | tf.Tensor, seed: int, epoch: tf.Tensor | int) -> tf.Tensor:
    """The order of `size` examples in an epoch: an int64 permutation drawn statelessly from (seed, epoch)."""
    pair = tf.stack([tf.constant(seed, tf.int64), tf.cast(epoch, tf.int64)])
    # Philox by name: the automatic choice depends on the device.
    return tf.random.experimental.stateless_shuffle(tf.range(tf.cast(size, tf.int64)), seed=pair, alg="philox")


def in_order(order: tf.Tensor, batch_size: int) -> Rows:
    """Cuts an order of examples into batches; the last may be smaller."""
    size = tf.size(order, tf.int64)
    return lambda position: order[position * batch_size : tf.minimum((position + 1) * batch_size, size)]


def length_buckets(lengths: tf.Tensor, batch_size: int, window: int, seed: int, epoch: tf.Tensor) -> Rows:
    """Plans an epoch of batches of sentences of similar length.

    A permutation of the sentences is drawn, each run of `window` batches of it is sorted by length and cut into batches, and
    the order of all batches is shuffled: a batch still mixes sentences from everywhere, other ones in every epoch, and is padded
    to its longest only. Both permutations are drawn statelessly from (seed, epoch).
    """
    size = tf.size(lengths, tf.int64)
    positions = tf.range(size)
    # A position in the permutation, its sentence's length and its window as one sortable number: all distinct, so that the
    # order does not depend on how a sort treats ties.
    windows = positions // (window * batch_size) * (tf.reduce_max(lengths) + 1)
    order = epoch_order(size, seed, epoch)
    keys = (windows + tf.gather(lengths, order)) * size + positions
    rows = tf.gather(order, tf.sort(keys) % size)
    # Epochs below zero are no epochs: a stream of its own.
    batches = epoch_order(-(-size // batch_size), seed, -1 - epoch)

    def rows_at(position: tf.Tensor) -> tf.Tensor:
        first = batches[position] * batch_size
        return rows[first : tf.minimum(first + batch_size, size)]

    return rows_at


# From int64 row numbers (batch,) to the entries of these rows: of each its row in the batch, its column, its value.
Entries = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]


def entries_in_memory(counts: sparse.csr_matrix) -> Entries:
    """Entries out of tensors that hold the whole matrix."""
    splits = tf.constant(counts.indptr.astype(np.int64))
    columns = tf.RaggedTensor.from_row_splits(counts.indices.astype(np.int64), splits)
    values = tf.RaggedTensor.from_row_splits(counts.data.astype(np.float32), splits)

    def gather(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        batch = tf.gather(values, rows)
        return batch.value_rowids(), tf.gather(columns, rows).values, batch.values

    return gather


def entries_mapped(counts: sparse.csr_matrix) -> Entries:
    """Entries out of the matrix as it lies, perhaps in files: a batch at a time is in memory."""

    def read(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        part = counts[rows]
        row_of = np.repeat(np.arange(len(rows), dtype=np.int64), np.diff(part.indptr))
        return row_of, part.indices.astype(np.int64), part.data.astype(np.float32)

    def gather(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        found = tf.numpy_function(read, [rows], [tf.int64, tf.int64, tf.float32], stateful=False)
        row_of, columns, values = (tf.ensure_shape(each, (None,)) for each in found)
        return row_of, columns, values

    return gather


def count_gatherer(entries: Entries, width: int, *, sparse: bool) -> Gather:
    """From int64 row numbers (batch,) to the float32 counts (batch, width) of these rows, dense or sparse."""

    def gather_sparse(rows: tf.Tensor) -> tf.SparseTensor:
        row_of, columns, values = entries(rows)
        # A static width: the layers that take the batch are built from it.
        shape = tf.stack([tf.size(rows, tf.int64), tf.constant(width, tf.int64)])
        return tf.SparseTensor(tf.stack([row_of, columns], axis=1), values, shape)

    def gather_dense(rows: tf.Tensor) -> tf.Tensor:
        row_of, columns, values = entries(rows)
        # Flat indices: half as many to carry, and 1.3 times as fast as scattering pairs.
        flat = row_of * width + columns
        size = tf.size(rows, tf.int64) * width
        filled = tf.sparse.to_dense(tf.SparseTensor(flat[:, None], values, size[None]), validate_indices=False)
        return tf.reshape(filled, (-1, width))

    return gather_sparse if sparse else gather_dense


def padded_in_memory(tokens: np.ndarray, offsets: np.ndarray) -> Gather:
    """From int64 positions (batch,) to the padded tokens of these sentences, int32, out of tensors that hold them all."""
    ragged = tf.RaggedTensor.from_row_splits(
        tf.constant(tokens, tf.int32), tf.constant(offsets, tf.int64), validate=False
    )
    return lambda rows: tf.gather(ragged, rows).to_tensor(PAD_ID)


def padded_mapped(tokens: np.ndarray, offsets: np.ndarray) -> Gather:
    """The same out of the arrays as they lie, perhaps in files: a batch at a time is in memory."""

    def read(rows: np.ndarray) -> np.ndarray:
        starts, ends = offsets[rows], offsets[rows + 1]
        batch = np.full((len(rows), int((ends - starts).max(initial=0))), PAD_ID, np.int32)
        for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
            batch[row, : end - start] = tokens[start:end]
        return batch

    return lambda rows: tf.ensure_shape(tf.numpy_function(read, [rows], tf.int32, stateful=False), (None, None))


def token_gatherer(padded: Gather, labels: tf.Tensor | None) -> Gather:
    """From int64 positions (batch,) to the batch of these sentences."""
    if labels is None:
        return padded
    return lambda rows: {"tokens": padded(rows), "labels": tf.gather(labels, rows)}


def prefetched(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Prefetches, in a fixed order, with the options that suit batches out of memory."""
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False  # nothing here to tune; its bookkeeping costs a tenth of the pipeline
    # There are no files to shard by: every worker draws the same batches and keeps its share.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return batches.prefetch(2).with_options(options)
