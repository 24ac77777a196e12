"""Expectation maximisation for mixtures of von Mises-Fisher distributions, in matrix products.

Densities are with respect to the area of the sphere. Everything is float64 and NumPy.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tf_vmf.distributions.maximum_likelihood import LARGEST_FITTED_CONCENTRATION
from tf_vmf.math import arrays

# Elements of the matrix points x components that are held at a time: 64 MB.
_BLOCK = 2**23


class Components(NamedTuple):
    """Parameters of a mixture.

    Attributes:
        weights: `(K,)`, >= 0, with sum 1.
        mean_directions: `(K, d)`, unit rows.
        concentrations: `(K,)`, >= 0.
    """

    weights: np.ndarray
    mean_directions: np.ndarray
    concentrations: np.ndarray

    def log_prob(self, X: Any) -> np.ndarray:
        """Log of weight times density of every row under every component, `(n, K)`, by one matrix product.

        The absolute error is at most `4 kappa` rounding errors, 1e-15 kappa, beside that of the value itself.
        """
        cosines = X @ self.mean_directions.T
        # log_prob_at_mode - kappa (1 - cosine): the difference is exact near 1.
        cosines -= 1
        cosines *= self.concentrations
        with np.errstate(divide="ignore"):
            cosines += arrays.log_prob_at_mode(self.concentrations, self.mean_directions.shape[1]) + np.log(
                self.weights
            )
        return cosines


class Statistics(NamedTuple):
    """Sufficient statistics of a step.

    Attributes:
        counts: Total weight of every component, `(K,)`.
        resultants: Weighted sums of the rows, `(K, d)`.
        objective: What the step maximises, a mean per point, under the components before it.
    """

    counts: np.ndarray
    resultants: np.ndarray
    objective: float


def blocks(X: Any, components: int) -> Iterator[slice]:
    """Slices of rows, few enough for a matrix rows x components of 64 MB."""
    rows = max(1, _BLOCK // components)
    for start in range(0, X.shape[0], rows):
        yield slice(start, min(start + rows, X.shape[0]))


def soft_step(X: Any, components: Components, sample_weight: np.ndarray) -> Statistics:
    """Shares every row out among the components by its posterior probabilities; the objective is the mean log density."""
    counts, resultants, total = _zeros(components)
    for block in blocks(X, len(counts)):
        log_prob = components.log_prob(X[block])
        normalizer = normalize_log(log_prob)
        log_prob *= sample_weight[block, np.newaxis]
        counts += log_prob.sum(axis=0)
        resultants += (X[block].T @ log_prob).T
        total += sample_weight[block] @ normalizer
    return Statistics(counts, resultants, total / sample_weight.sum())


def hard_step(X: Any, components: Components, sample_weight: np.ndarray) -> Statistics:
    """Gives every row to the nearest mean direction; the objective is the mean cosine (spherical k-means)."""
    counts, resultants, total = _zeros(components)
    for block in blocks(X, len(counts)):
        cosines = X[block] @ components.mean_directions.T
        labels = np.argmax(cosines, axis=1)
        rows = np.arange(len(labels))
        total += sample_weight[block] @ cosines[rows, labels]
        cosines[:] = 0
        cosines[rows, labels] = sample_weight[block]
        counts += cosines.sum(axis=0)
        resultants += (X[block].T @ cosines).T
    return Statistics(counts, resultants, total / sample_weight.sum())


def maximize(statistics: Statistics, before: Components, tied: bool) -> Components:
    """The components of maximum likelihood.

    A component without any weight keeps its parameters at weight 0. Concentrations are at most 1e10: a component of equal
    points would ask for infinity.
    """
    counts, lengths = statistics.counts, np.linalg.norm(statistics.resultants, axis=1)
    alive = (counts > 0) & (lengths > 0)
    mean_directions = np.where(
        alive[:, np.newaxis], statistics.resultants / np.where(alive, lengths, 1)[:, np.newaxis], before.mean_directions
    )
    dim = mean_directions.shape[1]
    if tied:
        # The likelihood of a common concentration: A(kappa) is the mean of all mean cosines.
        concentrations = np.full(len(counts), _concentrations(lengths.sum(keepdims=True) / counts.sum(), dim)[0])
    else:
        means = lengths / np.where(counts > 0, counts, 1)
        concentrations = np.where(counts > 0, _concentrations(means, dim), before.concentrations)
    return Components(counts / counts.sum(), mean_directions, concentrations)


def normalize_log(log_prob: np.ndarray) -> np.ndarray:
    """Turns rows of log probabilities into probabilities, in place, and returns the logarithms of their sums."""
    largest = log_prob.max(axis=1, keepdims=True)
    log_prob -= largest
    np.exp(log_prob, out=log_prob)
    total = log_prob.sum(axis=1, keepdims=True)
    log_prob /= total
    return (largest + np.log(total))[:, 0]


def _zeros(components: Components) -> tuple[np.ndarray, np.ndarray, float]:
    return np.zeros_like(components.weights), np.zeros_like(components.mean_directions), 0.0


def _concentrations(means: np.ndarray, dim: int) -> np.ndarray:
    """The inverse of A, capped; a mean length may exceed 1 by a rounding error."""
    return np.minimum(arrays.inverse_mean_resultant_length(np.minimum(means, 1.0), dim), LARGEST_FITTED_CONCENTRATION)
