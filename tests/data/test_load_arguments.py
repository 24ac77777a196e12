"""The one entry to the corpora says what it expects; `.feat` files of one's own go through it too."""

import numpy as np
import pytest

from tests.refusals import refused
from tf_vmf.data import load_bag_of_words, load_sentences


@pytest.fixture
def feat_files(tmp_path):
    (tmp_path / "vocab").write_text("one\ntwo\nthree\n")
    (tmp_path / "a.feat").write_text("".join(f"{i % 2} 1:{i + 1} 3:1\n" for i in range(20)))
    (tmp_path / "b.feat").write_text("5 2:7\n6\n")
    return tmp_path


def test_feat_files_of_ones_own(feat_files):
    corpus = load_bag_of_words(
        train_files=feat_files / "a.feat", test_files=feat_files / "b.feat", vocab_file=feat_files / "vocab"
    )
    assert (len(corpus.train), len(corpus.valid), len(corpus.test)) == (18, 2, 1)
    assert corpus.label_names == ("0", "1", "5", "6")
    np.testing.assert_array_equal(corpus.test.labels, [2])
    np.testing.assert_array_equal(corpus.test.counts.toarray(), [[0, 7, 0]])
    assert corpus.statistics["test"]["empty_dropped"] == 1
    assert corpus.statistics["source"] == {"train": ["a.feat"], "test": ["b.feat"]}


@pytest.mark.parametrize(
    ("arguments", "name", "received"),
    [
        ({"corpus": "reuters"}, "corpus", "'reuters'"),
        ({}, "corpus", "none of them"),
        ({"corpus": "wikipedia", "train_files": "a.txt"}, "train_files", "corpus and train_files"),
        ({"corpus": "wikipedia", "test_files": "a.txt"}, "test_files", ""),
        ({"corpus": "wikipedia", "vocab_file": "a.txt"}, "vocab_file", ""),
        ({"corpus": "wikipedia", "data_dir": "x"}, "data_dir", ""),
        ({"corpus": "20ng"}, "data_dir", "None"),
        ({"corpus": "20ng", "data_dir": "x", "test_size": 5}, "test_size", ""),
        ({"corpus": "20ng", "data_dir": "x", "vocabulary_size": 500}, "vocabulary_size", "would do nothing"),
        ({"corpus": "20ng", "data_dir": "x", "stop_words": "none"}, "stop_words", "would do nothing"),
        ({"corpus": "prepared"}, "data_dir", "None"),
        ({"corpus": "prepared", "data_dir": "x", "min_df": 3}, "min_df", "would do nothing"),
        ({"corpus": "prepared", "data_dir": "x", "ngram_range": [1, 2]}, "ngram_range", "would do nothing"),
        ({"corpus": "prepared", "data_dir": "x", "validation_size": 0.1}, "validation_size", "would do nothing"),
        ({"corpus": "prepared", "data_dir": "x", "seed": 3}, "seed", "would do nothing"),
        ({"corpus": "wikipedia", "vocabulary_size": 0}, "vocabulary_size", "0"),
        ({"corpus": "wikipedia", "min_count": 0}, "min_count", "0"),
        ({"corpus": "wikipedia", "tokenization": "bpe"}, "tokenization", "'bpe'"),
        ({"train_files": []}, "train_files", "[]"),
        ({"train_files": "a.feat"}, "vocab_file", "None"),
        ({"train_files": "a.feat", "test_files": "b.txt"}, "test_files", "b.txt"),
        ({"train_files": ["a.feat", "b.txt"]}, "train_files", "a.feat, b.txt"),
    ],
)
def test_wrong_arguments_are_named(arguments, name, received):
    with refused(name, received):
        load_bag_of_words(**arguments)


TEXTS = ["moon star", "star moon", "moon moon", "star star"]


@pytest.mark.parametrize(
    ("arguments", "name", "received"),
    [
        ({"labels": [b"a"] * 4}, "labels", "labels[0] = b'a'"),
        ({"labels": np.ones((4, 1))}, "labels", "shape (4, 1)"),
        ({"labels": ["a", ["b"], "a", "b"]}, "labels", "labels[1] = ['b']"),
        ({"labels": ["a", np.nan, "a", "b"]}, "labels", "labels[1] = nan"),
        ({"validation_size": np.nan}, "validation_size", "nan"),
        ({"validation_size": "a"}, "validation_size", "'a'"),
        ({"test_size": True}, "test_size", "True"),
        ({"min_count": np.nan}, "min_count", "nan"),
        ({"vocabulary_size": 2.5}, "vocabulary_size", "2.5"),
        ({"seed": -1}, "seed", "-1"),
        ({"seed": 0.5}, "seed", "0.5"),
    ],
)
def test_wrong_arguments_of_lists_are_named_by_both_loaders(arguments, name, received):
    for load in (load_bag_of_words, load_sentences):
        with refused(name, received):
            load(texts=TEXTS, **{"min_count": 1, "validation_size": 1, "test_size": 1, **arguments})


def test_stop_words_and_frequencies_that_are_none_are_named():
    for arguments in ({"stop_words": [1]}, {"stop_words": None}, {"min_df": "a"}):
        with refused(next(iter(arguments))):
            load_bag_of_words(texts=TEXTS, **arguments)
    with refused("max_length", "inf"):
        load_sentences(texts=TEXTS, max_length=np.inf)
