"""The pass over text: the same in memory, on disk and from a stream, with the checks and warnings of every caller."""

from collections import Counter

import numpy as np
import pytest

from tests.refusals import refused
from tf_vmf.data import counts as counting
from tf_vmf.data import numbering
from tf_vmf.data.arrays import Column, Store
from tf_vmf.data.numbering import count_words, read_texts
from tf_vmf.text import Tokenizer
from tf_vmf.text.vocabulary import VocabularyChoice

RNG = np.random.default_rng(0)
WORDS = [f"w{a}{b}" for a in "abcdefgh" for b in "abcdefgh"]
TEXTS = [" ".join(RNG.choice(WORDS, RNG.integers(0, 9))) for _ in range(300)]
SPLIT = Tokenizer("whitespace")


def by_hand(texts, choice):
    """Vocabulary and counts, by Python's Counter."""
    totals = Counter(word for text in texts for word in text.split())
    in_texts = Counter(word for text in texts for word in set(text.split()))
    words = [word for word in totals if totals[word] >= choice.min_count and in_texts[word] >= choice.min_df]
    vocabulary = tuple(sorted(words, key=lambda word: (-totals[word], word))[: choice.size])
    return vocabulary, np.array([[text.split().count(word) for word in vocabulary] for text in texts])


@pytest.mark.parametrize("min_df", [1, 20])
@pytest.mark.parametrize("how", ["memory", "disk", "stream of texts", "stream of batches"])
def test_vocabulary_and_counts_are_those_of_a_count_in_python(how, min_df, tmp_path, monkeypatch):
    monkeypatch.setattr(numbering, "ROWS", 7)
    monkeypatch.setattr(counting, "ROWS", 7)
    monkeypatch.setattr(numbering, "_CHUNK", 16)
    texts = {
        "stream of texts": iter(TEXTS),
        "stream of batches": iter([TEXTS[:100], np.array(TEXTS[100:250]), tuple(TEXTS[250:])]),
    }.get(how, TEXTS)
    choice = VocabularyChoice(50, min_df=min_df)
    vocabulary, found = read_texts(texts, SPLIT, choice, store=Store(tmp_path) if how == "disk" else None)
    expected, counts = by_hand(TEXTS, choice)
    assert vocabulary == expected
    np.testing.assert_array_equal(found.counts.toarray(), counts)
    assert found.counts.dtype == np.float32
    assert found.counts.has_canonical_format
    names = np.array(vocabulary)[found.words]
    known = [[word for word in text.split() if word in vocabulary] for text in TEXTS]
    assert [part.tolist() for part in np.split(names, found.offsets[1:-1])] == known
    again = count_words(TEXTS, SPLIT, vocabulary)
    np.testing.assert_array_equal(again.counts.toarray(), counts)
    np.testing.assert_array_equal(again.words, found.words)
    assert list(tmp_path.iterdir()) == []  # nameless files


def test_a_stream_is_read_a_batch_at_a_time():
    taken = []

    def batches():
        for start in range(0, 300, 100):
            taken.append(start)
            yield TEXTS[start : start + 100]

    read = numbering.tokenized(numbering.as_texts(batches()), SPLIT)
    assert taken == []
    next(read)
    assert len(taken) == 3  # a chunk of 512 texts
    assert sum(1 for _ in read) == 299


def test_words_seen_once_are_forgotten_beyond_a_limit(monkeypatch):
    monkeypatch.setattr(numbering, "_MOST_WORDS", 40)
    monkeypatch.setattr(numbering, "_CHUNK", 4)
    rare = [f"rare{i} common{i % 5} common{(i + 1) % 5}" for i in range(400)]
    vocabulary, found = read_texts(rare, SPLIT, VocabularyChoice(5))
    assert vocabulary == tuple(f"common{i}" for i in range(5))
    np.testing.assert_array_equal(found.counts.sum(axis=0), [[160] * 5])


def test_the_entry_of_a_stream_that_is_no_text_is_named_by_its_row():
    with refused("texts", "texts[101] = None"):
        read_texts(iter([TEXTS[:100], ["fine", None]]), SPLIT, VocabularyChoice(5))
    with refused("texts[102]", "half of a surrogate pair"):
        read_texts(iter([TEXTS[:100], ["fine", "fine", "half \ud83d"]]), Tokenizer(), VocabularyChoice(5))


def test_text_without_spaces_is_warned_of_wherever_it_stands(monkeypatch):
    monkeypatch.setattr(numbering, "_CHUNK", 10)
    chinese = ["我喜欢月亮和火箭因为它们在天上", "面包和黄油是很好的早餐你觉得呢"] * 20
    with pytest.warns(UserWarning, match="does not separate words by spaces"):
        count_words(chinese, Tokenizer(), ["moon"])
    with pytest.warns(UserWarning, match="does not separate words by spaces"):
        count_words(["the moon and a rocket"] * 20 + chinese, Tokenizer(), ["moon"])
    count_words(chinese, Tokenizer.of("words", function=list), ["月"])  # a tokenizer of one's own: warnings are errors


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "float32"])
def test_columns_in_memory_and_in_files_hold_the_same(dtype, tmp_path):
    values = np.arange(300_000) % 120
    for column in (Column(dtype), Store(tmp_path).column(dtype), Store(tmp_path).column(dtype, "name")):
        assert column.array().shape == (0,)
        column.append(7)
        column.extend(values)
        np.testing.assert_array_equal(column.array(), np.array([7, *values], dtype))
        column.extend([1, 2])  # goes on after it was read
        assert len(column) == 300_003
        np.testing.assert_array_equal(column.array()[-3:], np.array([values[-1], 1, 2], dtype))
    np.testing.assert_array_equal(np.load(tmp_path / "name.npy"), np.array([7, *values, 1, 2], dtype))
