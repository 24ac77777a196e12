"""Text of one's own: files, folders, labels, and a vocabulary that has seen train alone."""

import gzip

import numpy as np
import pytest

from tf_vmf.data import load_bag_of_words
from tf_vmf.text.files import TextFiles


def load(**arguments):
    defaults = {"min_count": 1, "stop_words": "none"}
    return load_bag_of_words(**(defaults | arguments))


@pytest.fixture
def three_files(tmp_path):
    (tmp_path / "train.txt").write_text("apple apple pear\n\nfig apple\n" * 2, encoding="utf-8")
    (tmp_path / "valid.txt.gz").write_bytes(gzip.compress(b"pear plum plum plum\nplum\n"))
    (tmp_path / "test.txt").write_text("fig kiwi kiwi\n", encoding="utf-8")
    return {
        "train_files": tmp_path / "train.txt",
        "valid_files": [tmp_path / "valid.txt.gz"],
        "test_files": str(tmp_path / "test.txt"),
    }


def test_the_vocabulary_comes_from_train_alone(three_files):
    corpus = load(**three_files)
    assert corpus.vocabulary == ("apple", "fig", "pear")
    np.testing.assert_array_equal(corpus.train.counts.toarray(), [[2, 0, 1], [1, 1, 0]] * 2)
    np.testing.assert_array_equal(corpus.valid.counts.toarray(), [[0, 0, 1]])
    np.testing.assert_array_equal(corpus.test.counts.toarray(), [[0, 1, 0]])
    assert all(type(word) is str for word in corpus.vocabulary)


def test_empty_documents_are_dropped_and_counted(three_files):
    statistics = load(**three_files).statistics
    dropped = [statistics[split]["empty_dropped"] for split in ("train", "valid", "test")]
    assert dropped == [2, 1, 0]  # blank lines of train; "plum" is no word of the vocabulary


def test_held_out_documents_do_not_touch_the_vocabulary(tmp_path):
    """Every document has a word of its own: the vocabulary must be those of the training documents."""
    (tmp_path / "all.txt").write_text("".join(f"common word{chr(97 + i)}\n" for i in range(20)))
    corpus = load(train_files=tmp_path / "all.txt", validation_size=4, test_size=0.25, seed=3)
    assert (len(corpus.train), len(corpus.valid), len(corpus.test)) == (11, 4, 5)
    assert set(corpus.vocabulary) == {word for text in corpus.train.texts for word in text.split()}
    for split in (corpus.valid, corpus.test):
        assert split.num_tokens == len(split)  # "common" alone


def test_size_minimum_count_and_stop_words_limit_the_vocabulary(three_files):
    files = {name: three_files["train_files"] for name in ("train_files", "valid_files", "test_files")}
    assert load(**files, vocabulary_size=2).vocabulary == ("apple", "fig")
    assert load(**files, stop_words=["Apple"]).vocabulary == ("fig", "pear")
    assert load(**files, min_count=3).vocabulary == ("apple",)


def test_a_given_vocabulary_is_used_as_it_is(three_files, tmp_path):
    (tmp_path / "vocab").write_text("kiwi 3\nplum 2\napple\npear\nfig")
    with pytest.warns(UserWarning, match="2 of 5 words of `vocab_file` never occur in the training text: kiwi, plum"):
        corpus = load(**three_files, vocab_file=tmp_path / "vocab")
    assert corpus.vocabulary == ("kiwi", "plum", "apple", "pear", "fig")
    np.testing.assert_array_equal(corpus.valid.counts.toarray(), [[0, 3, 0, 1, 0], [0, 1, 0, 0, 0]])


def test_folders_hold_a_document_a_file_and_subfolders_are_labels(tmp_path):
    for group, words in (("sport", "ball goal"), ("food", "Brot\nkäse")):
        for number in range(4):
            file = tmp_path / group / "deeper" / f"{number}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(words, encoding="utf-8")
    (tmp_path / "food" / "z.gz").write_bytes(gzip.compress(b"Brot"))
    (tmp_path / "sport" / "ignored.pdf").write_bytes(b"\xff")
    with pytest.warns(UserWarning, match=r"passed over, sport/ignored\.pdf among them"):
        corpus = load(train_files=tmp_path, valid_files=tmp_path, test_files=tmp_path)
    assert corpus.label_names == ("food", "sport")
    np.testing.assert_array_equal(corpus.train.labels, [0] * 5 + [1] * 4)
    assert corpus.train.titles[:1] == ("food/deeper/0.txt",)
    assert corpus.train.texts[0] == "Brot käse"
    assert corpus.vocabulary == ("brot", "ball", "goal", "käse")


def test_files_beside_subfolders_leave_no_labels(tmp_path):
    (tmp_path / "sub").mkdir()
    for file in ("a.txt", "sub/b.txt"):
        (tmp_path / file).write_text("word")
    with pytest.warns(UserWarning, match="no labels from the subfolders, as 1 of 2 files lie beside these: a.txt"):
        assert [document.label for document in TextFiles([tmp_path], whole_files=True)] == [None, None]


def test_files_can_be_iterated_again(three_files):
    files = TextFiles([three_files["train_files"]])
    assert list(files) == list(files)


def test_bad_text_is_named_by_file_and_line(tmp_path):
    (tmp_path / "bad.txt").write_bytes(b"good line\n\xfe\xff\n")
    with pytest.raises(ValueError, match=r"bad\.txt, line 2: expected UTF-8"):
        load(train_files=tmp_path / "bad.txt")


def test_missing_paths_and_empty_folders_are_named(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"Expected a text file, a folder of text files, or label=path.*nowhere"
    ):
        load(train_files=tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"Expected a folder with files that end in \.txt or \.gz"):
        load(train_files=tmp_path)


def test_no_words_at_all_says_what_to_change(three_files):
    with pytest.raises(ValueError, match=r"min_count=50 times.*3 distinct words.*Lower `min_count`"):
        load(**three_files, min_count=50)


def test_a_corpus_of_numbers_says_what_counts_as_a_word():
    with pytest.raises(ValueError, match=r"40 texts without a word\. Numbers .* no words with tokenization='words'"):
        load_bag_of_words(texts=["1 2 3", "4 5 6"] * 20)
