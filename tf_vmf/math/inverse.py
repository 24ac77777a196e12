"""Concentration of a von Mises-Fisher distribution from its mean resultant length: the maximum-likelihood estimate."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_vmf.math import _formulas
from tf_vmf.math._arguments import check_dim, compute_dtype
from tf_vmf.math.array_library import library
from tf_vmf.math.custom_gradient import custom_gradient
from tf_vmf.math.resultant_length import slope

# The start is off by at most 0.3/dim, relatively; a step squares and halves that.
_STEPS = {"float32": 3, "float64": 4}


def inverse_mean_resultant_length(resultant_length: tf.Tensor, dim: int) -> tf.Tensor:
    """The concentration kappa with `A_d(kappa) = r`, the maximum-likelihood estimate from samples whose mean has length r.

    Newton's method on the exact A, from a start with the right limits for r -> 0 and r -> 1. Differentiable by the
    implicit function theorem, `d kappa / d r = 1 / A'(kappa)`. For r near 1, where `1 - r` has more digits than r, use
    `inverse_one_minus_mean_resultant_length`.

    Args:
        resultant_length: Float tensor of any shape, 0 <= r < 1.
        dim: Python int d >= 2, the dimension of the space that holds the sphere.

    Returns:
        Tensor of the shape and dtype of `resultant_length`: 0 at r = 0, infinity at r = 1, NaN outside [0, 1].

    Raises:
        TypeError: If `dim` is not an int or `resultant_length` not a float tensor.
        ArgumentError: If `dim` < 2.

    References:
        S. Sra. A short note on parameter approximation for von Mises-Fisher distributions, Computational Statistics 27,
        2012 (Newton's method, from another start).
    """
    dim = check_dim(dim)
    (r,), restore = compute_dtype(resultant_length, names=("resultant_length",))
    return restore(_inverse(r, float(dim)))


def inverse_one_minus_mean_resultant_length(one_minus_resultant_length: tf.Tensor, dim: int) -> tf.Tensor:
    """The concentration kappa with `1 - A_d(kappa) = q`; accurate down to the smallest q.

    Args:
        one_minus_resultant_length: Float tensor of any shape, 0 < q <= 1. For unit vectors x_i with normalised mean m, the
            mean of `||x_i - m||^2 / 2`.
        dim: Python int d >= 2, the dimension of the space that holds the sphere.

    Returns:
        Tensor of the shape and dtype of the argument: about `(d - 1) / (2 q)` for small q, infinity at q = 0, NaN outside
        [0, 1].

    Raises:
        TypeError: If `dim` is not an int or the argument not a float tensor.
        ArgumentError: If `dim` < 2.
    """
    dim = check_dim(dim)
    (q,), restore = compute_dtype(one_minus_resultant_length, names=("one_minus_resultant_length",))
    return restore(_inverse_complement(q, float(dim)))


def _inverse(r: tf.Tensor, dim: float) -> tf.Tensor:
    # 1 - r is exact for r >= 1/2, and unused below.
    return _differentiable(r, newton(tf.stop_gradient(r), tf.stop_gradient(1.0 - r), dim), 1.0, dim)


def _inverse_complement(q: tf.Tensor, dim: float) -> tf.Tensor:
    return _differentiable(q, newton(tf.stop_gradient(1.0 - q), tf.stop_gradient(q), dim), -1.0, dim)


def _differentiable(argument: tf.Tensor, kappa: tf.Tensor, sign: float, dim: float) -> tf.Tensor:
    """The solution as a function of the argument, with the derivative sign / A'(kappa), to any order."""

    @custom_gradient
    def solution(argument: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        return tf.identity(kappa), lambda upstream: sign * upstream / slope(solution(argument), dim)

    return solution(argument)


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
    for _ in range(_STEPS[r.dtype.name]):
        reduced = _formulas.reduced(kappa, dim)
        mean, complement = _formulas.mean(reduced, dim), _formulas.one_minus_mean(reduced, dim)
        derivative = _formulas.slope(reduced, dim)
        from_mean = xp.log(r_safe / mean) * mean
        from_complement = xp.log(complement / q_safe) * complement
        step = xp.where(r_safe < 0.5, from_mean, from_complement) / (kappa * derivative)
        kappa = kappa * xp.exp(step)
    infinity, nan = float("inf") * xp.ones_like(r), float("nan") * xp.ones_like(r)
    at_ends = xp.where(inside, xp.where(r > 0.0, infinity, xp.zeros_like(r)), nan)
    return xp.where(regular, kappa, at_ends)
