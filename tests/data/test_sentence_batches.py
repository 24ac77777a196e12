"""Batches of sentences: each once an epoch, a pure function of seed and step, with little padding."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import mirrored
from tests.refusals import refused
from tf_vmf.data import Sentences
from tf_vmf.text import EOS_ID, PAD_ID

SIZE, BATCH_SIZE, WINDOW = 107, 5, 4
STEPS = 22  # ceil(107 / 5)


@pytest.fixture
def sentences(rng) -> Sentences:
    """Sentence i begins with the word 100 + i and goes on with up to 19 others."""
    lengths = rng.integers(0, 20, size=SIZE)
    lists = [[100 + i, *rng.integers(3, 100, size=length)] for i, length in enumerate(lengths)]
    return replace(Sentences.from_lists(lists), window=WINDOW)


def training(sentences, number, **arguments) -> list[np.ndarray]:
    return [batch.numpy() for batch in islice(iter(sentences.batches(BATCH_SIZE, **{"seed": 1} | arguments)), number)]


def visited(batches: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([batch[:, 0] for batch in batches]) - 100


def padding(batches: list[np.ndarray]) -> float:
    return 1 - sum(np.count_nonzero(batch) for batch in batches) / sum(batch.size for batch in batches)


def test_every_epoch_visits_every_sentence_exactly_once(sentences):
    assert sentences.steps_per_epoch(BATCH_SIZE) == STEPS
    drawn = training(sentences, 3 * STEPS)
    for epoch in range(3):
        of_epoch = drawn[epoch * STEPS : (epoch + 1) * STEPS]
        assert sorted(len(batch) for batch in of_epoch) == [2, *[5] * 21]
        np.testing.assert_array_equal(np.sort(visited(of_epoch)), np.arange(SIZE))


def test_rows_are_the_sentences_padded_after_their_end_to_the_longest(sentences):
    for batch in training(sentences, STEPS):
        assert batch.dtype == np.int32
        longest = 0
        for row in batch:
            sentence = sentences[row[0] - 100]
            np.testing.assert_array_equal(row[: len(sentence)], sentence)
            assert row[len(sentence) - 1] == EOS_ID
            assert np.all(row[len(sentence) :] == PAD_ID)
            longest = max(longest, len(sentence))
        assert batch.shape[1] == longest


@pytest.mark.parametrize("start_step", [1, 21, 22, 23, 50])
def test_batches_from_a_later_step_are_the_tail_of_all_batches(sentences, start_step):
    uninterrupted = training(sentences, 70)
    resumed = training(sentences, 70 - start_step, start_step=start_step)
    for expected, actual in zip(uninterrupted[start_step:], resumed, strict=True):
        np.testing.assert_array_equal(actual, expected)


def test_a_step_far_away_needs_no_replay(sentences):
    """A billion steps would take hours; the batch is there, and it is what the same epoch's start leads to."""
    far = 10**9 // STEPS * STEPS
    from_start = training(sentences, 8, start_step=far)
    np.testing.assert_array_equal(training(sentences, 1, start_step=far + 7)[0], from_start[7])


def test_epochs_and_seeds_have_orders_of_their_own(sentences):
    drawn = visited(training(sentences, 2 * STEPS))
    orders = [drawn[:SIZE], drawn[SIZE:], visited(training(sentences, STEPS, seed=2)), np.arange(SIZE)]
    for i, order in enumerate(orders):
        for another in orders[:i]:
            assert np.mean(order == another) < 0.1


def test_sentences_of_a_batch_are_others_every_epoch(sentences):
    """Two sentences of equal length share a batch in some epochs and not in others."""
    first, second = np.flatnonzero(sentences.lengths == np.bincount(sentences.lengths).argmax())[:2]
    drawn = training(sentences, 60 * STEPS)
    together = sum({first, second} <= set(batch[:, 0] - 100) for batch in drawn)
    assert 0 < together < 60


def test_the_place_of_a_batch_in_the_epoch_tells_nothing_of_its_length(sentences):
    """Mean width by place over 300 epochs: all places within 4.5 standard errors of the same mean."""
    drawn = training(sentences, 300 * STEPS)
    widths = np.array([batch.shape[1] for batch in drawn], dtype=float).reshape(300, STEPS)
    standard_error = widths.std() / np.sqrt(300)
    assert np.all(np.abs(widths.mean(axis=0) - widths.mean()) < 4.5 * standard_error)
    assert widths.std() > 3  # and lengths do differ


def test_sorting_in_windows_removes_most_of_the_padding(rng):
    """Lengths as in the Penn Treebank, mean 22 and deviation 10: a third is padding unsorted, under 5 % in windows."""
    lengths = np.clip(rng.normal(21, 10, size=20_000).round().astype(int), 1, 80)
    offsets = np.concatenate([[0], np.cumsum(lengths + 1)])
    tokens = np.full(offsets[-1], 3, dtype=np.int32)
    tokens[offsets[1:] - 1] = EOS_ID
    many = Sentences(tokens, offsets)
    unsorted, sorted_ = (
        [b.numpy() for b in islice(iter(replace(many, window=window).batches(32, seed=0)), 625)] for window in (1, 100)
    )
    assert padding(unsorted) > 0.3
    assert padding(sorted_) < 0.05
    assert sum(np.count_nonzero(batch) for batch in sorted_) == many.num_tokens


def test_evaluation_visits_all_once_and_its_order_maps_results_back(sentences):
    batches = [batch.numpy() for batch in sentences.evaluation_batches(BATCH_SIZE)]
    assert sentences.evaluation_batches(BATCH_SIZE).cardinality() == len(batches) == STEPS
    order = sentences.evaluation_order()
    np.testing.assert_array_equal(visited(batches), order)
    assert np.all(np.diff(sentences.lengths[order]) >= 0)
    restored = np.empty(SIZE, dtype=np.int64)
    restored[order] = visited(batches)
    np.testing.assert_array_equal(restored, np.arange(SIZE))
    unsorted = [
        batch.numpy() for batch in islice(iter(replace(sentences, window=1).batches(BATCH_SIZE, seed=0)), STEPS)
    ]
    assert padding(batches) < 0.1 < padding(unsorted)


@pytest.mark.parametrize("make", [lambda s: s.batches(5, seed=0), lambda s: s.evaluation_batches(5)])
def test_labels_come_with_their_sentences(sentences, make):
    labels = np.arange(SIZE) * 7 % 3
    labelled = replace(sentences, labels=labels.astype(np.int32))
    spec = make(labelled).element_spec
    assert (spec["tokens"].shape.as_list(), spec["labels"].shape.as_list()) == ([None, None], [None])
    assert spec["tokens"].dtype == spec["labels"].dtype == tf.int32
    for batch, tokens in zip(islice(iter(make(labelled)), STEPS), iter(make(sentences)), strict=False):
        np.testing.assert_array_equal(batch["tokens"], tokens)
        np.testing.assert_array_equal(batch["labels"], labels[batch["tokens"].numpy()[:, 0] - 100])


def test_training_never_ends_and_a_batch_may_be_larger_than_the_corpus(sentences):
    batches = sentences.batches(1000, seed=0)
    assert batches.cardinality() == tf.data.INFINITE_CARDINALITY
    assert [len(batch) for batch in islice(iter(batches), 2)] == [SIZE, SIZE]


@pytest.mark.parametrize(("argument", "value"), [("batch_size", 0), ("start_step", -1), ("window", 0)])
def test_impossible_arguments_are_named(sentences, argument, value):
    arguments = {"batch_size": BATCH_SIZE, "seed": 0} | {argument: value}
    with refused(argument, str(value)):
        replace(sentences, window=arguments.pop("window", 100)).batches(**arguments)


@pytest.mark.parametrize("labels", [None, list(range(23))])
def test_two_replicas_share_the_batch_of_one(labels):
    strategy = mirrored(2)
    batches = Sentences.from_lists([[3 + i] * (1 + i % 7) for i in range(23)], labels).batches(5, seed=1)
    distributed = iter(strategy.experimental_distribute_dataset(batches))
    for whole in islice(batches, 10):
        shards = strategy.experimental_local_results(next(distributed))
        if labels:
            np.testing.assert_array_equal(tf.concat([s["labels"] for s in shards], 0), whole["labels"])
            shards, whole = [s["tokens"] for s in shards], whole["tokens"]
        assert len(shards) == 2
        np.testing.assert_array_equal(tf.concat(shards, 0), whole)
