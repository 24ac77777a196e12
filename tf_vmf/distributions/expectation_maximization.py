"""Expectation maximization for mixtures of von Mises-Fisher distributions, and spherical k-means, in matrix products.

Densities are with respect to the area of the sphere. Parameters and sums are float64 NumPy arrays; products with the points are in
the dtype of the points.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from tf_vmf.distributions.directions import Block, Directions, named_rows
from tf_vmf.math import arrays

# Sums of many equal numbers are off by as much, relatively: 64 rounding errors in float32, 1,024 in float64.
_SMALLEST_SPREAD = {"float32": 2.0**-17, "float64": 2.0**-42}


class Components(NamedTuple):
    """Parameters of a mixture."""

    weights: np.ndarray  # `(K,)`, >= 0, with sum 1
    mean_directions: np.ndarray  # `(K, d)`, unit rows
    concentrations: np.ndarray  # `(K,)`, >= 0

    def log_densities(self, points: Directions) -> LogDensities:
        """The logarithms of weight times density of points of that dimension and dtype, as linear functions."""
        with np.errstate(divide="ignore"):
            at_mode = arrays.log_prob_at_mode(self.concentrations, points.dim) + np.log(self.weights)
        constant = float(at_mode.max())
        # log_prob_at_mode - kappa (1 - cosine)
        offsets = at_mode - constant - self.concentrations
        functions = np.column_stack([self.concentrations[:, np.newaxis] * self.mean_directions, offsets])
        return LogDensities(
            functions.astype(points.dtype, copy=False), constant, float(np.max(offsets - self.concentrations))
        )


class LogDensities(NamedTuple):
    """Logarithms of weight times density under every component, less a constant, as linear functions of points.

    The absolute error is at most `4 kappa` rounding errors of the dtype of the points, beside that of the value itself.
    """

    functions: np.ndarray  # `(K, d + 1)`: coefficients, and values at 0
    constant: float
    lowest: float  # no point has less under all components

    def exponentials(self, block: Block) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weight times density of points under every component, relative to a number of each row.

        Returns:
            The densities, `(b, K)`; the sums of the rows, `(b,)`; the log densities of the mixture, `(b,)`, float64.
        """
        densities = block.products(self.functions)
        largest = np.zeros(1, densities.dtype)
        # In few dimensions a pass over points and components costs a good part of a matrix product.
        if self.lowest < np.log(np.finfo(densities.dtype).tiny) / 2:
            largest = densities.max(axis=1)
            densities -= largest[:, np.newaxis]
        np.exp(densities, out=densities)
        sums = densities @ np.ones(densities.shape[1], densities.dtype)
        return densities, sums, np.log(sums, dtype=np.float64) + largest + self.constant


class Statistics(NamedTuple):
    """Sufficient statistics of a step."""

    counts: np.ndarray  # total weight of every component, `(K,)`
    resultants: np.ndarray  # weighted sums of the points, `(K, d)`
    objective: float  # mean per point under the components before the step: log density (soft), or cosine (hard)
    # for hard steps, the nearest mean direction of every point and the cosine with it, `(n,)` each
    nearest: tuple[np.ndarray, np.ndarray] | None = None


class Prior(NamedTuple):
    """Conjugate prior of every component's concentration: imagined points around its mean direction."""

    points: float = 0.0  # number of points, >= 0
    mean_cosine: float = 0.0  # their mean cosine with the mean direction, in [0, 1]; 0 is the prior of movMF


class Run(NamedTuple):
    """The end of one start.

    Attributes:
        components: The parameters.
        statistics: Those of the last step, under `components`.
        objectives: One per step.
        converged: Whether the last step was small enough.
    """

    components: Components
    statistics: Statistics
    objectives: list[float]
    converged: bool


Step = Callable[[Directions, Components, np.ndarray], Statistics]


def soft_step(points: Directions, components: Components, sample_weight: np.ndarray) -> Statistics:
    """Shares every point out among the components by its posterior probabilities; the objective is the mean log density."""
    counts, resultants, total = _zeros(components)
    log_densities = components.log_densities(points)
    for rows in points.blocks(len(counts)):
        block, weight = points.block(rows), sample_weight[rows]
        densities, sums, log_density = log_densities.exponentials(block)
        in_block = block.moments(densities, weight / sums)
        counts += in_block[0]
        resultants += in_block[1]
        total += float(weight @ log_density)
    return Statistics(counts, resultants, total / sample_weight.sum())


def hard_step(
    points: Directions, components: Components, sample_weight: np.ndarray, relocate: bool = True
) -> Statistics:
    """Gives every point to the nearest mean direction; the objective is the mean cosine (spherical k-means).

    With `relocate`, a cluster without points takes the point that is farthest from its mean direction, as in scikit-learn's KMeans.
    """
    counts, resultants, total = _zeros(components)
    nearest, labels = np.empty(len(points)), np.empty(len(points), np.int32)
    directions = components.mean_directions.astype(points.dtype, copy=False)
    for rows in points.blocks(len(counts)):
        labels[rows], nearest[rows] = points.nearest(rows, directions)
        resultants += points.sums_by_label(rows, labels[rows], sample_weight[rows], len(counts))
    counts += np.bincount(labels, sample_weight, len(counts))
    total = float(sample_weight @ nearest)
    if relocate:
        _fill_empty_clusters(points, counts, resultants, sample_weight, nearest, labels)
    return Statistics(counts, resultants, total / sample_weight.sum(), (labels, nearest))


def maximize(statistics: Statistics, before: Components, tied: bool, prior: Prior, largest: float) -> Components:
    """The components of maximum likelihood, or of the largest posterior density under the prior.

    ```
    A(kappa_k) = (|s_k| + nu r) / (n_k + nu),    nu = prior.points, r = prior.mean_cosine
    ```

    A component without any weight keeps its mean direction at weight 0. Concentrations are at most `largest`: a component of equal
    points would ask for infinity.
    """
    counts, lengths = statistics.counts, np.linalg.norm(statistics.resultants, axis=1)
    dim = statistics.resultants.shape[1]
    imagined = prior.points * prior.mean_cosine
    if tied:
        # The likelihood of a common concentration: A(kappa) is the mean of all mean cosines.
        means = np.full(len(counts), (lengths.sum() + imagined) / (counts.sum() + prior.points))
        concentrations = np.full(len(counts), concentrations_of(means[:1], dim, largest)[0])
    else:
        total = counts + prior.points
        means = (lengths + imagined) / np.where(total > 0, total, 1)
        concentrations = np.where(counts > 0, concentrations_of(means, dim, largest), before.concentrations)
    return Components(counts / counts.sum(), mean_directions(statistics, before), concentrations)


def mean_directions(statistics: Statistics, before: Components) -> np.ndarray:
    """The directions of the resultants; those before where a component has no points, or they cancel out."""
    lengths = np.linalg.norm(statistics.resultants, axis=1)
    alive = (statistics.counts > 0) & (lengths > 0)
    scaled = statistics.resultants / np.where(alive, lengths, 1)[:, np.newaxis]
    return np.where(alive[:, np.newaxis], scaled, before.mean_directions)


def climb(
    points: Directions,
    components: Components,
    sample_weight: np.ndarray,
    *,
    hard: bool,
    update: Callable[[Statistics, Components], Components],
    max_iter: int,
    tol: float,
    report: Callable[[int, float], None] = lambda step, objective: None,
) -> Run:
    """Steps until the objective stands still: EM (soft) or spherical k-means (hard).

    `update` makes the new components from statistics and the components before; `report` is called after every step. `tol` is the
    change of the objective that ends the steps, for hard steps a fraction of its distance from 1.
    """
    step: Step = hard_step if hard else soft_step
    statistics = step(points, components, sample_weight)
    objectives: list[float] = []
    converged = False
    while len(objectives) < max_iter and not converged:
        components = update(statistics, components)
        before, statistics = statistics.objective, step(points, components, sample_weight)
        objectives.append(statistics.objective)
        report(len(objectives), statistics.objective)
        scale = max(1 - before, np.finfo(float).tiny) if hard else 1.0
        converged = bool(abs(statistics.objective - before) <= tol * scale)
    return Run(components, statistics, objectives, converged)


def spread_within(statistics: Statistics, total: np.ndarray) -> float:
    """Unbiased mean of `1 - cosine` within clusters, at most that of all points, whose weighted sum is `total`."""
    count = statistics.counts.sum()
    overall = max(1 - float(np.linalg.norm(total)) / count, 0.0)
    freedom = count - np.count_nonzero(statistics.counts)
    if freedom <= 0:
        return overall
    return min(max(count - np.linalg.norm(statistics.resultants, axis=1).sum(), 0.0) / freedom, overall)


def largest_concentration(dim: int, dtype: np.dtype) -> float:
    """The concentration beyond which the rounding errors of a mean of points hide its distance from the sphere.

    For points of one direction `1 - |mean|` is `(dim - 1) / (2 kappa)`. Below `_SMALLEST_SPREAD` it says nothing.
    """
    return (dim - 1) / (2 * _SMALLEST_SPREAD[np.dtype(dtype).name])


def concentrations_of(means: np.ndarray, dim: int, largest: float) -> np.ndarray:
    """The inverse of A, capped; a mean length may exceed 1 by a rounding error."""
    return np.minimum(arrays.inverse_mean_resultant_length(np.minimum(means, 1.0), dim), largest)


def _fill_empty_clusters(
    points: Directions,
    counts: np.ndarray,
    resultants: np.ndarray,
    sample_weight: np.ndarray,
    nearest: np.ndarray,
    labels: np.ndarray,
) -> None:
    """Moves the points that are farthest from their mean directions into the empty clusters, in place."""
    empty = np.flatnonzero(counts == 0)
    if not empty.size:
        return
    distance = np.where(sample_weight > 0, 1 - nearest, 0.0)
    # Equal points are as near as rounding allows: there is nothing to move.
    distance[distance <= 64 * np.finfo(points.dtype).eps] = 0
    farthest = np.argsort(-distance, kind="stable")[: empty.size]
    for cluster, row in zip(empty, farthest, strict=False):
        left = labels[row]
        if distance[row] > 0 and counts[left] > sample_weight[row]:
            point = sample_weight[row] * points.take([row])[0]
            resultants[left] -= point
            counts[left] -= sample_weight[row]
            resultants[cluster], counts[cluster] = point, sample_weight[row]


def _zeros(components: Components) -> tuple[np.ndarray, np.ndarray, float]:
    return np.zeros_like(components.weights), np.zeros_like(components.mean_directions), 0.0


_SHOWN = 5


def collapsed(points: Directions, components: Components) -> np.ndarray:
    """Whether each component has weight and the largest concentration, `(K,)` bools."""
    largest = largest_concentration(points.dim, points.dtype)
    return (components.weights > 0) & (components.concentrations >= largest)


def warn_of_collapse(points: Directions, components: Components, labels: np.ndarray, has_prior: bool) -> None:
    """Warns the caller of `fit` if components collapsed, by their numbers and those of the rows with their labels (-1: none)."""
    found = np.flatnonzero(collapsed(points, components))
    if not found.size:
        return
    names = ", ".join(map(str, found[:_SHOWN])) + (f" and {found.size - _SHOWN} more" if found.size > _SHOWN else "")
    remedy = "" if has_prior else "set concentration_prior='auto' or to a number of points, "
    warnings.warn(
        f"{'Component' if found.size == 1 else 'Components'} {names} collapsed to equal points, "
        f"{named_rows(np.flatnonzero(np.isin(labels, found)))}: the likelihood has no upper bound there, and bic, aic and icl of "
        f"this fit mean nothing. To mend it, {remedy}lower n_components or leave out repeated rows.",
        ConvergenceWarning,
        stacklevel=4,
    )
