"""Mixtures of von Mises-Fisher distributions as a scikit-learn estimator."""

from __future__ import annotations

import numbers
import warnings
from typing import Any, ClassVar

import numpy as np
from sklearn.base import DensityMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from tf_vmf._errors import ArgumentError
from tf_vmf.distributions import expectation_maximization as em
from tf_vmf.distributions.directions import Directions
from tf_vmf.distributions.expectation_maximization import collapsed, warn_of_collapse
from tf_vmf.distributions.sphere_estimator import SEEDINGS, SphereEstimator, at_least
from tf_vmf.math.arrays import log_sphere_area

# Imagined points of the prior "auto". On the household expenditures of Hornik and Gruen (2014) BIC is lowest for their three
# components with any number from .01 to .3.
_AUTO_PRIOR = 0.1
# Online EM (Cappe and Moulines, 2009): batch t counts t^-0.6 of all.
_FORGETTING = 0.6


class VonMisesFisherMixture(DensityMixin, SphereEstimator):
    """Mixture of von Mises-Fisher distributions, fitted by expectation maximization.

    ```
    p(x) = sum_k weights[k] vMF(x; mean_directions[k], concentrations[k])
    ```

    for unit vectors x in R^d, d >= 2: the counterpart on the sphere of `sklearn.mixture.GaussianMixture`, for texts as TF-IDF rows,
    embeddings, codes of a spherical latent layer. Densities are with respect to the area of the sphere.

    The likelihood of a mixture has no upper bound: a component that shrinks to one point, or to equal ones, has an infinite density
    there. So `concentration_prior` adds nu imagined points to every component, with mean cosine r:

    ```
    A(kappa_k) = (|s_k| + nu r) / (n_k + nu)
    ```

    where s_k is the weighted sum and n_k the weight of the component's points, and A the mean resultant length. A number nu is the
    prior of R's movMF, r = 0. "auto" takes nu = 0.1 points that are as spread as the clusters of the start are within (1 - r is
    their unbiased mean cosine distance): it scales with the data, leaves a single component at the maximum of the likelihood, and
    changes a component of n points by a fraction of about 0.1 / n. 0 is maximum likelihood.

    | data | assignment | tied_concentration |
    | :--- | :--- | :--- |
    | few dimensions (up to about 20), clusters of unlike spread, densities wanted | "soft" | False |
    | text as TF-IDF rows, embeddings: hundreds of dimensions | "soft" | True |
    | many clusters, speed, or labels alone | "hard" (or `SphericalKMeans`) | False |

    In hundreds of dimensions a concentration of its own lets the components that hold unlike points take in everything.

    Args:
        n_components: Number K of components.
        tied_concentration: Whether all components share one concentration.
        concentration_prior: "auto", or nu >= 0, in points: a weight of 2 counts as two.
        assignment: "soft" shares every point out among the components by its posterior probabilities (EM). "hard" gives it to the
            nearest mean direction (spherical k-means); weights and concentrations are those of the clusters found.
        n_init: Number of starts, of which the best is kept: those without a collapsed component before others.
        max_iter: Largest number of steps per start.
        tol: A start has converged when the mean log density (nats per point) changes by less in a step; for "hard", when the mean
            cosine distance to the nearest mean direction changes by less than this fraction.
        init: The start: "k-means++" (rows far apart), "random" (random rows), mean directions `(K, d)`, integer labels `(n,)` (-1
            for none), posterior probabilities `(n, K)`, or a callable `init(X, K, random_state=)` that returns one of the arrays.
            The first step takes one concentration, and equal weights where the start has only mean directions.
        normalize: Whether rows are scaled to unit length. If not, rows of another length are refused.
        zero_rows: "error" refuses rows of zeros, such as texts without a known word. "uniform": they have no weight in `fit`, their
            posterior probabilities are `weights_`, and their density is that of the uniform distribution.
        warm_start: Whether `fit` goes on from the last fit.
        verbose: 1 prints a line per start, 2 one per step.
        random_state: Seed or `numpy.random.RandomState`, for starts and samples.

    Attributes:
        weights_: `(K,)`, with sum 1. A component that lost all points has weight 0.
        mean_directions_: `(K, d)`, unit rows, float64.
        concentrations_: `(K,)`, at most `(d - 1) 2^41` where products are in float64 (d up to 64, or X in float64), else
            `(d - 1) 2^16`.
        labels_: The component of every row of the last fit, `(n,)`; -1 for rows of weight 0 that hold no direction.
        n_iter_: Steps of the best start.
        converged_: Whether the best start converged.
        lower_bound_: Mean log density of the training points, nats (for "hard", the mean cosine).
        lower_bounds_: That after every step of the best start. Without a prior no step lowers it.
        n_features_in_: d.

    Raises:
        ValueError: By `fit` and every method that takes X, for rows of zeros or with NaN, with their numbers; for rows not of unit
            length with `normalize=False`; for parameters out of range.

    Warns:
        ConvergenceWarning: A start did not converge, or components collapsed: the message has their numbers and rows.

    Example:
    ```python
    from sklearn.feature_extraction.text import TfidfVectorizer
    texts = ["the moon and a rocket", "a rocket to the moon", "bread and butter", "butter on bread"]
    X = TfidfVectorizer().fit_transform(texts)
    mixture = tf_vmf.VonMisesFisherMixture(2, tied_concentration=True, random_state=0).fit(X)
    mixture.labels_
    ```

    References:
        A. Banerjee, I. Dhillon, J. Ghosh, S. Sra. Clustering on the Unit Hypersphere using von Mises-Fisher Distributions.
        JMLR 6, 2005.
        K. Hornik, B. Gruen. movMF: An R Package for Fitting Mixtures of von Mises-Fisher Distributions. JSS 58(10), 2014.
        C. Fraley, A. Raftery. Bayesian Regularization for Normal Mixture Estimation and Model-Based Clustering. Journal of
        Classification 24, 2007.
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [at_least(numbers.Integral, 1)],
        "tied_concentration": ["boolean"],
        "concentration_prior": [StrOptions({"auto"}), at_least(numbers.Real, 0)],
        "assignment": [StrOptions({"soft", "hard"})],
        "n_init": [at_least(numbers.Integral, 1)],
        "max_iter": [at_least(numbers.Integral, 1)],
        "tol": [at_least(numbers.Real, 0)],
        "init": [StrOptions(set(SEEDINGS)), callable, "array-like", "sparse matrix"],
        "normalize": ["boolean"],
        "zero_rows": [StrOptions({"error", "uniform"})],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int = 1,
        *,
        tied_concentration: bool = False,
        concentration_prior: str | float = "auto",
        assignment: str = "soft",
        n_init: int = 1,
        max_iter: int = 100,
        tol: float = 1e-4,
        init: Any = "k-means++",
        normalize: bool = True,
        zero_rows: str = "error",
        warm_start: bool = False,
        verbose: int = 0,
        random_state: Any = None,
    ):
        self.n_components = n_components
        self.tied_concentration = tied_concentration
        self.concentration_prior = concentration_prior
        self.assignment = assignment
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.init = init
        self.normalize = normalize
        self.zero_rows = zero_rows
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> VonMisesFisherMixture:
        """Fits the mixture.

        Args:
            X: Array or scipy sparse matrix `(n, d)`, n >= K; float32 and float64 are used as they are.
            y: Ignored.
            sample_weight: `(n,)`, >= 0; None weighs all rows alike. A weight of 2 counts as a row given twice; rows of weight 0 may
                hold anything.

        Returns:
            The estimator.
        """
        goes_on = self.warm_start and hasattr(self, "weights_")
        if goes_on:
            self._check_goes_on("n_components", len(self.weights_))
        points, weight = self._weighted_points(X, sample_weight, reset=not goes_on)
        self._check_enough_rows(points, "n_components", self.n_components)
        random_state = check_random_state(self.random_state)
        starts = 1 if goes_on else self._number_of_starts(self.n_init)
        runs = []
        for number in range(starts):
            components = self._components() if goes_on else self._first(points, weight, random_state)
            runs.append(self._climb(points, components, weight, self._report(number, starts)))
            self._report_end(number, starts, runs[-1])
        best = max(runs, key=lambda run: (not collapsed(points, run.components).any(), run.statistics.objective))
        self._keep(points, weight, best)
        self.n_iter_, self.lower_bounds_, self.converged_ = len(best.objectives), best.objectives, best.converged
        self._seen, self._batches = float(weight.sum()), 1
        if not self.converged_:
            end = f"did not converge in max_iter={self.max_iter} steps to tol={self.tol:g}. Raise one of them."
            warnings.warn(f"The best of {starts} start(s) {end}", ConvergenceWarning, stacklevel=2)
        warn_of_collapse(
            points, self._components(), np.where(weight > 0, self.labels_, -1), bool(self.concentration_prior)
        )
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> VonMisesFisherMixture:
        """Takes one more batch into account by a step of online EM.

        The first batch, of at least K rows, is fitted as by `fit`, unless the estimator is fitted. The t-th counts t^-0.6 of all
        that was seen, so that the batches of long ago are forgotten (Cappe and Moulines, JRSS B 71, 2009). `labels_` and
        `lower_bound_` are those of the batch.

        Args:
            X: Array or scipy sparse matrix `(n, d)`.
            y: Ignored.
            sample_weight: `(n,)`, >= 0.

        Returns:
            The estimator.
        """
        if not hasattr(self, "weights_"):
            return self.fit(X, sample_weight=sample_weight)
        self._check_goes_on("n_components", len(self.weights_))
        points, weight = self._weighted_points(X, sample_weight, reset=False)
        step = em.hard_step if self.assignment == "hard" else em.soft_step
        batch = step(points, self._components(), weight)
        self._seen, self._batches = self._seen + weight.sum(), self._batches + 1
        share = self._batches**-_FORGETTING
        old = self._statistics
        # As sums over all points that were seen, which the prior is weighed against.
        scale_old, scale_new = (1 - share) * self._seen / old.counts.sum(), share * self._seen / weight.sum()
        mixed = em.Statistics(
            scale_old * old.counts + scale_new * batch.counts,
            scale_old * old.resultants + scale_new * batch.resultants,
            batch.objective,
        )
        components = self._update(points)(mixed, self._components())
        self.n_iter_ += 1
        self.lower_bounds_ = [*self.lower_bounds_, batch.objective]
        self._keep(points, weight, em.Run(components, mixed, self.lower_bounds_, True))
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> np.ndarray:
        """Fits the mixture and returns the component of every row, `labels_`."""
        return self.fit(X, sample_weight=sample_weight).labels_

    def predict(self, X: Any) -> np.ndarray:
        """The most probable component of every row (for "hard", the one of the nearest mean direction), `(n,)` ints."""
        check_is_fitted(self)
        return self._labels(self._points(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Posterior probabilities of the components, `(n, K)`; rows sum to 1. For "hard" they are 0 and 1."""
        check_is_fitted(self)
        points = self._points(X)
        count, log_densities = len(self.weights_), self._components().log_densities(points)
        probabilities = np.empty((len(points), count), points.X.dtype)
        for rows in points.blocks(count):
            if self.assignment == "hard":
                nearest, _ = points.nearest(rows, self.mean_directions_)
                probabilities[rows] = nearest[:, np.newaxis] == np.arange(count)
            else:
                densities, sums, _ = log_densities.exponentials(points.block(rows))
                np.divide(densities, sums[:, np.newaxis], out=probabilities[rows], casting="same_kind")
        probabilities[~points.has_direction] = self.weights_
        return probabilities

    def score_samples(self, X: Any) -> np.ndarray:
        """Log density of every row, `(n,)`, nats, with respect to the area of the sphere."""
        check_is_fitted(self)
        return self._log_density(self._points(X))

    def score(self, X: Any, y: Any = None) -> float:
        """Mean log density of the rows that have a direction, nats per row."""
        return float(np.mean(self._log_density_of_directions(X)))

    def bic(self, X: Any) -> float:
        """Bayesian information criterion, `p log n - 2 log likelihood`; lower is better."""
        log_prob = self._log_density_of_directions(X)
        return float(self._num_parameters() * np.log(len(log_prob)) - 2 * log_prob.sum())

    def aic(self, X: Any) -> float:
        """Akaike's information criterion, `2 p - 2 log likelihood`; lower is better."""
        return float(2 * self._num_parameters() - 2 * self._log_density_of_directions(X).sum())

    def icl(self, X: Any) -> float:
        """Integrated completed likelihood, `bic` plus twice the entropy of the posterior probabilities; lower is better.

        It prefers components that do not overlap (Biernacki, Celeux and Govaert, IEEE PAMI 22, 2000).
        """
        check_is_fitted(self)
        points = self._points(X)
        entropy = 0.0
        if self.assignment == "soft":
            log_densities = self._components().log_densities(points)
            for rows in points.blocks(len(self.weights_)):
                densities, sums, _ = log_densities.exponentials(points.block(rows))
                share = (densities / sums[:, np.newaxis])[points.has_direction[rows]].astype(np.float64)
                entropy -= float(np.sum(share * np.log(np.where(share > 0, share, 1))))
        return self.bic(X) + 2 * entropy

    def sample(self, n_samples: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Draws points. This method alone imports TensorFlow.

        Args:
            n_samples: Number of points, at least 1.

        Returns:
            Array `(n_samples, d)` of unit rows, sorted by component, and the components, `(n_samples,)`.
        """
        check_is_fitted(self)
        if isinstance(n_samples, bool) or not isinstance(n_samples, numbers.Integral) or n_samples < 1:
            raise ArgumentError("n_samples", "an int >= 1", repr(n_samples), owner="VonMisesFisherMixture.sample")
        import tensorflow as tf

        from tf_vmf.math import von_mises_fisher_sample

        random_state = check_random_state(self.random_state)
        counts = random_state.multinomial(n_samples, self.weights_)
        seed = random_state.randint(np.iinfo(np.int32).max, size=2)
        labels = np.repeat(np.arange(len(counts)), counts)
        # One call for all components: a row of parameters per point.
        parameters = tf.constant(self.mean_directions_[labels]), tf.constant(self.concentrations_[labels])
        x = von_mises_fisher_sample(*parameters, tf.constant(seed, tf.int32))
        return x.numpy(), labels

    def _first(self, points: Directions, weight: np.ndarray, random_state: np.random.RandomState) -> em.Components:
        """The components of a start, with one concentration."""
        clusters, seeds = self._start(points, weight, self.n_components, random_state)
        ones = np.ones((len(points), 1), points.dtype)
        total = np.sum(
            [points.block(rows).moments(ones[rows], weight[rows])[1][0] for rows in points.blocks(1)], axis=0
        )
        self._auto_prior = em.Prior(_AUTO_PRIOR, 1 - em.spread_within(clusters, total))
        largest = em.largest_concentration(points.dim, points.dtype)
        components = em.maximize(clusters, seeds, True, self._prior(), largest)
        return components if np.isnan(clusters.objective) else components._replace(weights=seeds.weights)

    def _prior(self) -> em.Prior:
        return self._auto_prior if self.concentration_prior == "auto" else em.Prior(float(self.concentration_prior))

    def _update(self, points: Directions) -> Any:
        largest, prior = em.largest_concentration(points.dim, points.dtype), self._prior()
        return lambda statistics, before: em.maximize(statistics, before, bool(self.tied_concentration), prior, largest)

    def _climb(self, points: Directions, components: em.Components, weight: np.ndarray, report: Any) -> em.Run:
        hard = self.assignment == "hard"
        options = {"max_iter": self.max_iter, "tol": self.tol, "report": report}
        update = self._update(points)
        run = em.climb(points, components, weight, hard=hard, update=update, **options)
        if hard:
            # Weights and concentrations of the clusters that the final mean directions define.
            found = update(run.statistics, run.components)
            run = run._replace(components=found._replace(mean_directions=run.components.mean_directions))
        return run

    def _keep(self, points: Directions, weight: np.ndarray, run: em.Run) -> None:
        self.weights_, self.mean_directions_, self.concentrations_ = run.components
        self.lower_bound_ = run.statistics.objective
        self._statistics = run.statistics
        nearest = run.statistics.nearest
        self.labels_ = self._labels(points) if nearest is None else self._of_directions(points, nearest[0])
        self.labels_[~points.has_direction & (weight == 0) & (self.zero_rows == "error")] = -1

    def _labels(self, points: Directions) -> np.ndarray:
        labels = np.empty(len(points), np.intp)
        functions = self._components().log_densities(points).functions
        directions = self.mean_directions_.astype(points.dtype, copy=False)
        for rows in points.blocks(len(self.weights_)):
            if self.assignment == "hard":
                labels[rows], _ = points.nearest(rows, directions)
            else:
                labels[rows] = np.argmax(points.block(rows).products(functions), axis=1)
        return self._of_directions(points, labels)

    def _of_directions(self, points: Directions, labels: np.ndarray) -> np.ndarray:
        return np.where(points.has_direction, labels, np.argmax(self.weights_)).astype(np.intp)

    def _log_density(self, points: Directions) -> np.ndarray:
        density, log_densities = np.empty(len(points)), self._components().log_densities(points)
        for rows in points.blocks(len(self.weights_)):
            density[rows] = log_densities.exponentials(points.block(rows))[2]
        density[~points.has_direction] = -log_sphere_area(points.dim)
        return density

    def _log_density_of_directions(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        points = self._points(X)
        if not points.has_direction.any():
            raise ArgumentError("X", "a row with a direction", "only rows of zeros", owner="VonMisesFisherMixture")
        return self._log_density(points)[points.has_direction]

    def _components(self) -> em.Components:
        return em.Components(self.weights_, self.mean_directions_, self.concentrations_)

    def _num_parameters(self) -> int:
        """Free parameters: d - 1 per direction, the concentrations, K - 1 weights."""
        count, dim = self.mean_directions_.shape
        return count * (dim - 1) + (1 if self.tied_concentration else count) + count - 1
