"""20 Newsgroups: the published sizes, and validation out of train."""

import numpy as np
import pytest

from tests.conftest import SHARED
from tf_vmf.data import load_bag_of_words
from tf_vmf.data.corpora import NEWSGROUPS


def write_corpus(folder, labels=(1, 2, 20), train=30, test=6):
    """Train documents hold words 1 to 3, test documents word 4 alone."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.new").write_text("one 1\ntwo 1\nthree 1\nfour 1\n")
    lines = [f"{labels[i % len(labels)]} {i % 3 + 1}:{i + 1}\n" for i in range(train)]
    (folder / "train.feat").write_text("".join(lines))
    (folder / "test.feat").write_text("".join(f"{labels[i % len(labels)]} 4:{i + 1}\n" for i in range(test)))


@pytest.mark.parametrize("below", ["", "20ng"])
def test_files_are_found_in_the_folder_or_below_it(tmp_path, below):
    write_corpus(tmp_path / below)
    corpus = load_bag_of_words("20ng", data_dir=tmp_path, validation_size=5)
    assert (len(corpus.train), len(corpus.valid), len(corpus.test)) == (25, 5, 6)


def test_validation_comes_from_train_and_never_from_test(tmp_path):
    write_corpus(tmp_path)
    for seed in range(5):
        corpus = load_bag_of_words("20ng", data_dir=tmp_path, validation_size=10, seed=seed)
        held = [corpus.train.counts.sum(axis=1), corpus.valid.counts.sum(axis=1)]
        np.testing.assert_array_equal(np.sort(np.concatenate(held).ravel()), np.arange(1, 31)[None])
        assert corpus.valid.counts[:, 3].sum() == 0  # the word of the test documents
        assert corpus.test.counts[:, :3].sum() == 0


def test_groups_are_named_and_other_labels_stay_numbers(tmp_path):
    write_corpus(tmp_path)
    corpus = load_bag_of_words("20ng", data_dir=tmp_path, validation_size=5)
    assert corpus.label_names == (NEWSGROUPS[0], NEWSGROUPS[1], NEWSGROUPS[19])
    write_corpus(tmp_path, labels=(0, 30))
    assert load_bag_of_words("20ng", data_dir=tmp_path, validation_size=5).label_names == ("0", "30")


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"`data_dir`: expected train\.feat, test\.feat, vocab\.new"):
        load_bag_of_words("20ng", data_dir=tmp_path)


@pytest.fixture(scope="module")
def published():
    if not (SHARED / "data/20ng/train.feat").is_file():
        pytest.skip("the 20 Newsgroups files are not here")
    return load_bag_of_words("20ng", data_dir=SHARED / "data", seed=0)


def test_sizes_are_the_published_ones(published):
    assert len(published.vocabulary) == 2000
    assert (len(published.train) + len(published.valid), len(published.test)) == (11_268, 7_505)
    assert len(published.valid) == 1000
    assert published.train.num_tokens + published.valid.num_tokens == 1_128_881
    assert published.test.num_tokens == 720_898


def test_group_names_fit_their_words(published):
    """A word that belongs to one group is most frequent there: the numbering of the files is the alphabetical one."""
    counts, labels = published.test.counts, published.test.labels
    for word, group in (("hockey", "rec.sport.hockey"), ("israel", "talk.politics.mideast"), ("space", "sci.space")):
        column = counts[:, published.vocabulary.index(word)].toarray().ravel()
        assert published.label_names[np.argmax(np.bincount(labels, weights=column))] == group
