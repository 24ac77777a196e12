"""Sentences keep their tokens together, count them with one end each, and refuse what does not fit."""

import json

import numpy as np
import pytest

from tests.refusals import refused
from tf_vmf.data import SentenceCorpus, Sentences
from tf_vmf.data import sentences as sentences_module
from tf_vmf.text import EOS_ID, PAD_ID, SPECIAL_TOKENS, UNK_ID, to_text

IDS = [[3, 4, 5], [], [6], [UNK_ID, 3]]
VOCABULARY = (*SPECIAL_TOKENS, "a", "b", "c", "d")


@pytest.fixture
def sentences() -> Sentences:
    return Sentences.from_lists(IDS, labels=[0, 1, 1, 0])


def corpus(**changes) -> SentenceCorpus:
    plain = Sentences.from_lists(IDS)
    return SentenceCorpus(
        **({"name": "mine", "vocabulary": VOCABULARY} | dict.fromkeys(("train", "valid", "test"), plain) | changes)
    )


def test_the_special_ids_are_those_that_models_assume():
    assert (PAD_ID, EOS_ID, UNK_ID) == (0, 1, 2)
    assert [SPECIAL_TOKENS[i] for i in (PAD_ID, EOS_ID, UNK_ID)] == ["<pad>", "<eos>", "<unk>"]


def test_tokens_are_words_and_one_eos_a_sentence(sentences):
    assert len(sentences) == len(IDS)
    assert sentences.num_tokens == sum(map(len, IDS)) + len(IDS)
    np.testing.assert_array_equal(sentences.lengths, [4, 1, 2, 3])
    assert sentences.tokens.dtype == np.int32


def test_sentences_are_found_by_their_position(sentences):
    for row, ids in enumerate(IDS):
        assert sentences[row].tolist() == [*ids, EOS_ID]
    assert sentences[-1].tolist() == [*IDS[-1], EOS_ID]
    with pytest.raises(IndexError):
        sentences[4]
    assert [of.tolist() for of in sentences] == [[*ids, EOS_ID] for ids in IDS]


def test_taking_keeps_sentences_whole_with_their_labels(sentences):
    taken = sentences.take(np.array([3, 1, 3]))
    assert [taken[i].tolist() for i in range(3)] == [[2, 3, 1], [1], [2, 3, 1]]
    np.testing.assert_array_equal(taken.labels, [0, 1, 0])
    assert len(sentences.take(np.array([], dtype=np.int64))) == 0
    assert sentences.without_labels().labels is None


@pytest.mark.parametrize(
    ("tokens", "offsets", "name", "received"),
    [
        ([3, 4], [0, 2], "offsets", "2 tokens and 2 offsets"),
        ([3, 1, 4, 1], [0, 4], "offsets", "4 tokens and 2 offsets"),
        ([3, 1, 4, 1], [0, 2, 4, 4], "offsets", "4 tokens and 4 offsets"),
        ([3, 1, 4], [0, 2], "offsets", "3 tokens"),
        ([3, 1], [1, 2], "offsets", "2 tokens"),
        ([3, 1], [], "offsets", "0 offsets"),
        ([3, 0, 1], [0, 3], "tokens", "tokens[1] = 0"),
        ([3, -4, 1], [0, 3], "tokens", "tokens[1] = -4"),
    ],
)
@pytest.mark.parametrize("block", [1, 2, 100])
def test_broken_sentences_are_refused(tokens, offsets, name, received, block, monkeypatch):
    monkeypatch.setattr(sentences_module, "BLOCK", block)
    Sentences(np.array([3, 1, 4, 5, 1], np.int32), np.array([0, 2, 5]))
    with refused(name, received):
        Sentences(np.array(tokens, np.int32), np.array(offsets))


def test_labels_of_another_length_are_refused():
    with refused("labels", "1", "one per sentence, 4"):
        Sentences.from_lists(IDS, labels=[0])


def test_text_ends_at_the_first_eos_and_shows_no_padding():
    assert to_text([3, UNK_ID, 6, EOS_ID, 4, 4], VOCABULARY) == "a <unk> d"
    assert to_text(np.array([3, 5, PAD_ID, PAD_ID]), VOCABULARY) == "a c"
    assert corpus().to_text([EOS_ID]) == ""


def test_statistics_count_by_hand():
    statistics = json.loads(json.dumps(corpus(notes={"split_seed": 3, "test": {"truncated": 2}}).statistics))
    fingerprint = statistics["train"].pop("sha256")
    assert statistics["train"] == {"sentences": 4, "tokens": 10, "unk_share": 0.1, "longest": 4}
    assert len(fingerprint) == 16
    assert statistics["test"]["truncated"] == 2
    assert (statistics["corpus"], statistics["vocabulary_size"], statistics["split_seed"]) == ("mine", 7, 3)
    assert statistics["vocabulary_sha256"] != corpus(vocabulary=(*VOCABULARY[:-1], "e")).statistics["vocabulary_sha256"]


def test_the_fingerprint_of_a_split_is_of_its_words_their_order_and_its_labels():
    def fingerprint(ids, labels=None):
        changes = {"label_names": ("x", "y")} if labels else {}
        sentences = Sentences.from_lists(ids, labels)
        made = corpus(**dict.fromkeys(("train", "valid", "test"), sentences), **changes)
        return made.statistics["test"]["sha256"]

    one = fingerprint([[3, 4], [5]])
    assert one == fingerprint([[3, 4], [5]])
    others = [fingerprint([[4, 3], [5]]), fingerprint([[3], [4, 5]]), fingerprint([[3, 4], [5]], [0, 1])]
    assert len({one, *others, fingerprint([[3, 4], [5]], [1, 0])}) == 5


@pytest.mark.parametrize(
    ("changes", "name", "received"),
    [
        ({"vocabulary": ("a", "b", "c", "d", "e", "f", "g")}, "vocabulary", "'a', 'b', 'c'"),
        ({"vocabulary": VOCABULARY[:-1]}, "train", "id 6"),
        ({"label_names": ("x", "y")}, "train", "no labels in `train`"),
        ({"valid": Sentences.from_lists(IDS, labels=[0] * 4)}, "valid", "label_names=(), labels"),
    ],
)
def test_a_corpus_that_does_not_fit_together_is_refused(changes, name, received):
    with refused(name, received):
        corpus(**changes)


def test_bags_of_words_count_tokens_and_leave_the_sentences_as_they_are():
    sentences = Sentences.from_lists([[4, 3, 4], [5]])
    before = sentences.tokens.copy()
    bags = sentences.bags_of_words(6).counts.toarray()
    np.testing.assert_array_equal(bags, [[0, 1, 0, 1, 2, 0], [0, 1, 0, 0, 0, 1]])
    np.testing.assert_array_equal(sentences.tokens, before)
