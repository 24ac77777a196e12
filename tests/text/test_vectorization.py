"""The layer from strings to ids does what the corpus did to its own text, in saved models too."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.feature_extraction.text import CountVectorizer

from tests.refusals import refused
from tf_vmf.data import load_bag_of_words, load_sentences, prepare_documents, prepare_sentences
from tf_vmf.text import SPECIAL_TOKENS, DocumentVectorization, SentenceVectorization, Tokenizer

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
    with refused("vocabulary", "('the',)", "<pad>, <eos>, <unk>"):
        SentenceVectorization(["the"], tokenization="words")
    with refused("max_length", "1"):
        SentenceVectorization(VOCABULARY, tokenization="words", max_length=1)
    with refused("tokenization", "'bpe'"):
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


def python_known(text: str, vocabulary: list[str]) -> int:
    """Counts known words with Python's own regular expressions."""
    return sum(word in vocabulary for word in re.findall(r"[a-z]{2,}", text.lower()))


def test_known_tokens_are_the_words_that_the_model_sees():
    texts = ["The cat and the cat", "", "dogs only, 12!", "CAT"]
    documents = DocumentVectorization(["cat", "the"])
    expected = [python_known(text, ["cat", "the"]) for text in texts]
    assert expected == [4, 0, 0, 1]
    np.testing.assert_array_equal(documents.known_tokens(texts), expected)
    np.testing.assert_array_equal(tf.reduce_sum(documents(texts), axis=1), expected)
    sentences = SentenceVectorization((*SPECIAL_TOKENS, "the", "cat"), tokenization="punctuation")
    np.testing.assert_array_equal(sentences.known_tokens(np.array(texts)), expected)
    np.testing.assert_array_equal(tf.reduce_sum(tf.cast(sentences(texts) > 2, tf.int32), axis=1), expected)
    cut = SentenceVectorization((*SPECIAL_TOKENS, "the", "cat"), tokenization="words", max_length=3)
    np.testing.assert_array_equal(cut.known_tokens(texts), [2, 0, 0, 1])  # two words and <eos>
    with pytest.raises(ValueError, match="list of strings"):
        documents.known_tokens("The cat")


@pytest.mark.parametrize("tokenization", ["words", "punctuation", "whitespace"])
def test_a_nul_separates_words(tokenization, tmp_path):
    text = "moon\0rocket star"
    words = ["moon", "rocket", "star"]
    assert Tokenizer(tokenization)([text]) == [[word.encode() for word in words]]
    documents = DocumentVectorization(words, tokenization=tokenization)
    np.testing.assert_array_equal(documents([text]), [[1, 1, 1]])
    sentences = SentenceVectorization((*SPECIAL_TOKENS, *words), tokenization=tokenization)
    np.testing.assert_array_equal(sentences([text]), [[3, 4, 5, 1]])
    (tmp_path / "a.txt").write_text(f"{text}\n" * 60)
    options = {"min_count": 1, "tokenization": tokenization}
    assert sorted(load_bag_of_words(train_files=tmp_path / "a.txt", stop_words="none", **options).vocabulary) == words
    assert sorted(load_sentences(train_files=tmp_path / "a.txt", **options).vocabulary[3:]) == words
    for prepare in (prepare_documents, prepare_sentences):
        output = tmp_path / prepare.__name__
        prepare(output, tmp_path / "a.txt", validation_size=0.3, test_size=0.3, **options)
        found = [line.split()[0] for line in (output / "vocabulary.txt").read_text().splitlines()]
        assert sorted(found)[-3:] == words
    archive = keras.export.ExportArchive()
    archive.track(documents)
    archive.add_endpoint("counts", documents.call, [tf.TensorSpec([None], tf.string)])
    archive.write_out(tmp_path / "export", verbose=False)
    np.testing.assert_array_equal(tf.saved_model.load(tmp_path / "export").counts(tf.constant([text])), [[1, 1, 1]])


@pytest.mark.parametrize("ngram_range", [(1, 2), (2, 3), (1, 3)])
def test_runs_of_words_are_counted_as_by_scikit_learn(ngram_range):
    texts = [f"red moon over red sea {'moon over' if i % 3 else 'cold sea'} again" for i in range(30)] + ["", "red"]
    corpus = load_bag_of_words(
        texts=texts, ngram_range=ngram_range, stop_words="none", min_count=1, test_size=1, validation_size=1
    )
    peer = CountVectorizer(ngram_range=ngram_range, vocabulary=[word.replace("_", " ") for word in corpus.vocabulary])
    np.testing.assert_array_equal(corpus.vectorizer()(texts), peer.transform(texts).toarray())
    np.testing.assert_array_equal(corpus.train.counts.toarray(), peer.transform(corpus.train.texts).toarray())
    found = CountVectorizer(ngram_range=ngram_range).fit(corpus.train.texts).get_feature_names_out()
    assert sorted(word.replace("_", " ") for word in corpus.vocabulary) == sorted(found)
    layer = DocumentVectorization.from_config(corpus.vectorizer().get_config())
    np.testing.assert_array_equal(layer(texts), peer.transform(texts).toarray())


def test_runs_with_a_stop_word_are_left_out():
    texts = ["state of the art", "art of war"] * 20
    corpus = load_bag_of_words(texts=texts, ngram_range=(1, 2), stop_words=["of", "the"], tokenization="words")
    assert set(corpus.vocabulary) == {"state", "art", "war"}
    kept = load_bag_of_words(texts=["a_of b"] * 20, stop_words=["of"], tokenization="whitespace")
    assert set(kept.vocabulary) == {"a_of", "b"}  # an underscore in the text joins nothing


@pytest.mark.parametrize("ngram_range", [(0, 1), (2, 1), (1,), 2, "12", (1, 2.5)])
def test_a_range_that_is_none_is_refused(ngram_range):
    with refused("ngram_range", repr(ngram_range)):
        Tokenizer("words", ngram_range)


def test_words_that_look_like_special_ones_are_words():
    """`[UNK]` stands for unknown words inside Keras, and may stand in a text."""
    texts = ["[UNK] star"] * 10 + ["[UNK]"] * 10
    corpus = load_bag_of_words(texts=texts, tokenization="whitespace", stop_words="none")
    assert corpus.vocabulary == ("[UNK]", "star")
    np.testing.assert_array_equal(corpus.vectorizer()(["star [UNK] [UNK] x"]), [[2, 1]])


def test_half_a_surrogate_pair_is_named_by_its_row():
    with refused("texts[1]", "half of a surrogate pair"):
        DocumentVectorization(["moon"])(["moon", "half \ud83d of a pair"])
