"""Fits the mixture of topics: clusters of the codes are the start, the words and vectors of the texts decide."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.special import logsumexp, softmax
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from tf_vmf.data.arrays import blocks
from tf_vmf.math import arrays
from tf_vmf.topics.mixture import TopicMixture, TopicSums, VectorSphere, emphasized, principal_components

# Starts of expectation maximization; the likelihood tells them apart after a few steps: on titles (M10) ten starts end
# in a NMI with the classes of .46 to .49, the likeliest in .494; the clusters with the least inertia in .475.
RESTARTS, _START_STEPS = 10, 3
# The starts see so many texts; the best of them goes on with all.
START_SAMPLE = 10_000
# So many texts find the topics of more.
LARGEST = 50_000
_BLOCK = 10_000  # further texts assigned at a time
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
# The mean of so many nearest vectors, the own one among them, stands for a vector while topics are found; taken so many times.
_NEIGHBORS, _SMOOTHINGS = 20, 2
# The weight of vectors beside codes in the clusters of the start.
_VECTOR_START = 1.4
_LARGEST_CONCENTRATION = 1e6
# How many times a seed word is likelier in its own topic than in any other, at least; and how many words it counts for.
_SEED_ODDS, _SEED_EMPHASIS = 20.0, 5.0
# A text's share of a topic below which it is not left out there.
_NEGLIGIBLE = 1e-3


class Texts(NamedTuple):
    """What a mixture sees of texts: counts (n, V), codes (n, d), their concentrations (n,), and vectors (n, e) or None."""

    counts: sparse.csr_matrix
    codes: np.ndarray
    concentrations: np.ndarray
    vectors: np.ndarray | None = None

    def take(self, rows: slice | np.ndarray) -> Texts:
        return Texts(*(None if part is None else part[rows] for part in self))  # type: ignore[arg-type]

    def reduced(self, basis: Basis | None) -> Texts:
        """In double precision, the vectors as points on the sphere of their principal components."""
        vectors = None if basis is None or self.vectors is None else basis.points(self.vectors)
        return Texts(self.counts.astype(np.float64), np.asarray(self.codes, np.float64), self.concentrations, vectors)


class Basis(NamedTuple):
    """The mean (e,) and the principal components (c, e) that reduce vectors."""

    mean: np.ndarray
    components: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray | None, seed: int) -> Basis | None:
        return None if vectors is None else cls(*principal_components(vectors, seed))

    def points(self, vectors: np.ndarray) -> np.ndarray:
        return np.asarray(normalize((vectors - self.mean) @ self.components.T))


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
    """Fits a `TopicMixture` to unit codes (n, d) and counts (n, V), none empty, by EM from clusters of the codes.

    The words of a text are judged by topics that do not know the text: its own counts are left out, as in a collapsed Gibbs
    sampler. Otherwise a rare word holds its text in the topic where it started. Of more than `LARGEST` texts a sample drawn at
    random, of that size, finds the topics. The other texts are then assigned to them block by block, and all count in the
    estimates: memory beside the texts does not grow with their number.

    `vectors` are those of any encoder, (n, e), `guides` the columns of the seed words of the first topics. Guided topics come
    first, in their order, then the others by falling weight.
    """
    emphasis = emphasis_of(guides, counts.shape[1])
    texts = Texts(emphasized(sparse.csr_matrix(counts), emphasis), codes, concentrations, vectors)
    rows = sample_of(len(codes), seed)
    sample = texts if len(rows) == len(codes) else texts.take(rows)
    basis = Basis.of(sample.vectors, seed)
    sample = sample.reduced(basis)
    smooth = sample._replace(vectors=None if sample.vectors is None else _smoothed(sample.vectors))
    assigned = _best_start(smooth, num_topics, guides, seed, restarts)
    sums = _sums(_expectation_maximization(assigned, smooth, guides, _STEPS), sample)
    others = np.setdiff1d(np.arange(len(codes)), rows, assume_unique=True)
    sums = _with(sums, texts.take(others), basis, guides) if len(others) else sums
    order = np.argsort(-sums.sizes[len(guides) :], kind="stable") + len(guides)
    return _mixture(sums.take(np.concatenate([np.arange(len(guides)), order])), basis, guides, emphasis)


def emphasis_of(guides: Sequence[Sequence[int]], num_words: int) -> np.ndarray | None:
    """How many words each word counts for, shape (V,); None without seed words, where each counts for one."""
    emphasis = np.ones(num_words)
    for columns in guides:
        emphasis[list(columns)] = _SEED_EMPHASIS
    return emphasis if len(guides) else None


def update_topics(mixture: TopicMixture, texts: Texts, guides: Sequence[Sequence[int]] = ()) -> TopicMixture:
    """The mixture after further texts, which are assigned to its topics and then count in its estimates."""
    assert mixture.sums is not None
    basis = None if mixture.vectors is None else Basis(mixture.vectors.mean, mixture.vectors.components)
    texts = texts._replace(counts=emphasized(texts.counts, mixture.emphasis))
    return _mixture(_with(mixture.sums, texts, basis, guides), basis, guides, mixture.emphasis)


def _with(sums: TopicSums, texts: Texts, basis: Basis | None, guides: Sequence[Sequence[int]]) -> TopicSums:
    """The sums and those of further texts, all of which are assigned by `sums`."""
    found = sums
    for block in blocks(len(texts.codes), _BLOCK):
        part = texts.take(block).reduced(basis)
        found = found + _sums(softmax(_evidence(sums, part, guides), axis=1), part)
    return found


def sample_of(size: int, seed: int) -> np.ndarray:
    """The sorted rows of a random sample of `LARGEST` of `size` texts; all where there are no more."""
    if size <= LARGEST:
        return np.arange(size)
    return np.sort(np.random.default_rng(seed).choice(size, LARGEST, replace=False))


def _smoothed(points: np.ndarray) -> np.ndarray:
    """The mean direction of each point and its nearest ones, and of these means: what a vector says of its text alone is noise."""
    others = NearestNeighbors(n_neighbors=min(_NEIGHBORS, len(points)) - 1).fit(points).kneighbors_graph()
    for _ in range(_SMOOTHINGS):
        points = np.asarray(normalize(points + others @ points))
    return points


def starting_points(codes: np.ndarray, vectors: np.ndarray | None, seed: int) -> np.ndarray:
    """The points whose clusters are the start of `fit_topics`, all of one length: codes, and vectors beside them."""
    basis = Basis.of(vectors, seed)
    return codes if basis is None or vectors is None else np.hstack([codes, _VECTOR_START * basis.points(vectors)])


def _beside(texts: Texts) -> np.ndarray:
    return texts.codes if texts.vectors is None else np.hstack([texts.codes, _VECTOR_START * texts.vectors])


def cluster(points: np.ndarray, num_clusters: int, seed: int, restarts: int = 1) -> np.ndarray:
    """The cluster of each point, int (n,), by k-means: the best of several restarts."""
    with warnings.catch_warnings():
        # Of fewer distinct points than clusters; the model says it in its own words.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(KMeans(num_clusters, n_init=restarts, random_state=seed).fit_predict(points))


def _best_start(texts: Texts, num_topics: int, guides: Sequence[Sequence[int]], seed: int, restarts: int) -> np.ndarray:
    """The assignment of the texts, after a few steps, that makes them likeliest, of several that start at clusters of the codes.

    Of more than `START_SAMPLE` texts a sample is clustered; the best assignment of these then assigns all.
    """
    size, rows = len(texts.codes), np.arange(len(texts.codes))
    if size > (most := max(START_SAMPLE, 2 * num_topics)):
        rows = np.sort(np.random.default_rng(seed).choice(size, most, replace=False))
    sample = texts if len(rows) == size else texts.take(rows)
    best, likeliest = np.empty(0), -np.inf
    for restart in range(restarts):
        assigned = _start(sample, num_topics, guides, seed + restart)
        assigned = _expectation_maximization(assigned, sample, guides, _START_STEPS)
        likelihood = logsumexp(_evidence(_sums(assigned, sample), sample, guides, assigned), axis=1).sum()
        if likelihood > likeliest:
            best, likeliest = assigned, likelihood
    return best if sample is texts else softmax(_evidence(_sums(best, sample), texts, guides), axis=1)


def _expectation_maximization(
    assigned: np.ndarray, texts: Texts, guides: Sequence[Sequence[int]], steps: int
) -> np.ndarray:
    for _ in range(steps):
        before, assigned = assigned, softmax(_evidence(_sums(assigned, texts), texts, guides, assigned), axis=1)
        if np.abs(assigned - before).sum() <= 2 * _SETTLED * len(assigned):
            break
    return assigned


def _sums(assigned: np.ndarray, texts: Texts) -> TopicSums:
    vectors = None if texts.vectors is None else assigned.T @ texts.vectors
    return TopicSums((texts.counts.T @ assigned).T, assigned.sum(axis=0), assigned.T @ texts.codes, vectors)


def _evidence(
    sums: TopicSums, texts: Texts, guides: Sequence[Sequence[int]], assigned: np.ndarray | None = None
) -> np.ndarray:
    """Log p(topic | text) up to a constant per text, shape (n, K); `assigned` is the texts' own part in `sums`, to be left out."""
    counts, lengths = texts.counts, np.asarray(texts.counts.sum(axis=1))
    in_topics = _guided_words(sums.words, guides)
    log_counts = np.log(in_topics + _SMOOTHING)
    evidence: np.ndarray = counts @ log_counts.T
    totals, sizes = in_topics.sum(axis=1), sums.sizes
    if assigned is not None:
        # What one occurrence of a text's own adds to the score of its topic, interpolated in the text's share of the topic.
        own = log_counts - np.log(np.maximum(in_topics - 1.0, 0.0) + _SMOOTHING)
        squares = counts.multiply(counts).tocsr()
        for topic in range(len(own)):
            rows = np.flatnonzero(assigned[:, topic] > _NEGLIGIBLE)
            evidence[rows, topic] -= assigned[rows, topic] * (squares[rows] @ own[topic])
        totals = np.maximum(totals - assigned * lengths, 0.0)
        sizes = np.maximum(sizes - assigned, 0.0)
    evidence -= lengths * np.log(totals + _SMOOTHING * counts.shape[1])
    evidence *= np.minimum(1.0, _MOST_WORDS / lengths)
    evidence += np.log(sizes + _SIZE_SMOOTHING)
    directions, concentration = _sphere(sums.codes, sums.sizes)
    # The width of the posterior of a code and that of its topic add up.
    sharpness = concentration * texts.concentrations / np.maximum(concentration + texts.concentrations, 1e-12)
    evidence += (_CODE_WEIGHT * sharpness)[:, np.newaxis] * (texts.codes @ directions.T)
    if sums.vectors is not None:
        directions, concentration = _sphere(sums.vectors, sums.sizes)
        evidence += concentration * (texts.vectors @ directions.T)
    return evidence


def _mixture(
    sums: TopicSums, basis: Basis | None, guides: Sequence[Sequence[int]], emphasis: np.ndarray | None
) -> TopicMixture:
    """The estimates from sums."""
    apart = None
    if basis is not None:
        assert sums.vectors is not None
        apart = VectorSphere(basis.mean, basis.components, *_sphere(sums.vectors, sums.sizes))
    weights = sums.sizes + _SIZE_SMOOTHING
    weights /= weights.sum()
    in_topics = _guided_words(sums.words, guides) + _SHRINKAGE * weights[:, np.newaxis]
    words = in_topics / in_topics.sum(axis=1, keepdims=True)
    return TopicMixture(weights, *_sphere(sums.codes, sums.sizes), words, apart, sums, emphasis)


def _sphere(resultants: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, float]:
    """Mean directions of the topics, shape (K, d), and the concentration of maximum likelihood that they share."""
    mean_length = np.linalg.norm(resultants, axis=1).sum() / sizes.sum()
    concentration = float(arrays.inverse_mean_resultant_length(np.asarray(min(mean_length, 1.0)), resultants.shape[1]))
    return np.asarray(normalize(resultants)), min(concentration, _LARGEST_CONCENTRATION)


def _guided_words(words: np.ndarray, guides: Sequence[Sequence[int]]) -> np.ndarray:
    """The counts of words in topics, shape (K, V); those of a seed word are its own topic's, as far as its odds ask for."""
    in_topics = words.copy() if len(guides) else words
    for topic, columns in enumerate(guides):
        in_all = in_topics[:, columns].sum(axis=0)
        in_topics[:, columns] /= _SEED_ODDS
        in_topics[topic, columns] = in_all
    return in_topics


def _start(texts: Texts, num_topics: int, guides: Sequence[Sequence[int]], seed: int) -> np.ndarray:
    """A topic for each group of seed words, with the texts that hold them, and clusters of the other texts."""
    points, free = _beside(texts), num_topics - len(guides)
    if not len(guides):
        return np.eye(num_topics)[cluster(points, num_topics, seed)]
    shares = np.stack([np.asarray(texts.counts[:, columns].sum(axis=1)).ravel() for columns in guides], axis=1)
    seeded = shares.sum(axis=1) > 0
    assigned = np.zeros((len(points), num_topics))
    assigned[seeded, shares[seeded].argmax(axis=1)] = 1.0
    others = np.flatnonzero(~seeded)
    if len(others) < free:  # then clusters of all texts
        others = np.arange(len(points))
    if free:
        assigned[others, len(guides) + cluster(points[others], free, seed)] += 1.0
    else:
        assigned[others] = 1.0
    return assigned / assigned.sum(axis=1, keepdims=True)
