"""Documents and corpora keep their columns together and refuse what does not fit."""

import json

import numpy as np
import pytest
import tensorflow as tf
from scipy import sparse

from tests.refusals import refused
from tf_vmf.data import BagOfWordsCorpus, Documents
from tf_vmf.data.build import documents_corpus, label_positions
from tf_vmf.data.splits import SPLITS


def documents(rows, **columns) -> Documents:
    return Documents(counts=sparse.csr_matrix(np.array(rows, dtype=np.int32)), **columns)


@pytest.fixture
def four() -> Documents:
    return documents(
        [[1, 2], [0, 0], [3, 0], [0, 5]],
        labels=np.array([7, 8, 9, 10]),
        texts=("a", "b", "c", "d"),
        titles=("A", "B", "C", "D"),
    )


def test_length_and_tokens_are_those_of_the_counts(four):
    assert (len(four), four.vocabulary_size, four.num_tokens) == (4, 2, 11)


def test_token_totals_do_not_overflow_int32():
    assert documents([[2**31 - 1], [2**31 - 1]]).num_tokens == 2 * (2**31 - 1)


def test_columns_follow_their_rows(four):
    taken = four.take(np.array([3, 0]))
    np.testing.assert_array_equal(taken.counts.toarray(), [[0, 5], [1, 2]])
    np.testing.assert_array_equal(taken.labels, [10, 7])
    assert (taken.texts, taken.titles) == (("d", "a"), ("D", "A"))


def test_without_empty_keeps_the_others_in_order(four):
    kept = four.without_empty()
    assert kept.texts == ("a", "c", "d")
    assert kept.num_tokens == four.num_tokens


def test_with_columns_reorders_the_words(four):
    np.testing.assert_array_equal(four.with_columns([1]).counts.toarray(), [[2], [0], [0], [5]])
    swapped = four.with_columns([1, 0]).counts
    np.testing.assert_array_equal(swapped.toarray(), four.counts.toarray()[:, ::-1])
    assert swapped.has_sorted_indices


@pytest.mark.parametrize("column", ["labels", "texts", "titles"])
def test_a_column_of_another_length_is_refused(column):
    with refused(column, "2", "one per document, 1"):
        documents([[1]], **{column: ("a", "b")})


@pytest.mark.parametrize("values", [[30, 10, 30], ["sci", "alt", "sci"]])
def test_labels_become_positions_among_sorted_names(values):
    names, columns = label_positions({"train": np.array(values), "test": np.array(values[:1])})
    assert list(names) == [str(value) for value in sorted(set(values))]
    np.testing.assert_array_equal(columns["train"], [1, 0, 1])
    np.testing.assert_array_equal(columns["test"], [1])
    assert columns["train"].dtype == np.int64


def test_labels_that_some_splits_lack_are_dropped():
    assert label_positions({"train": np.array([3]), "test": None}) == ((), {"train": None, "test": None})


def test_a_corpus_drops_empty_documents_and_reports_them(four):
    corpus = documents_corpus("mine", ["x", "y"], dict.fromkeys(SPLITS, four), notes={"split_seed": 3})
    assert len(corpus.train) == 3
    statistics = json.loads(json.dumps(corpus.statistics))
    del statistics["test"]["sha256"]
    assert statistics["test"] == {"documents": 3, "tokens": 11, "empty_dropped": 1}
    assert (statistics["corpus"], statistics["vocabulary_size"], statistics["split_seed"]) == ("mine", 2, 3)


def test_the_fingerprint_tells_vocabularies_apart(four):
    prints = {
        documents_corpus("mine", words, dict.fromkeys(SPLITS, four), notes={}).statistics["vocabulary_sha256"]
        for words in (["x", "y"], ["y", "x"], ["x", "z"])
    }
    assert len(prints) == 3


def test_a_split_without_words_is_refused(four):
    splits = {"train": four, "valid": documents([[0, 0]]), "test": four}
    with refused("texts", received="1 documents, all empty", expected="in the valid split of corpus 'mine'"):
        documents_corpus("mine", ["x", "y"], splits, notes={})


def test_a_vocabulary_of_another_width_is_refused(four):
    with refused("train", "a count matrix 2 wide", "the 3 words"):
        BagOfWordsCorpus("mine", ("x", "y", "z"), four, four, four)


def test_the_vectorizer_counts_in_the_corpus_columns(four):
    corpus = BagOfWordsCorpus("mine", ("cat", "dog"), four, four, four)
    np.testing.assert_array_equal(corpus.vectorizer()(tf.constant(["Dog, dog & cat; bird"])), [[1, 2]])


def test_documents_of_a_data_frame_keep_the_names_of_its_columns():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"moon": [1, 0, 2], "star": [0, 3, 1], "sun": [4, 1, 0]})
    documents = Documents(frame[["sun", "moon", "star"]])
    assert documents.words == ("sun", "moon", "star")
    assert documents.take(np.array([2])).with_columns([1, 0]).words == ("moon", "sun")
    splits = {"train": documents, "valid": Documents(frame), "test": Documents(frame.to_numpy())}
    corpus = BagOfWordsCorpus("sky", ("moon", "star", "sun"), **splits)
    for split in splits:
        np.testing.assert_array_equal(getattr(corpus, split).counts.toarray(), frame)
    with refused("train", "no column 'star'"):
        splits["train"] = Documents(frame.rename(columns={"star": "comet"}))
        BagOfWordsCorpus("sky", ("moon", "star", "sun"), **splits)
