"""Fits the mixture of topics: clusters of the codes are the start, the words and vectors of the texts decide."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.special import softmax
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import normalize

from tf_vmf.math import arrays
from tf_vmf.topics.mixture import TopicMixture, VectorSphere, principal_components

# NMI with the classes by the number of restarts: BBC News 0.68 with 1, 0.85 with 5; M10 0.463 with 5, 0.471 with 10 and with 20.
RESTARTS = 10
# The restarts run on so many texts; the best of them goes on with all.
START_SAMPLE = 10_000
# Steps of expectation maximization at most, and the share of texts that may still move when it ends.
_STEPS, _SETTLED = 20, 1e-3
# Dirichlet smoothing of the words, and of the sizes of topics.
_SMOOTHING, _SIZE_SMOOTHING = 0.2, 0.1
# A word counts as seen so many times more, in all topics by their sizes, when proportions are computed: else a rare word is
# certain of the one topic where it was met.
_SHRINKAGE = 8.0
# A text counts for as many words at most: the words of a long one are no independent draws.
_MOST_WORDS = 20.0
# The code of a text is made of its words: only a part of its evidence is new.
_CODE_WEIGHT = 0.3
# The weight of vectors beside codes in the clusters of the start.
_VECTOR_START = 1.4
_LARGEST_CONCENTRATION = 1e6
# How many times a seed word is likelier in its own topic than in any other, at least.
_SEED_ODDS = 20.0


class Sphere(NamedTuple):
    """The estimates of one sphere: mean directions of the topics, shape (K, d), and their concentration."""

    mean_directions: np.ndarray
    concentration: float


def fit_topics(
    codes: np.ndarray,
    concentrations: np.ndarray,
    counts: sparse.csr_matrix,
    num_topics: int,
    *,
    vectors: np.ndarray | None = None,
    guides: Sequence[Sequence[int]] = (),
    seed: int = 0,
    restarts: int = RESTARTS,
) -> TopicMixture:
    """Fits a `TopicMixture` by expectation maximization from clusters of the codes.

    The words of a text are judged by topics that do not know the text: its own counts are left out, as in a collapsed Gibbs
    sampler. Otherwise a rare word holds its text in the topic where it started.

    Args:
        codes: Unit vectors, shape (n, d).
        concentrations: Of the posteriors around the codes, shape (n,).
        counts: Shape (n, V), no empty row.
        num_topics: K, at most n.
        vectors: Shape (n, e), of any encoder; None for none.
        guides: Columns of the seed words of the first topics, integers; at most K groups.
        seed: Seed of the starting points.
        restarts: Runs of k-means.

    Returns:
        The mixture: guided topics first, in their order, then the others by falling weight.
    """
    counts = sparse.csr_matrix(counts, dtype=np.float64)
    points = np.asarray(codes, np.float64)
    reduced: np.ndarray | None = None
    beside = points
    if vectors is not None:
        mean, components = principal_components(vectors, seed)
        reduced = np.asarray(normalize((vectors - mean) @ components.T))
        beside = _beside(points, reduced)
    labels = cluster(beside, num_topics, seed, restarts)
    assigned = np.zeros((len(points), num_topics))
    assigned[np.arange(len(points)), labels] = 1.0
    if len(guides):
        assigned = _guided_start(assigned, counts, guides)
    assigned = _expectation_maximization(assigned, counts, points, np.asarray(concentrations), reduced, guides)
    order = np.argsort(-assigned[:, len(guides) :].sum(axis=0), kind="stable") + len(guides)
    assigned = assigned[:, np.concatenate([np.arange(len(guides)), order])]
    sphere = _sphere(assigned, points)
    apart = None if reduced is None else VectorSphere(mean, components, *_sphere(assigned, reduced))
    weights = assigned.sum(axis=0) + _SIZE_SMOOTHING
    weights /= weights.sum()
    in_topics = _counts_of_topics(assigned, counts, guides) + _SHRINKAGE * weights[:, np.newaxis]
    return TopicMixture(
        weights=weights,
        mean_directions=sphere.mean_directions,
        concentration=sphere.concentration,
        words=in_topics / in_topics.sum(axis=1, keepdims=True),
        vectors=apart,
    )


def starting_points(codes: np.ndarray, vectors: np.ndarray | None, seed: int) -> np.ndarray:
    """The points whose clusters are the start of `fit_topics`, all of one length: codes, and vectors beside them."""
    if vectors is None:
        return codes
    mean, components = principal_components(vectors, seed)
    return _beside(codes, np.asarray(normalize((vectors - mean) @ components.T)))


def _beside(codes: np.ndarray, reduced: np.ndarray) -> np.ndarray:
    return np.hstack([codes, _VECTOR_START * reduced])


def cluster(points: np.ndarray, num_clusters: int, seed: int, restarts: int = RESTARTS) -> np.ndarray:
    """The cluster of each point, int (n,), by k-means: the best of several restarts.

    Of more than `START_SAMPLE` points the restarts see a sample; the best of them goes on with all points.
    """
    init: str | np.ndarray = "k-means++"
    with warnings.catch_warnings():
        # Of fewer distinct points than clusters; the model says it in its own words.
        warnings.simplefilter("ignore", ConvergenceWarning)
        if len(points) > max(START_SAMPLE, 2 * num_clusters):
            rows = np.random.default_rng(seed).choice(len(points), max(START_SAMPLE, 2 * num_clusters), replace=False)
            init = KMeans(num_clusters, n_init=restarts, random_state=seed).fit(points[np.sort(rows)]).cluster_centers_
            restarts = 1
        return np.asarray(KMeans(num_clusters, init=init, n_init=restarts, random_state=seed).fit_predict(points))


def _expectation_maximization(
    assigned: np.ndarray,
    counts: sparse.csr_matrix,
    codes: np.ndarray,
    concentrations: np.ndarray,
    vectors: np.ndarray | None,
    guides: Sequence[Sequence[int]],
) -> np.ndarray:
    squares = counts.multiply(counts).tocsr()
    lengths = np.asarray(counts.sum(axis=1))
    tempering = np.minimum(1.0, _MOST_WORDS / lengths)
    for _ in range(_STEPS):
        in_topics = _counts_of_topics(assigned, counts, guides)
        totals, sizes = in_topics.sum(axis=1), assigned.sum(axis=0)
        log_counts = np.log(in_topics + _SMOOTHING)
        # What one occurrence of a text's own adds to the score of its topic, interpolated in the text's share of the topic.
        own = log_counts - np.log(np.maximum(in_topics - 1.0, 0.0) + _SMOOTHING)
        evidence = counts @ log_counts.T - assigned * (squares @ own.T)
        evidence -= lengths * np.log(np.maximum(totals - assigned * lengths, 0.0) + _SMOOTHING * counts.shape[1])
        evidence *= tempering
        evidence += np.log(np.maximum(sizes - assigned, 0.0) + _SIZE_SMOOTHING)
        sphere = _sphere(assigned, codes)
        # The width of the posterior of a code and that of its topic add up.
        sharpness = sphere.concentration * concentrations / np.maximum(sphere.concentration + concentrations, 1e-12)
        evidence += (_CODE_WEIGHT * sharpness)[:, np.newaxis] * (codes @ sphere.mean_directions.T)
        if vectors is not None:
            apart = _sphere(assigned, vectors)
            evidence += apart.concentration * (vectors @ apart.mean_directions.T)
        before, assigned = assigned, softmax(evidence, axis=1)
        if np.abs(assigned - before).sum() <= 2 * _SETTLED * len(assigned):
            break
    return assigned


def _sphere(assigned: np.ndarray, points: np.ndarray) -> Sphere:
    """Mean directions, and the concentration of maximum likelihood that they share."""
    resultants = assigned.T @ points
    mean_length = np.linalg.norm(resultants, axis=1).sum() / len(points)
    concentration = float(arrays.inverse_mean_resultant_length(np.asarray(min(mean_length, 1.0)), points.shape[1]))
    return Sphere(np.asarray(normalize(resultants)), min(concentration, _LARGEST_CONCENTRATION))


def _counts_of_topics(assigned: np.ndarray, counts: sparse.csr_matrix, guides: Sequence[Sequence[int]]) -> np.ndarray:
    """The counts of words in topics, shape (K, V); those of a seed word are its own topic's, as far as its odds ask for."""
    in_topics: np.ndarray = (counts.T @ assigned).T
    for topic, columns in enumerate(guides):
        in_all = in_topics[:, columns].sum(axis=0)
        in_topics[:, columns] /= _SEED_ODDS
        in_topics[topic, columns] = in_all
    return in_topics


def _guided_start(assigned: np.ndarray, counts: sparse.csr_matrix, guides: Sequence[Sequence[int]]) -> np.ndarray:
    """The start with the texts of each group of seed words in a topic of their own; these topics come first."""
    shares = np.stack([np.asarray(counts[:, columns].sum(axis=1)).ravel() for columns in guides], axis=1)
    taken: list[int] = []
    for topic in range(len(guides)):
        order = np.argsort(-(shares[:, topic] @ assigned), kind="stable")
        taken.append(next(int(cluster) for cluster in order if cluster not in taken))
    others = [cluster for cluster in range(assigned.shape[1]) if cluster not in taken]
    assigned = assigned[:, taken + others]
    seeded = shares.sum(axis=1) > 0
    assigned[seeded] = 0.0
    assigned[seeded, shares[seeded].argmax(axis=1)] = 1.0
    return assigned
