"""Edits of topics as a file, and the tree of topics."""

import hashlib
import json

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, is_valid_linkage
from scipy.spatial.distance import jensenshannon

from tf_vmf._errors import ArgumentError, MissingPlaceError
from tf_vmf.topics import TopicModel
from tf_vmf.topics.edits import fingerprint, read_edits
from tf_vmf.topics.tree import topic_tree

TOPICS = [
    ["moon", "orbit", "star", "comet", "probe", "planet"],
    ["oven", "salt"],
    ["goal", "team"],
    ["a", "b"],
    ["c", "d"],
]


def edits(**fields):
    return {
        "format": "tf_vmf topic edits", "version": 1, "num_topics": 5, "fingerprint": fingerprint(TOPICS), **fields
    }  # fmt: skip


@pytest.fixture
def write(tmp_path):
    def write(value):
        path = tmp_path / "edits.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")
        return path

    return write


def test_the_fingerprint_is_the_hash_of_the_first_five_words():
    text = "moon orbit star comet probe\noven salt\ngoal team\na b\nc d"
    assert fingerprint(TOPICS) == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_labels_merges_and_hidden_topics_are_read(write):
    read = read_edits(write(edits(labels={"0": "space", "3": "ö"}, merge=[[0, 3]], hide=[4])), TOPICS)
    assert (read.labels, read.merge, read.hide) == ({0: "space", 3: "ö"}, [[0, 3]], [4])
    assert read_edits(write(edits()), TOPICS).merge == []
    by_hand = read_edits(write({"labels": {"0": "space"}}), TOPICS)  # nobody can write a fingerprint by hand
    assert (by_hand.labels, by_hand.merge) == ({0: "space"}, [])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"version": 2}, "version"),
        ({"version": True}, "version"),
        ({"format": "other"}, "format"),
        ({"num_topics": 6}, "num_topics"),
        ({"fingerprint": "0" * 16}, "fingerprint"),
        ({"labels": ["space"]}, "labels"),
        ({"labels": {"5": "space"}}, "labels.5"),
        ({"labels": {"-1": "space"}}, "labels.-1"),
        ({"labels": {"x": "space"}}, "labels.x"),
        ({"labels": {"0": 7}}, "labels.0"),
        ({"labels": {"0": " "}}, "labels.0"),
        ({"merge": [0, 3]}, "merge[0]"),
        ({"merge": [[1, 2], [3]]}, "merge[1]"),
        ({"merge": [[1, 2], [2, 3]]}, "merge"),
        ({"merge": [[1, 1]]}, "merge"),
        ({"merge": [[1, 5]]}, "merge[0]"),
        ({"merge": {"1": 2}}, "merge"),
        ({"hide": 4}, "hide"),
        ({"hide": [0, 9]}, "hide[1]"),
        ({"hide": [1.0]}, "hide[0]"),
        ({"hide": [1], "merge": [[1, 2]]}, "hide"),
        ({"label": {}}, "label"),
    ],
)
def test_a_field_that_does_not_fit_is_named(write, fields, field):
    with pytest.raises(ArgumentError) as caught:
        read_edits(write(edits(**fields)), TOPICS)
    assert caught.value.name == "edits"
    assert repr(field) in caught.value.expected


def test_a_file_that_is_no_json_object_is_named_with_its_line(write, tmp_path):
    for text, expected in (
        ("{\n  1", "line 2"),
        ("[1]", "list"),
        ("{}", "nothing"),
        ('{"hide": [], "hide": []}', "'hide' twice"),
    ):
        with pytest.raises(ArgumentError) as caught:
            read_edits(write(text), TOPICS)
        assert expected in caught.value.received
    with pytest.raises(MissingPlaceError):
        read_edits(tmp_path / "none.json", TOPICS)


def test_edits_are_applied_and_kept_in_files(model, tmp_path):
    labels, proportions = model.labels_.copy(), model.transform(["orbit moon", "bread oven", "goal match"])
    value = {"format": "tf_vmf topic edits", "version": 1, "num_topics": 3, "fingerprint": fingerprint(model.topics(5))}
    path = tmp_path / "edits.json"
    path.write_text(json.dumps({**value, "labels": {"0": "largest", "2": "last"}, "merge": [[0, 2]], "hide": [1]}))
    model.apply_edits(path)
    assert model.num_topics_ == 2
    assert model.topic_labels()[0] == "largest"
    assert model.hidden_topics_ == (1,)
    np.testing.assert_array_equal(model.labels_, np.array([0, 1, 0, -1])[labels])
    found = model.transform(["orbit moon", "bread oven", "goal match"])
    np.testing.assert_allclose(found[:, 0], proportions[:, 0] + proportions[:, 2])
    model.save(tmp_path / "model")
    loaded = TopicModel.load(tmp_path / "model")
    assert loaded.hidden_topics_ == (1,)
    assert loaded.topic_labels() == model.topic_labels()
    with pytest.raises(ArgumentError) as caught:
        loaded.apply_edits(path)
    assert "'num_topics'" in caught.value.expected


def test_merged_topics_have_the_name_of_the_largest_member_that_was_named(model):
    model.set_topic_labels({1: "second", 2: "third"}).merge_topics([[0, 1, 2]])
    assert model.topic_labels() == ["second"]
    assert model.topics(5)


def test_the_tree_merges_the_topics_whose_words_are_alike():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(30) * 0.3, 5)
    probabilities[4] = 0.95 * probabilities[1] + 0.05 / 30
    words = [f"w{i}" for i in range(30)]
    tree = topic_tree(np.log(probabilities), np.ones(5) / 5, np.full(30, np.log(1 / 30)), words, 3, 1.0)
    assert is_valid_linkage(tree.linkage)
    assert tree.members[0] == [1, 4]
    assert {type(topic) for topic in tree.members[0]} == {int}
    assert tree.linkage[0, 2] == pytest.approx(jensenshannon(probabilities[1], probabilities[4]))
    mean = (probabilities[1] + probabilities[4]) / 2
    assert tree.words[0] == [words[i] for i in np.argsort(-mean)[:3]]
    assert tree.groups(5) == []
    assert tree.groups(4) == [[1, 4]]
    assert tree.groups(1) == [[0, 1, 2, 3, 4]]
    for number in (2, 3):
        clusters = fcluster(tree.linkage, number, "maxclust")
        expected = [np.flatnonzero(clusters == c).tolist() for c in np.unique(clusters)]
        assert tree.groups(number) == sorted(group for group in expected if len(group) > 1)


def test_topics_are_reduced_along_the_tree(model):
    tree = model.hierarchy(4)
    assert [len(words) for words in tree.words] == [4, 4]
    labels = model.labels_
    pair = tree.members[0]
    model.reduce_topics(2)
    assert model.num_topics_ == 2
    merged = {model.labels_[labels == topic][0] for topic in pair}
    assert len(merged) == 1
    assert model.reduce_topics(2).num_topics_ == 2
    with pytest.raises(ArgumentError) as caught:
        model.reduce_topics(3)
    assert caught.value.name == "num_topics"
    assert model.reduce_topics(1).hierarchy(3).linkage.shape == (0, 4)
