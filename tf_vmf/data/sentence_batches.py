"""Batches of sentences of similar length, as a pure function of the step: little padding, and exact resume."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_vmf.data.batches import endless_batches, epoch_order, finish, steps_per_epoch
from tf_vmf.data.sentences import Sentences
from tf_vmf.data.special_tokens import PAD_ID


def sentence_batches(
    sentences: Sentences, batch_size: int, *, seed: int, start_step: int = 0, window: int = 100
) -> tf.data.Dataset:
    """Endless shuffled batches of sentences of similar length, from step `start_step` on.

    Every epoch draws a permutation of the sentences, sorts each run of `window` batches of it by length, cuts that
    into batches and shuffles the order of all batches: a batch still mixes sentences from everywhere, other ones every
    epoch, and is padded to its longest only. Both permutations are drawn statelessly from (seed, epoch), so that the
    batch of step s depends on (seed, s) alone, as in `training_batches`: a run resumed at step k sees what an
    uninterrupted run sees from there on, at the cost of planning one epoch. Every epoch holds every sentence exactly
    once; one of its batches may be smaller.

    Args:
        sentences: n sentences.
        batch_size: sentences a batch.
        seed: an integer; other seeds give other batches.
        start_step: the number of batches to pass over.
        window: batches to sort together. More of them leave less padding and make the sentences of a batch more alike.

    Returns:
        A `tf.data.Dataset` of infinite cardinality: pass `steps_per_epoch(sentences, batch_size)` to `fit`. Elements
        are int32 ids (batch, length), every row ending in `EOS_ID` and then filled with `PAD_ID`; where the sentences
        have labels, a dict of these `"tokens"` and int32 `"labels"` (batch,).
    """
    if window < 1:
        raise ValueError(f"`window` must be positive. Received: window={window}.")
    lengths = tf.constant(sentences.lengths)
    return endless_batches(
        steps_per_epoch(sentences, batch_size),
        start_step,
        lambda epoch: length_buckets(lengths, batch_size, window, seed, epoch),
        _gatherer(sentences),
    )


def sentence_rows(sentences: Sentences, batch_size: int, *, seed: int, step: int, window: int = 100) -> np.ndarray:
    """Which sentences are in the batch of a step of `sentence_batches`: their positions, int64."""
    epoch, place = divmod(step, steps_per_epoch(sentences, batch_size))
    rows = length_buckets(tf.constant(sentences.lengths), batch_size, window, seed, tf.constant(epoch, tf.int64))
    return rows(tf.constant(place, tf.int64)).numpy()


def length_buckets(
    lengths: tf.Tensor, batch_size: int, window: int, seed: int, epoch: tf.Tensor
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Plans an epoch of `sentence_batches`.

    Args:
        lengths: int64 (n,), of the sentences.
        batch_size: sentences a batch.
        window: batches to sort together.
        seed: with `epoch`, what the two permutations are drawn from.
        epoch: int64 scalar >= 0.

    Returns:
        A function from the place of a batch in the epoch to the positions of its sentences.
    """
    size = tf.size(lengths, tf.int64)
    places = tf.range(size)
    # A place in the permutation, its sentence's length and its window as one sortable number: all distinct, so that the
    # order does not depend on how a sort treats ties.
    windows = places // (window * batch_size) * (tf.reduce_max(lengths) + 1)
    order = epoch_order(size, seed, epoch)
    keys = (windows + tf.gather(lengths, order)) * size + places
    rows = tf.gather(order, tf.sort(keys) % size)
    # Epochs below zero are no epochs: a stream of its own.
    batches = epoch_order(-(-size // batch_size), seed, -1 - epoch)

    def rows_at(place: tf.Tensor) -> tf.Tensor:
        first = batches[place] * batch_size
        return rows[first : tf.minimum(first + batch_size, size)]

    return rows_at


def sentence_evaluation_batches(sentences: Sentences, batch_size: int) -> tf.data.Dataset:
    """Batches of all sentences, once, from short to long, as `evaluation_order` says; the last may be smaller.

    Elements as in `sentence_batches`. To put results back in the order of the corpus:

    ```python
    nll = np.empty(len(sentences))
    nll[evaluation_order(sentences)] = np.concatenate([model_nll(batch) for batch in batches])
    ```
    """
    steps = steps_per_epoch(sentences, batch_size)
    order = tf.constant(evaluation_order(sentences))
    gather = _gatherer(sentences)
    batches = tf.data.Dataset.range(steps).map(
        lambda place: gather(order[place * batch_size : tf.minimum((place + 1) * batch_size, len(sentences))])
    )
    return finish(batches)


def evaluation_order(sentences: Sentences) -> np.ndarray:
    """The positions of the sentences in the order of `sentence_evaluation_batches`: by length, ties in order."""
    return np.argsort(sentences.lengths, kind="stable")


def _gatherer(sentences: Sentences) -> Callable[[tf.Tensor], tf.Tensor | dict[str, tf.Tensor]]:
    """A function from int64 positions (batch,) to the padded batch of these sentences."""
    ragged = tf.RaggedTensor.from_row_splits(
        tf.constant(sentences.tokens, tf.int32), tf.constant(sentences.offsets, tf.int64), validate=False
    )
    return token_gatherer(ragged, None if sentences.labels is None else tf.constant(sentences.labels, tf.int32))


def token_gatherer(
    tokens: tf.RaggedTensor, labels: tf.Tensor | None
) -> Callable[[tf.Tensor], tf.Tensor | dict[str, tf.Tensor]]:
    """A function from int64 positions (batch,) to the padded batch of these sentences.

    Args:
        tokens: int32 (n, None), the sentences.
        labels: int32 (n,), or None.
    """

    def gather_tokens(rows: tf.Tensor) -> tf.Tensor:
        return tf.gather(tokens, rows).to_tensor(PAD_ID)

    if labels is None:
        return gather_tokens
    return lambda rows: {"tokens": gather_tokens(rows), "labels": tf.gather(labels, rows)}
