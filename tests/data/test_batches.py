"""Batches: every document once an epoch, a pure function of seed and step, dense and sparse alike."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import tensorflow as tf
from scipy import sparse

from tests.conftest import mirrored
from tests.refusals import refused
from tf_vmf.data import Documents
from tf_vmf.data import batches as batches_module
from tf_vmf.data.batches import epoch_order

NUM_DOCUMENTS, VOCABULARY_SIZE, BATCH_SIZE = 23, 11, 5
STEPS = 5  # ceil(23 / 5)


@pytest.fixture
def documents(rng) -> Documents:
    counts = rng.poisson(0.7, size=(NUM_DOCUMENTS, VOCABULARY_SIZE))
    counts[:, 0] = np.arange(1, NUM_DOCUMENTS + 1)  # column 0 tells the documents apart
    return Documents(counts=sparse.csr_matrix(counts.astype(np.int32)))


def first(dataset: tf.data.Dataset, number: int) -> list[np.ndarray]:
    return [dense(batch) for batch in islice(iter(dataset), number)]


def dense(batch) -> np.ndarray:
    return (tf.sparse.to_dense(batch) if isinstance(batch, tf.SparseTensor) else batch).numpy()


def visited(some_batches: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([batch[:, 0] for batch in some_batches]).astype(int) - 1


@pytest.fixture(params=["resident", "sparse", "dense from sparse", "read batch by batch"])
def layout(request, monkeypatch) -> bool:
    """All ways to a batch; the value is the attribute `sparse`."""
    if request.param == "dense from sparse":
        monkeypatch.setattr(Documents, "_too_large", True)
    if request.param == "read batch by batch":
        monkeypatch.setattr(batches_module, "LARGEST_RESIDENT_BYTES", 0)
    return request.param == "sparse"


def test_every_epoch_visits_every_document_exactly_once(documents, layout):
    drawn = first(replace(documents, sparse=layout).batches(BATCH_SIZE, seed=1), 3 * STEPS)
    for epoch in range(3):
        of_epoch = drawn[epoch * STEPS : (epoch + 1) * STEPS]
        assert [len(batch) for batch in of_epoch] == [5, 5, 5, 5, 3]
        np.testing.assert_array_equal(np.sort(visited(of_epoch)), np.arange(NUM_DOCUMENTS))


def test_rows_are_the_counts_of_the_documents(documents, layout):
    for batch in first(replace(documents, sparse=layout).batches(BATCH_SIZE, seed=1), 2 * STEPS):
        assert batch.dtype == np.float32
        np.testing.assert_array_equal(batch, documents.counts.toarray()[visited([batch])])


@pytest.mark.parametrize("start_step", [1, 5, 13])
def test_batches_from_a_later_step_are_the_tail_of_all_batches(documents, layout, start_step):
    uninterrupted = first(replace(documents, sparse=layout).batches(BATCH_SIZE, seed=3), 20)
    resumed = first(
        replace(documents, sparse=layout).batches(BATCH_SIZE, seed=3, start_step=start_step), 20 - start_step
    )
    for expected, actual in zip(uninterrupted[start_step:], resumed, strict=True):
        np.testing.assert_array_equal(actual, expected)


def test_epochs_and_seeds_have_orders_of_their_own(documents):
    drawn = visited(first(documents.batches(BATCH_SIZE, seed=1), 2 * STEPS))
    other = visited(first(documents.batches(BATCH_SIZE, seed=2), STEPS))
    epochs = [drawn[:NUM_DOCUMENTS], drawn[NUM_DOCUMENTS:], other, np.arange(NUM_DOCUMENTS)]
    for i, order in enumerate(epochs):
        for another in epochs[:i]:
            assert not np.array_equal(order, another)


def test_orders_are_uniform_permutations():
    """The place of example 0 over 3,000 epochs: chi-square, 4 degrees of freedom, below its 99.99 % quantile 23.5."""
    epochs = tf.range(3000, dtype=tf.int64)
    orders = tf.function(lambda: tf.map_fn(lambda epoch: epoch_order(5, 7, epoch), epochs))()
    places = np.argmin(orders.numpy(), axis=1)
    observed = np.bincount(places, minlength=5)
    assert np.sum((observed - 600.0) ** 2 / 600.0) < 23.5


def test_evaluation_batches_hold_all_documents_in_order(documents, layout):
    dataset = replace(documents, sparse=layout).evaluation_batches(BATCH_SIZE)
    assert dataset.cardinality() == STEPS
    np.testing.assert_array_equal(np.concatenate([dense(b) for b in dataset]), documents.counts.toarray())


def test_batches_have_a_static_width_and_training_never_ends(documents, layout):
    for dataset in (
        replace(documents, sparse=layout).batches(BATCH_SIZE, seed=0),
        replace(documents, sparse=layout).evaluation_batches(BATCH_SIZE),
    ):
        assert dataset.element_spec.shape.as_list() == [None, VOCABULARY_SIZE]
        assert isinstance(dataset.element_spec, tf.SparseTensorSpec if layout else tf.TensorSpec)
    assert documents.batches(BATCH_SIZE, seed=0).cardinality() == tf.data.INFINITE_CARDINALITY


def test_sparse_batches_are_in_canonical_order(documents):
    for batch in islice(iter(replace(documents, sparse=True).batches(BATCH_SIZE, seed=0)), STEPS):
        np.testing.assert_array_equal(tf.sparse.reorder(batch).indices, batch.indices)


def test_counts_beyond_int16_survive():
    documents = Documents(counts=sparse.csr_matrix(np.array([[40_000, 1], [0, 2]], dtype=np.int32)))
    np.testing.assert_array_equal(first(documents.evaluation_batches(2), 1)[0], [[40_000, 1], [0, 2]])


def test_a_batch_may_be_larger_than_the_corpus(documents):
    assert documents.steps_per_epoch(100) == 1
    drawn = first(documents.batches(100, seed=0), 2)
    assert [len(batch) for batch in drawn] == [NUM_DOCUMENTS, NUM_DOCUMENTS]


def test_sparse_is_preferred_where_a_dense_array_would_not_fit(documents):
    assert not documents.batches_are_sparse
    large = Documents(counts=sparse.csr_matrix((1_000_000, 10_000), dtype=np.int32))
    assert large.batches_are_sparse


@pytest.mark.parametrize(("argument", "value"), [("batch_size", 0), ("start_step", -1)])
def test_impossible_arguments_are_named(documents, argument, value):
    arguments = {"batch_size": BATCH_SIZE, "seed": 0} | {argument: value}
    with refused(argument, str(value)):
        documents.batches(**arguments)


def test_entries_out_of_order_and_repeated_are_put_right():
    matrix = sparse.csr_matrix(
        (np.array([1, 2, 3], np.int32), np.array([4, 0, 4], np.int32), np.array([0, 3])), shape=(1, 5)
    )
    (batch,) = Documents(counts=matrix, sparse=True).evaluation_batches(1)
    np.testing.assert_array_equal(batch.indices, [[0, 0], [0, 4]])
    np.testing.assert_array_equal(batch.values, [2.0, 4.0])


@pytest.mark.parametrize("is_sparse", [False, True])
def test_two_replicas_share_the_batch_of_one(is_sparse):
    counts = sparse.csr_matrix(np.arange(1, 24, dtype=np.int32)[:, None])
    strategy = mirrored(2)
    batches = Documents(counts, sparse=is_sparse).batches(5, seed=1)
    distributed = iter(strategy.experimental_distribute_dataset(batches))
    for whole in islice(batches, 10):
        shards = strategy.experimental_local_results(next(distributed))
        shards = [tf.sparse.to_dense(shard) if is_sparse else shard for shard in shards]
        assert len(shards) == 2
        assert len(shards[0]) == (len(shards[0]) + len(shards[1]) + 1) // 2
        np.testing.assert_array_equal(tf.concat(shards, 0), tf.sparse.to_dense(whole) if is_sparse else whole)
