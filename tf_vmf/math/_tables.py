"""Coefficients of the smooth remainders of the von Mises-Fisher functions, for one dimension and one dtype.

`vmf_tables.npz` holds three functions of (p, u = 1 / dim) as bivariate Chebyshev series; docs/NUMERICS.md defines them
and `python -m tools.generate_tables` makes the file. As the dimension is a Python number, the sum over u is done here,
once, in float64 numpy: what is left for TensorFlow is a short polynomial in x = (1 + beta) p / (1 + beta p).
"""

import functools
import importlib.resources
from typing import NamedTuple

import numpy as np
import tensorflow as tf

# Relative truncation error allowed: a quarter of a rounding error of the dtype.
_TOLERANCE = {"float32": 1.5e-8, "float64": 2.5e-17}
# Horner costs two operations a coefficient, Clenshaw four; but powers of t are used only where their coefficients,
# and so the rounding errors, stay near those of the Chebyshev series.
_GROWTH = 1.5


class Polynomial(NamedTuple):
    """A polynomial in t = 2 x - 1.

    Attributes:
        coefficients: Lowest order first, of the powers of t if `monomial`, else of the Chebyshev polynomials.
        monomial: Which basis.
        beta: The map from p to x.
    """

    coefficients: tuple[float, ...]
    monomial: bool
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
    """The polynomial that TensorFlow evaluates.

    Args:
        name: "kl" for P; "mean" for C / dim; "slope" for 2/dim (1 + D / dim).
        dim: Dimension, >= 2.
        dtype: "float32" or "float64".
    """
    series, beta = chebyshev_series(name, dim)
    tolerance = _TOLERANCE[dtype]
    if name == "kl":
        tolerance *= (dim - 1) / 4  # (1 - p)^2 P is added to a term of at least (dim - 1)/4 (1 - p)
    else:
        series = series / dim
    if name == "slope":
        series[0] += 1.0
        series, tolerance = series * (2.0 / dim), tolerance * (2.0 / dim)
    # tail[k]: what is lost by keeping the first k + 1 coefficients.
    tail = np.cumsum(np.abs(series[::-1]))[::-1] - np.abs(series)
    series = series[: max(3, int(np.argmax(tail <= tolerance)) + 1)]
    powers = np.polynomial.chebyshev.cheb2poly(series)
    if dtype == "float32" and beta == 0.0 and np.abs(powers).sum() <= _GROWTH * np.abs(series).sum():
        return Polynomial(tuple(powers.tolist()), True, beta)
    return Polynomial(tuple(series.tolist()), False, beta)


def evaluate(poly: Polynomial, p: tf.Tensor) -> tf.Tensor:
    """Value of the polynomial at p: Horner for powers, Clenshaw for Chebyshev polynomials.

    Clenshaw's recurrence b_k = c_k + 2 t b_{k+1} - b_{k+2} is run on b_k and on the difference d_k = b_k - b_{k+1} with
    1 - t as argument (Reinsch): near t = 1, where the plain form loses digits, this one does not.
    """
    c = poly.coefficients
    if poly.monomial:
        t = 2.0 * p - 1.0
        value = c[-1] * t + c[-2]
        for coefficient in c[-3::-1]:
            value = value * t + coefficient
        return value
    one_minus_t = 2.0 * (1.0 - p)
    if poly.beta:
        one_minus_t /= 1.0 + poly.beta * p
    twice = 2.0 * one_minus_t
    difference = (c[-2] + c[-1]) - c[-1] * twice
    total = difference + c[-1]
    for coefficient in c[-3:0:-1]:
        difference = (difference + coefficient) - twice * total
        total = total + difference
    return (difference + c[0]) - one_minus_t * total
