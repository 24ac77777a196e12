"""Documents, sentences and records on disk are used in one way, and a corpus comes from lists as from files."""

import gzip

import numpy as np
import pytest
import tensorflow as tf
from scipy import sparse

from tests.refusals import refused
from tf_vmf import data
from tf_vmf.data import Documents, Examples, Sentences, load_bag_of_words, load_sentences

SIZE, BATCH = 23, 5
TEXTS = [f"alpha beta {'gamma ' * (i % 4)}number {'even' if i % 2 == 0 else 'odd'} word" for i in range(40)]
LABELS = ["even" if i % 2 == 0 else "odd" for i in range(40)]


def make_documents(tmp_path) -> Examples:
    counts = np.random.default_rng(0).poisson(1.0, (SIZE, 7)).astype(np.int32)
    counts[:, 0] = np.arange(1, SIZE + 1)
    return Documents(counts)


def make_sentences(tmp_path) -> Examples:
    return Sentences.from_lists([[3 + i] * (1 + i % 6) for i in range(SIZE)])


def make_document_records(tmp_path) -> Examples:
    (tmp_path / "text.txt").write_text("\n".join(TEXTS))
    files = dict.fromkeys(("train_files", "valid_files", "test_files"), tmp_path / "text.txt")
    data.prepare_documents(tmp_path / "prepared", **files, stop_words="none", min_count=1)
    return load_bag_of_words("prepared", data_dir=tmp_path / "prepared").train


def make_sentence_records(tmp_path) -> Examples:
    (tmp_path / "text.txt").write_text("\n".join(TEXTS))
    files = dict.fromkeys(("train_files", "valid_files", "test_files"), tmp_path / "text.txt")
    data.prepare_sentences(tmp_path / "prepared", **files, min_count=1)
    return load_sentences("prepared", data_dir=tmp_path / "prepared").train


def rows(batches: tf.data.Dataset) -> list[tuple[float, ...]]:
    """The examples without zeros at their ends: padding, or words that do not occur."""
    return [tuple(np.trim_zeros(row, "b").tolist()) for batch in batches for row in batch.numpy()]


@pytest.mark.parametrize("make", [make_documents, make_sentences, make_document_records, make_sentence_records])
def test_every_kind_of_examples_follows_the_protocol(make, tmp_path):
    examples = make(tmp_path)
    steps = examples.steps_per_epoch(BATCH)
    evaluation = examples.evaluation_batches(BATCH)
    assert evaluation.cardinality() == len(list(evaluation)) == steps
    in_order = rows(evaluation)
    assert len(in_order) == len(examples)
    assert examples.batches(BATCH, seed=1).cardinality() == tf.data.INFINITE_CARDINALITY
    assert sorted(rows(examples.batches(BATCH, seed=1).take(steps))) == sorted(in_order)
    np.testing.assert_array_equal(np.sort(examples.evaluation_order()), np.arange(len(examples)))
    tokens = sum(sum(row) if "document" in make.__name__ else len(row) for row in in_order)
    assert examples.num_tokens == tokens
    for step in (0, steps + 1):
        (batch,) = examples.batches(BATCH, seed=1, start_step=step).take(1)
        assert len(examples.batch_ids(step, BATCH, seed=1)) == len(batch)
    for call in (examples.evaluation_batches, examples.steps_per_epoch):
        with refused("batch_size", "0"):
            call(0)
    with refused("start_step", "-1"):
        examples.batches(BATCH, seed=1, start_step=-1)


@pytest.mark.parametrize("make", [make_documents, make_sentences])
def test_ids_of_a_batch_are_positions_in_the_evaluation_order(make, tmp_path):
    examples = make(tmp_path)
    position_of = dict(zip(rows(examples.evaluation_batches(BATCH)), examples.evaluation_order(), strict=True))
    for step in (0, 3, 7):
        batch = rows(examples.batches(BATCH, seed=2, start_step=step).take(1))
        assert examples.batch_ids(step, BATCH, seed=2) == [position_of[row] for row in batch]


COUNTS = np.array([[0, 2, 1], [0, 0, 0], [5, 0, 3]])


@pytest.mark.parametrize(
    "counts",
    [
        COUNTS,
        COUNTS.astype(np.float64),
        sparse.csc_matrix(COUNTS),
        sparse.coo_array(COUNTS),
        sparse.lil_matrix(COUNTS),
        sparse.csr_matrix((np.array([1, 2, 3, 4, 1]), np.array([2, 1, 2, 0, 0]), np.array([0, 2, 2, 5])), (3, 3)),
        sparse.csr_matrix((np.array([2, 1, 0, 5, 3]), np.array([1, 2, 1, 0, 2]), np.array([0, 2, 3, 5])), (3, 3)),
    ],
    ids=["dense", "float", "csc", "coo", "lil", "unsorted and repeated", "explicit zero"],
)
@pytest.mark.parametrize("as_sparse", [False, True])
def test_counts_of_any_format_give_the_same_batches(counts, as_sparse):
    documents = Documents(counts, sparse=as_sparse)
    (batch,) = documents.evaluation_batches(3)
    np.testing.assert_array_equal(tf.sparse.to_dense(batch) if as_sparse else batch, COUNTS)
    assert len(documents.without_empty()) == 2
    assert documents.num_tokens == COUNTS.sum()


@pytest.mark.parametrize("value", [-1, np.nan, np.inf])
def test_counts_that_are_no_counts_are_refused(value):
    counts = COUNTS.astype(np.float64)
    counts[2, 0] = value
    for given in (counts, sparse.csr_matrix(counts), sparse.csc_matrix(counts)):
        with refused("counts", "in row 2, column 0", "finite and >= 0"):
            Documents(given)


def damaged(kind, indices):
    """A matrix of which an index is set where scipy does not look."""
    matrix = kind(COUNTS.astype(np.float64))
    if kind is sparse.coo_matrix:
        matrix.col[-1] = indices
    else:
        matrix.indices[-1] = indices
    return matrix


@pytest.mark.parametrize("index", [3, 10_000_000, -1])
@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix, sparse.bsr_matrix, sparse.coo_matrix])
def test_indices_outside_the_matrix_are_refused(kind, index):
    with refused("counts", "shape (3, 3)", "indices lie within its shape"):
        Documents(damaged(kind, index))


@pytest.mark.parametrize("offsets", [[0, 2, 9, 4], [0, 3, 2, 4], [0, 2, 2]])
def test_offsets_that_are_none_are_refused(offsets):
    matrix = sparse.csr_matrix(COUNTS)
    matrix.indptr = np.array(offsets, np.int32)
    with refused("counts"):
        Documents(matrix)


@pytest.mark.parametrize("counts", [[["a"]], [[1, 2], [3]], [1, 2], [[None]], [[1j]]])
def test_what_is_no_matrix_of_numbers_is_refused(counts):
    with refused("counts"):
        Documents(counts)


class Frame:
    """What a data frame is to a reader: iterated, it gives the names of its columns."""

    columns = ("x", "y")

    def __iter__(self):
        return iter(self.columns)


class Missing:
    """The missing value of a data frame, which equals nothing and is neither true nor false."""

    def __repr__(self):
        return "<NA>"

    def __ne__(self, other):
        return self

    def __bool__(self):
        raise TypeError("ambiguous")


class Column:
    """What a column of a data frame is to a reader: something to iterate."""

    def __init__(self, values):
        self._values = values

    def __iter__(self):
        return iter(self._values)


def series(values):
    return pytest.importorskip("pandas").Series(values, index=range(5, 5 + len(values)), dtype="string")


@pytest.mark.parametrize("make", [list, tuple, np.array, Column, lambda v: np.array(v, dtype=object), series])
def test_lists_give_the_corpus_that_a_file_gives(tmp_path, make):
    for label in ("even", "odd"):
        lines = [text for text, own in zip(TEXTS, LABELS, strict=True) if own == label]
        (tmp_path / f"{label}.txt.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    order = np.argsort(LABELS, kind="stable")
    texts, labels = make([TEXTS[i] for i in order]), make([LABELS[i] for i in order])
    files = [f"{label}={tmp_path}/{label}.txt.gz" for label in ("even", "odd")]
    of_files, of_list = load_bag_of_words(train_files=files), load_bag_of_words(texts=texts, labels=labels)
    assert of_list.vocabulary == of_files.vocabulary
    assert of_list.label_names == of_files.label_names == ("even", "odd")
    for split in ("train", "valid", "test"):
        one, other = getattr(of_list, split), getattr(of_files, split)
        assert one.statistics == other.statistics
        assert one.texts == other.texts
    sentences = load_sentences(texts=texts, labels=labels)
    for split in ("train", "valid", "test"):
        assert sentences.statistics[split] == load_sentences(train_files=files).statistics[split]


@pytest.mark.parametrize("load", [load_bag_of_words, load_sentences])
@pytest.mark.parametrize(
    ("arguments", "name", "received", "remedy"),
    [
        ({"texts": "one text"}, "texts", "'one text'", "Pass [text]"),
        ({"texts": b"one text"}, "texts", "b'one text'", ""),
        ({"texts": 3}, "texts", "3", ""),
        ({"texts": {"a": "text"}}, "texts", "{'a': 'text'}", ""),
        ({"texts": {"a", "b"}}, "texts", "{'", ""),
        ({"texts": Frame()}, "texts", "a data frame with columns ['x', 'y']", "frame['x']"),
        ({"texts": np.array([["a"], ["b"]])}, "texts", "shape (2, 1)", "texts[:, 0]"),
        ({"texts": ["a", Missing()]}, "texts", "texts[1] = <NA>", "Drop the rows without text"),
        ({"texts": [["a"], ["b"]]}, "texts", "texts[0] = ['a']", "' '.join(words), and pass tokenization='whitespace'"),
        ({"texts": ["a", None]}, "texts", "texts[1] = None", "Drop the rows without text"),
        ({"texts": ["a", "b", float("nan")]}, "texts", "texts[2] = nan", "Drop the rows"),
        ({"texts": ["a", 5]}, "texts", "texts[1] = 5", "str()"),
        ({"texts": ["a", b"b"]}, "texts", "texts[1] = b'b'", "decode()"),
        ({"texts": ["a", "b"], "labels": ["x"]}, "labels", "1", ""),
        ({"texts": ["a", "b"], "labels": ["x", None]}, "labels", "labels[1] = None", "give no labels"),
        ({"texts": ["a", "b"], "labels": "xy"}, "labels", "'xy'", ""),
        ({"texts": ["fine", "half \ud83d of a pair"]}, "texts[1]", "'\\ud83d', at character 5", ""),
    ],
)
def test_lists_that_are_no_texts_are_refused(load, arguments, name, received, remedy):
    with refused(name, received, remedy=remedy):
        load(**arguments)


@pytest.mark.parametrize("load", [load_bag_of_words, load_sentences])
@pytest.mark.parametrize(
    ("arguments", "name", "received"),
    [
        ({"texts": ["a"], "train_files": "a.txt"}, "texts", "train_files and texts"),
        ({"texts": ["a"], "test_files": "a.txt"}, "test_files", ""),
        ({"texts": ["a"], "data_dir": "a"}, "data_dir", ""),
        ({"texts": ["a"], "delimiter": ";"}, "delimiter", ""),
        ({"train_files": "a.txt", "labels": ["x"]}, "labels", ""),
        ({"train_files": "a.txt", "test_files": "b.txt", "test_size": 3}, "test_size", "3"),
        ({"texts": []}, "texts", "0"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(load, arguments, name, received):
    with refused(name, received):
        load(**arguments)


@pytest.mark.parametrize("prepare", [data.prepare_documents, data.prepare_sentences])
def test_an_existing_output_is_refused_before_the_text_is_read(tmp_path, prepare):
    (tmp_path / "bad.txt").write_bytes(b"\xff\n" * 10)
    (tmp_path / "out").mkdir()
    with pytest.raises(FileExistsError, match="Expected a folder that does not exist"):
        prepare(tmp_path / "out", tmp_path / "bad.txt")
