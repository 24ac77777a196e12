"""Prepared corpora: the corpus that the loader gives, mapped from files; damage is found and named."""

import gzip
import json
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import mirrored
from tf_vmf import data
from tf_vmf.data import batches

WORDS = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(60)]


def lines(number, seed=0):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(1, 12), p=_zipf())) for _ in range(number)]


def _zipf():
    p = 1 / np.arange(1, len(WORDS) + 1)
    return p / p.sum()


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    (folder / "a.txt").write_text("\n".join(lines(150)) + "\n")
    with gzip.open(folder / "b.txt.gz", "wt") as file:
        file.write("\n".join(lines(113, seed=1)) + "\n\n")
    (folder / "valid.lines").write_text("\n".join(lines(20, seed=2)))
    (folder / "test.lines").write_text("\n".join(lines(30, seed=3)))
    files = {"valid_files": folder / "valid.lines", "test_files": folder / "test.lines"}
    return {"train_files": f"{folder}/*.txt*", **files, "tokenization": "whitespace", "min_count": 2}


@pytest.fixture(scope="module")
def sentences(text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "sentences"
    data.prepare_sentences(folder, **text, vocabulary_size=40)
    return data.load_sentences("prepared", data_dir=folder), data.load_sentences(**text, vocabulary_size=40), folder


@pytest.fixture(scope="module")
def documents(text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "documents"
    options = {**text, "vocabulary_size": 40, "stop_words": WORDS[:3]}
    data.prepare_documents(folder, **options)
    return data.load_bag_of_words("prepared", data_dir=folder), data.load_bag_of_words(**options), folder


def is_mapped(array):
    while array is not None and not isinstance(array, np.memmap):
        array = getattr(array, "base", None)
    return array is not None


def dense(batch):
    return (tf.sparse.to_dense(batch) if isinstance(batch, tf.SparseTensor) else batch).numpy()


def assert_same(prepared, whole):
    assert prepared.vocabulary == whole.vocabulary
    assert prepared.label_names == whole.label_names
    np.testing.assert_array_equal(prepared.train_word_counts, whole.train_word_counts)
    for split in ("train", "valid", "test"):
        assert prepared.statistics[split] == whole.statistics[split]  # a fingerprint of the content among them


def test_prepared_text_is_the_corpus_in_memory(sentences, documents):
    for prepared, whole, _ in (sentences, documents):
        assert_same(prepared, whole)
    assert is_mapped(sentences[0].train.tokens)
    assert is_mapped(sentences[0].train.offsets)
    assert is_mapped(documents[0].train.counts.indices)
    assert is_mapped(documents[0].train.counts.data)


def test_splits_that_are_held_out_are_those_in_memory(text, tmp_path):
    options = {name: value for name, value in text.items() if name not in ("valid_files", "test_files")}
    for sizes in ({}, {"validation_size": 0.2, "test_size": 40, "seed": 3}):
        folder = tmp_path / str(len(sizes))
        data.prepare_sentences(folder, **options, **sizes, vocabulary_size=40)
        prepared = data.load_sentences("prepared", data_dir=folder)
        assert_same(prepared, data.load_sentences(**options, **sizes, vocabulary_size=40))
    assert len(prepared.test) == 40


def test_of_many_texts_ten_thousand_are_held_out_by_default():
    held_out = data.splits.HeldOut.beside({"train"}, None, 0.5, 0, most=10_000)
    assert held_out.of(2_000_000).sizes == {"test": 0.5, "valid": 10_000}
    assert held_out.of(5_000).sizes == {"test": 0.5, "valid": 0.1}


@pytest.mark.parametrize("largest", [2**30, 0], ids=["held as tensors", "read batch by batch"])
@pytest.mark.parametrize("sparse", [False, True])
def test_batches_of_documents_are_those_in_memory(documents, largest, sparse, monkeypatch):
    prepared, whole, _ = documents
    expected = list(replace(whole.train, sparse=sparse).batches(16, seed=3).take(40))
    ends = list(replace(whole.train, sparse=sparse).evaluation_batches(16))
    monkeypatch.setattr(batches, "LARGEST_RESIDENT_BYTES", largest)
    train = replace(prepared.train, sparse=sparse)
    for start in (0, 7, 17, 33):
        found = train.batches(16, seed=3, start_step=start).take(40 - start)
        for one, other in zip(found, expected[start:], strict=True):
            assert isinstance(one, tf.SparseTensor) == sparse
            assert one.shape[1] == len(whole.vocabulary)
            np.testing.assert_array_equal(dense(one), dense(other))
    for one, other in zip(train.evaluation_batches(16), ends, strict=True):
        np.testing.assert_array_equal(dense(one), dense(other))


@pytest.mark.parametrize("largest", [2**30, 0], ids=["held as tensors", "read batch by batch"])
def test_batches_of_sentences_are_those_in_memory(sentences, largest, monkeypatch):
    prepared, whole, _ = sentences
    expected = list(replace(whole.train, window=2).batches(16, seed=5).take(45))
    monkeypatch.setattr(batches, "LARGEST_RESIDENT_BYTES", largest)
    train = replace(prepared.train, window=2)
    for start in (0, 1, 17, 40):
        found = train.batches(16, seed=5, start_step=start).take(45 - start)
        for one, other in zip(found, expected[start:], strict=True):
            np.testing.assert_array_equal(one, other)


def test_batches_that_are_read_from_files_reach_every_replica(documents, monkeypatch):
    monkeypatch.setattr(batches, "LARGEST_RESIDENT_BYTES", 0)
    train = documents[0].train
    expected = dense(next(iter(train.batches(16, seed=3))))
    strategy = mirrored(2)
    distributed = iter(strategy.experimental_distribute_dataset(train.batches(16, seed=3)))
    parts = strategy.experimental_local_results(next(distributed))
    np.testing.assert_array_equal(np.concatenate([dense(part) for part in parts]), expected)


def test_sentence_rows_name_the_sentences_of_a_step(sentences):
    for corpus in sentences[:2]:
        train = corpus.train
        (batch,) = train.batches(16, seed=5, start_step=20).take(1).as_numpy_iterator()
        rows = train.batch_ids(20, 16, seed=5)
        assert [train[row].tolist() for row in rows] == [[int(token) for token in row if token] for row in batch]


def test_a_sample_of_train_is_drawn_from_all_of_it(documents):
    prepared, whole, _ = documents
    assert prepared.with_train_sample(1000) is prepared
    sample = prepared.with_train_sample(50).train
    rows = {tuple(row) for row in whole.train.counts.toarray().tolist()}
    assert len(sample) == 50
    assert {tuple(row) for row in sample.counts.toarray().tolist()} <= rows


def test_the_same_text_gives_the_same_files(text, tmp_path):
    for name in "ab":
        data.prepare_documents(tmp_path / name, **text)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) == 11  # manifest, vocabulary, three arrays of three splits
    for name in set(files) - {"prepared.json"}:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_labels_and_feat_files(tmp_path):
    (tmp_path / "vocab").write_text("one\ntwo\nthree\n")
    for name, number in (("a", 20), ("b", 15), ("t", 7)):
        rows = "".join(f"{i % 2} 3:1 1:{i + 1}\n" for i in range(number))
        (tmp_path / f"{name}.feat").write_text(rows + "1\n")
    given = {"test_files": tmp_path / "t.feat", "valid_files": tmp_path / "t.feat", "vocab_file": tmp_path / "vocab"}
    train_files = [tmp_path / "a.feat", tmp_path / "b.feat"]
    data.prepare_documents(tmp_path / "prepared", train_files, **given)
    prepared = data.load_bag_of_words("prepared", data_dir=tmp_path / "prepared")
    assert_same(prepared, data.load_bag_of_words(train_files=train_files, **given))
    assert prepared.label_names == ("0", "1")
    assert [prepared.statistics[split]["empty_dropped"] for split in ("train", "valid", "test")] == [2, 1, 1]


@pytest.mark.parametrize("kind", ["documents", "sentences"])
def test_labels_stay_with_their_texts(tmp_path, kind):
    for name in ("bad", "good"):
        (tmp_path / f"{name}.txt").write_text("\n".join(f"{name} film number {i}" for i in range(40)))
    options = {"train_files": [f"{name}={tmp_path / name}.txt" for name in ("bad", "good")], "min_count": 1}
    of_documents, of_sentences = (
        (data.prepare_documents, data.load_bag_of_words),
        (data.prepare_sentences, data.load_sentences),
    )
    prepare, load = of_documents if kind == "documents" else of_sentences
    prepare(tmp_path / "prepared", **options)
    prepared = load("prepared", data_dir=tmp_path / "prepared")
    assert_same(prepared, load(**options))
    assert prepared.label_names == ("bad", "good")


@pytest.fixture
def copy(sentences, tmp_path):
    """A copy of the prepared corpus to be damaged."""
    for path in sentences[2].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_a_missing_file_and_a_foreign_folder_are_named(copy):
    manifest = json.loads((copy / "prepared.json").read_text())
    with pytest.raises(ValueError, match=r"Expected prepared documents.*sentences, which are for trainers\.lstm_vae"):
        data.load_bag_of_words("prepared", data_dir=copy)
    (copy / "train-offsets.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"train-offsets\.npy, which is missing"):
        data.load_sentences("prepared", data_dir=copy)
    for version, complaint in ((2, r"written by tf_vmf 0\.2.*Prepare the corpus again"), (99, "Received: format 99")):
        (copy / "prepared.json").write_text(json.dumps({**manifest, "format": version}))
        with pytest.raises(ValueError, match=complaint):
            data.load_sentences("prepared", data_dir=copy)
    cut = {split: {"files": {}} for split in ("train", "valid", "test")}
    for content in ("{}", "[]", "half of", "[" * 100_000, json.dumps({**manifest, "splits": cut})):
        (copy / "prepared.json").write_text(content)
        with pytest.raises(ValueError, match="is not the manifest of a prepared corpus"):
            data.load_sentences("prepared", data_dir=copy)
    with pytest.raises(FileNotFoundError, match=r"trainers\.prepare"):
        data.load_sentences("prepared", data_dir=copy / "nowhere")


@pytest.mark.parametrize("name", ["train-tokens", "test-tokens", "valid-offsets"])
def test_one_changed_bit_is_found(copy, name):
    path = copy / f"{name}.npy"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}\.npy: expected [0-9]+ numbers with the checksum.*damaged"):
        data.load_sentences("prepared", data_dir=copy)


@pytest.mark.parametrize("left", [-4, -40, 0])
def test_a_cut_file_is_found(copy, left):
    path = copy / "train-tokens.npy"
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(ValueError, match=r"train-tokens\.npy is damaged"):
        data.load_sentences("prepared", data_dir=copy)


@pytest.mark.parametrize("change", ["one line lost", "twenty lines lost", "two lines exchanged", "one word changed"])
def test_another_vocabulary_is_refused(documents, tmp_path, change):
    for path in documents[2].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    lines = (tmp_path / "vocabulary.txt").read_text().splitlines(keepends=True)
    changed = {
        "one line lost": lines[:-1],
        "twenty lines lost": lines[:-20],
        "two lines exchanged": [lines[1], lines[0], *lines[2:]],
        "one word changed": ["other 1\n", *lines[1:]],
    }[change]
    (tmp_path / "vocabulary.txt").write_text("".join(changed))
    with pytest.raises(ValueError, match=r"vocabulary\.txt: expected the vocabulary that the corpus was prepared with"):
        data.load_bag_of_words("prepared", data_dir=tmp_path)


def test_nothing_is_left_of_a_preparation_that_fails(text, tmp_path):
    bad = tmp_path / "bad.txt"
    bad.write_text("a b c\n" * 30 + "a <eos> b\n")
    options = {"tokenization": "whitespace", "validation_size": 0.2, "test_size": 0.2, "min_count": 1}
    with pytest.raises(ValueError, match="line 31: expected text without <pad> and <eos>"):
        data.prepare_sentences(tmp_path / "out", bad, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.txt"]
    with pytest.raises(FileExistsError, match="Expected a folder that does not exist"):
        data.prepare_sentences(tmp_path, **text)
    with pytest.raises(FileNotFoundError, match="pattern that fits a file"):
        data.prepare_sentences(tmp_path / "out", f"{tmp_path}/*.csv")
