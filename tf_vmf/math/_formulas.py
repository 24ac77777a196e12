"""The formulas behind the public functions: leading term in closed form, remainder by polynomial.

All take tensors of a dtype in which to compute and a real dimension >= 2; docs/NUMERICS.md derives them. With

```
y = 2 kappa / sqrt(dim (dim - 1)),   s = sqrt(1 + y^2),   p = 1 / s
```

the remainders are polynomials in p (`_tables`). The quantities of `reduced` are shared by a function and its gradient.
"""

from typing import NamedTuple

import tensorflow as tf

from tf_vmf.math._tables import evaluate, polynomial


class Reduced(NamedTuple):
    """Powers of the concentration and of p, each rounded as few times as possible."""

    kappa: tf.Tensor
    kappa_squared: tf.Tensor
    p_squared: tf.Tensor
    p: tf.Tensor


def reduced(kappa: tf.Tensor, dim: float) -> Reduced:
    """The shared intermediate quantities; p^2 = q / (q + kappa^2), where q = dim (dim - 1)/4 is exact in float32."""
    quarter = dim * (dim - 1.0) / 4.0
    kappa_squared = kappa * kappa
    p_squared = quarter / (quarter + kappa_squared)
    return Reduced(kappa, kappa_squared, p_squared, tf.sqrt(p_squared))


def half_s_minus_one(r: Reduced, dim: float) -> tf.Tensor:
    """(s - 1)/2 as y^2 p / (2 (1 + p)), which keeps its digits at small kappa."""
    return r.kappa_squared / (0.5 * dim * (dim - 1.0)) * r.p / (1.0 + r.p)


def log_half_one_plus_s(r: Reduced, dim: float) -> tf.Tensor:
    """The logarithm of (1 + s)/2."""
    return tf.math.log1p(half_s_minus_one(r, dim))


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


def mean_and_complement(r: Reduced, dim: float) -> tuple[tf.Tensor, tf.Tensor]:
    """(A, 1 - A), with S = sqrt(kappa^2 + ((dim + 1)/2)^2).

    A = A_0 (1 + p^2 C(p)/dim) with A_0 = kappa / ((dim - 1)/2 + S). In 1 - A_0, S - kappa is taken as
    ((dim + 1)/2)^2 / (S + kappa), so that nothing cancels for large kappa.
    """
    half, b = 0.5 * (dim - 1.0), 0.5 * (dim + 1.0)
    root = tf.sqrt(r.kappa_squared + b * b)
    leading = r.kappa / (half + root)
    correction = leading * (r.p_squared * evaluate(polynomial("mean", dim, r.p.dtype.name), r.p))
    return leading + correction, (half + b * b / (root + r.kappa)) / (half + root) - correction


def mean(r: Reduced, dim: float) -> tf.Tensor:
    """A(kappa), the mean of mu.x."""
    return mean_and_complement(r, dim)[0]


def one_minus_mean(r: Reduced, dim: float) -> tf.Tensor:
    """1 - A(kappa)."""
    return mean_and_complement(r, dim)[1]
