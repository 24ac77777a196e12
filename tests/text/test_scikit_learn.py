"""A CountVectorizer of scikit-learn becomes a layer that counts alike."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from tf_vmf import serving
from tf_vmf._errors import ArgumentError
from tf_vmf.layers import VonMisesFisherLatent
from tf_vmf.models import BagOfWordsVAE
from tf_vmf.text import DocumentVectorization, as_vectorizer

TEXTS = [
    "Red moon, RED sea: a moon-red x y_z 20th 5 under_score!",
    "It's the ÉTÉ of São Paulo; naïve café — 3.14, 42 x2 e\u0301t",
    "tab\tnew\nline  no\u00a0break\u3000wide \u6771\u4eac \u0394elta \u00df",
    "",
    "a b c",
    "...red...moon...",
]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"min_df": 2},
        {"ngram_range": (1, 2)},
        {"ngram_range": (2, 3)},
        {"stop_words": "english"},
        {"max_features": 4},
    ],
)
def test_the_counts_are_those_of_scikit_learn(options):
    vectorizer = CountVectorizer(**options).fit(TEXTS)
    layer = as_vectorizer(vectorizer)
    np.testing.assert_array_equal(layer(TEXTS), vectorizer.transform(TEXTS).toarray())
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    np.testing.assert_array_equal(copy(TEXTS), vectorizer.transform(TEXTS).toarray())


def test_a_word_with_an_underscore_is_no_run_of_two_words():
    vectorizer = CountVectorizer(ngram_range=(1, 2)).fit(["ab_cd ab cd"])
    assert {"ab_cd", "ab cd"} <= set(vectorizer.vocabulary_)
    texts = ["ab_cd", "ab cd", "ab_cd ab"]
    np.testing.assert_array_equal(as_vectorizer(vectorizer)(texts), vectorizer.transform(texts).toarray())


def test_a_vocabulary_that_is_given_needs_no_fit():
    np.testing.assert_array_equal(
        as_vectorizer(CountVectorizer(vocabulary=["moon", "red"]))(["red red moon"]), [[1, 2]]
    )


def test_a_layer_and_none_stay_what_they_are():
    layer = DocumentVectorization(["moon"])
    assert as_vectorizer(layer) is layer
    assert as_vectorizer(None) is None


@pytest.mark.parametrize(
    ("vectorizer", "message"),
    [
        (CountVectorizer(), "a fitted CountVectorizer"),
        (TfidfVectorizer().fit(TEXTS), "Received: TfidfVectorizer"),
        (CountVectorizer(lowercase=False).fit(TEXTS), "lowercase=True.*Received: lowercase=False"),
        (
            CountVectorizer(tokenizer=str.split, token_pattern=None).fit(TEXTS),
            "token_pattern=.*Received: token_pattern=None",
        ),
        (CountVectorizer(analyzer="char").fit(TEXTS), "analyzer='word'"),
        (CountVectorizer(binary=True).fit(TEXTS), "binary=False"),
        (CountVectorizer(ngram_range=(1, 2), stop_words="english").fit(TEXTS), "stop_words=None"),
        (CountVectorizer(vocabulary=["the", "moon"], stop_words="english"), "stop_words=None"),
        (CountVectorizer(input="filename", vocabulary=["moon"]), "input='content'.*Received: input='filename'"),
        (str.split, "corpus.vectorizer"),
    ],
)
def test_what_a_graph_cannot_follow_is_refused(vectorizer, message):
    with pytest.raises(ArgumentError, match=message) as caught:
        as_vectorizer(vectorizer)
    assert caught.value.name == "vectorizer"


@pytest.mark.slow
def test_an_export_with_a_count_vectorizer_serves_texts(tmp_path):
    vectorizer = CountVectorizer().fit(TEXTS)
    counts = vectorizer.transform(TEXTS)
    model = BagOfWordsVAE(
        counts.shape[1], VonMisesFisherLatent(3, concentration=10.0), encoder_units=(4,), decoder_units=()
    )
    serving.export(model, tmp_path / "export", vectorizer)
    served = tf.saved_model.load(tmp_path / "export").signatures["encode_text"]
    expected = model.encode(counts).mean_direction
    np.testing.assert_allclose(served(texts=tf.constant(TEXTS))["mean_direction"], expected, atol=1e-6)


def test_an_export_with_a_vectorizer_of_another_size_is_refused(tmp_path):
    model = BagOfWordsVAE(7, VonMisesFisherLatent(3, concentration=10.0), encoder_units=(4,), decoder_units=())
    with pytest.raises(ValueError, match="vocabulary"):
        serving.export(model, tmp_path / "export", CountVectorizer().fit(TEXTS))
