"""Batches of documents as a pure function of the step, so that training resumes exactly where it stopped."""

from collections.abc import Callable, Sized
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf.data.documents import Documents

# Up to here the whole count matrix stays in memory as an array: a quarter of the CPU that building each batch from the
# sparse matrix costs (20NG, 2,000 words, batch 200, one core: 1.3 million documents a second against 0.35 million).
_LARGEST_RESIDENT_BYTES = 2**30

# With more words a sparse first layer is faster than a dense one (documents of 100 tokens, whole training step, one core:
# 0.65 of dense at 2,000 words, 1.0 at 10,000, 1.1 at 30,000; benchmarks/document_training.py).
_SPARSE_ABOVE = 10_000


def steps_per_epoch(examples: Sized, batch_size: int) -> int:
    """How many batches hold every document, or every sentence, once; one may be smaller."""
    if batch_size < 1:
        raise ValueError(f"`batch_size` must be positive. Received: batch_size={batch_size}.")
    return -(-len(examples) // batch_size)


def training_batches(
    documents: Documents, batch_size: int, *, seed: int, start_step: int = 0, sparse: bool = False
) -> tf.data.Dataset:
    """Endless shuffled batches from step `start_step` on.

    The batch of step s depends on (seed, s) alone: s // steps_per_epoch is the epoch, whose permutation of the
    documents is drawn statelessly from (seed, epoch), and s % steps_per_epoch the place in it. A run resumed at step k
    therefore sees what an uninterrupted run sees from there on. Every epoch holds every document exactly once; its last
    batch may be smaller.

    Args:
        documents: n documents over V words.
        batch_size: documents a batch.
        seed: an integer; other seeds give other orders.
        start_step: the number of batches to pass over, at no cost.
        sparse: whether to yield `tf.SparseTensor`s.

    Returns:
        A `tf.data.Dataset` of infinite cardinality of float32 counts (batch, V): pass `steps_per_epoch` to `fit`.
    """
    steps = steps_per_epoch(documents, batch_size)
    size = len(documents)
    gather = _row_gatherer(documents, sparse)

    def rows_of_epoch(epoch: tf.Tensor) -> Callable[[tf.Tensor], tf.Tensor]:
        order = epoch_order(size, seed, epoch)
        return lambda place: order[place * batch_size : tf.minimum((place + 1) * batch_size, size)]

    return endless_batches(steps, start_step, rows_of_epoch, gather)


def endless_batches(
    steps: int,
    start_step: int,
    rows_of_epoch: Callable[[tf.Tensor], Callable[[tf.Tensor], tf.Tensor]],
    gather: Callable[[tf.Tensor], Any],
) -> tf.data.Dataset:
    """Batches from step `start_step` on, epoch after epoch; the steps before cost nothing.

    Args:
        steps: batches an epoch.
        start_step: the number of batches to pass over.
        rows_of_epoch: plans an epoch, an int64 scalar: returns the function from a place in it, 0..steps-1, to the
            positions of that batch's examples. Both must be pure.
        gather: makes the batch of these examples.
    """
    if start_step < 0:
        raise ValueError(f"`start_step` must not be negative. Received: start_step={start_step}.")
    first_epoch, first_place = divmod(start_step, steps)

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        rows = rows_of_epoch(epoch)
        first = tf.where(tf.equal(epoch, first_epoch), tf.constant(first_place, tf.int64), 0)
        return tf.data.Dataset.range(first, steps).map(lambda place: gather(rows(place)))

    batches = tf.data.Dataset.range(first_epoch, tf.int64.max).flat_map(epoch_batches)
    batches = batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
    return finish(batches)


def evaluation_batches(documents: Documents, batch_size: int, *, sparse: bool = False) -> tf.data.Dataset:
    """Batches of all documents in order, once; the last may be smaller. Elements as in `training_batches`."""
    steps = steps_per_epoch(documents, batch_size)
    size = len(documents)
    gather = _row_gatherer(documents, sparse)
    batches = tf.data.Dataset.range(steps).map(
        lambda place: gather(tf.range(place * batch_size, tf.minimum((place + 1) * batch_size, size)))
    )
    return finish(batches)


def epoch_order(size: int | tf.Tensor, seed: int, epoch: tf.Tensor | int) -> tf.Tensor:
    """The order of `size` examples in an epoch: an int64 permutation drawn statelessly from (seed, epoch)."""
    pair = tf.stack([tf.constant(seed, tf.int64), tf.cast(epoch, tf.int64)])
    # Philox by name: the automatic choice depends on the device.
    return tf.random.experimental.stateless_shuffle(tf.range(tf.cast(size, tf.int64)), seed=pair, alg="philox")


def training_rows(size: int, batch_size: int, *, seed: int, step: int) -> np.ndarray:
    """Which of `size` documents are in the batch of a step of `training_batches`: their positions, int64."""
    epoch, place = divmod(step, -(-size // batch_size))
    return epoch_order(size, seed, epoch).numpy()[place * batch_size : (place + 1) * batch_size]


def prefer_sparse(documents: Documents) -> bool:
    """Whether sparse batches are the better choice: for large vocabularies, and where a dense array would not stay in memory."""
    if documents.vocabulary_size > _SPARSE_ABOVE:
        return True
    return _too_large(documents)


def _too_large(documents: Documents) -> bool:
    size = documents.counts.shape[0] * documents.vocabulary_size
    return size * _resident_dtype(documents).itemsize > _LARGEST_RESIDENT_BYTES


def _resident_dtype(documents: Documents) -> np.dtype:
    """int16 where it holds every count: half the memory of float32, and gathering and casting cost no more."""
    counts = documents.counts
    small = np.issubdtype(counts.dtype, np.integer) and counts.max() <= np.iinfo(np.int16).max
    return np.dtype(np.int16 if small else np.float32)


def _row_gatherer(documents: Documents, sparse: bool) -> Callable[[tf.Tensor], Any]:
    """A function from int64 row numbers (batch,) to their float32 counts (batch, V), dense or sparse."""
    width = documents.vocabulary_size
    if not sparse and not _too_large(documents):
        resident = tf.constant(documents.counts.toarray().astype(_resident_dtype(documents)))
        return lambda rows: tf.cast(tf.gather(resident, rows), tf.float32)

    counts = documents.counts
    if not counts.has_canonical_format:  # SparseTensors must be in order, each cell once
        counts = counts.copy()
        counts.sum_duplicates()
    splits = tf.constant(counts.indptr.astype(np.int64))
    columns = tf.RaggedTensor.from_row_splits(counts.indices.astype(np.int64), splits)
    values = tf.RaggedTensor.from_row_splits(counts.data.astype(np.float32), splits)
    return count_gatherer(columns, values, width, sparse=sparse)


def count_gatherer(
    columns: tf.RaggedTensor, values: tf.RaggedTensor, width: int, *, sparse: bool
) -> Callable[[tf.Tensor], Any]:
    """A function from int64 row numbers (batch,) to the float32 counts (batch, width) of these rows, dense or sparse.

    Args:
        columns: int64 (n, None): for each row, the columns that are not zero, rising.
        values: float32 (n, None): what stands there.
        width: number of columns.
        sparse: whether to return a `tf.SparseTensor`.
    """

    def gather_sparse(rows: tf.Tensor) -> tf.SparseTensor:
        batch = tf.gather(values, rows)
        indices = tf.stack([batch.value_rowids(), tf.gather(columns, rows).values], axis=1)
        # A static width: the layers that take the batch are built from it.
        shape = tf.stack([tf.size(rows, tf.int64), tf.constant(width, tf.int64)])
        return tf.SparseTensor(indices, batch.values, shape)

    def gather_dense(rows: tf.Tensor) -> tf.Tensor:
        batch = tf.gather(values, rows)
        # Flat indices: half as many to carry, and 1.3 times as fast as scattering pairs.
        flat = batch.value_rowids() * width + tf.gather(columns, rows).values
        size = tf.size(rows, tf.int64) * width
        filled = tf.sparse.to_dense(tf.SparseTensor(flat[:, None], batch.values, size[None]), validate_indices=False)
        return tf.reshape(filled, (-1, width))

    return gather_sparse if sparse else gather_dense


def finish(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Prefetches, in a fixed order, with the options that suit batches out of memory."""
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False  # nothing here to tune; its bookkeeping costs a tenth of the pipeline
    # There are no files to shard by: every worker draws the same batches and keeps its share.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return batches.prefetch(2).with_options(options)
