"""The parts that estimators on the unit sphere share: checks of rows and weights, and starts."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import _check_sample_weight, validate_data

from tf_vmf._errors import ArgumentError
from tf_vmf.distributions import expectation_maximization as em
from tf_vmf.distributions.directions import Directions, unit_vectors


def spherical_k_means_plus_plus(
    points: Directions, count: int, sample_weight: np.ndarray, random_state: np.random.RandomState
) -> np.ndarray:
    """Picks points `(count, d)` that lie far from each other, by the cosine distance `1 - x.y = ||x - y||^2 / 2`.

    Each next point is drawn with probability proportional to its distance from the nearest one picked so far, several times, of
    which the draw that lowers the sum of distances most is kept (greedy k-means++; Endo and Miyamoto, MDAI 2015).
    """
    trials = 2 + int(np.log(count))
    picked = [points.take(_draw(sample_weight, 1, random_state))]
    distance = _distances(points, picked[0])[:, 0]
    for _ in range(1, count):
        candidates = points.take(_draw(sample_weight * distance, trials, random_state, sample_weight))
        nearest = np.minimum(distance[:, np.newaxis], _distances(points, candidates))
        best = int(np.argmin(sample_weight @ nearest))
        picked.append(candidates[best : best + 1])
        distance = nearest[:, best]
    return np.concatenate(picked)


def random_rows(
    points: Directions, count: int, sample_weight: np.ndarray, random_state: np.random.RandomState
) -> np.ndarray:
    """Picks different points of positive weight at random, `(count, d)`."""
    candidates = np.flatnonzero(sample_weight > 0)
    return points.take(random_state.choice(candidates, count, replace=len(candidates) < count))


def _distances(points: Directions, directions: np.ndarray) -> np.ndarray:
    distances = np.empty((len(points), len(directions)))
    for rows in points.blocks(len(directions)):
        distances[rows] = 1 - points.cosines(rows, directions)
    return np.maximum(distances, 0, out=distances)


def _draw(
    weights: np.ndarray, count: int, random_state: np.random.RandomState, fallback: np.ndarray | None = None
) -> np.ndarray:
    """Indices with probabilities proportional to the weights; to the fallback where all are zero, as for equal points."""
    cumulative = np.cumsum(weights / max(weights.max(), np.finfo(float).tiny))
    if not cumulative[-1] > 0 and fallback is not None:
        return _draw(fallback, count, random_state)
    drawn = np.searchsorted(cumulative, random_state.uniform(size=count) * cumulative[-1], side="right")
    return np.minimum(drawn, len(weights) - 1)


_SEEDINGS = {"k-means++": spherical_k_means_plus_plus, "random": random_rows}
SEEDINGS = tuple(_SEEDINGS)
# The largest weight is brought into this range: squares of sums of weights must neither under- nor overflow.
_WEIGHTS = (1e-100, 1e100)


class Number(Interval):
    """An interval of numbers, without bools, which scikit-learn takes for 0 and 1."""

    def is_satisfied_by(self, val: Any) -> bool:
        """Whether the value is a number of the interval."""
        return not isinstance(val, bool | np.bool_) and super().is_satisfied_by(val)


def at_least(kind: type, minimum: float) -> Number:
    """The constraint of a parameter that is a number of this kind, >= minimum."""
    return Number(kind, minimum, None, closed="left")


class SphereEstimator(BaseEstimator):
    """Base of estimators of points on the unit sphere.

    Subclasses have the parameters `init`, `n_init`, `zero_rows` and `verbose`.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _points(self, X: Any, *, reset: bool = False, weight: np.ndarray | None = None) -> Directions:
        """The rows of X, checked, as points. Another number of features than in `fit` is an error in itself."""
        X = self._rows(X, reset=reset)
        return self._directions(X, weight)

    def _weighted_points(self, X: Any, sample_weight: Any, *, reset: bool) -> tuple[Directions, np.ndarray]:
        """The rows of X as points, and their weights, 0 for points without a direction."""
        X = self._rows(X, reset=reset)
        owner = type(self).__name__
        if sample_weight is not None and not np.any(np.asarray(sample_weight)):
            raise ArgumentError("sample_weight", "a positive weight", "only zeros", owner=owner)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if not _WEIGHTS[0] <= weight.max() <= _WEIGHTS[1]:
            weight = weight / weight.max() * np.clip(weight.max(), *_WEIGHTS)
        points = self._directions(X, weight)
        weight = np.where(points.has_direction, weight, 0.0)
        if not weight.any():
            raise ArgumentError("X", "a row with a direction, at least one element other than 0", "zeros", owner=owner)
        return points, weight

    def _rows(self, X: Any, *, reset: bool) -> Any:
        if np.ma.is_masked(X):
            X = np.ma.filled(X.astype(np.float64), np.nan)  # missing, not what lies under the mask
        return validate_data(
            self,
            X,
            reset=reset,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            ensure_all_finite=False,  # by Directions, with the numbers of the rows
            ensure_min_features=2 if reset else 1,
        )

    def _directions(self, X: Any, weight: np.ndarray | None) -> Directions:
        options = {"owner": type(self).__name__, "zero_rows": self.zero_rows, "weight": weight}
        return Directions(X, normalize=getattr(self, "normalize", True), **options)

    def _check_enough_rows(self, points: Directions, name: str, count: int) -> None:
        if len(points) < count:
            raise ArgumentError(
                name,
                f"at most the number of rows, n_samples={len(points)}",
                str(count),
                owner=type(self).__name__,
            )

    def _check_goes_on(self, name: str, found: int) -> None:
        """Refuses to go on from a fit with another number of clusters than the parameter asks for."""
        if getattr(self, name) != found:
            expected, received = f"{found}, the number of the fit to go on from", str(getattr(self, name))
            raise ArgumentError(name, expected, received, "Fit a clone of the estimator.", owner=type(self).__name__)

    def _number_of_starts(self, n_init: int) -> int:
        """`n_init`, but 1 for a start that is given, with a warning where more were asked for."""
        if isinstance(self.init, str) or callable(self.init):
            return n_init
        if n_init > 1:
            warnings.warn(
                f"Argument `init` of {type(self).__name__} gives the start: one is run instead of n_init={n_init}.",
                RuntimeWarning,
                stacklevel=3,
            )
        return 1

    def _start(
        self, points: Directions, weight: np.ndarray, count: int, random_state: np.random.RandomState
    ) -> tuple[em.Statistics, em.Components]:
        """The clusters of a start, and components with its mean directions: statistics of the points in each."""
        init = self.init
        equal = np.full(count, 1 / count)
        if isinstance(init, str):
            directions = _SEEDINGS[init](points, count, weight, random_state)
        else:
            if callable(init):
                init = init(points.X, count, random_state=random_state)
            given = init.toarray() if scipy.sparse.issparse(init) else np.asarray(init)
            if given.shape != (count, points.dim):
                return self._shared_out(points, weight, count, given), em.Components(
                    equal, np.eye(count, points.dim), equal
                )
            try:
                given = given.astype(np.float64)
            except (TypeError, ValueError) as error:
                raise ArgumentError("init", "numbers", repr(init), owner=type(self).__name__) from error
            directions = unit_vectors(given, "init", type(self).__name__)
        seeds = em.Components(equal, directions, np.ones(count))
        return em.hard_step(points, seeds, weight), seeds

    def _shared_out(self, points: Directions, weight: np.ndarray, count: int, given: np.ndarray) -> em.Statistics:
        """Statistics of a start that is given as labels `(n,)`, -1 for none, or as posterior probabilities `(n, K)`."""
        is_labels = given.shape == (len(points),) and np.issubdtype(given.dtype, np.integer)
        is_labels = is_labels and given.min() >= -1 and given.max() < count
        is_posterior = given.shape == (len(points), count) and given.dtype.kind in "fiu"
        is_posterior = is_posterior and bool(np.isfinite(given).all()) and bool((given >= 0).all())
        if not (is_labels or is_posterior):
            raise ArgumentError(
                "init",
                f"{', '.join(map(repr, SEEDINGS))}, a callable, finite mean directions of shape ({count}, {points.dim}), integer "
                f"labels from 0 to {count - 1} (-1: none) of shape ({len(points)},), or probabilities of shape "
                f"({len(points)}, {count})",
                f"an array of shape {given.shape} and dtype {given.dtype}",
                owner=type(self).__name__,
            )
        counts, resultants = np.zeros(count), np.zeros((count, points.dim))
        for rows in points.blocks(count):
            share = given[rows, np.newaxis] == np.arange(count) if is_labels else given[rows]
            in_block = points.block(rows).moments(share.astype(points.dtype), weight[rows])
            counts += in_block[0]
            resultants += in_block[1]
        empty = np.flatnonzero(~(counts > 0))
        if empty.size:
            raise ArgumentError(
                "init",
                f"rows of positive weight for each of the {count} components",
                f"none for {', '.join(map(str, empty[:5]))}",
                owner=type(self).__name__,
            )
        return em.Statistics(counts, resultants, np.nan)

    def _report(self, start: int, starts: int) -> Any:
        """A function that prints steps, as `verbose` asks for."""

        def report(step: int, objective: float) -> None:
            if self.verbose > 1:
                print(f"Start {start + 1} of {starts}, step {step}: {objective:.9g}", flush=True)

        return report

    def _report_end(self, start: int, starts: int, run: em.Run) -> None:
        if self.verbose:
            end = "converged" if run.converged else "did not converge"
            steps, objective = len(run.objectives), run.objectives[-1]
            print(f"Start {start + 1} of {starts} {end} in {steps} steps: {objective:.9g}", flush=True)
