"""Errors and intervals of a fitted von Mises-Fisher distribution, and a test of uniformity."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tf_vmf import math as vmf_math
from tf_vmf.distributions.maximum_likelihood import LARGEST_FITTED_CONCENTRATION, fit_von_mises_fisher

# The smallest kappa that is told from 0, and the relative error of the solutions of equations in kappa.
_SMALLEST, _TOLERANCE = 1e-12, 1e-12


@dataclasses.dataclass(frozen=True)
class VonMisesFisherFit:
    """A von Mises-Fisher distribution fitted to n points, with errors; float64 arrays of the batch shape.

    Attributes:
        num_samples: n.
        mean_direction: Maximum likelihood estimate, shape (..., d).
        mean_resultant_length: Length of the mean of the points, in [0, 1].
        concentration: Maximum likelihood estimate, at most 1e10. It is too large on average, much so for few points.
        corrected_concentration: Maximum of the likelihood of the resultant's length alone (Schou, 1978): about (n - 1) / n of the
            estimate for concentrated points, and 0 where the points are no more concentrated than uniform ones may be.
        concentration_error: Asymptotic standard error of the concentration, 1 / sqrt(n A'(kappa)) at the corrected estimate.
        concentration_interval: Confidence interval, shape (..., 2), of the likelihood ratio of the resultant's length; from 0
            where uniformity is not excluded.
        mean_direction_error: Asymptotic standard error of the mean direction in each of the d - 1 tangent directions, radians,
            1 / sqrt(n kappa A(kappa)) at the corrected estimate; infinite where that is 0.
        mean_direction_angle: Half the opening angle, radians, of the cone around `mean_direction` that covers the true mean
            direction with the given confidence; pi where nothing is excluded.
        confidence: Of the interval and of the cone.
    """

    num_samples: int
    mean_direction: np.ndarray
    mean_resultant_length: np.ndarray
    concentration: np.ndarray
    corrected_concentration: np.ndarray
    concentration_error: np.ndarray
    concentration_interval: np.ndarray
    mean_direction_error: np.ndarray
    mean_direction_angle: np.ndarray
    confidence: float


@dataclasses.dataclass(frozen=True)
class RayleighTest:
    """The result of `rayleigh_test`; float64 arrays of the batch shape.

    Attributes:
        statistic: About chi-squared with d degrees of freedom under uniformity.
        p_value: Probability of a statistic as large or larger under uniformity.
    """

    statistic: np.ndarray
    p_value: np.ndarray


def fit_with_errors(samples: Any, *, confidence: float = 0.95) -> VonMisesFisherFit:
    """Fits a von Mises-Fisher distribution to independent points and says how certain the estimates are.

    The length R of the resultant of n points has a density proportional to c(kappa)^n / c(kappa R), where c(kappa) exp(kappa mu.x)
    is the density of a point. It is free of mu: its maximum in kappa corrects the bias of the maximum likelihood estimate, and
    its likelihood ratio gives the interval. The cone has

    ```
    1 - cos(angle) = (d - 1) F / (2 kappa R),   F: the quantile of an F distribution, d - 1 and (n - 1)(d - 1) degrees of freedom
    ```

    which is exact for large kappa (for d = 3 it is Fisher's cone) and for large n. Measured coverage of 95 %, for d = 2, 3 and 10,
    n = 3, 5, 10 and 30, and kappa of d/2, 2 d and 50 d: 93.6 % to 96.8 % (2,000 samples each).

    Args:
        samples: Unit vectors, n points along the first axis: shape (n, d), or (n, ..., d) for a batch of samples; n >= 2, d >= 2.
        confidence: In (0, 1).

    Raises:
        ValueError: A sample is no unit vector, or an argument out of its range.

    Example:
    ```python
    samples = tf_vmf.distributions.VonMisesFisher([0.0, 0.6, 0.8], 20.0).sample(30, seed=(1, 2))
    fit = tf_vmf.distributions.fit_with_errors(samples)
    fit.corrected_concentration, fit.concentration_interval
    ```

    References:
        K. V. Mardia, P. E. Jupp. Directional Statistics. Wiley, 2000. Sections 10.3 and 10.4.
        G. Schou. Estimation of the concentration parameter in von Mises-Fisher distributions. Biometrika 65, 1978.
        N. I. Fisher, T. Lewis, B. J. J. Embleton. Statistical Analysis of Spherical Data. Cambridge, 1987. Section 5.3.
    """
    if not 0 < confidence < 1:
        raise ValueError(
            f"Argument `confidence` of fit_with_errors: expected a number in (0, 1). Received: confidence={confidence!r}."
        )
    points = _unit_points(samples, "fit_with_errors")
    n, dim = points.shape[0], points.shape[-1]
    mean_direction, concentration = fit_von_mises_fisher(points)
    # n - R as a sum of squares, which keeps its digits for points close together.
    missing = 0.5 * tf.reduce_sum(tf.math.squared_difference(points, mean_direction), axis=[0, -1])
    length = tf.norm(tf.reduce_sum(points, axis=0), axis=-1)
    missing = tf.where(length < 0.5 * n, n - length, missing)

    def slope(kappa: tf.Tensor) -> tf.Tensor:
        """The derivative of `log_likelihood`."""
        one_minus = vmf_math.one_minus_mean_resultant_length
        return n * one_minus(kappa, dim) - length * one_minus(kappa * length, dim) - missing

    def log_likelihood(kappa: tf.Tensor) -> tf.Tensor:
        """Of the resultant's length, up to a constant."""
        at_mode = vmf_math.log_prob_at_mode
        return n * at_mode(kappa, dim) - at_mode(kappa * length, dim) - kappa * missing

    corrected = _root(slope, tf.zeros_like(length), tf.fill(tf.shape(length), _largest()))
    corrected = tf.where(length**2 <= n, tf.zeros_like(corrected), corrected)
    drop = 0.5 * scipy.stats.chi2.ppf(confidence, 1)
    best = log_likelihood(corrected)
    low = _root(lambda kappa: best - log_likelihood(kappa) - drop, tf.zeros_like(corrected), corrected)
    low = tf.where(best - log_likelihood(tf.zeros_like(corrected)) <= drop, tf.zeros_like(low), low)
    high = _root(lambda kappa: log_likelihood(kappa) - best + drop, corrected, tf.fill(tf.shape(length), _largest()))

    precision = n * corrected * vmf_math.mean_resultant_length(corrected, dim)
    quantile = scipy.stats.f.ppf(confidence, dim - 1, (n - 1) * (dim - 1))
    drop_of_cosine = tf.minimum((dim - 1) * quantile / tf.maximum(2.0 * corrected * length, 1e-300), 2.0)
    return VonMisesFisherFit(
        num_samples=n,
        mean_direction=mean_direction.numpy(),
        mean_resultant_length=length.numpy() / n,
        concentration=concentration.numpy(),
        corrected_concentration=corrected.numpy(),
        concentration_error=1 / np.sqrt(n * vmf_math.mean_resultant_length_derivative(corrected, dim).numpy()),
        concentration_interval=np.stack([low.numpy(), high.numpy()], axis=-1),
        mean_direction_error=np.where(precision > 0, 1 / np.sqrt(np.maximum(precision, 1e-300)), np.inf),
        # The angle as twice an arc sine, which is precise for small ones.
        mean_direction_angle=2 * np.arcsin(np.sqrt(0.5 * drop_of_cosine.numpy())),
        confidence=float(confidence),
    )


def rayleigh_test(samples: Any, *, modified: bool = True) -> RayleighTest:
    """Rayleigh's test of uniformity on the sphere, powerful against one preferred direction, blind to two opposite ones.

    ```
    S = n d Rbar^2,    S* = (1 - 1/(2n)) S + S^2 / (2n (d + 2)),    Rbar the mean resultant length
    ```

    Under uniformity both are chi-squared with d degrees of freedom, S to an error of order 1/n, S* of order 1/n^2.

    Args:
        samples: Unit vectors, n points along the first axis: shape (n, d), or (n, ..., d) for a batch of samples; n >= 2, d >= 2.
        modified: Whether the statistic is S*, and not S.

    Raises:
        ValueError: A sample is no unit vector.

    Example:
    ```python
    samples = tf_vmf.distributions.VonMisesFisher([0.0, 0.6, 0.8], 2.0).sample(30, seed=(1, 2))
    tf_vmf.distributions.rayleigh_test(samples).p_value  # small: not uniform
    ```

    References:
        K. V. Mardia, P. E. Jupp. Directional Statistics. Wiley, 2000. Equations 10.4.3 and 10.4.6.
        P. E. Jupp. Modifications of the Rayleigh and Bingham tests for uniformity of directions. J. Multivariate Analysis 77, 2001.
    """
    points = _unit_points(samples, "rayleigh_test").numpy()
    n, dim = points.shape[0], points.shape[-1]
    statistic = n * dim * np.sum(points.mean(axis=0) ** 2, axis=-1)
    if modified:
        statistic = (1 - 1 / (2 * n)) * statistic + statistic**2 / (2 * n * (dim + 2))
    return RayleighTest(statistic, scipy.stats.chi2.sf(statistic, dim))


def _unit_points(samples: Any, owner: str) -> tf.Tensor:
    """The samples in double precision, of unit length to rounding."""
    # An array keeps its dtype, which says how exact its norms can be.
    samples = tf.convert_to_tensor(samples, dtype_hint=getattr(samples, "dtype", tf.float64))
    samples = samples if samples.dtype.is_floating else tf.cast(samples, tf.float64)
    if samples.shape.rank < 2 or samples.shape[0] < 2 or samples.shape[-1] < 2:
        raise ValueError(
            f"Argument `samples` of {owner}: expected shape (n, ..., d), n >= 2 points in d >= 2 dimensions. "
            f"Received: shape {samples.shape}."
        )
    fit_von_mises_fisher(samples)  # refuses what is off the sphere, with the place
    return tf.math.l2_normalize(tf.cast(samples, tf.float64), axis=-1)


def _largest() -> tf.Tensor:
    return tf.constant(LARGEST_FITTED_CONCENTRATION, tf.float64)


def _root(function: Callable[[tf.Tensor], tf.Tensor], low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
    """Where a function that is positive at `low` becomes negative, up to `high`; `high` if it does not."""
    low, high = tf.maximum(low, _SMALLEST), tf.maximum(high, _SMALLEST)
    found = tfp.math.find_root_chandrupatla(
        lambda log_kappa: function(tf.exp(log_kappa)),
        tf.math.log(low),
        tf.math.log(high),
        position_tolerance=_TOLERANCE,
    )
    return tf.where(function(high) > 0, high, tf.exp(found.estimated_root))
