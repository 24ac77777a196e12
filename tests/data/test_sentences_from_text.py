"""Sentence corpora from text of one's own: what is counted, split, labelled and refused."""

import gzip
from collections import Counter

import numpy as np
import pytest

from tests.refusals import refused
from tf_vmf.data import load_sentences
from tf_vmf.text import EOS_ID, SPECIAL_TOKENS, UNK_ID


def load(**arguments):
    return load_sentences(**({"min_count": 1, "tokenization": "whitespace"} | arguments))


def texts(corpus, split) -> list[str]:
    return [corpus.to_text(ids) for ids in getattr(corpus, split)]


@pytest.fixture
def three_files(tmp_path):
    (tmp_path / "train.txt").write_text("a b a <unk>\n\nc  a\n \t\na b\n", encoding="utf-8")
    (tmp_path / "valid.txt.gz").write_bytes(gzip.compress(b"a new b\n"))
    (tmp_path / "test.txt").write_text("c c é\n\n", encoding="utf-8")
    return {
        "train_files": tmp_path / "train.txt",
        "valid_files": [tmp_path / "valid.txt.gz"],
        "test_files": str(tmp_path / "test.txt"),
    }


def test_a_corpus_by_hand(three_files):
    corpus = load(**three_files)
    assert corpus.vocabulary == (*SPECIAL_TOKENS, "a", "b", "c")
    assert [ids.tolist() for ids in corpus.train] == [[3, 4, 3, UNK_ID, EOS_ID], [5, 3, EOS_ID], [3, 4, EOS_ID]]
    assert [ids.tolist() for ids in corpus.valid] == [[3, UNK_ID, 4, EOS_ID]]
    assert texts(corpus, "test") == ["c c <unk>"]
    statistics = corpus.statistics
    assert [statistics[split]["empty_dropped"] for split in ("train", "valid", "test")] == [2, 0, 1]
    del statistics["train"]["sha256"]
    assert statistics["train"] == {
        "sentences": 3,
        "tokens": 11,
        "unk_share": 0.090909,
        "longest": 5,
        "truncated": 0,
        "empty_dropped": 2,
    }
    assert statistics["source"] == {"train": ["train.txt"], "valid": ["valid.txt.gz"], "test": ["test.txt"]}
    assert (statistics["split"], statistics["tokenization"]) == ("as given", "whitespace")


def test_the_vocabulary_size_counts_eos_and_unk_and_the_most_frequent_words_stay(three_files):
    assert load(**three_files, vocabulary_size=4).vocabulary == (*SPECIAL_TOKENS, "a", "b")
    assert load(**three_files, min_count=2).vocabulary == (*SPECIAL_TOKENS, "a", "b")
    assert load_sentences(**three_files, tokenization="whitespace").vocabulary == (*SPECIAL_TOKENS, "a", "b")


def test_a_given_vocabulary_is_used_as_it_is(three_files, tmp_path):
    (tmp_path / "vocab").write_text("new\n<unk>\nc 7\n<eos>\na\n")
    with pytest.warns(UserWarning, match="1 of 3 words of `vocab_file` never occur in the training text: new"):
        corpus = load(**three_files, vocab_file=tmp_path / "vocab")
    assert corpus.vocabulary == (*SPECIAL_TOKENS, "new", "c", "a")
    assert texts(corpus, "valid") == ["a new <unk>"]


def test_held_out_sentences_do_not_touch_the_vocabulary(tmp_path):
    """Every sentence has a word of its own: the vocabulary must be those of the training sentences."""
    (tmp_path / "all.txt").write_text("".join(f"common word{i}\n\n" for i in range(40)))
    corpus = load(train_files=tmp_path / "all.txt", validation_size=4, test_size=0.25, seed=3)
    assert (len(corpus.train), len(corpus.valid), len(corpus.test)) == (26, 4, 10)
    assert set(corpus.vocabulary[3:]) == {word for text in texts(corpus, "train") for word in text.split()}
    for split in ("valid", "test"):
        assert set(texts(corpus, split)) == {"common <unk>"}
    other = load(train_files=tmp_path / "all.txt", validation_size=4, test_size=0.25, seed=4)
    assert set(other.vocabulary) != set(corpus.vocabulary)


def test_words_are_numbered_by_frequency_then_alphabet(tmp_path, rng):
    words = rng.zipf(1.5, size=5000) % 300
    lines = [" ".join(f"w{word:03d}" for word in line) for line in words.reshape(500, 10)]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    corpus = load(train_files=tmp_path / "a.txt", test_files=tmp_path / "a.txt", valid_files=tmp_path / "a.txt")
    counts = Counter(word for line in lines for word in line.split())
    assert corpus.vocabulary[3:] == tuple(sorted(counts, key=lambda word: (-counts[word], word)))
    assert texts(corpus, "train") == lines


def test_longer_sentences_are_cut_end_with_eos_and_are_counted(tmp_path):
    (tmp_path / "a.txt").write_text("a b c d e\na b\na b c\na b c d\n")
    files = dict.fromkeys(("train_files", "valid_files", "test_files"), tmp_path / "a.txt")
    corpus = load(**files, max_length=4)
    assert texts(corpus, "train") == ["a b c", "a b", "a b c", "a b c"]
    assert corpus.train.lengths.tolist() == [4, 3, 4, 4]
    assert corpus.statistics["train"]["truncated"] == 2
    assert corpus.vocabulary == (*SPECIAL_TOKENS, "a", "b", "c")  # "d" is seen nowhere


def test_texts_are_split_and_stay_in_one_split(tmp_path):
    (tmp_path / "a.txt").write_text("".join(f"Text {w} starts. It is {w}! And ends {w}.\n" for w in "abcdefghij"))
    corpus = load_sentences(train_files=tmp_path / "a.txt", split_sentences=True, min_count=1)
    assert corpus.tokenization == "punctuation"
    assert [len(s) for s in (corpus.train, corpus.valid, corpus.test)] == [24, 3, 3]
    assert texts(corpus, "train")[:3] == ["text a starts .", "it is a !", "and ends a ."]
    for split in ("valid", "test"):  # the letter of the text is in no other, and so not in the vocabulary
        assert all("<unk>" in text for text in texts(corpus, split))


@pytest.fixture
def by_label(tmp_path):
    (tmp_path / "bad.txt").write_text("awful\ndull film\n" * 10)
    (tmp_path / "good.txt").write_text("great\n" * 10)
    return tmp_path


def check_labels(corpus):
    assert corpus.label_names == ("bad", "good")
    for split in ("train", "valid", "test"):
        sentences = getattr(corpus, split)
        assert sentences.labels.dtype == np.int32
        for text, label in zip(texts(corpus, split), sentences.labels, strict=True):
            assert corpus.label_names[label] == ("good" if text == "great" else "bad")
    assert sum(int(np.sum(getattr(corpus, split).labels == 0)) for split in ("train", "valid", "test")) == 20
    assert corpus.statistics["labels"] == ["bad", "good"]


def test_one_file_a_label(by_label):
    check_labels(load(train_files=[f"good={by_label}/good.txt", f"bad={by_label}/bad.txt"]))


def test_one_folder_a_label(by_label):
    for label in ("good", "bad"):
        (by_label / "text" / label).mkdir(parents=True)
        (by_label / f"{label}.txt").rename(by_label / "text" / label / "sentences.txt")
    check_labels(load(train_files=by_label / "text"))
    check_labels(load(train_files=[f"{label}={by_label}/text/{label}" for label in ("good", "bad")]))


@pytest.mark.parametrize("column", [0, 1])
def test_a_column_of_labels(by_label, column):
    rows = [(label, text) for label in ("bad", "good") for text in (by_label / f"{label}.txt").read_text().split("\n")]
    (by_label / "a.tsv").write_text("\n".join("\t".join(row[:: 1 - 2 * column]) for row in rows))
    corpus = load(train_files=by_label / "a.tsv", label_column=column)
    check_labels(corpus)
    assert corpus.statistics["train"]["empty_dropped"] == 2


def test_an_equals_sign_in_an_existing_name_is_no_label(tmp_path):
    (tmp_path / "a=b.txt").write_text("x\n" * 20)
    assert load(train_files=tmp_path / "a=b.txt").label_names == ()
    assert load(train_files=f"l={tmp_path}/a=b.txt").label_names == ("l",)


@pytest.mark.parametrize(
    ("content", "arguments", "complaint"),
    [
        (b"fine\ncaf\xe9\n", {}, r"a\.txt, line 2: expected UTF-8 text"),
        (b"fine\nthe end <eos>\n", {}, r"a\.txt, line 2: expected text without <pad> and <eos>.*the end <eos>"),
        (b"fine\n\n<pad>\n", {}, r"a\.txt, line 3: expected text without <pad>"),
        (
            b"x\ty\nno tab\n",
            {"label_column": 0},
            r"a\.txt, line 2: expected two columns, as in line 1. Received: 1: no tab",
        ),
        (
            b"x\ty\tz\n",
            {"label_column": 1},
            r"`text_column`: expected the column of the text, as .*a\.txt, line 1, has not two columns.*x, y, z",
        ),
        (b"x\ty\n \tz\n", {"label_column": 0}, r"a\.txt, line 2: expected column 0 a label"),
    ],
)
def test_a_malformed_line_is_named_by_file_and_number(tmp_path, content, arguments, complaint):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(ValueError, match=complaint):
        load(train_files=tmp_path / "a.txt", **arguments)


def test_labels_of_some_files_or_splits_only_are_refused(by_label):
    good, bad = by_label / "good.txt", by_label / "bad.txt"
    with pytest.raises(ValueError, match=r"Argument `train_files`.*good\.txt without a label"):
        load(train_files=[f"bad={bad}", good])
    with refused("labels", received="none in test"):
        load(train_files=[f"bad={bad}"], valid_files=f"bad={bad}", test_files=bad)
    with pytest.raises(ValueError, match=r"Argument `label_column`: expected None where the files have labels"):
        load(train_files=f"bad={bad}", label_column=0)


def test_no_words_or_no_sentences_say_what_to_change(tmp_path, three_files):
    with pytest.raises(ValueError, match=r"min_count=50 times.*3 distinct words.*Lower `min_count`"):
        load(**three_files, min_count=50)
    (tmp_path / "empty.txt").write_text("\n\n")
    with refused("texts", received="none", expected="a sentence in the test split"):
        load(**three_files | {"test_files": tmp_path / "empty.txt"})
    with pytest.raises(FileNotFoundError, match=r"label=path. Received: .*nowhere"):
        load(train_files=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("arguments", "name", "received"),
    [
        ({"corpus": "tweets"}, "corpus", "'tweets'"),
        ({}, "corpus", "none of them"),
        ({"corpus": "wikipedia", "train_files": "a.txt"}, "train_files", "corpus and train_files"),
        ({"corpus": "wikipedia", "label_column": 0}, "label_column", ""),
        ({"corpus": "ptb"}, "data_dir", "None"),
        ({"corpus": "ptb", "data_dir": "x", "test_size": 0.1}, "test_size", ""),
        ({"corpus": "prepared", "data_dir": "x", "max_length": 5}, "max_length", "would do nothing"),
        ({"corpus": "wikipedia", "vocabulary_size": 2}, "vocabulary_size", "2"),
        ({"corpus": "wikipedia", "min_count": 0}, "min_count", "0"),
        ({"corpus": "wikipedia", "max_length": 1}, "max_length", "1"),
        ({"corpus": "wikipedia", "tokenization": "bpe"}, "tokenization", "'bpe'"),
        ({"train_files": "a.txt", "label_column": -1}, "label_column", "-1"),
    ],
)
def test_wrong_arguments_are_named(arguments, name, received):
    with refused(name, received):
        load_sentences(**arguments)
