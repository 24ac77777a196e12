"""Topics as one mixture of directions and words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from scipy import sparse
from scipy.special import logsumexp, softmax
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize

from tf_vmf.math import arrays

# Steps of expectation maximization: part of the definition, so that every backend computes the same.
STEPS = 5
# Proportions p are returned as p**SHARPNESS, scaled to sum 1.
SHARPNESS = 1.8
# Words that the prior of the proportions counts for.
PRIOR_WORDS = 5.0
# Elements of a matrix of words of texts by topics that are held at a time: 64 MB.
_BLOCK = 2**23


def admixture(counts: sparse.csr_matrix, words: np.ndarray, prior: np.ndarray, votes: np.ndarray) -> np.ndarray:
    """Proportions of topics (n, K), where every word of a text may come from another topic.

    ```
    theta[k] <- (sum_w x[w] theta[k] words[k, w] / sum_j theta[j] words[j, w] + vote[k] + prior[k]) / total
    ```

    in `STEPS` steps from the prior, then raised to the power `SHARPNESS` and scaled to sum 1. A mixture with one topic per text is
    certain of long texts, also of those of two topics; the admixture shares them out, and the power returns the certainty that
    texts of one topic deserve. A text without words and votes has the sharpened prior.

    `words` are p(word | topic) > 0, (K, V); the mean proportions `prior` (K,) count for `PRIOR_WORDS` words; `votes`, (n, K) or
    zeros (1, K), are evidence beside the words, as words that were shared out already.
    """
    proportions = np.empty((counts.shape[0], len(prior)))
    for block in row_blocks(counts, len(prior)):
        own = votes[block] if len(votes) > 1 else votes
        proportions[block] = _admixture(counts[block], words, PRIOR_WORDS * prior + own)
    return sharpened(proportions)


def _admixture(counts: sparse.csr_matrix, words: np.ndarray, given: np.ndarray) -> np.ndarray:
    of_words = np.ascontiguousarray(words.T)
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    there = of_words[counts.indices]
    theta = np.broadcast_to(given / given.sum(axis=1, keepdims=True), (counts.shape[0], words.shape[0]))
    for _ in range(STEPS):
        share = counts.data / np.einsum("wk,wk->w", theta[rows], there)
        weighted = sparse.csr_matrix((share, counts.indices, counts.indptr), counts.shape)
        theta = theta * (weighted @ of_words) + given
        theta = theta / theta.sum(axis=1, keepdims=True)
    return theta


def sharpened(proportions: np.ndarray) -> np.ndarray:
    """`proportions**SHARPNESS`, rows scaled to sum 1."""
    powers = proportions**SHARPNESS
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def word_responsibilities(counts: sparse.csr_matrix, words: np.ndarray, proportions: np.ndarray) -> np.ndarray:
    """p(topic | word, text) of every stored count, (counts.nnz, K), for p(word | topic) (K, V) and p(topic | text) (n, K)."""
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    joint = proportions[rows] * words.T[counts.indices]
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def row_blocks(counts: sparse.csr_matrix, num_topics: int) -> Iterator[slice]:
    """Slices of rows with so few words that a matrix of words by topics takes 64 MB."""
    start, most = 0, max(1, _BLOCK // num_topics)
    while start < counts.shape[0]:
        end = int(np.searchsorted(counts.indptr, counts.indptr[start] + most, side="right")) - 1
        end = max(end, start + 1)
        yield slice(start, end)
        start = end


# Words that the vector of a text counts for where it tells the topic for certain, and the power of its densities: topics are no
# true vMFs, and undamped densities are certain of every text.
VECTOR_WORDS, VECTOR_TEMPERATURE = 8.0, 0.2
# Dimensions that vectors are reduced to.
_VECTOR_DIMENSIONS = 50


@dataclass(frozen=True, eq=False)
class VectorSphere:
    """Vectors of texts as points on a sphere of few dimensions, and the topics there."""

    mean: np.ndarray  # of the vectors, shape (e,)
    components: np.ndarray  # principal components, shape (c, e)
    mean_directions: np.ndarray  # of the topics, unit vectors, shape (K, c)
    concentration: float  # of the points around them; all topics share it

    @property
    def words(self) -> float:
        """The words that a vector counts for: `VECTOR_WORDS` times the squared mean resultant length about the topics."""
        dim = len(self.components)
        return VECTOR_WORDS * float(arrays.mean_resultant_length(np.asarray(self.concentration), dim)) ** 2

    def points(self, vectors: np.ndarray) -> np.ndarray:
        """The reduced vectors, scaled to length 1: shape (n, c)."""
        return np.asarray(normalize((np.asarray(vectors, np.float64) - self.mean) @ self.components.T))

    def log_density(self, vectors: np.ndarray) -> np.ndarray:
        """Log density of the points under each topic, relative to the uniform, in nats: shape (n, K)."""
        cosines, dim = self.points(vectors) @ self.mean_directions.T, len(self.components)
        at_mode = _log_normalizer(np.asarray(self.concentration), dim) - _log_normalizer(np.zeros(()), dim)
        return np.asarray(at_mode + self.concentration * cosines)


def principal_components(vectors: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean (e,) and the first principal components (c, e) of vectors (n, e), 50 at most."""
    dim = min(_VECTOR_DIMENSIONS, *vectors.shape)
    fitted = PCA(dim, random_state=seed).fit(np.asarray(vectors, np.float64))
    return fitted.mean_, fitted.components_


@dataclass(frozen=True, eq=False)
class TopicSums:
    """Sums over texts, weighted by topic: all that is estimated of a mixture rests on them, and those of further texts add up."""

    words: np.ndarray  # how often each topic says each word, shape (K, V)
    sizes: np.ndarray  # the number of texts of each topic, shape (K,)
    codes: np.ndarray  # of their codes, shape (K, d)
    vectors: np.ndarray | None = None  # of their reduced vectors, shape (K, c); None without them

    def __add__(self, other: TopicSums) -> TopicSums:
        vectors = None if self.vectors is None or other.vectors is None else self.vectors + other.vectors
        return TopicSums(self.words + other.words, self.sizes + other.sizes, self.codes + other.codes, vectors)

    def take(self, order: np.ndarray) -> TopicSums:
        """Those of the topics at the positions `order`."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: values[order] for name, values in found.items() if values is not None})


@dataclass(frozen=True, eq=False)
class TopicMixture:
    """A mixture of K topics over texts: their words, their codes and, where given, their vectors.

    ```
    p(x, z, v) = sum_k weights[k] Mult(x; words[k]) vMF(z; mean_directions[k], concentration)
                              vMF(v; vectors.mean_directions[k], vectors.concentration)
    ```

    for the counts x of a text, its code z and its vector v, a direction that any encoder gave: code and vector are a point on a
    product of two spheres. A code is known up to its posterior vMF(z; code, c): wherever a density of codes stands, its expectation
    over that posterior is taken, which is closed:

    ```
    E[vMF(z; mu, kappa)] = C(kappa) C(c) / C(|kappa mu + c code|),   C the normalizer of the vMF.
    ```
    """

    weights: np.ndarray  # shape (K,), summing to 1
    mean_directions: np.ndarray  # unit vectors, shape (K, d)
    concentration: float  # of the codes around them; all topics share it
    # p(word | topic) > 0, shape (K, V), where a word counts as seen some more times in proportion to the sizes of topics
    words: np.ndarray
    vectors: VectorSphere | None = None  # the sphere of the vectors; None without them
    sums: TopicSums | None = None  # what the mixture was estimated from; None where it was not
    emphasis: np.ndarray | None = None  # how many words each word counts for (V,); None for one each

    @property
    def num_topics(self) -> int:
        return len(self.weights)

    def take(self, order: np.ndarray) -> TopicMixture:
        """The same topics in another order."""
        sphere, sums = self.vectors, None if self.sums is None else self.sums.take(order)
        if sphere is not None:
            sphere = replace(sphere, mean_directions=sphere.mean_directions[order])
        own = {name: getattr(self, name)[order] for name in ("weights", "mean_directions", "words")}
        return replace(self, **own, vectors=sphere, sums=sums)

    def proportions(self, counts: sparse.csr_matrix, vectors: np.ndarray | None = None) -> np.ndarray:
        """p(topic | text), (n, K): those of `admixture`, where the vector of a text, if any, counts for some words."""
        votes = np.zeros((1, self.num_topics))
        if self.vectors is not None:
            assert vectors is not None
            log_density = VECTOR_TEMPERATURE * self.vectors.log_density(vectors)
            votes = self.vectors.words * softmax(np.log(self.weights) + log_density, axis=1)
        return admixture(emphasized(counts.tocsr(), self.emphasis), self.words, self.weights, votes)

    def word_responsibilities(self, counts: sparse.csr_matrix, proportions: np.ndarray) -> np.ndarray:
        """p(topic | word, text) of every stored count, shape (counts.nnz, K), for the proportions of the texts."""
        return word_responsibilities(counts, self.words, proportions)

    def log_density(
        self, codes: np.ndarray, concentrations: np.ndarray, vectors: np.ndarray | None = None
    ) -> np.ndarray:
        """Log density of codes, and vectors, over the area of their spheres, relative to the uniform one: nats, shape (n,).

        Words are left out, as their probability says more about the length of a text than about its place. A code that is hardly
        known has a density near that of the uniform distribution.
        """
        return logsumexp(self.log_directions(codes, concentrations, vectors), axis=1)

    def log_directions(
        self, codes: np.ndarray, concentrations: np.ndarray, vectors: np.ndarray | None = None
    ) -> np.ndarray:
        """Log of weight times density of codes, and vectors, under each topic, relative to the uniform: shape (n, K)."""
        log_joint = np.log(self.weights) + expected_log_density(
            codes, concentrations, self.mean_directions, self.concentration
        )
        if self.vectors is not None:
            assert vectors is not None
            log_joint = log_joint + self.vectors.log_density(vectors)
        return np.asarray(log_joint)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The arrays of a file; `from_arrays` reads them."""
        found = {
            "weights": self.weights,
            "mean_directions": self.mean_directions,
            "concentration": np.asarray(self.concentration),
            "words": self.words,
        }
        if self.emphasis is not None:
            found["emphasis"] = self.emphasis
        if self.vectors is not None:
            found |= {
                f"vector_{field.name}": np.asarray(getattr(self.vectors, field.name)) for field in fields(VectorSphere)
            }
        sums = (
            {}
            if self.sums is None
            else {f"sums_{field.name}": getattr(self.sums, field.name) for field in fields(TopicSums)}
        )
        return found | {name: values for name, values in sums.items() if values is not None}

    @classmethod
    def from_arrays(cls, found: Mapping[str, np.ndarray]) -> TopicMixture:
        """Reads what `to_arrays` has written; other keys are ignored."""
        sphere = None
        if "vector_mean" in found:
            sphere = VectorSphere(
                found["vector_mean"],
                found["vector_components"],
                found["vector_mean_directions"],
                float(found["vector_concentration"]),
            )
        parts = found["weights"], found["mean_directions"], float(found["concentration"]), found["words"]
        names = [field.name for field in fields(TopicSums)]
        sums = TopicSums(*(found.get(f"sums_{name}") for name in names)) if "sums_words" in found else None  # type: ignore[arg-type]
        return cls(*parts, sphere, sums, found.get("emphasis"))


def emphasized(counts: sparse.csr_matrix, emphasis: np.ndarray | None) -> sparse.csr_matrix:
    """The counts with each word as often as it counts; see `TopicMixture.emphasis`."""
    return counts if emphasis is None else sparse.csr_matrix(counts.multiply(emphasis))


def expected_log_density(
    codes: np.ndarray, concentrations: np.ndarray, mean_directions: np.ndarray, concentration: float
) -> np.ndarray:
    """Log E[vMF(z; mean_direction, concentration)] over z ~ vMF(code, its concentration), relative to the uniform: (n, K)."""
    own = np.asarray(concentrations, np.float64)[:, np.newaxis]
    cosines = np.asarray(codes, np.float64) @ mean_directions.T
    together = np.sqrt(np.maximum((own - concentration) ** 2 + 2 * own * concentration * (1 + cosines), 0.0))
    dim = codes.shape[1]
    apart = _log_normalizer(own, dim) + _log_normalizer(np.asarray(concentration), dim)
    return np.asarray(apart - _log_normalizer(together, dim) - _log_normalizer(np.zeros(()), dim))


def outlier_threshold(log_density: np.ndarray) -> float:
    """The density below which a text is an outlier: the median less three deviations, by the median absolute deviation.

    The share of outliers follows the texts: none lie below where densities are even, many where a part lies apart.
    """
    median = float(np.median(log_density))
    return median - 3.0 * 1.4826 * float(np.median(np.abs(log_density - median)))


def _log_normalizer(concentration: np.ndarray, dim: int) -> np.ndarray:
    return np.asarray(arrays.log_prob_at_mode(concentration, dim) - concentration)
