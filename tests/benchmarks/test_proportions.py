"""Reliability and mixed texts on planted proportions, and the peers in pure Python."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import normalized_mutual_info_score

from benchmarks.proportions import agreement, calibration_error, joined_pairs, reliability, share_of_both
from benchmarks.topic_methods import Corpus, fit_gsdmm


def test_the_calibration_error_of_planted_proportions_is_their_planted_error(rng):
    largest = rng.choice([0.55, 0.85], size=40_000)
    right = rng.random(40_000) < largest - 0.2
    rows = reliability(largest, right)
    assert [(round(share, 1), mean) for share, mean, _ in rows] == [
        (0.5, pytest.approx(0.55)),
        (0.5, pytest.approx(0.85)),
    ]
    assert calibration_error(rows) == pytest.approx(0.2, abs=0.01)
    assert calibration_error(reliability(largest, rng.random(40_000) < largest)) < 0.01


def test_topics_are_matched_to_classes_one_to_one():
    # Topic 0 holds both classes in majority of "a"; topic 1 has "a" too, but "b" is left for it.
    topics = np.array([0, 0, 0, 0, 1, 1, 1])
    labels = np.array(["a", "a", "a", "b", "a", "a", "b"])
    found = agreement(np.eye(2)[topics], labels)
    assert found.tolist() == [True, True, True, False, False, False, True]


def test_joined_texts_count_where_both_topics_reach_the_least():
    joined = np.array([[0.5, 0.4, 0.1], [0.86, 0.14, 0.0], [0.2, 0.0, 0.8]])
    assert share_of_both(joined, np.array([[0, 1], [0, 1], [2, 0]])) == pytest.approx(2 / 3)
    topics = np.array([0, 1, 2, 0, 1])
    pairs = joined_pairs(topics, 0)
    assert (topics[pairs[:, 0]] != topics[pairs[:, 1]]).all()


def test_gsdmm_finds_planted_topics_and_keeps_its_counts(rng):
    labels = rng.integers(3, size=120)
    words = np.kron(np.eye(3), np.ones(6)) * 0.15 + 0.1 / 18
    counts = np.stack([rng.multinomial(8, words[label] / words[label].sum()) for label in labels])
    fitted = fit_gsdmm(Corpus(sparse.csr_matrix(counts), [str(w) for w in range(18)], None, labels), 3, 1)
    assert normalized_mutual_info_score(labels, fitted.proportions.argmax(axis=1)) > 0.9
    np.testing.assert_allclose(fitted.word_scores.sum(axis=0), counts.sum(axis=0))
    np.testing.assert_allclose(fitted.proportions.sum(axis=1), 1.0)
