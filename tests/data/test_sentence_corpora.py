"""The named corpora of sentences: the published sizes, nothing lost, and labels where they belong."""

from itertools import islice

import numpy as np
import pytest

from tests.conftest import SHARED
from tf_vmf.data import load_sentences
from tf_vmf.text import UNK_ID

SPLITS = ("train", "valid", "test")


@pytest.fixture(scope="module")
def ptb():
    if not (SHARED / "data/ptb/train.txt").is_file():
        pytest.skip("the Penn Treebank files are not here")
    return load_sentences("ptb", data_dir=SHARED / "data")


def test_ptb_has_the_published_sizes(ptb):
    assert [len(getattr(ptb, split)) for split in SPLITS] == [42_068, 3_370, 3_761]
    assert [getattr(ptb, split).num_tokens for split in SPLITS] == [929_589, 73_760, 82_430]
    assert round(ptb.test.num_tokens / len(ptb.test), 2) == 21.92
    assert len(ptb.vocabulary) == 10_001  # the usual 10,000 and <pad>
    assert all(ptb.statistics[split]["truncated"] == ptb.statistics[split]["empty_dropped"] == 0 for split in SPLITS)


def test_ptb_sentences_are_the_lines_of_the_files(ptb):
    for split in SPLITS:
        lines = (SHARED / f"data/ptb/{split}.txt").read_text().split("\n")[:-1]
        sentences = getattr(ptb, split)
        assert [ptb.to_text(ids) for ids in sentences] == [" ".join(line.split()) for line in lines]
        assert np.count_nonzero(sentences.tokens == UNK_ID) == sum(line.split().count("<unk>") for line in lines)


def test_ptb_batches_hold_all_tokens_with_less_than_3_percent_padding(ptb):
    steps = ptb.train.steps_per_epoch(32)
    cells = tokens = 0
    for batch in islice(iter(ptb.train.batches(32, seed=0)), steps):
        cells += batch.shape[0] * batch.shape[1]
        tokens += np.count_nonzero(batch)
    assert tokens == 929_589
    assert 1 - tokens / cells < 0.03


def write_ptb(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.txt").write_text(" a <unk> b \n a \n")
    for split in ("valid", "test"):
        (folder / f"{split}.txt").write_text(" a c \n")


@pytest.mark.parametrize("below", ["", "ptb"])
def test_ptb_is_found_in_the_folder_or_below_it_and_its_vocabulary_is_of_train(tmp_path, below):
    write_ptb(tmp_path / below)
    corpus = load_sentences("ptb", data_dir=tmp_path)
    assert corpus.vocabulary[3:] == ("a", "b")  # of words seen once too
    assert [corpus.to_text(ids) for ids in corpus.train] == ["a <unk> b", "a"]
    assert [corpus.to_text(ids) for ids in corpus.test] == ["a <unk>"]


@pytest.mark.parametrize(
    ("name", "files"),
    [("ptb", "train.txt, valid.txt, test.txt"), ("sentence_polarity", "neg, rt"), ("yelp", "valid.txt, test.txt")],
)
def test_missing_files_are_named(tmp_path, name, files):
    with pytest.raises(FileNotFoundError, match=rf"`data_dir`: expected .*{files}.* in it or its folder {name}"):
        load_sentences(name, data_dir=tmp_path)


@pytest.fixture(scope="module")
def polarity():
    if not (SHARED / "data/sentence_polarity/rt-polarity.neg").is_file():
        pytest.skip("the sentence polarity files are not here")
    return load_sentences("sentence_polarity", data_dir=SHARED / "data", seed=1)


def test_polarity_has_5331_sentences_of_either_label(polarity):
    assert polarity.label_names == ("neg", "pos")
    labels = np.concatenate([getattr(polarity, split).labels for split in SPLITS])
    np.testing.assert_array_equal(np.bincount(labels), [5331, 5331])
    assert (len(polarity.valid), len(polarity.test)) == (1066, 1066)


def test_polarity_labels_fit_their_words(polarity):
    train = polarity.train
    of_token = np.repeat(train.labels, train.lengths)
    for word, label in (("dull", 0), ("bad", 0), ("moving", 1), ("enjoyable", 1)):
        counts = np.bincount(of_token[train.tokens == polarity.vocabulary.index(word)], minlength=2)
        assert counts[label] > 2 * counts[1 - label]


def test_polarity_reads_the_published_encoding_and_its_utf8_copies_alike(tmp_path):
    """The original bytes, a proper conversion of them, and one that took them for ISO 8859-1."""
    line = "caf\u00e9 \u2014 it\u2019s fine"
    expected = None
    for number, content in enumerate(
        (line.encode("cp1252"), line.encode(), line.encode("cp1252").decode("latin-1").encode())
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        for label in ("neg", "pos"):
            (folder / f"rt-polarity.{label}").write_bytes((content + b" " + label.encode() + b"\n") * 10)
        corpus = load_sentences("sentence_polarity", data_dir=folder)
        assert "caf\u00e9 \u2014 it\u2019s fine" in corpus.to_text(corpus.test[0])
        expected = expected or corpus.statistics
        assert corpus.statistics == expected


@pytest.fixture(scope="module")
def wikipedia():
    pytest.importorskip("gensim")
    return load_sentences("wikipedia")


def test_wikipedia_has_about_17000_sentences_of_450000_tokens(wikipedia):
    """4,200 paragraphs of 380,000 words between spaces; punctuation marks and ends come on top."""
    assert 16_000 < sum(len(getattr(wikipedia, split)) for split in SPLITS) < 18_000
    assert 430_000 < sum(getattr(wikipedia, split).num_tokens for split in SPLITS) < 470_000
    assert len(wikipedia.vocabulary) <= 10_001
    assert max(getattr(wikipedia, split).lengths.max() for split in SPLITS) == 60
    assert len(wikipedia.train) > 0.75 * 8 * len(wikipedia.test)


def test_wikipedia_sentences_end_as_sentences_do(wikipedia):
    whole = [ids for ids in wikipedia.test if len(ids) < 60]
    last = [wikipedia.vocabulary[ids[-2]] for ids in whole]
    assert np.mean([word in {".", "!", "?", '"', ")", "'"} for word in last]) > 0.97


@pytest.mark.slow
def test_wikipedia_repeats_for_a_seed_and_differs_for_another(wikipedia):
    again, other = load_sentences("wikipedia"), load_sentences("wikipedia", seed=1)
    assert again.statistics == wikipedia.statistics
    np.testing.assert_array_equal(again.test.tokens, wikipedia.test.tokens)
    assert other.vocabulary != wikipedia.vocabulary


def test_yelp_reviews_are_trained_on_their_validation_file_and_keep_their_labels(tmp_path):
    (tmp_path / "yelp").mkdir()
    lines = [f"{i % 5} a <unk> review number {i} !" for i in range(20)]
    (tmp_path / "yelp/valid.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "yelp/test.txt").write_text("4 a review unseen !\n")
    corpus = load_sentences("yelp", data_dir=tmp_path, validation_size=4)
    assert corpus.label_names == tuple("01234")
    found = {
        split: [
            f"{corpus.label_names[label]} {corpus.to_text(ids)}"
            for ids, label in zip(getattr(corpus, split), getattr(corpus, split).labels, strict=True)
        ]
        for split in SPLITS
    }
    assert (len(found["train"]), len(found["valid"])) == (16, 4)
    read = found["train"] + found["valid"]  # numbers that were held out are unknown words
    assert sorted(line.split()[0] for line in read) == sorted(line.split()[0] for line in lines)
    assert set(found["train"]) <= set(lines)
    assert found["test"] == ["4 a review <unk> !"]


def test_yelp_has_the_reviews_that_are_left():
    if not (SHARED / "data/yelp/valid.txt").is_file():
        pytest.skip("the Yelp files are not here")
    corpus = load_sentences("yelp", data_dir=SHARED / "data", validation_size=1000)
    of_valid, of_test = ((SHARED / "data/yelp" / name).read_text().splitlines() for name in ("valid.txt", "test.txt"))
    assert [len(getattr(corpus, split)) for split in SPLITS] == [len(of_valid) - 1_000, 1_000, len(of_test)]
    # Every line is a label and its tokens; an <eos> takes the label's place.
    assert corpus.test.num_tokens == sum(len(line.split()) for line in of_test)
