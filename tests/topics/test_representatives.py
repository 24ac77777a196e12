"""Documents and words that stand for a topic."""

import numpy as np

from tf_vmf.evaluation.topics import representative_documents
from tf_vmf.topics.words import label_words


def on_circle(degrees):
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_near_copies_are_passed_over_and_the_nearest_come_first():
    # 11 degrees have a cosine of .982, 12 of .978.
    codes = on_circle([40.0, 0.0, 1.0, 5.0, -12.0, 30.0, 2.0])
    assert representative_documents(codes, np.array([1.0, 0.0]), 3).tolist() == [1, 4, 5]
    assert representative_documents(codes, np.array([1.0, 0.0]), 1).tolist() == [1]


def test_copies_fill_up_where_nothing_else_is_left():
    codes = on_circle([3.0, 0.0, 1.0, 2.0])
    assert representative_documents(codes, np.array([1.0, 0.0]), 3).tolist() == [1, 2, 3]
    assert sorted(representative_documents(codes, np.array([1.0, 0.0]), 9)) == [0, 1, 2, 3]


def test_a_label_has_the_frequent_ones_of_the_first_words_in_their_order():
    ranking = np.array([7, 0, 1, 2, 3, 4, 5, 6])
    totals = np.array([10, 900, 20, 800, 30, 99, 99, 1])
    assert label_words(ranking, totals, "abcdefgh").tolist() == [1, 3, 4]
    assert label_words(ranking[:2], totals, "abcdefgh").tolist() == [7, 0]


def test_a_label_has_one_form_of_a_word():
    vocabulary = [
        "metals",
        "hydrogen",
        "metal",
        "ions",
        "ion",
        "learning",
        "learn",
        "general",
        "generic",
        "carbon",
        "car",
    ]
    ranking, totals = np.arange(len(vocabulary)), np.ones(len(vocabulary))
    assert [vocabulary[word] for word in label_words(ranking, totals, vocabulary, 9)] == [
        "metals", "hydrogen", "ions", "ion", "learning", "general", "generic", "carbon", "car",
    ]  # fmt: skip
