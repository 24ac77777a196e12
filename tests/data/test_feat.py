"""Miao's `.feat` files: what is written is read, and what is malformed is named by file and line."""

import gzip

import numpy as np
import pytest

from tf_vmf.data.feat import read_feat
from tf_vmf.text.vocabulary import read_vocabulary


@pytest.mark.parametrize("name", ["a.feat", "a.feat.gz"])
def test_written_counts_are_read_back(tmp_path, rng, name):
    counts = rng.poisson(0.4, size=(50, 30))
    labels = rng.integers(-3, 20, size=50)
    lines = []
    for label, row in zip(labels, counts, strict=True):
        pairs = [f"{column + 1}:{row[column]}" for column in rng.permutation(np.flatnonzero(row))]
        lines.append(" ".join([str(label), *pairs]) + "\n")
    content = "".join(lines).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)

    documents = read_feat(tmp_path / name, 30)
    np.testing.assert_array_equal(documents.counts.toarray(), counts)
    np.testing.assert_array_equal(documents.labels, labels)
    assert documents.counts.has_sorted_indices
    assert documents.num_tokens == counts.sum()


def test_a_label_alone_is_an_empty_document(tmp_path):
    (tmp_path / "a.feat").write_text("1 1:2\n2\n3 2:1\n")
    np.testing.assert_array_equal(read_feat(tmp_path / "a.feat", 2).counts.toarray(), [[2, 0], [0, 0], [0, 1]])


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("1 2:3 4", r"expected `label id:count.*Received: '4'"),
        ("1 2:3 x:4", r"expected `label id:count.*Received: 'x:4'"),
        ("1 2:3 4:1.5", r"expected `label id:count.*Received: '4:1\.5'"),
        ("1 2:3 4:-1", r"expected `label id:count.*Received: '4:-1'"),
        ("1 2 3:4:5:6", r"expected `label id:count.*Received: '2'"),
        ("2:3 4:5", r"expected `label id:count.*Received: '2:3 4:5'"),
        ("", r"expected `label id:count.*Received: ''"),
        ("1 0:3", r"ids from 1 to 9, the vocabulary's size.*Received: id 0"),
        ("1 2:1 10:3", r"ids from 1 to 9, the vocabulary's size.*Received: id 10"),
        ("1 2:0", r"counts from 1.*Received: count 0"),
        ("1 2:99999999999", r"counts from 1.*Received: count 99999999999"),
        ("1 3:1 2:1 3:4", r"each id once.*Received: id 3 twice"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, line, complaint):
    (tmp_path / "bad.feat").write_text(f"1 1:1\n{line}\n1 1:1\n")
    with pytest.raises(ValueError, match=rf"bad\.feat, line 2: .*{complaint}"):
        read_feat(tmp_path / "bad.feat", 9)


def test_a_vocabulary_is_read_with_or_without_counts(tmp_path):
    (tmp_path / "vocab").write_text("who 6494\nnaïve\nout 12\n", encoding="utf-8")
    assert read_vocabulary(tmp_path / "vocab") == ("who", "naïve", "out")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("a 1\nb c\n", r"line 2: expected `word` or `word total-count`.*'b c'"),
        ("a\n\nb\n", r"line 2: expected `word`"),
        ("a 1\nb 2\na 3\n", r"line 3: expected a word not yet listed \(line 1 has it\).*'a'"),
        ("", r"line 1: expected a word per line"),
    ],
)
def test_a_malformed_vocabulary_is_named(tmp_path, content, complaint):
    (tmp_path / "vocab").write_text(content)
    with pytest.raises(ValueError, match=f"vocab, {complaint}"):
        read_vocabulary(tmp_path / "vocab")
