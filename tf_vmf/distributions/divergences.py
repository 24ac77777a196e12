"""Kullback-Leibler divergences of the von Mises-Fisher distribution, registered with TensorFlow Probability.

The closed forms are exact in every dimension. Those that involve `tfd.VonMisesFisher` take its parameters alone and none of its
formulas.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tf_vmf import math as vmf_math
from tf_vmf.distributions.pairwise import cosine_distance
from tf_vmf.distributions.power_spherical import PowerSpherical
from tf_vmf.distributions.von_mises_fisher import VonMisesFisher


def check_same_dim(a: tfd.Distribution, b: tfd.Distribution) -> int:
    """Returns the common static dimension of two distributions on the sphere, or raises a ValueError."""
    dims = [tf.compat.dimension_value(d.event_shape[-1]) for d in (a, b)]
    if None in dims or dims[0] != dims[1]:
        names = type(a).__name__, type(b).__name__
        raise ValueError(
            f"Can not compute the KL divergence between a `{names[0]}` and `{names[1]}` of different dimensions. "
            f"Got {dims[0]} vs. {dims[1]}"
        )
    return dims[0]


@tfd.RegisterKL(VonMisesFisher, tfd.SphericalUniform)
def _kl_vmf_uniform(a: VonMisesFisher, b: tfd.SphericalUniform, name: str | None = None) -> tf.Tensor:
    """KL(a || b) = kappa A - log 0F1(; d/2; kappa^2/4), nats."""
    with tf.name_scope(name or "kl_von_mises_fisher_spherical_uniform"):
        divergence = vmf_math.kl_to_uniform(a._batch_concentration(), check_same_dim(a, b))
        return divergence + tf.zeros(b.batch_shape_tensor(), divergence.dtype)


@tfd.RegisterKL(tfd.SphericalUniform, VonMisesFisher)
def _kl_uniform_vmf(a: tfd.SphericalUniform, b: VonMisesFisher, name: str | None = None) -> tf.Tensor:
    """KL(a || b) = log 0F1(; d/2; kappa^2/4), nats: the mean of mu^T x under the uniform distribution is 0."""
    with tf.name_scope(name or "kl_spherical_uniform_von_mises_fisher"):
        divergence = vmf_math.log_hyp0f1(b._batch_concentration(), check_same_dim(a, b))
        return divergence + tf.zeros(a.batch_shape_tensor(), divergence.dtype)


@tfd.RegisterKL(VonMisesFisher, VonMisesFisher)
@tfd.RegisterKL(VonMisesFisher, tfd.VonMisesFisher)
@tfd.RegisterKL(tfd.VonMisesFisher, VonMisesFisher)
def _kl_vmf_vmf(a: Any, b: Any, name: str | None = None) -> tf.Tensor:
    """KL(a || b), nats."""
    with tf.name_scope(name or "kl_von_mises_fisher_von_mises_fisher"):
        dim = check_same_dim(a, b)
        return vmf_math.kl_von_mises_fisher(
            tf.convert_to_tensor(a.concentration),
            tf.convert_to_tensor(b.concentration),
            cosine_distance(a.mean_direction, b.mean_direction),
            dim,
        )


@tfd.RegisterKL(tfd.PowerSpherical, VonMisesFisher)
def _kl_power_spherical_vmf(a: tfd.PowerSpherical, b: VonMisesFisher, name: str | None = None) -> tf.Tensor:
    """KL(a || b) = KL(a || uniform) - log area - log b(mu_b) + kappa_b (1 - E_a[x.mu_b]), nats.

    E_a[x] = kappa_a / (d - 1 + kappa_a) mu_a.

    The other direction needs E[log(1 + mu^T x)] under a von Mises-Fisher distribution, which has no closed form.
    """
    with tf.name_scope(name or "kl_power_spherical_von_mises_fisher"):
        dim = check_same_dim(a, b)
        concentration = tf.convert_to_tensor(b.concentration)
        # 1 - E_a[x.mu_a] and its complement, from a quotient that neither overflows nor cancels.
        share = (dim - 1) / (a.concentration + dim - 1)
        distance = share + (1 - share) * cosine_distance(a.mean_direction, b.mean_direction)
        excess = vmf_math.power_spherical_kl_to_uniform(a.concentration, dim) - vmf_math.log_sphere_area(dim)
        return concentration * distance - vmf_math.log_prob_at_mode(concentration, dim) + excess


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
    """E[-log((1 + mu_b.x)/2)] for x of a distribution around mu_a, 1 - mu_a.mu_b = distance; float64.

    Without a closed form but for x uniform, it is integrated over the cosine w of x to mu_a and over the direction of the rest. In
    y = atanh(w) the law of w is log-concave and analytic, where the trapezoidal rule converges exponentially; the rest is a Gauss
    rule of fixed size. The error is about 1e-10, on the circle 1e-5.
    """
    m = dim - 1.0
    u = np.linspace(-1, 1, _COSINES if dim > 3 else _MANY_COSINES)
    reach = (40 / m + 10 / math.sqrt(m)) / math.sinh(_STRETCH)
    # The rate at which nodes follow one another; where they lie needs no gradient, as the sum does not depend on it.
    log_spacing = tf.constant(np.log(np.cosh(_STRETCH * u)))
    kappa, distance = kappa[..., tf.newaxis], distance[..., tf.newaxis]
    y = 0.5 * tf.stop_gradient(tf.math.log1p(2 * kappa / m)) + reach * np.sinh(_STRETCH * u)
    log_sech = math.log(2) - tf.abs(y) - tf.math.log1p(tf.exp(-2 * tf.abs(y)))
    area = m * log_sech + log_spacing
    mass = area + law(kappa, y, m)
    weights = tf.nn.softmax(mass, axis=-1)
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
    logarithm = tf.reduce_sum(logarithm * tf.constant(shares), axis=-1)
    if dim > 2:
        return tf.reduce_sum(weights * logarithm, axis=-1)
    # The circle meets the point opposite to mu_b, where the logarithm is infinite. There the density is taken off; the mean of the
    # logarithm alone is 2 log 2.
    opposite = 0.5 * tf.math.log(tf.maximum(distance, 1e-300) / tf.maximum(2 - distance, 1e-300))
    rest = tf.exp(area + law(kappa, opposite, m) - tf.reduce_logsumexp(mass, axis=-1, keepdims=True))
    return tf.reduce_sum((weights - rest) * logarithm + 2 * math.log(2) * rest, axis=-1)


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
