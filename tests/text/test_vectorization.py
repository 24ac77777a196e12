"""The layer from strings to ids does what the corpus did to its own text, in saved models too."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_vmf.data import load_sentences
from tf_vmf.text import SPECIAL_TOKENS, DocumentVectorization, SentenceVectorization

VOCABULARY = (*SPECIAL_TOKENS, "the", "cat", ".", "N")


def test_ids_by_hand():
    layer = SentenceVectorization(VOCABULARY, tokenization="punctuation")
    ids = layer(tf.constant(["The cat.", "", "the <unk> 12 dogs <eos>"]))
    np.testing.assert_array_equal(ids, [[3, 4, 5, 1, *[0] * 4], [1, *[0] * 7], [3, 2, 6, 2, 2, 2, 2, 1]])
    assert ids.dtype == tf.int32


def test_longer_sentences_are_cut_and_end_with_eos():
    layer = SentenceVectorization(VOCABULARY, tokenization="whitespace", max_length=3)
    np.testing.assert_array_equal(layer(tf.constant(["the cat the cat", "cat"])), [[3, 4, 1], [4, 1, 0]])


@pytest.mark.parametrize("tokenization", ["punctuation", "whitespace", "words"])
def test_a_corpus_gives_its_text_the_same_ids_that_its_layer_does(tmp_path, tokenization):
    lines = ["It's the 5th of May, 1,000 years ago.", "\u201cÉté\u201d <unk> -- what?", "rare words here the It's"]
    (tmp_path / "a.txt").write_text("\n".join(lines), encoding="utf-8")
    files = dict.fromkeys(("train_files", "valid_files", "test_files"), tmp_path / "a.txt")
    corpus = load_sentences(**files, tokenization=tokenization, min_count=1, vocabulary_size=12, max_length=8)
    ids = corpus.vectorizer()(tf.constant(lines)).numpy()
    for row, sentence in zip(ids, corpus.train, strict=True):
        np.testing.assert_array_equal(row[: len(sentence)], sentence)
        assert not row[len(sentence) :].any()


def test_a_saved_model_gives_the_same_ids(tmp_path):
    texts = keras.Input((), dtype="string")
    model = keras.Model(texts, SentenceVectorization(VOCABULARY, tokenization="punctuation", max_length=9)(texts))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    raw = tf.constant(["A cat, THE cat", "12."])
    np.testing.assert_array_equal(loaded(raw), [[2, 4, 2, 3, 4, 1], [6, 5, 1, 0, 0, 0]])


def test_an_exported_endpoint_takes_strings(tmp_path):
    layer = SentenceVectorization(VOCABULARY, tokenization="punctuation")
    layer(tf.constant(["cat"]))
    archive = keras.export.ExportArchive()
    archive.track(layer)
    archive.add_endpoint("ids", lambda texts: layer(texts), [tf.TensorSpec([None], tf.string)])
    archive.write_out(tmp_path / "export", verbose=False)
    ids = tf.saved_model.load(tmp_path / "export").ids(tf.constant(["The cat.", "dog"]))
    np.testing.assert_array_equal(ids, [[3, 4, 5, 1], [2, 1, 0, 0]])


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"must begin with <pad>, <eos>, <unk>. Received: \('the',\)"):
        SentenceVectorization(["the"], tokenization="words")
    with pytest.raises(ValueError, match=r"`max_length` must be at least 2.*=1"):
        SentenceVectorization(VOCABULARY, tokenization="words", max_length=1)
    with pytest.raises(ValueError, match=r"`tokenization` must be one of .*'bpe'"):
        SentenceVectorization(VOCABULARY, tokenization="bpe")


@pytest.mark.parametrize(
    "vectorize",
    [
        SentenceVectorization((*SPECIAL_TOKENS, "the", "cat"), tokenization="punctuation"),
        DocumentVectorization(["the", "cat"], tokenization="words"),
    ],
)
def test_a_list_of_strings_is_as_good_as_a_tensor_and_one_string_is_refused(vectorize):
    texts = ["The cat", "a dog"]
    expected = vectorize(tf.constant(texts)).numpy()
    np.testing.assert_array_equal(vectorize(texts), expected)
    np.testing.assert_array_equal(vectorize(np.array(texts)), expected)
    inputs = keras.Input((), dtype="string")
    np.testing.assert_array_equal(keras.Model(inputs, vectorize(inputs))(tf.constant(texts)), expected)
    with pytest.raises(ValueError, match=r"list of strings.*'The cat'"):
        vectorize("The cat")
