"""The power spherical distribution: density at the mode, divergence to the uniform one, samples that keep their digits."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
import scipy.special
import tensorflow as tf

from tf_vmf import _tfp as tfp
from tf_vmf.math._arguments import check_dim, compute_dtype
from tf_vmf.math._tables import Polynomial, evaluate
from tf_vmf.math.custom_gradient import releasing_with_graph
from tf_vmf.math.noise import stateless_normal
from tf_vmf.math.unit_vectors import unit_vector
from tf_vmf.seeds import stateless_seed

# From here on log Gamma and digamma are taken from Stirling's series, whose error is below rounding.
_LARGE = 20.0

# The series in kappa / h converges as 5.8^-n: its singularity, kappa = -h, is as far from the interval as that is long.
_SERIES_DEGREE = 22


def power_spherical_kl_to_uniform(concentration: tf.Tensor, dim: int) -> tf.Tensor:
    """`KL(PowerSpherical(mu, kappa) || uniform)` in nats, for the density proportional to `(1 + mu.x)^kappa`.

    ```
    KL = L(h + kappa) - L(h) - kappa L'(h + kappa),   L(a) = log Gamma(a + h) - log Gamma(a),   h = (d - 1)/2
    ```

    in double precision. L is of the size of h log(a), and the difference of the two gamma functions in it, which cancel for
    large a, is taken from Stirling's series there. For kappa < h, where the three terms cancel, KL / kappa^2 is a Chebyshev series
    in kappa / h, a smooth function: the integral of t (trigamma(a) - trigamma(a + h)) at a = h + kappa t over t from 0 to 1. So the
    result is right as far as the dtype reaches.

    Args:
        concentration: Float tensor of any shape, kappa >= 0.
        dim: Python int d >= 2, the dimension of the space that holds the sphere.

    Returns:
        Tensor of the shape and dtype of `concentration`: 0 at 0, growing as `(d - 1)/2 log(kappa)`.

    Raises:
        TypeError: If `dim` is not an int or `concentration` not a float tensor.
        ArgumentError: If `dim` < 2.

    References:
        N. De Cao and W. Aziz. The Power Spherical distribution. INNF+ 2020. https://arxiv.org/abs/2006.04437
    """
    dim = check_dim(dim)
    (kappa,), restore = compute_dtype(concentration, names=("concentration",))
    dtype, kappa = kappa.dtype, tf.cast(kappa, tf.float64)
    half = 0.5 * (dim - 1)
    alpha, is_point = half + kappa, tf.math.is_inf(kappa) & (kappa > 0)
    uniform = math.lgamma(2 * half) - math.lgamma(half)
    # kappa L' tends to h; the largest number stands for infinity, of which no gradient may be NaN.
    alpha, kappa = (tf.minimum(value, tf.float64.max / 4) for value in (alpha, kappa))
    kl = _log_gamma_increment(alpha, half) - uniform - kappa * _digamma_increment(alpha, half)
    is_small = kappa < half
    small = tf.where(is_small, kappa, tf.zeros_like(kappa))
    kl = tf.where(is_small, small * small * evaluate(_small_concentration_series(dim), small / half), kl)
    return restore(tf.cast(tf.where(is_point, tf.constant(math.inf, kappa.dtype), tf.maximum(kl, 0.0)), dtype))


@functools.lru_cache(maxsize=256)
def _small_concentration_series(dim: int) -> Polynomial:
    """KL / kappa^2 as a Chebyshev series in 2 kappa / h - 1, for 0 <= kappa <= h. It is analytic but for kappa <= -h."""
    half = 0.5 * (dim - 1)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    t = (1 + nodes) / 2
    x = np.polynomial.chebyshev.chebpts1(_SERIES_DEGREE + 1)
    a = half + half * 0.5 * (1 + x[:, np.newaxis]) * t
    values = (t * (scipy.special.polygamma(1, a) - scipy.special.polygamma(1, a + half))) @ weights / 2
    series = np.polynomial.chebyshev.chebfit(x, values, _SERIES_DEGREE)
    return Polynomial(tuple(series.tolist()), "Chebyshev", 0.0)


def power_spherical_log_prob_at_mode(concentration: tf.Tensor, dim: int) -> tf.Tensor:
    """Log density of PowerSpherical(mu, kappa) at mu, nats.

    ```
    log p(mu) = L(h + kappa) - h log(4 pi),   L(a) = log Gamma(a + h) - log Gamma(a),   h = (d - 1)/2
    ```

    Args:
        concentration: Float tensor of any shape, kappa >= 0.
        dim: Python int d >= 2, the dimension of the space that holds the sphere.

    Returns:
        Tensor of the shape and dtype of `concentration`; infinity at infinity.

    Raises:
        TypeError: If `dim` is not an int or `concentration` not a float tensor.
        ArgumentError: If `dim` < 2.

    References:
        N. De Cao and W. Aziz. The Power Spherical distribution. INNF+ 2020, equation 4.
    """
    dim = check_dim(dim)
    (kappa,), restore = compute_dtype(concentration, names=("concentration",))
    dtype, kappa = kappa.dtype, tf.cast(kappa, tf.float64)
    half = 0.5 * (dim - 1)
    is_point = tf.math.is_inf(kappa) & (kappa > 0)
    at_mode = _log_gamma_increment(half + tf.minimum(kappa, tf.float64.max / 4), half) - half * math.log(4 * math.pi)
    return restore(tf.cast(tf.where(is_point, tf.constant(math.inf, kappa.dtype), at_mode), dtype))


def _log_gamma_increment(a: tf.Tensor, h: float) -> tf.Tensor:
    """Log Gamma(a + h) - log Gamma(a)."""
    large = a > _LARGE
    small_a, large_a = tf.where(large, tf.ones_like(a), a), tf.where(large, a, 2 * _LARGE * tf.ones_like(a))
    b = large_a + h
    # (b - 1/2) log b - (a - 1/2) log a - h, the logarithms joined.
    leading = h * tf.math.log(large_a) + (b - 0.5) * tf.math.log1p(h / large_a) - h
    stirling = leading + _log_gamma_remainder(b) - _log_gamma_remainder(large_a)
    return tf.where(large, stirling, tf.math.lgamma(small_a + h) - tf.math.lgamma(small_a))


def _digamma_increment(a: tf.Tensor, h: float) -> tf.Tensor:
    """The derivative of `_log_gamma_increment`, digamma(a + h) - digamma(a)."""
    large = a > _LARGE
    small_a, large_a = tf.where(large, tf.ones_like(a), a), tf.where(large, a, 2 * _LARGE * tf.ones_like(a))
    b = large_a + h
    leading = tf.math.log1p(h / large_a) + 0.5 * h / large_a / b
    stirling = leading + _digamma_remainder(b) - _digamma_remainder(large_a)
    return tf.where(large, stirling, tf.math.digamma(small_a + h) - tf.math.digamma(small_a))


def _log_gamma_remainder(x: tf.Tensor) -> tf.Tensor:
    """Log Gamma(x) - (x - 1/2) log x + x - log(2 pi)/2, DLMF 5.11.1."""
    w = 1 / x
    y = w * w
    return w * (
        1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y * (1 / 1188 - y * (691 / 360360 - y / 156)))))
    )


def _digamma_remainder(x: tf.Tensor) -> tf.Tensor:
    """Digamma(x) - log x + 1/(2 x), DLMF 5.11.2."""
    w = 1 / x
    y = w * w
    return -y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y * (1 / 132 - y * (691 / 32760 - y / 12))))))


# Below it a gamma variable of shape 1/2, as there is on the circle, has a square root without a finite derivative.
_LEAST = 1e-30

# From here on the derivative of a gamma variable is taken from its expansion: its error is of the order of shape ** -1.5.
_LARGE_SHAPE = 500.0


def power_spherical_sample(
    mean_direction: tf.Tensor, concentration: tf.Tensor, seed: tf.Tensor, sample_shape: Sequence[int] | tf.Tensor = ()
) -> tf.Tensor:
    """Draws unit vectors with density proportional to (1 + mu.x)^kappa, differentiably (De Cao and Aziz, 2020).

    x = cos(a) mu + sin(a) u: the cosine from two gamma variables, which keep the digits of the sine, u a uniform tangent
    direction. The concentration has the shape `mean_direction.shape[:-1]`.
    """
    mu, kappa = mean_direction, concentration
    dim = mu.shape[-1]
    half = 0.5 * (dim - 1)
    sample_shape = tf.reshape(tf.cast(sample_shape, tf.int32), [-1])
    shape = tf.concat([sample_shape, tf.shape(kappa)], axis=0)
    towards = _gamma(half + kappa, sample_shape, stateless_seed(seed, 0))
    with releasing_with_graph():
        away = tfp.distributions.Gamma(tf.cast(half, kappa.dtype), 1.0).sample(shape, seed=stateless_seed(seed, 1))
    away = tf.maximum(away, _LEAST)
    cosine = (towards - away) / (towards + away)
    sine = 2.0 * tf.sqrt(towards) * tf.sqrt(away) / (towards + away)
    noise = stateless_normal(tf.concat([shape, [dim]], axis=0), stateless_seed(seed, 2), mu.dtype)
    tangent = unit_vector(noise - tf.reduce_sum(noise * mu, axis=-1, keepdims=True) * mu)
    # Rounding leaves a part along mu where the noise is nearly parallel to it.
    return unit_vector(cosine[..., tf.newaxis] * mu + sine[..., tf.newaxis] * tangent)


def _gamma(shape: tf.Tensor, sample_shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Gamma variables of unit rate, differentiable in their shape parameter, of any size.

    TensorFlow's derivative is 3 % off at 1e4 and 40 % at 1e6 in float32. There a gamma variable is
    a + sqrt(a) n + (n^2 - 1) / 3 for a normal n, up to terms of the order 1 / sqrt(a) (Cornish and Fisher), and has the derivative
    1 + n / (2 sqrt(a)) at fixed n.
    """
    with releasing_with_graph():
        drawn = tfp.distributions.Gamma(shape, 1.0).sample(sample_shape, seed=seed)
    fixed, fixed_shape = tf.stop_gradient(drawn), tf.stop_gradient(shape)
    # Wilson and Hilferty: the cube root is nearly normal.
    normal = 3.0 * tf.sqrt(fixed_shape) * ((fixed / fixed_shape) ** (1.0 / 3.0) - 1.0 + 1.0 / (9.0 * fixed_shape))
    moved = fixed + (shape - fixed_shape) * (1.0 + normal / (2.0 * tf.sqrt(fixed_shape)))
    return tf.where(shape > _LARGE_SHAPE, moved, drawn)
