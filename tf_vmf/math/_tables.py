"""Coefficients of the smooth remainders of the von Mises-Fisher functions, for one dimension and one dtype.

`vmf_tables.npz` holds three functions of (p, u = 1 / dim) as bivariate Chebyshev series; docs/NUMERICS.md defines them and
`python -m tools.generate_tables` makes the file. As the dimension is a Python number, the sum over u is done here, once, in
float64 numpy: what is left for TensorFlow is a short polynomial in p.
"""

import functools
import importlib.resources
from typing import NamedTuple

import numpy as np
import tensorflow as tf

# Relative truncation error allowed: a quarter of a rounding error of the dtype.
_TOLERANCE = {"float32": 1.5e-8, "float64": 2.5e-17}
# Horner costs two operations a coefficient, Clenshaw three; but powers of t are used only where their coefficients, and so the
# rounding errors, stay near those of the Chebyshev series.
_GROWTH = 1.5


class Polynomial(NamedTuple):
    """Coefficients in t = 2 p - 1, lowest order first: powers of t if `monomial`, else Chebyshev polynomials."""

    coefficients: tuple[float, ...]
    monomial: bool


@functools.lru_cache(maxsize=1)
def _tables() -> dict[str, np.ndarray]:
    resource = importlib.resources.files("tf_vmf.math") / "vmf_tables.npz"
    with importlib.resources.as_file(resource) as path, np.load(path) as arrays:
        return {key: arrays[key] for key in arrays.files}


@functools.lru_cache(maxsize=256)
def chebyshev_series(name: str, dim: float) -> np.ndarray:
    """Chebyshev coefficients in 2 p - 1 of remainder `name` ("kl", "mean" or "slope") at `dim`, in float64."""
    tables = _tables()
    u = 1.0 / dim
    segment = int(np.searchsorted(tables["intervals"][:, 1], u))
    low, high = tables["intervals"][segment]
    in_u = np.polynomial.chebyshev.chebvander(
        (2.0 * u - low - high) / (high - low), tables[f"{name}_{segment}"].shape[1] - 1
    )[0]
    return tables[f"{name}_{segment}"] @ in_u


@functools.lru_cache(maxsize=1024)
def polynomial(name: str, dim: float, dtype: str) -> Polynomial:
    """The polynomial in t = 2 p - 1 that TensorFlow evaluates.

    Args:
        name: "kl" for P; "mean" for C / dim; "slope" for 1 + D / dim.
        dim: Dimension, >= 2.
        dtype: "float32" or "float64".
    """
    series = chebyshev_series(name, dim).copy()
    if name == "kl":
        tolerance = _TOLERANCE[dtype] * (dim - 1) / 4  # (1 - p)^2 P is added to a term of at least (dim - 1)/4 (1 - p)
    else:
        tolerance = _TOLERANCE[dtype]
        series /= dim
    if name == "slope":
        series[0] += 1.0
    # tail[k]: what is lost by keeping the first k + 1 coefficients.
    tail = np.cumsum(np.abs(series[::-1]))[::-1] - np.abs(series)
    series = series[: int(np.argmax(tail <= tolerance)) + 1]
    powers = np.polynomial.chebyshev.cheb2poly(series)
    if dtype == "float32" and np.abs(powers).sum() <= _GROWTH * np.abs(series).sum():
        return Polynomial(tuple(powers.tolist()), monomial=True)
    return Polynomial(tuple(series.tolist()), monomial=False)


def evaluate(poly: Polynomial, p: tf.Tensor) -> tf.Tensor:
    """Value of the polynomial at p: Horner for powers, Clenshaw for Chebyshev polynomials."""
    c = poly.coefficients
    if len(c) == 1:
        return tf.fill(tf.shape(p), tf.cast(c[0], p.dtype))
    if poly.monomial:
        t = 2.0 * p - 1.0
        value = c[-1] * t + c[-2]
        for coefficient in c[-3::-1]:
            value = value * t + coefficient
        return value
    if len(c) == 2:
        return c[0] + c[1] * (2.0 * p - 1.0)
    t2 = 4.0 * p - 2.0
    following, value = c[-1], c[-1] * t2 + c[-2]
    for coefficient in c[-3:0:-1]:
        following, value = value, t2 * value + (coefficient - following)
    return 0.5 * t2 * value + (c[0] - following)
