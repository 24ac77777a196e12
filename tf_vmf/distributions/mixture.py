"""Mixtures of von Mises-Fisher distributions as a scikit-learn estimator."""

from __future__ import annotations

import numbers
import warnings
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from tf_vmf import math as vmf_math
from tf_vmf.distributions import expectation_maximization as em
from tf_vmf.distributions.maximum_likelihood import LARGEST_FITTED_CONCENTRATION
from tf_vmf.distributions.seeding import random_rows, spherical_k_means_plus_plus
from tf_vmf.distributions.unit_rows import unit_rows

_SEEDINGS = {"k-means++": spherical_k_means_plus_plus, "random": random_rows}
# How often a start is tried again whose components collapsed.
_RETRIES = 5


class _Start(NamedTuple):
    """What one start came to."""

    objective: float
    steps: int
    converged: bool
    components: em.Components


class VonMisesFisherMixture(DensityMixin, BaseEstimator):
    """Mixture of von Mises-Fisher distributions, fitted by expectation maximisation.

    ```
    p(x) = sum_k weights[k] vMF(x; mean_directions[k], concentrations[k])
    ```

    for unit vectors x in R^d, d >= 2: the counterpart on the sphere of `sklearn.mixture.GaussianMixture`, for texts as TF-IDF rows,
    embeddings, codes of a spherical latent layer. Concentrations are exact maximum-likelihood estimates in every dimension.
    Densities are with respect to the area of the sphere.

    Args:
        n_components: Number K of components.
        tied_concentration: Whether all components share one concentration.
        assignment: "soft" shares every point out among the components by its posterior probabilities (EM). "hard" gives it to the
            nearest mean direction (spherical k-means); weights and concentrations are those of the clusters found.
        n_init: Number of starts, of which the best is kept. A start in which a component shrinks to one point, where the likelihood
            has no upper bound, is tried again up to five times and counts as worse than any other.
        max_iter: Largest number of steps per start.
        tol: A start has converged when the mean log density (nats per point) grows by less in a step; for "hard", when the mean
            cosine distance to the nearest mean direction falls by less than this fraction.
        init: First mean directions: "k-means++" (rows far apart), "random" (random rows), or an array `(K, d)`. The first step
            takes equal weights and one concentration.
        normalize: Whether rows are scaled to unit length. If not, rows of another length are refused.
        random_state: Seed or `numpy.random.RandomState`, for starts and samples.

    Attributes:
        weights_: `(K,)`, with sum 1. A component that lost all points has weight 0.
        mean_directions_: `(K, d)`, unit rows.
        concentrations_: `(K,)`, at most 1e10, which a component of equal points (or of one point) reaches.
        n_iter_: Steps of the best start.
        converged_: Whether the best start converged.
        lower_bound_: Mean log density of the training points, nats (for "hard", the mean cosine).
        n_features_in_: d.

    Raises:
        ValueError: By `fit` and every method that takes X, for rows of zeros, with their numbers; for rows not of unit length with
            `normalize=False`; for parameters out of range.

    Example:
    ```python
    from sklearn.feature_extraction.text import TfidfVectorizer
    texts = ["the moon and a rocket", "a rocket to the moon", "bread and butter", "butter on bread"]
    X = TfidfVectorizer().fit_transform(texts)
    mixture = tf_vmf.VonMisesFisherMixture(2, random_state=0).fit(X)
    mixture.predict(X)
    ```

    References:
        A. Banerjee, I. Dhillon, J. Ghosh, S. Sra. Clustering on the Unit Hypersphere using von Mises-Fisher Distributions.
        JMLR 6, 2005.
        K. Hornik, B. Gruen. movMF: An R Package for Fitting Mixtures of von Mises-Fisher Distributions. JSS 58(10), 2014.
    """

    def __init__(
        self,
        n_components: int = 1,
        *,
        tied_concentration: bool = False,
        assignment: str = "soft",
        n_init: int = 1,
        max_iter: int = 100,
        tol: float = 1e-4,
        init: Any = "k-means++",
        normalize: bool = True,
        random_state: Any = None,
    ):
        self.n_components = n_components
        self.tied_concentration = tied_concentration
        self.assignment = assignment
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.init = init
        self.normalize = normalize
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> VonMisesFisherMixture:
        """Fits the mixture.

        Args:
            X: Array or scipy sparse matrix `(n, d)`, n >= K.
            y: Ignored.
            sample_weight: `(n,)`, >= 0; None weighs all rows alike. A weight of 2 counts as a row given twice.

        Returns:
            The estimator.
        """
        self._check_parameters()
        X = self._points(X, reset=True)
        if X.shape[0] < self.n_components:
            raise ValueError(
                f"Expected at least n_components={self.n_components} rows. Received: n_samples={X.shape[0]}. Lower n_components."
            )
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if not weight.sum() > 0:
            raise ValueError(
                "Argument `sample_weight` must not sum to zero. Expected a positive weight. Received: only zeros."
            )
        random_state = check_random_state(self.random_state)
        starts = 1 if self._has_given_start() else self.n_init
        best = max(
            (self._run_without_collapse(X, weight, random_state) for _ in range(starts)),
            key=lambda start: (not self._is_collapsed(start), start.objective),
        )
        self.lower_bound_, self.n_iter_, self.converged_ = best.objective, best.steps, best.converged
        self.weights_, self.mean_directions_, self.concentrations_ = best.components
        if not self.converged_:
            warnings.warn(
                f"The best of {self.n_init} starts did not converge in max_iter={self.max_iter} steps to tol={self.tol:g}. Raise "
                f"one of them.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> np.ndarray:
        """Fits the mixture and returns the component of every row."""
        return self.fit(X, sample_weight=sample_weight).predict(X)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable component of every row (for "hard", the one of the nearest mean direction), `(n,)` ints."""
        return np.argmax(self.predict_proba(X), axis=1)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Posterior probabilities of the components, `(n, K)`; rows sum to 1. For "hard" they are 0 and 1."""
        check_is_fitted(self)
        X = self._points(X)
        probabilities = np.empty((X.shape[0], len(self.weights_)))
        for block in em.blocks(X, len(self.weights_)):
            if self.assignment == "hard":
                labels = np.argmax(X[block] @ self.mean_directions_.T, axis=1)
                probabilities[block] = np.eye(len(self.weights_))[labels]
            else:
                probabilities[block] = self._components().log_prob(X[block])
                em.normalize_log(probabilities[block])
        return probabilities

    def score_samples(self, X: Any) -> np.ndarray:
        """Log density of every row, `(n,)`, nats, with respect to the area of the sphere."""
        check_is_fitted(self)
        X = self._points(X)
        return np.concatenate(
            [em.normalize_log(self._components().log_prob(X[block])) for block in em.blocks(X, len(self.weights_))]
        )

    def score(self, X: Any, y: Any = None) -> float:
        """Mean log density, nats per row."""
        return float(np.mean(self.score_samples(X)))

    def bic(self, X: Any) -> float:
        """Bayesian information criterion, `p log n - 2 log likelihood`; lower is better."""
        log_prob = self.score_samples(X)
        return float(self._num_parameters() * np.log(len(log_prob)) - 2 * log_prob.sum())

    def aic(self, X: Any) -> float:
        """Akaike's information criterion, `2 p - 2 log likelihood`; lower is better."""
        return float(2 * self._num_parameters() - 2 * self.score_samples(X).sum())

    def sample(self, n_samples: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Draws points.

        Args:
            n_samples: Number of points, at least 1.

        Returns:
            Array `(n_samples, d)` of unit rows, sorted by component, and the components, `(n_samples,)`.
        """
        check_is_fitted(self)
        if not isinstance(n_samples, numbers.Integral) or n_samples < 1:
            raise ValueError(
                f"Argument `n_samples` must be a positive int. Expected an int >= 1. Received: n_samples={n_samples!r}."
            )
        random_state = check_random_state(self.random_state)
        counts = random_state.multinomial(n_samples, self.weights_)
        seed = random_state.randint(np.iinfo(np.int32).max, size=2)
        labels = np.repeat(np.arange(len(counts)), counts)
        # One call for all components: a row of parameters per point.
        x = vmf_math.von_mises_fisher_sample(
            tf.constant(self.mean_directions_[labels]),
            tf.constant(self.concentrations_[labels]),
            tf.constant(seed, tf.int32),
        )
        return x.numpy(), labels

    def _run_without_collapse(self, X: Any, weight: np.ndarray, random_state: np.random.RandomState) -> _Start:
        """A start, tried again a few times if a component collapses."""
        start = self._run(X, weight, random_state)
        for _ in range(0 if self._has_given_start() else _RETRIES):
            if not self._is_collapsed(start):
                break
            start = self._run(X, weight, random_state)
        return start

    def _is_collapsed(self, start: _Start) -> bool:
        """Whether a component has shrunk to one point, where the likelihood has no upper bound and says nothing."""
        weights, _, concentrations = start.components
        at_cap = (weights > 0) & (concentrations >= LARGEST_FITTED_CONCENTRATION)
        return self.assignment == "soft" and bool(at_cap.any())

    def _run(self, X: Any, weight: np.ndarray, random_state: np.random.RandomState) -> _Start:
        hard = self.assignment == "hard"
        components = self._start(X, weight, random_state)
        step = em.hard_step if hard else em.soft_step
        statistics = step(X, components, weight)
        converged, steps = False, 0
        while steps < self.max_iter and not converged:
            steps += 1
            components = em.maximize(statistics, components, self.tied_concentration)
            before, statistics = statistics.objective, step(X, components, weight)
            scale = max(1 - before, np.finfo(float).tiny) if hard else 1.0
            converged = bool(abs(statistics.objective - before) <= self.tol * scale)
        if hard:
            # Weights and concentrations of the clusters that the final mean directions define.
            components = em.maximize(statistics, components, self.tied_concentration)._replace(
                mean_directions=components.mean_directions
            )
        return _Start(statistics.objective, steps, converged, components)

    def _start(self, X: Any, weight: np.ndarray, random_state: np.random.RandomState) -> em.Components:
        """The clusters around the first mean directions, with equal weights and one concentration."""
        count = self.n_components
        if self._has_given_start():
            directions = np.asarray(self.init, dtype=np.float64)
            if directions.shape != (count, X.shape[1]) or not np.isfinite(directions).all():
                raise ValueError(
                    f"Argument `init` must hold a finite mean direction for every component. Expected shape "
                    f"({count}, {X.shape[1]}). Received: shape {directions.shape}."
                )
            directions = unit_rows(directions, normalize=True)
        else:
            directions = _SEEDINGS[self.init](X, count, weight, random_state)
        equal = np.full(count, 1 / count)
        seeds = em.Components(equal, directions, np.ones(count))
        clusters = em.maximize(em.hard_step(X, seeds, weight), seeds, tied=True)
        return clusters._replace(weights=equal)

    def _points(self, X: Any, reset: bool = False) -> Any:
        # Another number of features than in `fit` is an error in itself.
        least = 2 if reset else 1
        X = validate_data(self, X, reset=reset, accept_sparse="csr", dtype=np.float64, ensure_min_features=least)
        return unit_rows(X, self.normalize)

    def _components(self) -> em.Components:
        return em.Components(self.weights_, self.mean_directions_, self.concentrations_)

    def _num_parameters(self) -> int:
        """Free parameters: d - 1 per direction, the concentrations, K - 1 weights."""
        count, dim = self.mean_directions_.shape
        return count * (dim - 1) + (1 if self.tied_concentration else count) + count - 1

    def _has_given_start(self) -> bool:
        return not isinstance(self.init, str)

    def _check_parameters(self) -> None:
        for name in ("n_components", "n_init", "max_iter"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
                raise ValueError(
                    f"Argument `{name}` must be a positive int. Expected an int >= 1. Received: {name}={value!r}."
                )
        if isinstance(self.tol, bool) or not isinstance(self.tol, numbers.Real) or not self.tol >= 0:
            raise ValueError(
                f"Argument `tol` must not be negative. Expected a number >= 0. Received: tol={self.tol!r}."
            )
        if self.assignment not in ("soft", "hard"):
            raise ValueError(
                f"Argument `assignment` must be 'soft' or 'hard'. Received: assignment={self.assignment!r}."
            )
        if isinstance(self.init, str) and self.init not in _SEEDINGS:
            raise ValueError(
                f"Argument `init` must be one of {', '.join(map(repr, _SEEDINGS))}, or an array of mean directions. Received: "
                f"init={self.init!r}."
            )
