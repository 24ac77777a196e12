"""Spherical k-means as a scikit-learn estimator."""

from __future__ import annotations

import numbers
import warnings
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from tf_vmf.distributions import expectation_maximization as em
from tf_vmf.distributions.directions import Directions
from tf_vmf.distributions.sphere_estimator import SEEDINGS, SphereEstimator, at_least


class SphericalKMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, SphereEstimator):
    """K-means for directions: clusters of rows by the cosine with unit centers, in the names of scikit-learn's `KMeans`.

    ```
    maximize sum_i weight_i x_i . c_(label_i)   over labels and unit vectors c_k,    x_i = row_i / |row_i|
    ```

    which is k-means of the rows on the unit sphere with centers that stay on it (Dhillon and Modha, 2001), for texts as TF-IDF rows
    and embeddings. Rows are scaled to unit length as they are read: X is used as it is, dense or sparse, float32 or float64,
    without a copy. It is `VonMisesFisherMixture(assignment="hard")` without weights and concentrations, by the same code.

    Args:
        n_clusters: Number of clusters.
        init: "k-means++" (rows far apart), "random" (random rows), centers `(n_clusters, d)`, integer labels `(n,)`, or a callable
            `init(X, n_clusters, random_state=)` that returns one of the arrays.
        n_init: Number of starts, of which the best is kept; "auto": 1 for "k-means++" and arrays, 10 for others, as in `KMeans`.
        max_iter: Largest number of steps per start; with `batch_size`, of passes over X.
        tol: A start has converged when the mean cosine distance to the nearest center changes by less than this fraction.
        batch_size: None: every step is over all rows. A number: `fit` steps through random batches of as many rows.
        zero_rows: "uniform": rows of zeros have no weight in `fit`, the same distance from all centers, and belong to the largest
            cluster. "error" refuses them.
        verbose: 1 prints a line per start, 2 one per step.
        random_state: Seed or `numpy.random.RandomState`.

    Attributes:
        cluster_centers_: `(n_clusters, d)`, unit rows, in the dtype of X.
        labels_: The cluster of every row, `(n,)`; after `partial_fit` of the rows of the batch.
        inertia_: Weighted sum of squared distances of the rows, scaled to unit length, to their centers: 2 (1 - cosine) per row.
        n_iter_: Steps of the best start; with batches, passes over X.
        n_steps_: Number of batches taken, where there are batches.
        n_features_in_: d.

    Raises:
        ValueError: By `fit` and every method that takes X, for rows with NaN (and, if asked for, of zeros), with their numbers; for
            parameters out of range.

    Warns:
        ConvergenceWarning: The best start did not converge, or there are fewer distinct rows than clusters.

    Example:
    ```python
    from sklearn.feature_extraction.text import TfidfVectorizer
    texts = ["the moon and a rocket", "a rocket to the moon", "bread and butter", "butter on bread"]
    X = TfidfVectorizer().fit_transform(texts)
    kmeans = tf_vmf.SphericalKMeans(2, random_state=0).fit(X)
    kmeans.labels_, kmeans.inertia_
    ```

    References:
        I. Dhillon, D. Modha. Concept Decompositions for Large Sparse Text Data Using Clustering. Machine Learning 42, 2001.
        D. Sculley. Web-Scale K-Means Clustering. WWW 2010 (batches).
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_clusters": [at_least(numbers.Integral, 1)],
        "init": [StrOptions(set(SEEDINGS)), callable, "array-like", "sparse matrix"],
        "n_init": [StrOptions({"auto"}), at_least(numbers.Integral, 1)],
        "max_iter": [at_least(numbers.Integral, 1)],
        "tol": [at_least(numbers.Real, 0)],
        "batch_size": [None, at_least(numbers.Integral, 1)],
        "zero_rows": [StrOptions({"error", "uniform"})],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: str | int = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        batch_size: int | None = None,
        zero_rows: str = "uniform",
        verbose: int = 0,
        random_state: Any = None,
    ):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.batch_size = batch_size
        self.zero_rows = zero_rows
        self.verbose = verbose
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> SphericalKMeans:
        """Finds the clusters.

        Args:
            X: Array or scipy sparse matrix `(n, d)`, n >= n_clusters.
            y: Ignored.
            sample_weight: `(n,)`, >= 0; rows of weight 0 may hold anything.

        Returns:
            The estimator.
        """
        points, weight = self._weighted_points(X, sample_weight, reset=True)
        self._check_enough_rows(points, "n_clusters", self.n_clusters)
        random_state = check_random_state(self.random_state)
        starts = self._number_of_starts(self._asked_starts())
        runs = []
        for number in range(starts):
            components = self._first(points, weight, random_state)
            if self.batch_size is None:
                run = self._climb(points, components, weight, self._report(number, starts))
            else:
                run = self._step_through_batches(points, components, weight, random_state, int(self.batch_size))
            runs.append(run)
            self._report_end(number, starts, run)
        best = max(runs, key=lambda run: run.statistics.objective)
        self._keep(points, weight, best)
        self.n_iter_ = len(best.objectives)
        self._counts = best.statistics.counts
        self.n_steps_ = self.n_iter_ * (1 if self.batch_size is None else -(-len(points) // self.batch_size))
        if not best.converged:
            warnings.warn(
                f"The fit did not converge in max_iter={self.max_iter} steps to tol={self.tol:g}. Raise one of them.",
                ConvergenceWarning,
                stacklevel=2,
            )
        found = np.count_nonzero(np.bincount(self.labels_[weight > 0], minlength=self.n_clusters))
        if found < self.n_clusters:
            warnings.warn(
                f"Number of distinct clusters ({found}) found smaller than n_clusters ({self.n_clusters}). Possibly due to "
                "duplicate rows in X.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> SphericalKMeans:
        """Moves the centers by one more batch: each is the direction of the mean of all points that it was given so far.

        The first batch, of at least n_clusters rows, gives the start, unless the estimator is fitted.

        Args:
            X: Array or scipy sparse matrix `(n, d)`.
            y: Ignored.
            sample_weight: `(n,)`, >= 0.

        Returns:
            The estimator.
        """
        is_first = not hasattr(self, "cluster_centers_")
        if not is_first:
            self._check_goes_on("n_clusters", len(self.cluster_centers_))
        points, weight = self._weighted_points(X, sample_weight, reset=is_first)
        if is_first:
            self._check_enough_rows(points, "n_clusters", self.n_clusters)
            components = self._first(points, weight, check_random_state(self.random_state))
            self._counts, self.n_steps_, self.n_iter_ = np.zeros(self.n_clusters), 0, 0
        else:
            components = self._components(self.cluster_centers_)
        components, self._counts = self._batch_step(points, components, weight, self._counts)
        self.n_steps_ += 1
        self.n_iter_ += 1
        statistics = em.hard_step(points, components, weight, relocate=False)
        self._keep(points, weight, em.Run(components, statistics, [statistics.objective], True))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The cluster of the nearest center of every row, `(n,)` ints."""
        check_is_fitted(self)
        return self._nearest(self._points(X))[0]

    def transform(self, X: Any) -> np.ndarray:
        """Euclidean distances of the rows, scaled to unit length, to the centers: `(n, n_clusters)`."""
        check_is_fitted(self)
        points = self._points(X)
        distances = np.empty((len(points), len(self.cluster_centers_)), points.X.dtype)
        for rows in points.blocks(len(self.cluster_centers_)):
            cosines = points.cosines(rows, self.cluster_centers_)
            distances[rows] = np.sqrt(np.maximum(2 - 2 * cosines, 0))
        return distances

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> np.ndarray:
        """Finds the clusters and returns the distances to their centers, as `fit(X).transform(X)`."""
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> np.ndarray:
        """Finds the clusters and returns that of every row, `labels_`."""
        return self.fit(X, sample_weight=sample_weight).labels_

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Minus the inertia of X: minus the weighted sum of squared distances to the nearest centers."""
        check_is_fitted(self)
        points, weight = self._weighted_points(X, sample_weight, reset=False)
        return -self._inertia(weight, self._nearest(points)[1])

    @property
    def _n_features_out(self) -> int:
        return len(self.cluster_centers_)

    def _asked_starts(self) -> int:
        if self.n_init != "auto":
            return int(self.n_init)
        return 10 if callable(self.init) or (isinstance(self.init, str) and self.init == "random") else 1

    def _first(self, points: Directions, weight: np.ndarray, random_state: np.random.RandomState) -> em.Components:
        clusters, seeds = self._start(points, weight, self.n_clusters, random_state)
        return self._update(clusters, seeds)

    def _climb(self, points: Directions, components: em.Components, weight: np.ndarray, report: Any) -> em.Run:
        options = {"max_iter": self.max_iter, "tol": self.tol, "report": report}
        return em.climb(points, components, weight, hard=True, update=self._update, **options)

    def _step_through_batches(
        self,
        points: Directions,
        components: em.Components,
        weight: np.ndarray,
        random_state: np.random.RandomState,
        batch_size: int,
    ) -> em.Run:
        """Passes over the rows in random batches, until the mean cosine distance of a pass stands still."""
        counts = np.zeros(self.n_clusters)
        objectives: list[float] = []
        converged = False
        while len(objectives) < self.max_iter and not converged:
            order = random_state.permutation(len(points))
            for start in range(0, len(points), batch_size):
                chosen = order[start : start + batch_size]
                if weight[chosen].any():
                    components, counts = self._batch_step(points.subset(chosen), components, weight[chosen], counts)
            statistics = em.hard_step(points, components, weight)
            objectives.append(statistics.objective)
            if len(objectives) > 1:
                scale = max(1 - objectives[-2], np.finfo(float).tiny)
                converged = bool(abs(objectives[-1] - objectives[-2]) <= self.tol * scale)
        return em.Run(components, statistics._replace(counts=counts), objectives, converged)

    def _batch_step(
        self, points: Directions, components: em.Components, weight: np.ndarray, counts: np.ndarray
    ) -> tuple[em.Components, np.ndarray]:
        """The centers and their counts after a batch; a center stands for `counts` points of its direction."""
        batch = em.hard_step(points, components, weight, relocate=False)
        old = counts[:, np.newaxis] * components.mean_directions
        mixed = batch._replace(counts=counts + batch.counts, resultants=old + batch.resultants)
        return self._update(mixed, components), mixed.counts

    @staticmethod
    def _update(statistics: em.Statistics, before: em.Components) -> em.Components:
        return before._replace(mean_directions=em.mean_directions(statistics, before))

    @staticmethod
    def _components(centers: np.ndarray) -> em.Components:
        equal = np.full(len(centers), 1 / len(centers))
        return em.Components(equal, centers.astype(np.float64), equal)

    def _keep(self, points: Directions, weight: np.ndarray, run: em.Run) -> None:
        assert run.statistics.nearest is not None  # of a hard step
        labels, cosines = run.statistics.nearest
        self.cluster_centers_ = run.components.mean_directions.astype(points.X.dtype)
        self._largest_cluster = int(np.argmax(np.bincount(labels, weight, self.n_clusters)))
        self.labels_ = np.where(points.has_direction, labels, self._largest_cluster).astype(np.int32)
        self.inertia_ = self._inertia(weight, cosines)

    def _nearest(self, points: Directions) -> tuple[np.ndarray, np.ndarray]:
        """The nearest center of every row and the cosine with it."""
        labels, cosines = np.empty(len(points), np.int32), np.empty(len(points))
        centers = self.cluster_centers_.astype(points.dtype, copy=False)
        for rows in points.blocks(len(centers)):
            labels[rows], cosines[rows] = points.nearest(rows, centers)
        labels[~points.has_direction] = self._largest_cluster
        return labels, cosines

    @staticmethod
    def _inertia(weight: np.ndarray, cosines: np.ndarray) -> float:
        return float(weight @ np.maximum(2 - 2 * cosines, 0))
