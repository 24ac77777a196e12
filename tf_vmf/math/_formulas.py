"""The formulas behind the public functions: leading term in closed form, remainder by polynomial.

All take tensors of a dtype in which to compute and a real dimension >= 2; docs/NUMERICS.md derives them. With

```
y = 2 kappa / sqrt(dim (dim - 1)),   p = 1 / sqrt(1 + y^2)
```

`y_squared` and `p` are computed once by `reduced` and shared between a function and its gradient.
"""

import math

import tensorflow as tf

from tf_vmf.math._tables import evaluate, polynomial


def reduced(kappa: tf.Tensor, dim: float) -> tuple[tf.Tensor, tf.Tensor]:
    """(y^2, p)."""
    y_squared = (4.0 / (dim * (dim - 1.0))) * (kappa * kappa)
    return y_squared, 1.0 / tf.sqrt(1.0 + y_squared)


def kl(y_squared: tf.Tensor, p: tf.Tensor, dim: float) -> tf.Tensor:
    """KL(vMF || uniform) = (dim - 1)/2 log((1 + s)/2) + (1 - p)^2 P(p) with s = 1 / p.

    log((1 + s)/2) is taken as log1p(y^2 / (2 (1 + s))), exact for small y.
    """
    q = 1.0 - p
    return (0.5 * (dim - 1.0)) * tf.math.log1p(y_squared * p / (2.0 + 2.0 * p)) + q * q * evaluate(
        polynomial("kl", dim, p.dtype.name), p
    )


def slope(p: tf.Tensor, dim: float) -> tf.Tensor:
    """A'(kappa) = 2 / (dim s (1 + s)) (1 + D(p)/dim), the variance of mu.x."""
    return (2.0 / dim) * (p * p) / (1.0 + p) * evaluate(polynomial("slope", dim, p.dtype.name), p)


def _mean_leading(kappa: tf.Tensor, p: tf.Tensor, dim: float) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """(S, A_0, p^2 C(p)/dim) with S = sqrt(kappa^2 + ((dim + 1)/2)^2), A = A_0 (1 + p^2 C(p)/dim)."""
    root = tf.sqrt(kappa * kappa + (0.5 * (dim + 1.0)) ** 2)
    return root, kappa / (0.5 * (dim - 1.0) + root), p * p * evaluate(polynomial("mean", dim, p.dtype.name), p)


def mean(kappa: tf.Tensor, p: tf.Tensor, dim: float) -> tf.Tensor:
    """A(kappa) = kappa / ((dim - 1)/2 + S) (1 + p^2 C(p)/dim)."""
    _, leading, remainder = _mean_leading(kappa, p, dim)
    return leading + leading * remainder


def one_minus_mean(kappa: tf.Tensor, p: tf.Tensor, dim: float) -> tf.Tensor:
    """1 - A(kappa), from S - kappa = ((dim + 1)/2)^2 / (S + kappa), so that nothing cancels for large kappa."""
    root, leading, remainder = _mean_leading(kappa, p, dim)
    half, b = 0.5 * (dim - 1.0), 0.5 * (dim + 1.0)
    return (half + b * b / (root + kappa)) / (half + root) - leading * remainder


def log_sphere_area(dim: float) -> float:
    """Log area of the unit sphere in R^dim, log(2 pi^(dim/2) / Gamma(dim/2))."""
    return math.log(2.0) + 0.5 * dim * math.log(math.pi) - math.lgamma(0.5 * dim)
