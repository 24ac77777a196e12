"""Concentration from mean resultant length by Newton's method, for tensors and NumPy arrays alike."""

from typing import Any

from tf_vmf.math import _formulas
from tf_vmf.math.array_library import library

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
