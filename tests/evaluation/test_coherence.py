"""Coherence, diversity and agreement by hand on small examples."""

import math

import numpy as np
import pytest

from tests.refusals import refused
from tf_vmf.evaluation import (
    inverted_rbo,
    purity,
    topic_coherence,
)
from tf_vmf.evaluation.topics import COHERENCE_WINDOWS

pytest.importorskip("gensim")


def npmi(a, b, windows):
    """Normalised pointwise mutual information of two words in a list of windows."""
    both = np.mean([a in window and b in window for window in windows])
    single = np.mean([a in window for window in windows]) * np.mean([b in window for window in windows])
    return math.log((both + 1e-12) / single) / -math.log(both + 1e-12)


def test_c_npmi_is_the_mean_over_pairs_in_windows_of_ten_words():
    assert COHERENCE_WINDOWS["c_npmi"] == 10
    rng = np.random.default_rng(0)
    # No word twice in a document: gensim drops a word from the window when an earlier occurrence leaves it.
    documents = [[f"w{i}" for i in rng.permutation(30)[:length]] for length in (4, 25, 13, 7, 30) * 3]
    windows = [document[start : start + 10] for document in documents for start in range(max(1, len(document) - 9))]
    topics = [["w0", "w1", "w2"], ["w5", "w3"]]
    pairs = [[("w0", "w1"), ("w0", "w2"), ("w1", "w2")], [("w5", "w3")]]
    expected = [np.mean([npmi(a, b, windows) for a, b in row]) for row in pairs]
    np.testing.assert_allclose(topic_coherence(topics, documents), expected, atol=1e-6)


def test_words_apart_by_more_than_the_window_do_not_occur_together():
    document = ["a", *["x"] * 9, "b"]
    near, far = ["a", *["x"] * 8, "b"], document
    assert topic_coherence([["a", "b"]], [near, ["x"]])[0] > 0.9
    assert topic_coherence([["a", "b"]], [far, ["x"]])[0] < -0.9


def test_u_mass_is_the_log_share_of_documents_with_both_words():
    documents = [["a", "b"], ["a"], ["a", "b"], ["c"]]
    # (b, a): log((D(a, b) + 1e-12) / D(a)), in shares of the documents, for the later word given the earlier one
    expected = math.log((2 / 4 + 1e-12) / (3 / 4))
    assert topic_coherence([["a", "b"]], documents, "u_mass")[0] == pytest.approx(expected)


def test_c_v_prefers_words_that_occur_together():
    documents = [["a", "b", "c"], ["a", "b"], ["d", "e"], ["d", "e", "c"]] * 5
    together, apart = topic_coherence([["a", "b"], ["a", "d"]], documents, "c_v")
    assert together > apart


@pytest.mark.parametrize(
    ("arguments", "name", "received"),
    [
        (([["a", "b"]], [["a", "b"]], "c_w"), "measure", "c_w"),
        (([["a"]], [["a", "b"]]), "topics", "a topic of 1"),
        (([["a", "z"]], [["a", "b"]]), "topics", "'z'"),
    ],
)
def test_wrong_arguments_of_coherence_are_named(arguments, name, received):
    with refused(name, received):
        topic_coherence(*arguments)


def test_inverted_rbo_is_one_without_shared_words_and_zero_for_equal_lists():
    assert inverted_rbo([["a", "b"], ["c", "d"], ["e", "f"]], 2) == 1.0
    assert inverted_rbo([["a", "b", "c"]] * 3, 3) == pytest.approx(0.0, abs=1e-12)


def test_inverted_rbo_by_hand():
    # Agreement of the first 1, 2 and 3 words: 0, 1 and 2/3.
    p = 0.9
    overlap = p**3 * (2 / 3) + (1 - p) * (0 + p * 1 + p**2 * (2 / 3))
    assert inverted_rbo([["a", "b", "c"], ["b", "a", "d"]], 3, p=p) == pytest.approx(1 - overlap)


def test_a_word_shared_in_front_overlaps_more_than_one_shared_at_the_end():
    front = inverted_rbo([["a", "b", "c"], ["a", "d", "e"]], 3)
    end = inverted_rbo([["b", "c", "a"], ["d", "e", "a"]], 3)
    assert front < end < 1


def test_wrong_arguments_of_inverted_rbo_are_named():
    with refused("topics", "one", "two or more"):
        inverted_rbo([["a", "b"]], 2)
    with refused("p", "1.0"):
        inverted_rbo([["a"], ["b"]], 1, p=1.0)


def test_purity_counts_the_majority_of_each_cluster():
    assert purity(["a", "a", "b", "b", "b"], [0, 0, 0, 1, 1]) == pytest.approx(4 / 5)
    assert purity(["a", "b"], [0, 1]) == 1.0
    with refused("labels", "none"):
        purity([], [])
