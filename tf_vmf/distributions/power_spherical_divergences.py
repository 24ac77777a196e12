"""Kullback-Leibler divergences to power spherical distributions, registered with TensorFlow Probability.

They need E[log(1 + mu.x)], which has no closed form but for x uniform. It is integrated over the cosine w of x to the mean
direction of its own distribution, and over the direction of the rest. In y = atanh(w) the law of w is log-concave and analytic,
where the trapezoidal rule converges exponentially; the rest is a Gauss rule of fixed size. In double precision the result is right
to about 1e-10, and to 1e-3 where the distribution has a good part of its mass around the point opposite to mu, where the logarithm
is infinite (wide distributions on the circle, mean directions far apart).
"""

import functools
import math
from collections.abc import Callable

import numpy as np
import scipy.special
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tf_vmf import math as vmf_math
from tf_vmf.distributions.divergences import check_same_dim, cosine_distance
from tf_vmf.distributions.power_spherical import PowerSpherical
from tf_vmf.distributions.von_mises_fisher import VonMisesFisher

# On the circle and the sphere the integrand has a pole or a kink where x is opposite to mu, which takes more nodes.
_COSINES, _MANY_COSINES, _DIRECTIONS = 257, 4097, 32
_STRETCH = 2.0  # nodes lie sinh(2)/2 times closer at the mode than evenly

_Law = Callable[[tf.Tensor, tf.Tensor, float], tf.Tensor]


@tfd.RegisterKL(VonMisesFisher, tfd.PowerSpherical)
def _kl_vmf_power_spherical(a: VonMisesFisher, b: tfd.PowerSpherical, name: str | None = None) -> tf.Tensor:
    """KL(a || b), nats, by quadrature."""
    with tf.name_scope(name or "kl_von_mises_fisher_power_spherical"):
        return _divergence(a, b, vmf_math.kl_to_uniform, _von_mises_fisher)


@tfd.RegisterKL(PowerSpherical, PowerSpherical)
@tfd.RegisterKL(PowerSpherical, tfd.PowerSpherical)
@tfd.RegisterKL(tfd.PowerSpherical, PowerSpherical)
def _kl_power_spherical(a: tfd.PowerSpherical, b: tfd.PowerSpherical, name: str | None = None) -> tf.Tensor:
    """KL(a || b), nats, by quadrature."""
    with tf.name_scope(name or "kl_power_spherical_power_spherical"):
        return _divergence(a, b, vmf_math.power_spherical_kl_to_uniform, _power_spherical)


@tfd.RegisterKL(tfd.SphericalUniform, PowerSpherical)
def _kl_uniform_power_spherical(a: tfd.SphericalUniform, b: PowerSpherical, name: str | None = None) -> tf.Tensor:
    """KL(a || b) = kappa (digamma(2 h) - digamma(h)) - log b(mu) - log area, nats, h = (d - 1)/2."""
    with tf.name_scope(name or "kl_spherical_uniform_power_spherical"):
        dim = check_same_dim(a, b)
        half = 0.5 * (dim - 1)
        dtype = b.dtype
        kappa = tf.cast(tf.convert_to_tensor(b.concentration), tf.float64)
        per_kappa = float(scipy.special.digamma(2 * half) - scipy.special.digamma(half))
        at_mode = vmf_math.power_spherical_log_prob_at_mode(kappa, dim)
        divergence = tf.cast(kappa * per_kappa - at_mode - vmf_math.log_sphere_area(dim), dtype)
        shape = tf.broadcast_dynamic_shape(a.batch_shape_tensor(), b.batch_shape_tensor())
        return tf.broadcast_to(tf.maximum(divergence, 0.0), shape)


def _divergence(a: tfd.Distribution, b: tfd.Distribution, kl_to_uniform: Callable, law: _Law) -> tf.Tensor:
    """KL(a || uniform) - log area - log b(mu_b) + kappa_b E_a[-log((1 + mu_b.x)/2)]."""
    dim = check_same_dim(a, b)
    kappa_a, kappa_b, mu_a, mu_b = (
        tf.cast(tf.convert_to_tensor(value), tf.float64)
        for value in (a.concentration, b.concentration, a.mean_direction, b.mean_direction)
    )
    expectation = _expected_logarithm(kappa_a, cosine_distance(mu_a, mu_b), dim, law)
    at_mode = vmf_math.power_spherical_log_prob_at_mode(kappa_b, dim)
    divergence = kl_to_uniform(kappa_a, dim) - vmf_math.log_sphere_area(dim) - at_mode + kappa_b * expectation
    return tf.cast(tf.maximum(divergence, 0.0), a.dtype)


def _expected_logarithm(kappa: tf.Tensor, distance: tf.Tensor, dim: int, law: _Law) -> tf.Tensor:
    """E[-log((1 + mu_b.x)/2)] for x of a distribution around mu_a, 1 - mu_a.mu_b = distance; float64."""
    m = dim - 1.0
    u = np.linspace(-1, 1, _COSINES if dim > 3 else _MANY_COSINES)
    reach = (40 / m + 10 / math.sqrt(m)) / math.sinh(_STRETCH)
    # The rate at which nodes follow one another; where they lie needs no gradient, as the sum does not depend on it.
    log_spacing = tf.constant(np.log(np.cosh(_STRETCH * u)))
    kappa, distance = kappa[..., tf.newaxis], distance[..., tf.newaxis]
    y = 0.5 * tf.stop_gradient(tf.math.log1p(2 * kappa / m)) + reach * np.sinh(_STRETCH * u)
    log_sech = math.log(2) - tf.abs(y) - tf.math.log1p(tf.exp(-2 * tf.abs(y)))
    weights = tf.nn.softmax(m * log_sech + law(kappa, y, m) + log_spacing, axis=-1)
    sine, cosine = tf.exp(log_sech), tf.tanh(y)
    one_minus = tf.where(y > 0, tf.square(sine) / (1 + tf.abs(cosine)), 1 - cosine)
    if dim == 3:
        # The mean of log(A + B cos) over the circle is a closed form: of (1 + w)(1 + c)/4 or (1 - w)(1 - c)/4, the larger.
        near = -tf.math.log1p(-0.5 * tf.minimum(one_minus, 2 - 1e-15)) - tf.math.log1p(
            -0.5 * tf.minimum(distance, 2 - 1e-15)
        )
        far = -tf.math.log(0.5 * tf.maximum(one_minus, 1e-300)) - tf.math.log(0.5 * tf.maximum(distance, 1e-300))
        return tf.reduce_sum(weights * tf.minimum(near, far), axis=-1)
    # 1 - mu_b.x = 1 - w + w (1 - c) - sqrt(1 - w^2) sqrt(1 - c^2) t; a sum of squares under the root, whose derivative is finite.
    tangent = tf.sqrt(tf.maximum(distance * (2 - distance), 1e-300))
    t, shares = _directions(dim)
    base = (one_minus + cosine * distance)[..., tf.newaxis]
    away = base - (sine * tangent)[..., tf.newaxis] * tf.constant(t)
    logarithm = -tf.math.log1p(-0.5 * tf.clip_by_value(away, 0.0, 2 - 1e-15))
    return tf.reduce_sum(weights * tf.reduce_sum(logarithm * tf.constant(shares), axis=-1), axis=-1)


def _von_mises_fisher(kappa: tf.Tensor, y: tf.Tensor, m: float) -> tf.Tensor:
    """Log density of y up to a constant, beside m log sech(y): kappa (tanh(y) - 1)."""
    del m
    return -2 * kappa * tf.sigmoid(-2 * y)


def _power_spherical(kappa: tf.Tensor, y: tf.Tensor, m: float) -> tf.Tensor:
    """Log density of y up to a constant, beside m log sech(y): kappa log((1 + tanh(y))/2)."""
    del m
    return -kappa * tf.math.softplus(-2 * y)


@functools.lru_cache(maxsize=64)
def _directions(dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights for a coordinate of a uniform direction in R^(dim - 1), of density (1 - t^2)^((dim - 4)/2)."""
    if dim == 2:
        return np.array([-1.0, 1.0]), np.array([0.5, 0.5])
    # Golub and Welsch: eigenvalues of the matrix of the recurrence of the Gegenbauer polynomials, normal in every dimension.
    k, order = np.arange(1, _DIRECTIONS), (dim - 3) / 2
    off_diagonal = np.sqrt(k * (k + 2 * order - 1) / (4 * (k + order) * (k + order - 1)))
    nodes, vectors = np.linalg.eigh(np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1))
    return nodes, vectors[0] ** 2
