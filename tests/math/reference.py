"""Exact values by a route that shares nothing with the package: numerical integration in 50 digits.

The cosine w = mu.x of a von Mises-Fisher vector has the density proportional to exp(kappa w) (1 - w^2)^((d - 3)/2). With
w = tanh(y) the integrand exp(kappa tanh(y)) sech(y)^(d - 1) is smooth and decays on the whole line, where the trapezoidal
rule converges exponentially. All quantities are moments of it, so nothing is a difference of large numbers.
"""

import functools
import itertools
from typing import NamedTuple

import mpmath
import numpy as np

DIGITS = 50


class Exact(NamedTuple):
    """Values at one (dim, kappa), as mpmath numbers."""

    log_hyp0f1: mpmath.mpf
    kl: mpmath.mpf  # to uniform
    mean: mpmath.mpf  # A = E[w]
    one_minus_mean: mpmath.mpf
    variance: mpmath.mpf  # A'
    third: mpmath.mpf  # A'', the third central moment


@functools.cache
def exact(dim: float, kappa: float) -> Exact:
    """All quantities for real dim >= 2 and kappa > 0, to at least 25 digits for kappa in [1e-7, 1e8]."""
    with mpmath.workdps(DIGITS):
        k, m = mpmath.mpf(kappa), mpmath.mpf(dim) - 1
        r = mpmath.sqrt(m * m + 4 * k * k)
        w0 = 2 * k / (m + r)
        y0, sigma = mpmath.atanh(w0), 1 / mpmath.sqrt((1 - w0 * w0) * r)
        # Where kappa is large the integrand decays in the narrower strip |Im y| < pi/4.
        step = min(mpmath.mpf("0.1" if kappa < dim else "0.07"), sigma / mpmath.mpf("3.3"))
        peak = m * mpmath.log(mpmath.cosh(y0))
        total = mpmath.mpf(0)
        points: list[tuple[mpmath.mpf, mpmath.mpf]] = []  # (weight, distance of w from the peak)
        for direction in (0, -1, 1):
            for j in itertools.count(1) if direction else [0]:
                y = y0 + direction * j * step
                t = mpmath.sinh(y - y0) / (mpmath.cosh(y) * mpmath.cosh(y0))  # tanh(y) - tanh(y0)
                weight = mpmath.exp(k * t - m * mpmath.log(mpmath.cosh(y)) + peak)
                total += weight
                points.append((weight, t))
                if weight < total * mpmath.mpf(10) ** -40:
                    break
        shift = mpmath.fsum(w * t for w, t in points) / total
        centred = [(w, t - shift) for w, t in points]
        moments = [mpmath.fsum(w * t**n for w, t in centred) / total for n in (2, 3)]
        mean = w0 + shift
        complement = 2 / (mpmath.exp(2 * y0) + 1) - shift  # 1 - tanh(y0), without cancellation
        log_beta = mpmath.loggamma(m / 2) + mpmath.loggamma(mpmath.mpf(1) / 2) - mpmath.loggamma((m + 1) / 2)
        log_f = mpmath.log(total * step) + k * w0 - peak - log_beta
        return Exact(log_f, k * mean - log_f, mean, complement, *moments)


def random_points(count: int, seed: int, max_dim: int = 200_000) -> list[tuple[int, float]]:
    """Random (dim, kappa), kappa a float32 number in [1e-7, 1e8]: small dims, any dims, and kappa of the order of dim."""
    rng = np.random.default_rng(seed)
    points = []
    for i in range(count):
        dim = int(rng.integers(2, 10)) if i % 3 == 0 else int(2 * (max_dim / 2) ** rng.uniform())
        kappa = dim * 10 ** rng.uniform(-2, 2) if i % 2 else 10 ** rng.uniform(-7, 8)
        points.append((dim, float(np.float32(np.clip(kappa, 1e-7, 1e8)))))
    return points


def relative_error(actual: float, expected: mpmath.mpf, scale: mpmath.mpf | None = None) -> float:
    """|actual - expected| / |scale|, by default relative to the expected value; NaN counts as infinite."""
    error = float(abs(mpmath.mpf(float(actual)) - expected) / abs(expected if scale is None else scale))
    return float("inf") if np.isnan(error) else error


class Errors:
    """The largest error of each quantity with the point where it was found."""

    def __init__(self) -> None:
        self._largest: dict[str, tuple[float, tuple]] = {}

    def add(self, quantity: str, error: float, *point: float) -> None:
        """Record one error."""
        if error >= self._largest.get(quantity, (-1.0,))[0]:
            self._largest[quantity] = (error, point)

    def check(self, targets: dict[str, float]) -> None:
        """Print the largest errors and assert that each is within its target."""
        for quantity, (error, point) in self._largest.items():
            print(f"{quantity:24s} largest error {error:.2e} (target {targets[quantity]:.0e}) at {point}")
        exceeded = {q: e for q, e in self._largest.items() if not e[0] <= targets[q]}
        assert not exceeded, exceeded
        assert self._largest.keys() == targets.keys()
