"""The one entry to the corpora says what it expects; `.feat` files of one's own go through it too."""

import numpy as np
import pytest

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
    ("arguments", "complaint"),
    [
        ({"corpus": "reuters"}, r"`corpus` must be one of wikipedia, 20ng, prepared, or None.*'reuters'"),
        ({}, r"either `corpus` or `train_files` or `texts`.*none of them"),
        ({"corpus": "wikipedia", "train_files": "a.txt"}, r"either `corpus` or `train_files`"),
        ({"corpus": "wikipedia", "test_files": "a.txt"}, r"test_files, which go with `train_files`"),
        ({"corpus": "20ng"}, r"`data_dir` must name their folder"),
        ({"corpus": "wikipedia", "vocabulary_size": 0}, r"`vocabulary_size` must be at least 1.*0"),
        ({"corpus": "wikipedia", "min_count": 0}, r"`min_count` must be at least 1.*0"),
        (
            {"corpus": "wikipedia", "tokenization": "bpe"},
            r"`tokenization` must be one of words, whitespace, punctuation.*'bpe'",
        ),
        ({"train_files": []}, r"Argument `train_files`: expected one file or more"),
        ({"train_files": "a.feat"}, r"`vocab_file` must name the vocabulary"),
        ({"train_files": "a.feat", "test_files": "b.txt"}, r"`\.feat` files or of text files, not of both.*b\.txt"),
        ({"train_files": ["a.feat", "b.txt"]}, r"`\.feat` files or of text files, not of both.*a\.feat, b\.txt"),
        ({"corpus": "prepared"}, r"`data_dir` must name their folder"),
        (
            {"corpus": "20ng", "data_dir": "x", "vocabulary_size": 500},
            r"'20ng' comes as counts.*vocabulary_size, which would do nothing",
        ),
        (
            {"corpus": "prepared", "data_dir": "x", "ngram_range": (1, 2), "min_df": 3},
            r"min_df, ngram_range, which would do nothing",
        ),
    ],
)
def test_wrong_arguments_are_named_with_the_remedy(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        load_bag_of_words(**arguments)


TEXTS = ["moon star", "star moon", "moon moon", "star star"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"labels": [b"a"] * 4}, r"Argument `labels`.*labels\[0\] = b'a'"),
        ({"labels": np.ones((4, 1))}, r"Argument `labels`.*shape \(4, 1\)"),
        ({"labels": ["a", ["b"], "a", "b"]}, r"Argument `labels`.*labels\[1\] = \['b'\]"),
        ({"labels": ["a", np.nan, "a", "b"]}, r"Argument `labels`.*labels\[1\] = nan"),
        ({"validation_size": np.nan}, r"`validation_size` must be a number of documents.*nan"),
        ({"validation_size": "a"}, r"`validation_size` must be a number of documents.*'a'"),
        ({"test_size": True}, r"`test_size` must be a number of documents.*True"),
        ({"min_count": np.nan}, r"`min_count` must be an integer.*nan"),
        ({"vocabulary_size": 2.5}, r"`vocabulary_size` must be an integer.*2\.5"),
        ({"seed": -1}, r"`seed` must be an integer in.*-1"),
        ({"seed": 0.5}, r"`seed` must be an integer in.*0\.5"),
    ],
)
def test_wrong_arguments_of_lists_are_named_by_both_loaders(arguments, complaint):
    for load in (load_bag_of_words, load_sentences):
        with pytest.raises(ValueError, match=complaint):
            load(texts=TEXTS, **{"min_count": 1, "validation_size": 1, "test_size": 1, **arguments})


def test_stop_words_and_frequencies_that_are_none_are_named():
    for arguments in ({"stop_words": [1]}, {"stop_words": None}, {"min_df": "a"}):
        with pytest.raises(ValueError, match=f"`{next(iter(arguments))}` must be"):
            load_bag_of_words(texts=TEXTS, **arguments)
    with pytest.raises(ValueError, match="`max_length` must be an integer"):
        load_sentences(texts=TEXTS, max_length=np.inf)
