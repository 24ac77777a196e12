"""Training examples that stay on disk: batches as a pure function of the step, with two shards in memory at most."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tf_vmf.data.batches import (
    SPARSE_ABOVE,
    Gather,
    Rows,
    count_gatherer,
    epoch_order,
    in_order,
    length_buckets,
    num_batches,
    prefetched,
    token_gatherer,
)
from tf_vmf.data.shards import check_shard, parse

_SHUFFLES = 2**40  # keeps the streams that shuffle shards apart from the one that orders them


@dataclass(frozen=True, eq=False)
class Records(ABC):
    """The training examples of a prepared corpus.

    An epoch draws an order of the shards, and for each shard an order of its examples: all of them once, those of a shard
    together. As preparing deals the examples to the shards, a shard is a sample of the corpus, and its batches are as mixed as
    those of a shuffle of everything. A batch never spans two shards, so that each shard may end in a smaller one. Batches look
    like those of `Documents` and of `Sentences`.

    Attributes:
        paths: the shards.
        sizes: the number of examples in each.
        word_counts: how often each of the V words occurs in all of them, int64 (V,).
        labelled: whether the examples have labels.
    """

    kind: ClassVar[str]

    paths: tuple[Path, ...]
    sizes: tuple[int, ...]
    word_counts: np.ndarray
    labelled: bool = False

    @abstractmethod
    def _rows(self, features: dict[str, Any], batch_size: int, seed: int, stream: tf.Tensor | int) -> Rows:
        """Plans the training batches of a shard; `stream` is the number of the random stream to shuffle by."""

    @abstractmethod
    def _gather(self, features: dict[str, Any]) -> Gather:
        """Makes batches of the examples of a shard."""

    def __len__(self) -> int:
        return sum(self.sizes)

    @property
    def num_tokens(self) -> int:
        """The number of tokens in all examples."""
        return int(self.word_counts.sum())

    def steps_per_epoch(self, batch_size: int) -> int:
        """How many batches hold every example once."""
        return sum(self._steps(batch_size))

    def batches(self, batch_size: int, *, seed: int, start_step: int = 0) -> tf.data.Dataset:
        """Endless shuffled batches from step `start_step` on, a pure function of (seed, step); see `Examples.batches`.

        Starting later costs the reading of one shard.
        """
        if start_step < 0:
            raise ValueError(f"`start_step` must not be negative. Received: start_step={start_step}.")
        first_epoch, order, turn, first_position = self._find(start_step, batch_size, seed)
        first_shard = int(order[turn])
        steps_of, number = tf.constant(self._steps(batch_size), tf.int64), len(self.paths)
        features_of = self._reader()

        def shards_of(epoch: tf.Tensor) -> tf.data.Dataset:
            order = epoch_order(number, seed, epoch)
            return tf.data.Dataset.from_tensor_slices(order).map(lambda shard: (epoch, shard))

        def batches_of(epoch: tf.Tensor, shard: tf.Tensor, features: dict[str, Any]) -> tf.data.Dataset:
            rows = self._rows(features, batch_size, seed, self._stream(epoch, shard))
            gather = self._gather(features)
            is_first = tf.logical_and(tf.equal(epoch, first_epoch), tf.equal(shard, first_shard))
            first = tf.where(is_first, tf.constant(first_position, tf.int64), 0)
            return tf.data.Dataset.range(first, steps_of[shard]).map(lambda position: gather(rows(position)))

        shards = tf.data.Dataset.range(first_epoch, tf.int64.max).flat_map(shards_of).skip(turn)
        read = shards.map(lambda epoch, shard: (epoch, shard, features_of(shard))).prefetch(1)
        batches = read.flat_map(batches_of)
        return prefetched(batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)))

    def evaluation_batches(self, batch_size: int) -> tf.data.Dataset:
        """Batches of all examples, once, in the order of the files; those that end a file may be smaller."""
        steps_of, sizes = tf.constant(self._steps(batch_size), tf.int64), tf.constant(self.sizes, tf.int64)

        def batches_of(shard: tf.Tensor, features: dict[str, Any]) -> tf.data.Dataset:
            rows, gather = in_order(tf.range(sizes[shard]), batch_size), self._gather(features)
            return tf.data.Dataset.range(steps_of[shard]).map(lambda position: gather(rows(position)))

        features_of = self._reader()
        shards = tf.data.Dataset.range(len(self.paths)).map(lambda shard: (shard, features_of(shard)))
        batches = shards.flat_map(batches_of)
        number = self.steps_per_epoch(batch_size)
        return prefetched(batches.apply(tf.data.experimental.assert_cardinality(number)))

    def evaluation_order(self) -> np.ndarray:
        """The positions of the examples in the order of `evaluation_batches`: that of the files."""
        return np.arange(len(self))

    def batch_ids(self, step: int, batch_size: int, *, seed: int) -> list[str]:
        """The examples in the batch of a step, as `file:record`, records counted from 0."""
        epoch, order, turn, position = self._find(step, batch_size, seed)
        shard = int(order[turn])
        rows = self._rows(
            self._reader()(tf.constant(shard)), batch_size, seed, self._stream(tf.constant(epoch, tf.int64), shard)
        )
        return [f"{self.paths[shard].name}:{row}" for row in rows(tf.constant(position, tf.int64)).numpy().tolist()]

    def check(self) -> None:
        """Reads all shards to their ends.

        Raises:
            ValueError: a record is damaged; the message names the file and the record.
        """
        for path, size in zip(self.paths, self.sizes, strict=True):
            check_shard(path, size)

    def _reader(self) -> Any:
        """A function from the position of a shard to its parsed examples."""
        paths, sizes = tf.constant([str(path) for path in self.paths]), tf.constant(self.sizes, tf.int64)

        def read(shard: tf.Tensor) -> dict[str, Any]:
            records = tf.data.TFRecordDataset(paths[shard]).batch(sizes[shard]).get_single_element()
            return parse(records, self.kind, self.labelled)

        return read

    def _stream(self, epoch: tf.Tensor, shard: tf.Tensor | int) -> tf.Tensor:
        return _SHUFFLES + epoch * len(self.paths) + shard

    def _steps(self, batch_size: int) -> list[int]:
        return [num_batches(size, batch_size) for size in self.sizes]

    def _find(self, step: int, batch_size: int, seed: int) -> tuple[int, np.ndarray, int, int]:
        """(epoch, its order of shards, turn in that order, position in that shard) of a step."""
        steps = np.array(self._steps(batch_size))
        epoch, position = divmod(step, int(steps.sum()))
        order = epoch_order(len(self.paths), seed, epoch).numpy()
        ends = np.cumsum(steps[order])
        turn = int(np.searchsorted(ends, position, side="right"))
        return epoch, order, turn, position - int(ends[turn - 1] if turn else 0)


@dataclass(frozen=True, eq=False)
class DocumentRecords(Records):
    """Documents on disk; batches as of `Documents`.

    Attributes:
        sparse: whether batches are `tf.SparseTensor`s. None: with a large vocabulary.
    """

    kind = "documents"

    sparse: bool | None = None

    def _rows(self, features: dict[str, Any], batch_size: int, seed: int, stream: tf.Tensor | int) -> Rows:
        return in_order(epoch_order(features["ids"].nrows(), seed, stream), batch_size)

    def _gather(self, features: dict[str, Any]) -> Gather:
        width = len(self.word_counts)
        sparse = width > SPARSE_ABOVE if self.sparse is None else self.sparse
        return count_gatherer(features["ids"], tf.cast(features["counts"], tf.float32), width, sparse=sparse)


@dataclass(frozen=True, eq=False)
class SentenceRecords(Records):
    """Sentences on disk; batches as of `Sentences`.

    Attributes:
        window: training batches that are sorted by length together.
    """

    kind = "sentences"

    window: int = 100

    def without_labels(self) -> "SentenceRecords":
        """The same sentences, batches without labels."""
        return replace(self, labelled=False)

    def _rows(self, features: dict[str, Any], batch_size: int, seed: int, stream: tf.Tensor | int) -> Rows:
        return length_buckets(features["tokens"].row_lengths(), batch_size, self.window, seed, stream)

    def _gather(self, features: dict[str, Any]) -> Gather:
        labels = tf.cast(features["label"], tf.int32) if self.labelled else None
        return token_gatherer(tf.cast(features["tokens"], tf.int32), labels)
