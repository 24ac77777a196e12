"""Errors and intervals of a fitted von Mises-Fisher distribution."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.distributions.maximum_likelihood import sample_error
from tf_vmf.math import arrays
from tf_vmf.math.precision import largest_fitted_concentration, unit_norm_tolerance

# The smallest kappa that is told from 0, and the absolute error of log kappa in the solutions of equations.
_SMALLEST, _TOLERANCE = 1e-12, 1e-12
_MOST_STEPS = 100


class SampleResult:
    """A dataclass of numbers and arrays; results are equal if all of their fields are."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        names = [field.name for field in dataclasses.fields(self)]  # type: ignore[arg-type]
        return all(np.array_equal(getattr(self, name), getattr(other, name), equal_nan=True) for name in names)

    __hash__ = None  # type: ignore[assignment]


@dataclasses.dataclass(frozen=True, eq=False)
class VonMisesFisherFit(SampleResult):
    """A von Mises-Fisher distribution fitted to n points, with errors; float64 arrays of the batch shape.

    Attributes:
        num_samples: n.
        mean_direction: Maximum likelihood estimate, shape (..., d).
        mean_resultant_length: Length of the mean of the points, in [0, 1].
        concentration: Maximum likelihood estimate, at most what the dtype of the points can tell from a point mass: 7e13 in
            float32, 1e18 in float64. It is too large on average, much so for few points.
        corrected_concentration: Maximum of the likelihood of the resultant's length alone (Schou, 1978): about (n - 1) / n of the
            estimate for concentrated points, and 0 where the points are no more concentrated than uniform ones may be.
        concentration_error: Asymptotic standard error of the concentration, 1 / sqrt(n A'(kappa)) at the corrected estimate.
        concentration_interval: Confidence interval, shape (..., 2), of the likelihood ratio of the resultant's length; from 0
            where uniformity is not excluded, to infinity where no concentration that the dtype can tell is.
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
        ArgumentError: A sample is no unit vector, or an argument out of its range.

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
        raise ArgumentError("confidence", "a number in (0, 1)", repr(confidence), owner="fit_with_errors")
    points, largest = unit_points(samples, "fit_with_errors")
    n, dim = points.shape[0], points.shape[-1]
    resultant = points.sum(axis=0)
    length = np.linalg.norm(resultant, axis=-1)
    first_axis = np.eye(dim)[0]
    mean_direction = np.where(
        length[..., np.newaxis] > 0, resultant / np.where(length > 0, length, 1.0)[..., np.newaxis], first_axis
    )
    # n - R as a sum of squares, which keeps its digits for points close together.
    missing = np.where(length < 0.5 * n, n - length, 0.5 * np.square(points - mean_direction).sum(axis=(0, -1)))
    concentration = np.where(
        length < 0.5 * n,
        arrays.inverse_mean_resultant_length(np.minimum(length / n, 0.5), dim),
        arrays.inverse_one_minus_mean_resultant_length(np.minimum(missing / n, 0.5), dim),
    )

    def slope(kappa: np.ndarray, length: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """The derivative of `log_likelihood`."""
        of_points, of_resultant = arrays.one_minus_mean_resultant_length(np.stack([kappa, kappa * length]), dim)
        return n * of_points - length * of_resultant - missing

    def log_likelihood(kappa: np.ndarray, length: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """Of the resultant's length, up to a constant."""
        of_points, of_resultant = arrays.log_prob_at_mode(np.stack([kappa, kappa * length]), dim)
        return n * of_points - of_resultant - kappa * missing

    cap = np.full_like(length, largest)
    # The correction lowers the estimate.
    corrected, _ = _root(slope, np.full_like(length, _SMALLEST), np.minimum(concentration, cap), length, missing)
    corrected = np.where(length**2 <= n, 0.0, corrected)
    best = log_likelihood(corrected, length, missing) - 0.5 * scipy.stats.chi2.ppf(confidence, 1)
    is_open = best <= log_likelihood(np.zeros_like(corrected), length, missing)
    # Both ends at once: most of the time goes into calls.
    side = np.reshape([-1.0, 1.0], (2,) + (1,) * length.ndim)
    (low, high), (_, is_beyond) = _root(
        lambda k, r, q, b: side * (log_likelihood(k, r, q) - b),
        np.stack([0.0 * cap, corrected]),
        np.stack([corrected, cap]),
        length,
        missing,
        best,
    )
    interval = np.stack([np.where(is_open, 0.0, low), np.where(is_beyond, np.inf, high)], axis=-1)

    precision = n * corrected * arrays.mean_resultant_length(corrected, dim)
    quantile = scipy.stats.f.ppf(confidence, dim - 1, (n - 1) * (dim - 1))
    drop_of_cosine = np.minimum((dim - 1) * quantile / np.maximum(2.0 * corrected * length, 1e-300), 2.0)
    return VonMisesFisherFit(
        num_samples=n,
        mean_direction=mean_direction,
        mean_resultant_length=length / n,
        concentration=np.minimum(concentration, largest),
        corrected_concentration=corrected,
        concentration_error=1 / np.sqrt(n * arrays.mean_resultant_length_derivative(corrected, dim)),
        concentration_interval=interval,
        mean_direction_error=np.where(precision > 0, 1 / np.sqrt(np.maximum(precision, 1e-300)), np.inf),
        # The angle as twice an arc sine, which is precise for small ones.
        mean_direction_angle=2 * np.arcsin(np.sqrt(0.5 * drop_of_cosine)),
        confidence=float(confidence),
    )


def _root(
    function: Callable[..., np.ndarray], low: np.ndarray, high: np.ndarray, *args: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where a function that is positive at `low` becomes negative, up to `high`; `high` where it does not; and where that is."""
    a, b = np.log(np.maximum(low, _SMALLEST)), np.log(np.maximum(high, _SMALLEST))
    at_low, at_high = function(np.exp(a), *args), function(np.exp(b), *args)
    is_beyond = at_high > 0
    # Where the signs are equal there is no root, and none is asked for at the lower end: what is found there does not count.
    root = _chandrupatla(lambda log_kappa: function(np.exp(log_kappa), *args), a, b, at_low, at_high)
    return np.where(is_beyond, high, np.exp(root)), is_beyond


def _chandrupatla(
    function: Callable[[np.ndarray], np.ndarray], a: np.ndarray, b: np.ndarray, fa: np.ndarray, fb: np.ndarray
) -> np.ndarray:
    """A root between a and b for each element, by inverse quadratic interpolation where that is safe, else bisection.

    References:
        T. R. Chandrupatla. A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear function without using
        derivatives. Advances in Engineering Software 28, 1997.
    """
    t = np.full_like(a, 0.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_MOST_STEPS):
            x = a + t * (b - a)
            fx = function(x)
            same = np.sign(fx) == np.sign(fa)
            c, fc = np.where(same, a, b), np.where(same, fa, fb)
            b, fb = np.where(same, b, a), np.where(same, fb, fa)
            a, fa = x, fx
            limit = 0.5 * _TOLERANCE / np.abs(b - a)
            if np.all((limit > 0.5) | (fa == 0)):
                break
            xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
            safe = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
            quadratic = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
            t = np.clip(np.where(safe, quadratic, 0.5), limit, 1 - limit)
            t = np.where(np.isfinite(t), t, 0.5)
    return np.where(np.abs(fa) < np.abs(fb), a, b)


def unit_points(samples: Any, owner: str) -> tuple[np.ndarray, float]:
    """The samples in double precision, of unit length to rounding, and the largest concentration that their dtype can tell."""
    dtype = tf.as_dtype(getattr(samples, "dtype", tf.float64))
    dtype = dtype if dtype.is_floating else tf.float64
    points = np.asarray(tf.cast(samples, tf.float64) if tf.is_tensor(samples) else samples).astype(np.float64)
    if points.ndim < 2 or points.shape[0] < 2 or points.shape[-1] < 2:
        raise ArgumentError(
            "samples",
            "shape (n, ..., d), n >= 2 points in d >= 2 dimensions",
            f"shape {points.shape}",
            owner=owner,
        )
    norm = np.linalg.norm(points, axis=-1)
    is_unit = np.abs(norm - 1) <= unit_norm_tolerance(dtype)  # NaN is not
    if not is_unit.all():
        weights = np.ones_like(norm)
        raise sample_error(norm, is_unit, weights, np.zeros_like(is_unit), dtype)
    return points / norm[..., np.newaxis], largest_fitted_concentration(dtype)
