"""The cosine of a von Mises-Fisher sample as a smooth function of normal noise and the concentration."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_vmf.math import cosine_series
from tf_vmf.math.precision import POINT_MASS_CONCENTRATION
from tf_vmf.math.resultant_length import one_minus_mean_resultant_length

# Up to this dimension a table gives the cosine faster than the series, in float32.
_TABLE_DIM = 16

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)


class Cosine(NamedTuple):
    """Where a sample lies between its mean direction and the orthogonal unit vector `u`: `x = cosine mu + sine u`.

    The sine has full relative accuracy; on the circle its sign says on which side of mu the sample is. The rate is
    `dw/dkappa / (1 - w^2)` at fixed noise, None for a fixed concentration.
    """

    cosine: tf.Tensor
    sine: tf.Tensor
    rate: tf.Tensor | None


def cosine_from_normal(z: tf.Tensor, concentration: tf.Tensor | float, dim: int) -> Cosine:
    """Maps standard normal noise to the cosine `mu.x` of a von Mises-Fisher sample by its quantile function.

    The map is increasing in z (on the circle: the angle is). A Python number as `concentration` takes the fast path; a tensor has
    the dtype of z. The rate is the derivative of the series; the tensors carry no useful gradient.
    """
    if isinstance(concentration, float):
        concentration = min(concentration, POINT_MASS_CONCENTRATION)
    else:
        concentration = tf.minimum(concentration, POINT_MASS_CONCENTRATION)
    limit = cosine_series.Z_LIMIT[z.dtype.name]
    z = tf.clip_by_value(z, -limit, limit)
    if dim == 3:
        return _sphere_in_three_dimensions(z, concentration)
    if dim == 2:
        return _circle(z, z / limit, concentration)
    return _sphere(z / limit, concentration, dim)


def _sphere(t: tf.Tensor, concentration: tf.Tensor | float, dim: int) -> Cosine:
    """The series of the module cosine_series, and its derivative in kappa by the chain rule through p, sigma and u."""
    if isinstance(concentration, float):
        p = 1 / math.hypot(1, 2 * concentration / (dim - 1.0))
        step = _clenshaw(cosine_series.fixed_concentration_series(dim, concentration, t.dtype.name), t)
        return Cosine(*_step_from_mode(step, math.sqrt((1 - p) / (1 + p)), math.sqrt(2 * p / (1 + p))), None)
    m = dim - 1.0
    ratio = (2 / m) * concentration
    p = tf.math.rsqrt(1 + ratio * ratio)
    root = tf.sqrt(2 * (1 + p))
    u, sigma = ratio * p / root, root / (2 * math.sqrt(m))
    dp = (-2 / m) * ratio * p * p * p
    du, dsigma = p * p * root / (2 * m), dp / (4 * m * sigma)
    at_mode = ratio * p / (1 + p), tf.sqrt(2 * p / (1 + p))
    if t.dtype == tf.float32 and dim <= _TABLE_DIM:
        h, slope = _from_cells(t, u, dim)
        return Cosine(*_step_from_mode(sigma * h, *at_mode), p / m + dsigma * h + sigma * (slope * du))

    series = cosine_series.series(dim, t.dtype.name)
    in_p, slopes = _expand(series, 2 * p - 1)
    coefficients = [u * c if k % 2 == 0 else c for k, c in enumerate(in_p)]
    derivatives = [
        du * c + u * (2 * dp) * slope if k % 2 == 0 else (2 * dp) * slope
        for k, (c, slope) in enumerate(zip(in_p, slopes, strict=True))
    ]
    h, dh = _clenshaw(coefficients, t), _clenshaw(derivatives, t)
    return Cosine(*_step_from_mode(sigma * h, *at_mode), p / m + dsigma * h + sigma * dh)


def _from_cells(t: tf.Tensor, u: tf.Tensor, dim: int) -> tuple[tf.Tensor, tf.Tensor]:
    """H and its derivative in u, from the table of the module cosine_series."""
    (rows, columns), (order, _) = cosine_series.CELLS, cosine_series.ORDERS
    row, in_z = _cell(0.5 * rows * (1 + t), rows)
    column, in_u = _cell((columns / cosine_series.LARGEST_U) * u, columns)
    index = row * columns + column
    table = cosine_series.cells(dim)
    picked = tf.gather(tf.constant(table.reshape(rows * columns, -1)), tf.reshape(index, [-1]))
    # One tensor per coefficient: sums over a short last axis are slow.
    picked = tf.reshape(tf.transpose(picked), tf.concat([table.shape[2:], tf.shape(index)], axis=0))
    powers = picked[order - 1]
    for k in range(order - 2, -1, -1):
        powers = powers * in_z + picked[k]
    value, slope = powers[-1], tf.zeros_like(in_u)
    for k in range(table.shape[3] - 2, -1, -1):
        value, slope = value * in_u + powers[k], slope * in_u + value
    return value, (columns / cosine_series.LARGEST_U) * slope


def _cell(x: tf.Tensor, count: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The cell of x in [0, count] and the distance from its lower end; those of NaN are the first one and NaN."""
    cell = tf.clip_by_value(tf.cast(x, tf.int32), 0, count - 1)
    return cell, x - tf.cast(cell, x.dtype)


def _step_from_mode(step: tf.Tensor, cosine: tf.Tensor | float, sine: tf.Tensor | float) -> tuple[tf.Tensor, tf.Tensor]:
    """Tanh and sech of `y0 + step` by the addition theorem, for y0 so large that the sum would lose digits."""
    tanh = tf.tanh(step)
    shift = 1 + cosine * tanh
    return (cosine + tanh) / shift, sine / (tf.cosh(step) * shift)


def _circle(z: tf.Tensor, t: tf.Tensor, concentration: tf.Tensor | float) -> Cosine:
    """The signed angle 2 atan(sinh(eta)), with eta = sigma z Q(z^2; q)."""
    x = 2 * t * t - 1
    if isinstance(concentration, float):
        q_series = cosine_series.fixed_concentration_series(2, concentration, z.dtype.name)
        eta = z * (_clenshaw(q_series, x) / math.sqrt(1 + 4 * concentration))
    else:
        in_q, _ = _expand(cosine_series.series(2, z.dtype.name), 2 / (1 + concentration) - 1)
        eta = z * _clenshaw(in_q, x) * tf.math.rsqrt(1 + 4 * concentration)
    angle = 2 * tf.atan(tf.sinh(eta))
    rate = None if isinstance(concentration, float) else _rate_on_circle(tf.abs(eta), concentration)
    return Cosine(tf.cos(angle), tf.sin(angle), rate)


def _rate_on_circle(eta: tf.Tensor, kappa: tf.Tensor) -> tf.Tensor:
    """The rate `-(d angle / d kappa) / sin(angle)`, by Gauss-Legendre integration of

    ```
    -d angle / d kappa = integral of (cos(t) - A) exp(kappa (cos(t) - cos(angle))) dt  from 0 (or pi) to the angle,
    ```

    from the side on which `cos(t) - A` keeps its sign, as far as the exponential is not negligible.
    """
    spread = one_minus_mean_resultant_length(kappa, 2)
    sine = 2 * tf.tanh(eta) / tf.cosh(eta)
    angle = 2 * tf.atan(tf.sinh(eta))
    half_sine2 = tf.square(tf.tanh(eta))  # sin(angle / 2)^2
    # Where sin(t / 2)^2 has grown by 20 / kappa, the exponential has fallen to exp(-40).
    end = half_sine2 + 20 / tf.maximum(kappa, 1e-6)
    to_pi = tf.where(eta < 0.5, math.pi - angle, 2 * tf.atan(1 / tf.sinh(tf.maximum(eta, 0.5))))
    bounded = end < 1
    outwards = tf.where(bounded, 2 * tf.asin(tf.sqrt(tf.where(bounded, end, 0.5 * tf.ones_like(end)))) - angle, to_pi)
    inwards = 2 * half_sine2 < spread
    length = tf.where(inwards, -angle, outwards)[..., tf.newaxis]
    step = 0.5 * length * tf.constant((1 + _NODES) / 2, eta.dtype)  # (t - angle) / 2
    angle, spread, kappa = angle[..., tf.newaxis], spread[..., tf.newaxis], kappa[..., tf.newaxis]
    excess = spread - 2 * tf.square(tf.sin(0.5 * angle + step))
    density = tf.exp(-2 * kappa * tf.sin(angle + step) * tf.sin(step))
    mean = tf.reduce_sum(excess * density * tf.constant(_WEIGHTS / 2, eta.dtype), axis=-1)
    # At the mode the quotient of length and sine is -1.
    at_mode = eta < 1e-30
    quotient = tf.where(
        at_mode, -tf.ones_like(eta), tf.squeeze(length, -1) / tf.where(at_mode, tf.ones_like(eta), sine)
    )
    return -quotient * mean


def _sphere_in_three_dimensions(z: tf.Tensor, concentration: tf.Tensor | float) -> Cosine:
    """Inverts the closed-form distribution function `F = (exp(kappa h) - 1) / (exp(2 kappa) - 1)`, `h = 1 + w`.

    With `g = 1 - w` the other tail is `1 - F = (1 - exp(-kappa g)) / (1 - exp(-2 kappa))`; each half of the noise inverts
    the tail that it is in. The derivative, `-(dF/dkappa) / (dF/dw) / (1 - w^2)`, is `(g - 2 e) / (kappa g h)` with
    `e = exp(-kappa h) (1 - F)`, and `2 (1 - e) - h` is the same numerator without cancellation for `w < 0`.
    """
    kappa = tf.convert_to_tensor(concentration, z.dtype)
    # There the law is uniform to rounding; a sum, which has a derivative at 0.
    kappa = tf.where(kappa < 1e-12, kappa + 1e-12, kappa)
    above, below = (0.5 * tf.math.erfc(sign * math.sqrt(0.5) * z) for sign in (1.0, -1.0))
    contrast = -tf.math.expm1(-2 * kappa)
    # log(1 - above contrast), for z < 0 as a sum of positive terms.
    g = -tf.where(z < 0, tf.math.log(below + above * tf.exp(-2 * kappa)), tf.math.log1p(-above * contrast)) / kappa
    h = tf.math.log1p(below * tf.math.expm1(tf.minimum(2 * kappa, 40.0))) / kappa
    lower = (z < 0) & (kappa < 20.0)  # from there on no sample comes near -1, and exp(2 kappa) would overflow
    g, h = tf.where(lower, 2 - h, g), tf.where(lower, h, 2 - g)
    w = tf.where(lower, h - 1, 1 - g)
    sine = tf.sqrt(g * h)
    if isinstance(concentration, float):
        return Cosine(w, sine, None)
    e = tf.exp(-kappa * h) * above
    numerator = tf.where(w < 0, -2 * tf.math.expm1(-kappa * h) / contrast - h, g - 2 * e)
    rate = tf.where(kappa < 0.5, _rate_at_small_concentration(kappa, g), numerator / (kappa * g * h))
    return Cosine(w, sine, rate)


def _rate_at_small_concentration(kappa: tf.Tensor, g: tf.Tensor) -> tf.Tensor:
    """The rate in three dimensions where kappa < 1/2 makes its closed form cancel: 10 terms in float32, 18 in float64.

    It equals the divided difference of `psi(x) = (e^x - 1) / x = sum_n x^n / (n + 1)!` between `a = 2 kappa` and
    `b = kappa g`, over psi(a); the divided difference of `x^n` is `s_n = a s_(n-1) + b^(n-1)`.
    """
    a = 2 * tf.minimum(kappa, 0.5)
    b = 0.5 * a * g
    s, power, factorial = tf.ones_like(b), tf.ones_like(b), 2.0
    total = s / factorial
    for n in range(2, 11 if g.dtype == tf.float32 else 19):
        power = power * b
        s = a * s + power
        factorial *= n + 1
        total += s / factorial
    return total * a / tf.math.expm1(a)


def _expand(series: np.ndarray, x: tf.Tensor) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """Values and derivatives in x of the polynomials `sum_j series[k, j] T_j(x)`, one tensor for each k."""
    rows, columns = series.shape
    basis = [tf.ones_like(x), x]
    while len(basis) < columns:
        basis.append(2 * x * basis[-1] - basis[-2])
    derivative = np.zeros_like(series)
    derivative[:, :-1] = np.polynomial.chebyshev.chebder(series, axis=1)
    # In float64: the default float32 matrix product keeps 10 bits on some accelerators.
    product = tf.tensordot(
        tf.constant(np.vstack([series, derivative]), tf.float64), tf.cast(tf.stack(basis), tf.float64), axes=1
    )
    polynomials = tf.unstack(tf.cast(product, x.dtype), num=2 * rows)
    return polynomials[:rows], polynomials[rows:]


def _clenshaw(coefficients: Sequence[tf.Tensor] | np.ndarray, x: tf.Tensor) -> tf.Tensor:
    """Value of the Chebyshev series `sum_k coefficients[k] T_k(x)`."""
    coefficients = list(coefficients)
    twice = 2 * x
    previous, value = coefficients[-1], twice * coefficients[-1] + coefficients[-2]
    for coefficient in coefficients[-3:0:-1]:
        previous, value = value, twice * value + (coefficient - previous)
    return x * value + (coefficients[0] - previous)
