"""Tests of hypotheses about points on the sphere: uniformity, goodness of fit, equality of two samples."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import scipy.stats

from tf_vmf import math as vmf_math
from tf_vmf._checks import check_integer
from tf_vmf._errors import ArgumentError
from tf_vmf.distributions.inference import SampleResult, unit_points
from tf_vmf.math import arrays


@dataclasses.dataclass(frozen=True, eq=False)
class SphereTest(SampleResult):
    """The result of a test; float64 arrays of the batch shape.

    Attributes:
        statistic: The larger, the less the points agree with the hypothesis.
        p_value: Probability of a statistic as large or larger under the hypothesis.
    """

    statistic: np.ndarray
    p_value: np.ndarray


def rayleigh_test(samples: Any, *, modified: bool = True) -> SphereTest:
    """Rayleigh's test of uniformity on the sphere, powerful against one preferred direction, blind to two opposite ones.

    ```
    S = n d Rbar^2,    S* = (1 - 1/(2n)) S + S^2 / (2n (d + 2)),    Rbar the mean resultant length
    ```

    Under uniformity both are chi-squared with d degrees of freedom, S to an error of order 1/n, S* of order 1/n^2.

    Args:
        samples: Unit vectors, n points along the first axis: shape (n, d), or (n, ..., d) for a batch of samples; n >= 2, d >= 2.
        modified: Whether the statistic is S*, and not S.

    Raises:
        ArgumentError: A sample is no unit vector.

    Example:
    ```python
    samples = tf_vmf.distributions.VonMisesFisher([0.0, 0.6, 0.8], 2.0).sample(30, seed=(1, 2))
    tf_vmf.distributions.rayleigh_test(samples).p_value  # small: not uniform
    ```

    References:
        K. V. Mardia, P. E. Jupp. Directional Statistics. Wiley, 2000. Equations 10.4.3 and 10.4.6.
        P. E. Jupp. Modifications of the Rayleigh and Bingham tests for uniformity of directions. J. Multivariate Analysis 77, 2001.
    """
    points, _ = unit_points(samples, "rayleigh_test")
    n, dim = points.shape[0], points.shape[-1]
    statistic = n * dim * np.sum(points.mean(axis=0) ** 2, axis=-1)
    if modified:
        statistic = (1 - 1 / (2 * n)) * statistic + statistic**2 / (2 * n * (dim + 2))
    return SphereTest(statistic, scipy.stats.chi2.sf(statistic, dim))


def bingham_test(samples: Any) -> SphereTest:
    """Bingham's test of uniformity on the sphere, powerful against preferred axes and planes, which Rayleigh's test may not see.

    ```
    S = n d (d + 2) / 2 (tr T^2 - 1/d),    T the mean of x x^T
    ```

    Under uniformity it is chi-squared with (d - 1)(d + 2)/2 degrees of freedom, to an error of order 1/n.

    Args:
        samples: Unit vectors, n points along the first axis: shape (n, d), or (n, ..., d) for a batch of samples; n >= 2, d >= 2.

    Raises:
        ArgumentError: A sample is no unit vector.

    Example:
    ```python
    samples = tf_vmf.distributions.VonMisesFisher([0.0, 0.6, 0.8], 9.0).sample(40, seed=(1, 2))
    tf_vmf.distributions.bingham_test(samples).p_value  # small: not uniform
    ```

    References:
        K. V. Mardia, P. E. Jupp. Directional Statistics. Wiley, 2000. Equation 10.7.1.
    """
    points, _ = unit_points(samples, "bingham_test")
    n, dim = points.shape[0], points.shape[-1]
    scatter = np.einsum("n...i,n...j->...ij", points, points) / n
    # The sum of squares of T - I/d, which is what is left of tr T^2 - 1/d.
    statistic = 0.5 * n * dim * (dim + 2) * np.square(scatter - np.eye(dim) / dim).sum(axis=(-2, -1))
    return SphereTest(statistic, scipy.stats.chi2.sf(statistic, (dim - 1) * (dim + 2) / 2))


def goodness_of_fit(samples: Any, *, simulations: int = 199, seed: int = 0) -> SphereTest:
    """Tests whether points come from a von Mises-Fisher distribution, by the law of their cosines to the mean direction.

    The statistic is the largest distance between the distribution of the cosines and the law of the fitted distribution
    (Kolmogorov). As the parameters are estimated, its p-value is that among samples simulated from the fitted distribution, each
    fitted anew. Deviations that leave the cosines as they are, such as an oval shape around the mean direction, are only seen as
    far as they change their law.

    Args:
        samples: Unit vectors, shape (n, d), n >= 2, d >= 2.
        simulations: Number of simulated samples, >= 1; the p-value is a multiple of 1 / (simulations + 1).
        seed: Of the simulation, an integer >= 0.

    Raises:
        ArgumentError: A sample is no unit vector, or an argument out of its range.

    Example:
    ```python
    samples = tf_vmf.distributions.VonMisesFisher([0.0, 0.6, 0.8], 9.0).sample(40, seed=(1, 2))
    tf_vmf.distributions.goodness_of_fit(samples).p_value  # not small
    ```

    References:
        N. I. Fisher, T. Lewis, B. J. J. Embleton. Statistical Analysis of Spherical Data. Cambridge, 1987. Section 5.3.
    """
    from tf_vmf.distributions.von_mises_fisher import VonMisesFisher

    points, largest = _one_sample(samples, "samples", "goodness_of_fit")
    simulations = check_integer("goodness_of_fit", "simulations", simulations, minimum=1)
    seed = check_integer("goodness_of_fit", "seed", seed)
    observed, concentration = _distance(points[:, np.newaxis], largest)
    model = VonMisesFisher(np.eye(points.shape[-1])[0], float(concentration[0]))
    simulated, _ = _distance(model.sample((len(points), simulations), seed=divmod(seed, 2**31)[::-1]).numpy(), largest)
    return SphereTest(observed[0], np.asarray((1 + np.sum(simulated >= observed)) / (simulations + 1)))


def two_sample_test(first: Any, second: Any, *, permutations: int = 999, seed: int = 0) -> SphereTest:
    """Tests whether two samples come from one distribution, by the likelihood ratio of von Mises-Fisher distributions.

    The statistic is twice the gain in log likelihood by a mean direction and a concentration for each sample in place of common
    ones. Its p-value is that among random divisions of all points into samples of these sizes, so the size of the test is exact for
    any distribution, von Mises-Fisher or not; that it is one only matters for its power.

    Args:
        first: Unit vectors, shape (n, d), n >= 2, d >= 2.
        second: Unit vectors, shape (m, d), m >= 2.
        permutations: Number of divisions, >= 1; the p-value is a multiple of 1 / (permutations + 1).
        seed: Of the divisions, an integer >= 0.

    Raises:
        ArgumentError: A sample is no unit vector, or an argument out of its range.

    Example:
    ```python
    one = tf_vmf.distributions.VonMisesFisher([0.0, 0.6, 0.8], 9.0).sample(40, seed=(1, 2))
    two = tf_vmf.distributions.VonMisesFisher([0.6, 0.0, 0.8], 9.0).sample(30, seed=(3, 4))
    tf_vmf.distributions.two_sample_test(one, two).p_value  # small: another direction
    ```

    References:
        K. V. Mardia, P. E. Jupp. Directional Statistics. Wiley, 2000. Section 10.5.
    """
    (x, largest), (y, other) = (
        _one_sample(first, "first", "two_sample_test"),
        _one_sample(second, "second", "two_sample_test"),
    )
    if x.shape[1] != y.shape[1]:
        raise ArgumentError(
            "second", f"shape (m, {x.shape[1]}), as `first` has", f"shape {y.shape}", owner="two_sample_test"
        )
    permutations = check_integer("two_sample_test", "permutations", permutations, minimum=1)
    seed = check_integer("two_sample_test", "seed", seed)
    points, n, cap = np.concatenate([x, y]), len(x), min(largest, other)
    total = points.sum(axis=0)
    rng = np.random.default_rng(seed)
    orders = [np.arange(len(points)), *(rng.permutation(len(points)) for _ in range(permutations))]
    sums = np.stack([points[order[:n]].sum(axis=0) for order in orders])
    dim = points.shape[1]
    gain = _log_likelihood(sums, n, dim, cap) + _log_likelihood(total - sums, len(y), dim, cap)
    statistic = 2 * (gain - _log_likelihood(total, len(points), dim, cap))
    # Divisions that are the observed one up to the order of their points differ from it by rounding.
    as_large = statistic[1:] >= statistic[0] - 1e-9 * (1 + abs(statistic[0]))
    return SphereTest(np.maximum(statistic[0], 0.0), np.asarray((1 + np.sum(as_large)) / (permutations + 1)))


def _one_sample(samples: Any, name: str, owner: str) -> tuple[np.ndarray, float]:
    points, largest = unit_points(samples, owner)
    if points.ndim != 2:
        raise ArgumentError(name, "shape (n, d)", f"shape {points.shape}", owner=owner)
    return points, largest


def _distance(points: np.ndarray, largest: float) -> tuple[np.ndarray, np.ndarray]:
    """Kolmogorov's distance of the cosines of every sample (n, samples, d) from the fitted law, and the concentrations."""
    n, _, dim = points.shape
    resultant = points.sum(axis=0)
    length = np.linalg.norm(resultant, axis=-1, keepdims=True)
    mean_direction = resultant / np.maximum(length, 1e-300)
    # 1 - cosine as a square, which keeps its digits.
    distances = 0.5 * np.square(points - mean_direction).sum(axis=-1)
    concentration = np.minimum(
        arrays.inverse_one_minus_mean_resultant_length(np.minimum(distances.mean(axis=0), 1.0), dim), largest
    )
    law = np.sort(vmf_math.von_mises_fisher_cosine_cdf(1 - distances, concentration, dim).numpy(), axis=0)
    ranks = np.arange(n)[:, np.newaxis] / n
    return np.maximum(law - ranks, ranks + 1 / n - law).max(axis=0), concentration


def _log_likelihood(resultants: np.ndarray, n: int, dim: int, largest: float) -> np.ndarray:
    """The largest log likelihood of n points by their resultant."""
    length = np.minimum(np.linalg.norm(resultants, axis=-1) / n, 1.0)
    kappa = np.minimum(arrays.inverse_mean_resultant_length(length, dim), largest)
    return n * (arrays.log_prob_at_mode(kappa, dim) - kappa * (1 - length))
