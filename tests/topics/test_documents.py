"""Counts of a topic model's documents."""

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from tf_vmf.text import DocumentVectorization, Tokenizer
from tf_vmf.text.vocabulary import VocabularyChoice
from tf_vmf.topics.documents import choose_words, count_words

TEXTS = ["The moon, the Moon!", "", "a rare orbit of the moon", "bread and the butter", "bread"]


def test_chosen_words_and_counts_are_those_of_scikit_learn():
    vocabulary, documents = choose_words(TEXTS, Tokenizer(), VocabularyChoice(10, min_df=2))
    reference = CountVectorizer(min_df=2).fit(TEXTS)
    assert set(vocabulary) == set(reference.vocabulary_)
    reference = CountVectorizer(vocabulary=vocabulary)
    np.testing.assert_array_equal(documents.counts.toarray(), reference.transform(TEXTS).toarray())


def test_counts_of_new_texts_are_those_of_the_layer():
    vocabulary = ["bread", "moon", "orbit"]
    counted = count_words(TEXTS, Tokenizer(), vocabulary)
    np.testing.assert_array_equal(counted.counts.toarray(), DocumentVectorization(vocabulary)(TEXTS))
    assert counted.lengths.tolist() == [2, 0, 2, 1, 1]


def test_words_stay_in_reading_order():
    counted = count_words(TEXTS, Tokenizer(), ["moon", "orbit", "bread"])
    assert counted.sequences(["moon", "orbit", "bread"]) == [
        ["moon", "moon"],
        [],
        ["orbit", "moon"],
        ["bread"],
        ["bread"],
    ]


def test_no_texts_have_no_counts():
    assert count_words([], Tokenizer(), ["moon"]).counts.shape == (0, 1)
