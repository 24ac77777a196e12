"""The formulas behind the public functions: leading term in closed form, remainder by polynomial.

All take tensors, or NumPy arrays, of a dtype in which to compute and a real dimension >= 2; docs/NUMERICS.md derives them. With

```
y = 2 kappa / sqrt(dim (dim - 1)),   s = sqrt(1 + y^2),   p = 1 / s
```

the remainders are polynomials in p (`_tables`). The quantities of `reduced` are shared by a function and its gradient.

Squares of concentrations overflow in float32 from 1e19 on. So p is that of `min(kappa, 1e18)`, beyond which it is zero to any
precision, and the leading terms, which go on growing or falling, take kappa itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tf_vmf.math._tables import evaluate, polynomial
from tf_vmf.math.precision import POINT_MASS_CONCENTRATION

if TYPE_CHECKING:
    import tensorflow as tf


class Reduced(NamedTuple):
    """Powers of the concentration, of the bounded one (at most 1e18) and of p = 1/s, each rounded as few times as possible."""

    kappa: tf.Tensor
    bounded: tf.Tensor
    bounded_squared: tf.Tensor
    p_squared: tf.Tensor
    p: tf.Tensor


def reduced(kappa: tf.Tensor, dim: float) -> Reduced:
    """The shared intermediate quantities; p^2 = q / (q + kappa^2), where q = dim (dim - 1)/4 is exact in float32."""
    quarter = dim * (dim - 1.0) / 4.0
    bounded = library(kappa).minimum(kappa, POINT_MASS_CONCENTRATION)
    bounded_squared = bounded * bounded
    p_squared = quarter / (quarter + bounded_squared)
    return Reduced(kappa, bounded, bounded_squared, p_squared, library(kappa).sqrt(p_squared))


def half_s_minus_one(r: Reduced, dim: float) -> tf.Tensor:
    """(s - 1)/2 as y^2 p / (2 (1 + p)), which keeps its digits at small kappa."""
    return r.kappa / (0.5 * dim * (dim - 1.0)) * (r.bounded * r.p) / (1.0 + r.p)


def log_half_one_plus_s(r: Reduced, dim: float) -> tf.Tensor:
    """The logarithm of (1 + s)/2."""
    return library(r.p).log1p(half_s_minus_one(r, dim))


def kl_remainder(r: Reduced, dim: float) -> tf.Tensor:
    """(1 - p)^2 P(p), what KL has beside its leading term."""
    q = 1.0 - r.p
    return q * q * evaluate(polynomial("kl", dim, r.p.dtype.name), r.p)


def kl(r: Reduced, dim: float) -> tf.Tensor:
    """KL(vMF || uniform) = (dim - 1)/2 log((1 + s)/2) + (1 - p)^2 P(p)."""
    return (0.5 * (dim - 1.0)) * log_half_one_plus_s(r, dim) + kl_remainder(r, dim)


def slope(r: Reduced, dim: float) -> tf.Tensor:
    """A'(kappa) = 2 / (dim s (1 + s)) (1 + D(p)/dim), the variance of mu.x."""
    return r.p_squared / (1.0 + r.p) * evaluate(polynomial("slope", dim, r.p.dtype.name), r.p)


def mean(r: Reduced, dim: float) -> tf.Tensor:
    """A = A_0 (1 + p^2 C(p)/dim), with A_0 = kappa / ((dim - 1)/2 + S), S = sqrt(kappa^2 + ((dim + 1)/2)^2)."""
    leading, correction, _ = _mean_terms(r, dim)
    return leading + correction


def one_minus_mean(r: Reduced, dim: float) -> tf.Tensor:
    """1 - A."""
    return one_minus_bounded_mean(r, dim) * decay(r.kappa)


def one_minus_bounded_mean(r: Reduced, dim: float) -> tf.Tensor:
    """1 - A(bounded); in 1 - A_0, S - kappa is ((dim + 1)/2)^2 / (S + kappa), so that nothing cancels for large kappa."""
    half, b = 0.5 * (dim - 1.0), 0.5 * (dim + 1.0)
    _, correction, root = _mean_terms(r, dim)
    return (half + b * b / (root + r.bounded)) / (half + root) - correction


def decay(kappa: tf.Tensor) -> tf.Tensor:
    """1 up to the concentration 1e18, from where 1 - A falls as 1e18 / kappa and A' as the square of that."""
    # A constant of the dtype: TensorFlow would round the number to float32.
    limit = np.asarray(POINT_MASS_CONCENTRATION, kappa.dtype.name)
    return limit / library(kappa).maximum(kappa, limit)


def _mean_terms(r: Reduced, dim: float) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """(A_0, A - A_0, S)."""
    root = library(r.p).sqrt(r.bounded_squared + (0.5 * (dim + 1.0)) ** 2)
    leading = r.bounded / (0.5 * (dim - 1.0) + root)
    return leading, leading * (r.p_squared * evaluate(polynomial("mean", dim, r.p.dtype.name), r.p)), root


# The start is off by at most 0.3/dim, relatively; a step squares and halves that.
_STEPS = {"float32": 3, "float64": 4}


def newton(r: Any, q: Any, dim: float) -> Any:
    """Solve A(kappa) = r where q = 1 - r, each used where it has the more digits; for tensors or NumPy arrays.

    The start solves A_0(kappa) = r for A_0 = kappa / (a + sqrt(kappa^2 + b^2)), a = (dim - 1)/2, b = (dim + 1)/2, the
    leading term of A: kappa^2 (1 - r^2) - 2 a r kappa - dim r^2 = 0. Newton's steps are taken on log kappa against log A
    (or log(1 - A)), which is close to linear at both ends.
    """
    inside = (r >= 0.0) & (q >= 0.0)
    # Zero and one have closed answers; the iteration runs on a harmless value there.
    regular = (r > 0.0) & (q > 0.0)
    xp = library(r)
    half = 0.5 * xp.ones_like(r)
    r_safe, q_safe = xp.where(regular, r, half), xp.where(regular, q, half)
    a = 0.5 * (dim - 1.0)
    one_minus_square = q_safe * (1.0 + r_safe)
    kappa = r_safe * (a + xp.sqrt(a * a + dim * one_minus_square)) / one_minus_square

    def improved(kappa: Any) -> Any:
        at = reduced(kappa, dim)
        at_mean, complement = mean(at, dim), one_minus_mean(at, dim)
        from_mean = xp.log(r_safe / at_mean) * at_mean
        from_complement = xp.log(complement / q_safe) * complement
        return kappa * xp.exp(xp.where(r_safe < 0.5, from_mean, from_complement) / (kappa * slope(at, dim)))

    kappa = _repeated(improved, kappa, _STEPS[r.dtype.name])
    infinity, nan = float("inf") * xp.ones_like(r), float("nan") * xp.ones_like(r)
    at_ends = xp.where(inside, xp.where(r > 0.0, infinity, xp.zeros_like(r)), nan)
    return xp.where(regular, kappa, at_ends)


def _repeated(function: Callable[[Any], Any], value: Any, times: int) -> Any:
    """The function of the function of .. a value; in TensorFlow as a loop, whose body is traced once."""
    if library(value) is not np:
        import tensorflow as tf

        return tf.while_loop(lambda _: True, lambda x: (function(x),), (value,), maximum_iterations=times)[0]
    for _ in range(times):
        value = function(value)
    return value


def library(x: Any) -> Any:
    """NumPy for NumPy arrays and numbers, else the functions of TensorFlow under NumPy's names."""
    return np if isinstance(x, np.ndarray | np.generic) else _tensorflow()


@functools.lru_cache(maxsize=1)
def _tensorflow() -> SimpleNamespace:
    import tensorflow as tf

    return SimpleNamespace(
        exp=tf.exp,
        log=tf.math.log,
        log1p=tf.math.log1p,
        maximum=tf.maximum,
        minimum=tf.minimum,
        ones_like=tf.ones_like,
        sqrt=tf.sqrt,
        where=tf.where,
        zeros_like=tf.zeros_like,
    )
