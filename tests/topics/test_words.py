"""Words of topics: the point at which a topic is decoded, exclusivity, and words that go together."""

import numpy as np
import pytest
from scipy import sparse

from tf_vmf.data.documents import Documents
from tf_vmf.evaluation import npmi_coherence
from tf_vmf.topics.words import WordSettings, document_npmi, rank_words, topic_modes, word_scores


def unit(rows):
    rows = np.asarray(rows, float)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_mode_is_the_dense_part_of_a_broad_topic(rng):
    dense = unit([1.0, 0.0, 0.0] + 0.1 * rng.normal(size=(60, 3)))
    scattered = unit([0.0, 1.0, 0.0] + 1.0 * rng.normal(size=(40, 3)))
    codes = np.concatenate([dense, scattered])
    proportions = np.ones((100, 1))
    centre = unit(codes.mean(axis=0, keepdims=True))
    mode = topic_modes(codes, proportions, centre, 20.0)[0]
    assert mode[0] > 0.99
    assert mode[0] > centre[0, 0]
    np.testing.assert_allclose(np.linalg.norm(mode), 1.0)


def test_the_mode_is_a_fixed_point_of_the_mean_shift_and_the_centre_without_a_kernel(rng):
    codes = unit(rng.normal(size=(50, 4)))
    proportions = rng.dirichlet([1.0, 1.0], size=50)
    centres = unit(proportions.T @ codes)
    np.testing.assert_array_equal(topic_modes(codes, proportions, centres, 0.0), centres)
    for topic, mode in enumerate(topic_modes(codes, proportions, centres, 2.0)):
        kernel = proportions[:, topic] * np.exp(2.0 * codes @ mode)
        shifted = kernel @ codes
        assert shifted @ mode / np.linalg.norm(shifted) > 1 - 1e-4


def test_an_empty_topic_keeps_its_centre():
    centre = unit([[1.0, 1.0]])
    np.testing.assert_array_equal(topic_modes(unit(np.eye(2)), np.zeros((2, 1)), centre, 5.0), centre)


def test_scores_are_relevance_less_the_advantage_of_the_best_other_topic():
    log_p = np.log([[0.5, 0.25, 0.25], [0.5, 0.1, 0.4]])
    reference = np.log([0.5, 0.2, 0.3])
    settings = WordSettings(relevance_weight=0.6, exclusivity=2.0)
    expected = 0.6 * log_p + 0.4 * (log_p - reference)
    expected[1, 1] -= 2.0 * (np.log(0.25) - np.log(0.1))
    expected[0, 2] -= 2.0 * (np.log(0.4) - np.log(0.25))
    np.testing.assert_allclose(word_scores(log_p, reference, settings), expected)


def test_pairs_have_the_npmi_of_whole_documents(rng):
    pytest.importorskip("gensim")
    counts = sparse.csr_matrix(rng.poisson(0.6, size=(60, 5)))
    words = [f"w{i}" for i in range(5)]
    npmi = document_npmi(counts)
    for a in range(5):
        for b in range(a):
            expected = npmi_coherence([[words[a], words[b]]], Documents(counts), words, 2)[0]
            assert npmi[a, b] == pytest.approx(expected, abs=1e-9)


def test_words_that_never_or_always_occur_together_have_the_limits():
    npmi = document_npmi(sparse.csr_matrix([[1, 0, 1], [0, 1, 1]]))
    assert npmi[0, 1] == -1.0
    assert npmi[0, 2] == 0.0  # a word of every document says nothing about others


def test_words_that_occur_together_come_first_and_the_rest_by_score():
    # Words 0, 2 and 4 share documents; 1 and 3 occur alone.
    counts = sparse.csr_matrix([[1, 0, 1, 0, 1, 0]] * 5 + [[0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 1]])
    scores = np.array([[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]])
    ranked = rank_words(scores, counts, WordSettings(candidates=5, coherent=3))
    assert ranked.tolist() == [[0, 2, 4, 1, 3, 5]]
    alone = rank_words(scores, counts, WordSettings(candidates=5, coherent=3).by_relevance_alone())
    assert alone.tolist() == [[0, 1, 2, 3, 4, 5]]
