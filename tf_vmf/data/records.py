"""Training examples that stay on disk: batches as a pure function of the step, with two shards in memory at most."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf.data.batches import count_gatherer, epoch_order, finish
from tf_vmf.data.record_files import check_shard, parse
from tf_vmf.data.sentence_batches import length_buckets, token_gatherer

_SHUFFLES = 2**40  # keeps the streams that shuffle shards apart from the one that orders them


@dataclass(frozen=True, eq=False)
class Records:
    """The training examples of a prepared corpus.

    An epoch draws an order of the shards, and for each shard an order of its examples: all of them once, those of a shard
    together. As preparing deals the examples to the shards, a shard is a sample of the corpus, and its batches are as mixed as
    those of a shuffle of everything. A batch never spans two shards, so that each shard may end in a smaller one.

    Attributes:
        paths: The shards.
        sizes: The number of examples in each.
        kind: "documents" or "sentences".
        word_counts: How often each of the V words occurs in all of them, int64 (V,).
        labelled: Whether batches of sentences come with their labels.
    """

    paths: tuple[Path, ...]
    sizes: tuple[int, ...]
    kind: str
    word_counts: np.ndarray
    labelled: bool = False

    def __len__(self) -> int:
        return sum(self.sizes)

    def steps_per_epoch(self, batch_size: int) -> int:
        """How many batches hold every example once."""
        return sum(self._steps(batch_size))

    def batches(
        self, batch_size: int, *, seed: int, start_step: int = 0, sparse: bool = False, window: int = 100
    ) -> tf.data.Dataset:
        """Endless shuffled batches from step `start_step` on, as `training_batches` and `sentence_batches` give them.

        The batch of a step depends on (seed, step) alone. Starting later costs the reading of one shard.

        Args:
            batch_size: Examples a batch.
            seed: An integer; other seeds give other orders.
            start_step: The number of batches to pass over.
            sparse: Whether counts of documents come as `tf.SparseTensor`s.
            window: Batches of sentences that are sorted by length together.

        Raises:
            ValueError: The batch size or the step is not possible.
        """
        if start_step < 0:
            raise ValueError(f"`start_step` must not be negative. Received: start_step={start_step}.")
        steps = self._steps(batch_size)
        first_epoch, order, turn, first_place = self._find(start_step, batch_size, seed)
        first_shard = int(order[turn])
        paths, sizes = tf.constant([str(path) for path in self.paths]), tf.constant(self.sizes, tf.int64)
        steps_of, number = tf.constant(steps, tf.int64), len(self.paths)

        def shards_of(epoch: tf.Tensor) -> tf.data.Dataset:
            order = epoch_order(number, seed, epoch)
            return tf.data.Dataset.from_tensor_slices(order).map(lambda shard: (epoch, shard))

        def load(epoch: tf.Tensor, shard: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, dict[str, Any]]:
            records = tf.data.TFRecordDataset(paths[shard]).batch(sizes[shard]).get_single_element()
            return epoch, shard, parse(records, self.kind, self.labelled)

        def batches_of(epoch: tf.Tensor, shard: tf.Tensor, features: dict[str, Any]) -> tf.data.Dataset:
            rows = self._rows(features, epoch, shard, batch_size, seed, window)
            gather = self._gatherer(features, sparse)
            is_first = tf.logical_and(tf.equal(epoch, first_epoch), tf.equal(shard, first_shard))
            first = tf.where(is_first, tf.constant(first_place, tf.int64), 0)
            return tf.data.Dataset.range(first, steps_of[shard]).map(lambda place: gather(rows(place)))

        shards = tf.data.Dataset.range(first_epoch, tf.int64.max).flat_map(shards_of).skip(turn)
        batches = shards.map(load).prefetch(1).flat_map(batches_of)
        return finish(batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)))

    def batch_ids(self, step: int, batch_size: int, *, seed: int, window: int = 100) -> list[str]:
        """The examples in the batch of a step, as `file:record`, records counted from 0."""
        epoch, order, turn, place = self._find(step, batch_size, seed)
        shard = int(order[turn])
        records = tf.data.TFRecordDataset(str(self.paths[shard])).batch(self.sizes[shard]).get_single_element()
        features = parse(records, self.kind, self.labelled)
        rows = self._rows(features, tf.constant(epoch, tf.int64), shard, batch_size, seed, window)
        return [f"{self.paths[shard].name}:{row}" for row in rows(tf.constant(place, tf.int64)).numpy().tolist()]

    def check(self) -> None:
        """Reads all shards to their ends.

        Raises:
            ValueError: A record is damaged; the message names the file and the record.
        """
        for path, size in zip(self.paths, self.sizes, strict=True):
            check_shard(path, size)

    def _steps(self, batch_size: int) -> list[int]:
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be positive. Received: batch_size={batch_size}.")
        return [-(-size // batch_size) for size in self.sizes]

    def _find(self, step: int, batch_size: int, seed: int) -> tuple[int, np.ndarray, int, int]:
        """(epoch, its order of shards, turn in that order, place in that shard) of a step."""
        steps = np.array(self._steps(batch_size))
        epoch, place = divmod(step, int(steps.sum()))
        order = epoch_order(len(self.paths), seed, epoch).numpy()
        ends = np.cumsum(steps[order])
        turn = int(np.searchsorted(ends, place, side="right"))
        return epoch, order, turn, place - int(ends[turn - 1] if turn else 0)

    def _rows(
        self,
        features: dict[str, Any],
        epoch: tf.Tensor,
        shard: tf.Tensor | int,
        batch_size: int,
        seed: int,
        window: int,
    ) -> Callable[[tf.Tensor], tf.Tensor]:
        """The function from a place in the shard to the positions of that batch's examples."""
        stream = _SHUFFLES + epoch * len(self.paths) + shard
        if self.kind == "sentences":
            return length_buckets(features["tokens"].row_lengths(), batch_size, window, seed, stream)
        order = epoch_order(features["ids"].nrows(), seed, stream)
        return lambda place: order[place * batch_size : (place + 1) * batch_size]

    def _gatherer(self, features: dict[str, Any], sparse: bool) -> Callable[[tf.Tensor], Any]:
        if self.kind == "sentences":
            labels = tf.cast(features["label"], tf.int32) if self.labelled else None
            return token_gatherer(tf.cast(features["tokens"], tf.int32), labels)
        return count_gatherer(
            features["ids"], tf.cast(features["counts"], tf.float32), len(self.word_counts), sparse=sparse
        )
