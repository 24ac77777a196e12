"""The mixture below the topics, seed words and the number of topics."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import ive, logsumexp

from tf_vmf.distributions import VonMisesFisherMixture
from tf_vmf.topics.fitted import merged_numbers
from tf_vmf.topics.guidance import anchors, check_seed_words, seed_labels
from tf_vmf.topics.mixture import TopicMixture, fit_mixture
from tf_vmf.topics.selection import choose_num_topics


def clusters(rng, sizes, dim=4, spread=0.25):
    codes = [np.eye(dim)[k] + spread * rng.normal(size=(size, dim)) for k, size in enumerate(sizes)]
    codes = np.concatenate(codes)
    return codes / np.linalg.norm(codes, axis=1, keepdims=True)


def test_proportions_and_density_are_those_of_the_written_mixture(rng):
    directions = np.linalg.qr(rng.normal(size=(5, 5)))[0][:3]
    mixture = TopicMixture(np.array([0.2, 0.3, 0.5]), directions, 7.0)
    codes = clusters(rng, [4, 4], dim=5)
    order = 5 / 2 - 1
    log_normalizer = order * np.log(7.0) - 2.5 * np.log(2 * np.pi) - (np.log(ive(order, 7.0)) + 7.0)
    joint = np.log(mixture.weights) + log_normalizer + 7.0 * codes @ directions.T
    np.testing.assert_allclose(mixture.log_density(codes), logsumexp(joint, axis=1), rtol=1e-6)
    np.testing.assert_allclose(
        mixture.proportions(codes), np.exp(joint - logsumexp(joint, axis=1, keepdims=True)), rtol=1e-6
    )


def test_the_fit_is_a_fixed_point_of_expectation_maximisation(rng):
    codes = clusters(rng, [60, 40, 30])
    mixture = fit_mixture(codes, 3, 0)
    proportions = mixture.proportions(codes)
    resultants = proportions.T @ codes
    norms = np.linalg.norm(resultants, axis=1, keepdims=True)
    np.testing.assert_allclose(mixture.mean_directions, resultants / norms, atol=2e-3)
    np.testing.assert_allclose(mixture.weights, proportions.mean(axis=0), atol=2e-3)
    reference = VonMisesFisherMixture(3, tied_concentration=True, n_init=5, random_state=0).fit(codes)
    assert mixture.log_density(codes).mean() == pytest.approx(reference.score(codes), abs=1e-3)


def test_an_anchor_pulls_the_first_component():
    rng = np.random.default_rng(1)
    codes = clusters(rng, [50, 50, 50])
    anchor = np.eye(4)[[2]]
    mixture = fit_mixture(codes, 3, 0, anchors=anchor, anchor_weight=20.0)
    assert (mixture.mean_directions @ np.eye(4)[2]).argmax() == 0


def test_anchors_are_the_mean_codes_of_documents_weighted_by_their_share_of_seed_words():
    counts = sparse.csr_matrix([[2, 0, 0], [1, 1, 2], [0, 3, 0]])
    codes = np.eye(3)
    directions = anchors({"one": ["a"], "two": ["b", "c"]}, ["a", "b", "c"], counts, codes)
    expected = np.array([[1.0, 0.25, 0.0], [0.0, 0.75, 1.0]])
    np.testing.assert_allclose(directions, expected / np.linalg.norm(expected, axis=1, keepdims=True))
    assert seed_labels({"one": ["a"], "two": ["b"]}) == ["one", "two"]
    assert seed_labels([["a"], ["b"]]) == ["", ""]
    with pytest.raises(ValueError, match="lists of words"):
        check_seed_words(["ab"], ["a", "b", "c"], counts)
    with pytest.raises(ValueError, match="'z'"):
        check_seed_words([["z"]], ["a", "b", "c"], counts)


def test_the_silhouette_finds_the_number_of_separate_clusters(rng):
    number, silhouettes = choose_num_topics(clusters(rng, [40, 40, 40, 40], dim=6, spread=0.15), 0)
    assert number == 4
    assert max(silhouettes, key=silhouettes.get) == 4


def test_merged_topics_take_the_position_of_their_smallest_member():
    assert merged_numbers(6, [[4, 1], [2, 5]]).tolist() == [0, 1, 2, 3, 1, 2]
    assert merged_numbers(3, []).tolist() == [0, 1, 2]
