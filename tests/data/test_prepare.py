"""Prepared corpora: the same examples as in memory, each once an epoch, from any step; damage is found and named."""

import gzip
import json
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tf_vmf import data
from tf_vmf.data.shards import read_manifest

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
    data.prepare_sentences(folder, **text, vocabulary_size=40, examples_per_shard=100)
    return data.load_sentences("prepared", data_dir=folder), data.load_sentences(**text, vocabulary_size=40), folder


@pytest.fixture(scope="module")
def documents(text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "documents"
    options = {**text, "vocabulary_size": 40, "stop_words": WORDS[:3]}
    data.prepare_documents(folder, **options, examples_per_shard=50)
    return data.load_bag_of_words("prepared", data_dir=folder), data.load_bag_of_words(**options), folder


def rows_of(batches, number):
    """The examples of so many batches, without padding, as sorted tuples."""
    rows = []
    for batch in batches.take(number):
        array = (tf.sparse.to_dense(batch) if isinstance(batch, tf.SparseTensor) else batch).numpy()
        rows += [tuple(int(v) for v in row) for row in array]
    return rows


def without_padding(rows):
    return sorted(tuple(token for token in row if token) for row in rows)


def test_sentences_are_those_of_the_corpus_in_memory(sentences):
    prepared, whole, _ = sentences
    assert prepared.vocabulary == whole.vocabulary
    np.testing.assert_array_equal(prepared.train_word_counts, whole.train_word_counts)
    np.testing.assert_array_equal(prepared.test.tokens, whole.test.tokens)
    np.testing.assert_array_equal(prepared.valid.offsets, whole.valid.offsets)
    for name in ("sentences", "tokens", "unk_share"):
        assert prepared.statistics["train"][name] == whole.statistics["train"][name]
    assert len(prepared.train) < len(prepared.train_records) == len(whole.train) == 263


def test_an_epoch_of_sentences_holds_each_once(sentences):
    prepared, whole, _ = sentences
    records = replace(prepared.train_records, window=2)
    assert len(records.paths) == 3
    steps = records.steps_per_epoch(16)
    everything = without_padding(tuple(whole.train[row].tolist()) for row in range(len(whole.train)))
    epochs = [rows_of(records.batches(16, seed=3, start_step=start), steps) for start in (0, steps)]
    for epoch in epochs:
        assert without_padding(epoch) == everything
    assert epochs[0] != epochs[1]


@pytest.mark.parametrize("sparse", [False, True])
def test_an_epoch_of_documents_holds_each_once(documents, sparse):
    prepared, whole, _ = documents
    assert prepared.vocabulary == whole.vocabulary
    np.testing.assert_array_equal(prepared.train_word_counts, whole.train_word_counts)
    np.testing.assert_array_equal(prepared.test.counts.toarray(), whole.test.counts.toarray())
    records = prepared.train_records
    assert prepared.statistics["train"]["documents"] == len(whole.train) == len(records)
    rows = rows_of(replace(records, sparse=sparse).batches(16, seed=3), records.steps_per_epoch(16))
    assert sorted(rows) == sorted(tuple(row) for row in whole.train.counts.toarray().tolist())


@pytest.mark.parametrize("start", [1, 6, 7, 17, 18, 40])
def test_batches_from_any_step_are_those_of_an_uninterrupted_run(sentences, start):
    records = replace(sentences[0].train_records, window=2)
    whole = list(records.batches(16, seed=5).take(45).as_numpy_iterator())
    resumed = list(records.batches(16, seed=5, start_step=start).take(45 - start).as_numpy_iterator())
    for one, other in zip(whole[start:], resumed, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("step", [0, 7, 23])
def test_batch_ids_name_the_records_of_a_step(sentences, step):
    records = sentences[0].train_records
    (batch,) = records.batches(16, seed=5, start_step=step).take(1).as_numpy_iterator()
    ids = [each.split(":") for each in records.batch_ids(step, 16, seed=5)]
    folder = records.paths[0].parent
    found = []
    for name, number in ids:
        serialized = list(tf.data.TFRecordDataset(str(folder / name)))[int(number)].numpy()
        found.append(list(tf.train.Example.FromString(serialized).features.feature["tokens"].int64_list.value))
    assert found == [[int(token) for token in row if token] for row in batch]


def test_sentence_rows_name_the_sentences_of_a_step_in_memory(sentences):
    train = sentences[1].train
    (batch,) = train.batches(16, seed=5, start_step=20).take(1).as_numpy_iterator()
    rows = train.batch_ids(20, 16, seed=5)
    assert [train[row].tolist() for row in rows] == [[int(token) for token in row if token] for row in batch]


def test_lines_are_held_out_by_seed_at_about_the_share_asked_for(text, tmp_path):
    options = {name: value for name, value in text.items() if name not in ("valid_files", "test_files")}
    sizes = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        manifest = data.prepare_sentences(
            tmp_path / name, **options, validation_size=0.2, test_size=40, seed=seed, vocabulary_size=40
        )
        sizes.append({split: figures["examples"] for split, figures in manifest["splits"].items()})
    assert sizes[0] == sizes[1] != sizes[2]
    # Binomial, 264 lines: standard deviations 6.5 and 5.8.
    assert abs(sizes[0]["valid"] - 53) < 26
    assert abs(sizes[0]["test"] - 40) < 24
    assert sum(sizes[0].values()) == 263
    same = [[path.read_bytes() for path in sorted((tmp_path / name).glob("*.tfrecord"))] for name in "ab"]
    assert same[0] == same[1]


def test_labels_and_feat_files(tmp_path):
    (tmp_path / "vocab").write_text("one\ntwo\nthree\n")
    for name, number in (("a", 20), ("b", 15), ("t", 7)):
        rows = "".join(f"{i % 2} 3:1 1:{i + 1}\n" for i in range(number))
        (tmp_path / f"{name}.feat").write_text(rows + "1\n")
    given = {"test_files": tmp_path / "t.feat", "valid_files": tmp_path / "t.feat", "vocab_file": tmp_path / "vocab"}
    train_files = [tmp_path / "a.feat", tmp_path / "b.feat"]
    data.prepare_documents(tmp_path / "prepared", train_files, **given, examples_per_shard=10)
    prepared = data.load_bag_of_words("prepared", data_dir=tmp_path / "prepared")
    whole = data.load_bag_of_words(train_files=train_files, **given)
    assert prepared.label_names == whole.label_names == ("0", "1")
    np.testing.assert_array_equal(prepared.test.labels, whole.test.labels)
    np.testing.assert_array_equal(prepared.test.counts.toarray(), whole.test.counts.toarray())
    rows = rows_of(prepared.train_records.batches(4, seed=0), prepared.train_records.steps_per_epoch(4))
    assert sorted(rows) == sorted(tuple(row) for row in whole.train.counts.toarray().tolist())
    assert [prepared.statistics[split]["empty_dropped"] for split in ("train", "valid", "test")] == [2, 1, 1]


def test_labelled_sentences_come_with_their_labels(tmp_path):
    for name in ("bad", "good"):
        (tmp_path / f"{name}.txt").write_text("\n".join(f"{name} film number {i}" for i in range(40)))
    train_files = [f"{name}={tmp_path / name}.txt" for name in ("bad", "good")]
    data.prepare_sentences(tmp_path / "prepared", train_files, validation_size=0.2, test_size=0.2, min_count=1)
    corpus = data.load_sentences("prepared", data_dir=tmp_path / "prepared")
    assert corpus.label_names == ("bad", "good")
    for batch in corpus.train_records.batches(8, seed=0).take(6):
        for tokens, label in zip(batch["tokens"].numpy(), batch["labels"].numpy(), strict=True):
            assert corpus.vocabulary[tokens[0]] in (corpus.label_names[label], "<unk>")


@pytest.fixture
def copy(sentences, tmp_path):
    """A copy of the prepared corpus to be damaged."""
    for path in sentences[2].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_a_missing_a_cut_and_a_foreign_file_are_named(copy):
    shard = next(iter(sorted(copy.glob("train*"))))
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-20])
    with pytest.raises(ValueError, match=f"{shard.name}: expected {len(whole)} bytes.*Received: {len(whole) - 20}"):
        read_manifest(copy)
    shard.unlink()
    with pytest.raises(FileNotFoundError, match=f"missing: .*{shard.name}"):
        read_manifest(copy)
    shard.write_bytes(whole)
    with pytest.raises(ValueError, match=r"Expected prepared documents.*sentences, which are for trainers\.lstm_vae"):
        data.load_bag_of_words("prepared", data_dir=copy)
    manifest = json.loads((copy / "prepared.json").read_text())
    (copy / "prepared.json").write_text(json.dumps(manifest | {"format": 99}))
    with pytest.raises(ValueError, match=r"Received: format 99.*Prepare the corpus again"):
        read_manifest(copy)
    with pytest.raises(FileNotFoundError, match=r"trainers\.prepare"):
        read_manifest(copy / "nowhere")


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_damaged_record_is_named(copy, split):
    shard = sorted(copy.glob(f"{split}*"))[-1]
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    with pytest.raises(ValueError, match=f"{shard.name}, record [0-9]+ of [0-9]+: expected a record that agrees"):
        data.load_sentences("prepared", data_dir=copy).train_records.check()


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
    with pytest.raises(ValueError, match="leave some of 31 texts"):
        data.prepare_sentences(tmp_path / "out", bad, **options | {"test_size": 40})


def test_the_fingerprint_of_prepared_text_is_of_all_its_shards(tmp_path):
    words = lines(120)
    found = []
    # The last is the first again; the second differs in one sentence, whichever shard that is in.
    for name, changed in (("a", None), ("b", 77), ("c", None)):
        text = [" ".join(reversed(line.split())) if i == changed else line for i, line in enumerate(words)]
        (tmp_path / "train.txt").write_text("\n".join(text))
        for split in ("valid", "test"):
            (tmp_path / f"{split}.txt").write_text("\n".join(words[:5]))
        files = {f"{split}_files": tmp_path / f"{split}.txt" for split in ("train", "valid", "test")}
        data.prepare_sentences(tmp_path / name, **files, min_count=1, examples_per_shard=20)
        corpus = data.load_sentences("prepared", data_dir=tmp_path / name)
        assert len(corpus.train_records.paths) == 6
        found.append(corpus.statistics["train"]["sha256"])
    assert found[0] != found[1]
    assert found[0] == found[2]
