"""Coefficients of the smooth remainders of the von Mises-Fisher functions, for one dimension and one dtype.

`vmf_tables.npz` holds three functions of (p, u = 1 / dim) as bivariate Chebyshev series; docs/NUMERICS.md defines them
and `python -m tools.generate_tables` makes the file. As the dimension is a Python number, the sum over u is done here,
once, in float64 numpy: what is left for TensorFlow is a short polynomial in x = (1 + beta) p / (1 + beta p).
"""

from __future__ import annotations

import functools
import importlib.resources
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

# Relative errors allowed to the polynomials, fractions of a rounding error of the dtype.
_TOLERANCE = {"float32": 2e-8, "float64": 2.5e-17}
# In float32 a polynomial may be written in powers of p or of t if that keeps the sum of the absolute coefficients, and
# so the rounding errors, within this factor. A coefficient costs two operations then, and four in Chebyshev polynomials.
_GROWTH = 1.5


class Polynomial(NamedTuple):
    """A polynomial in t = 2 x - 1, x = (1 + beta) p / (1 + beta p), lowest order first.

    `basis` is "powers of p", "powers of t" (both only where x = p) or "Chebyshev".
    """

    coefficients: tuple[float, ...]
    basis: str
    beta: float


@functools.lru_cache(maxsize=1)
def _tables() -> dict[str, np.ndarray]:
    resource = importlib.resources.files("tf_vmf.math") / "vmf_tables.npz"
    with importlib.resources.as_file(resource) as path, np.load(path) as arrays:
        return {key: arrays[key] for key in arrays.files}


def chebyshev_series(name: str, dim: float) -> tuple[np.ndarray, float]:
    """Chebyshev coefficients in 2 x - 1 of remainder `name` ("kl", "mean" or "slope") at `dim`, in float64, and beta."""
    tables = _tables()
    u = 1.0 / dim
    segment = int(np.searchsorted(tables["segments"][:, 1], u))
    low, high, beta = tables["segments"][segment]
    table = tables[f"{name}_{segment}"]
    basis = np.polynomial.chebyshev.chebvander((2.0 * u - low - high) / (high - low), table.shape[1] - 1)[0]
    return table @ basis, float(beta)


@functools.lru_cache(maxsize=1024)
def polynomial(name: str, dim: float, dtype: str) -> Polynomial:
    """The polynomial to evaluate: "kl" for P; "mean" for C / dim; "slope" for 2/dim (1 + D / dim)."""
    series, beta = chebyshev_series(name, dim)
    scale = 1.0
    if name == "kl":
        scale = (dim - 1) / 4  # (1 - p)^2 P is added to a term of at least (dim - 1)/4 (1 - p)
    else:
        series = series / dim
    if name == "slope":
        series[0] += 1.0
        scale = 2.0 / dim
        series = series * scale
    if dtype == "float64":
        # tail[k]: what is lost by keeping the first k + 1 coefficients.
        tail = np.cumsum(np.abs(series[::-1]))[::-1] - np.abs(series)
        length = max(3, int(np.argmax(tail <= _TOLERANCE[dtype] * scale)) + 1)
        return Polynomial(tuple(series[:length].tolist()), "Chebyshev", beta)
    series = _weighted_fit(name, series, beta, dim)
    if beta == 0.0:
        in_t = np.polynomial.Polynomial(np.polynomial.chebyshev.cheb2poly(series))
        in_p = in_t(np.polynomial.Polynomial([-1.0, 2.0]))
        limit = _GROWTH * max(scale, np.abs(series).sum())
        for powers, basis in ((in_p.coef, "powers of p"), (in_t.coef, "powers of t")):
            if np.abs(powers).sum() <= limit:
                return Polynomial(tuple(powers.tolist()), basis, beta)
    return Polynomial(tuple(series.tolist()), "Chebyshev", beta)


def _weighted_fit(name: str, series: np.ndarray, beta: float, dim: float) -> np.ndarray:
    """The shortest series within the float32 tolerance, errors weighted by their share in the final result."""
    t = np.polynomial.chebyshev.chebpts1(256)
    values = np.polynomial.chebyshev.chebval(t, series)
    p = (1.0 + t) / (2.0 + beta * (1.0 - t))
    if name == "kl":
        weight = (1.0 - p) ** 2 / (0.5 * (dim - 1.0) * np.log1p(0.5 * (1.0 - p) / p) + (1.0 - p) ** 2 * values)
    elif name == "mean":
        # A = A_0 (1 + p^2 C/dim), and 1 - A must be right too: A_0 p^2 C/dim is added to 1 - A_0.
        kappa = np.sqrt(0.25 * dim * (dim - 1.0) * (1.0 / p**2 - 1.0))
        half, root = 0.5 * (dim - 1.0), np.hypot(kappa, 0.5 * (dim + 1.0))
        weight = p**2 * np.maximum(1.0, kappa / (half + (root - kappa)))
    else:
        weight = 1.0 / values
    for degree in range(2, len(series)):
        fit = np.polynomial.chebyshev.chebfit(t, values, degree, w=weight)
        error = weight * np.abs(np.polynomial.chebyshev.chebval(t, fit) - values)
        if np.max(error) <= _TOLERANCE["float32"]:
            return fit
    return series


def evaluate(poly: Polynomial, p: tf.Tensor) -> tf.Tensor:
    """Value of the polynomial at p: Horner for powers, Clenshaw for Chebyshev polynomials.

    Clenshaw's recurrence b_k = c_k + 2 t b_{k+1} - b_{k+2} is run on b_k and on the difference d_k = b_k - b_{k+1} with
    1 - t as argument (Reinsch): near t = 1, where the plain form loses digits, this one does not.
    """
    c = poly.coefficients
    if poly.basis != "Chebyshev":
        variable = p if poly.basis == "powers of p" else 2.0 * p - 1.0
        value = c[-1] * variable + c[-2]
        for coefficient in c[-3::-1]:
            value = value * variable + coefficient
        return value
    one_minus_t = 2.0 * (1.0 - p)
    if poly.beta:
        one_minus_t /= 1.0 + poly.beta * p
    if isinstance(p, np.ndarray | np.generic):
        # T_k(cos a) = cos(k a), with as many digits near t = 1: few calls, which is what the time of small arrays goes into.
        angle = 2.0 * np.arcsin(np.sqrt(np.minimum(0.5 * one_minus_t, 1.0)))
        return np.cos(angle[..., np.newaxis] * np.arange(len(c))) @ np.array(c)
    twice = 2.0 * one_minus_t
    difference = (c[-2] + c[-1]) - c[-1] * twice
    total = difference + c[-1]
    for coefficient in c[-3:0:-1]:
        difference = (difference + coefficient) - twice * total
        total = total + difference
    return (difference + c[0]) - one_minus_t * total
