"""Kullback-Leibler divergence from a von Mises-Fisher distribution to the uniform one and to another of its kind."""

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_vmf.math import _formulas
from tf_vmf.math._arguments import check_dim, compute_dtype
from tf_vmf.math.custom_gradient import custom_gradient
from tf_vmf.math.resultant_length import mean, slope


def kl_to_uniform(concentration: tf.Tensor, dim: int) -> tf.Tensor:
    """`KL(vMF(mu, kappa) || uniform) = kappa A_d(kappa) - log 0F1(; d/2; kappa^2/4)` in nats.

    Relative error below 5e-7 in float32 and 2e-15 in float64 for any dimension; the same for the gradient
    `kappa A_d'(kappa)`, which shares its intermediate values with the forward pass. Never negative; exactly 0, with
    gradient 0, at kappa = 0.

    Args:
        concentration: Float tensor of any shape, kappa >= 0.
        dim: Python int d >= 2, the dimension of the space that holds the sphere.

    Returns:
        Tensor of the shape and dtype of `concentration`, in nats: `kappa^2 / (2 d)` near 0, growing as
        `(d - 1)/2 log(kappa)`.

    Raises:
        TypeError: If `dim` is not an int or `concentration` not a float tensor.
        ArgumentError: If `dim` < 2.

    References:
        J. Xu, G. Durrett. Spherical Latent Spaces for Stable Variational Autoencoders, EMNLP 2018. The method is in
        docs/NUMERICS.md.
    """
    dim = check_dim(dim)
    (kappa,), restore = compute_dtype(concentration, names=("concentration",))
    return restore(_kl_to_uniform(kappa, float(dim)))


def kl_von_mises_fisher(
    concentration1: tf.Tensor, concentration2: tf.Tensor, cosine_distance: tf.Tensor, dim: int
) -> tf.Tensor:
    """`KL(vMF(mu1, kappa1) || vMF(mu2, kappa2))` in nats.

    ```
    KL = kappa2 A(kappa1) (1 - mu1.mu2) + B(kappa1, kappa2)
    B  = KL1 - KL2 + kappa2 (A(kappa2) - A(kappa1))          KLi = KL(vMF(mui, kappai) || uniform)
    ```

    Relative error below 1e-6 in float32 and 1e-13 in float64, nearly equal distributions included, provided that
    `cosine_distance` has that accuracy: take it as `||mu1 - mu2||^2 / 2`, not as `1 - mu1.mu2`.

    Args:
        concentration1: Float tensor, kappa1 >= 0.
        concentration2: Float tensor, kappa2 >= 0, of the same dtype; the shapes broadcast.
        cosine_distance: Float tensor `1 - mu1.mu2` in [0, 2], of the same dtype; the shapes broadcast.
        dim: Python int d >= 2, the dimension of the space that holds the sphere.

    Returns:
        Tensor of the broadcast shape and the dtype of the arguments, in nats.

    Raises:
        TypeError: If `dim` is not an int or another argument not a float tensor of the common dtype.
        ArgumentError: If `dim` < 2.
    """
    dim = check_dim(dim)
    (kappa1, kappa2, distance), restore = compute_dtype(
        concentration1, concentration2, cosine_distance, names=("concentration1", "concentration2", "cosine_distance")
    )
    # A point mass: the largest numbers stand for infinity, so that nothing overflows or is infinity times zero.
    kappa1, kappa2 = (tf.minimum(kappa, kappa.dtype.max / 4) for kappa in (kappa1, kappa2))
    directions = kappa2 * mean(kappa1, float(dim)) * distance
    return restore(directions + bregman(kappa1, kappa2, float(dim)))


def _kl_to_uniform(kappa: tf.Tensor, dim: float) -> tf.Tensor:
    @custom_gradient
    def forward(kappa: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        r = _formulas.reduced(kappa, dim)
        return _formulas.kl(r, dim), lambda upstream: upstream * r.bounded * _formulas.slope(r, dim)

    return forward(kappa)


# Quadrature serves log(kappa2/kappa1) up to this; beyond, the difference of closed forms loses less than two bits.
_LOG_RATIO_LIMIT = 2.0
# A'(exp(t)) is analytic for |Im t| < pi/2, so the error falls as 3.4^(-2 n) on an interval of length 2.
_NODES = {"float32": 8, "float64": 14}

_WithGradient = tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]]


def bregman(kappa1: tf.Tensor, kappa2: tf.Tensor, dim: float) -> tf.Tensor:
    """B(kappa1, kappa2) = log F(kappa2) - log F(kappa1) - A(kappa1) (kappa2 - kappa1), F = 0F1, for real `dim`.

    Also the integral of (kappa2 - s) A'(s) from kappa1 to kappa2. Its gradient is
    (A'(kappa1) (kappa1 - kappa2), A(kappa2) - A(kappa1)).
    """
    shape = tf.broadcast_dynamic_shape(tf.shape(kappa1), tf.shape(kappa2))
    kappa1, kappa2 = tf.broadcast_to(kappa1, shape), tf.broadcast_to(kappa2, shape)
    value, difference = _bregman_and_difference(tf.stop_gradient(kappa1), tf.stop_gradient(kappa2), dim)

    @custom_gradient
    def mean_difference(kappa1: tf.Tensor, kappa2: tf.Tensor) -> _WithGradient:
        return tf.identity(difference), lambda u: (-u * slope(kappa1, dim), u * slope(kappa2, dim))

    @custom_gradient
    def divergence(kappa1: tf.Tensor, kappa2: tf.Tensor) -> _WithGradient:
        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            first = upstream * slope(kappa1, dim) * (kappa1 - kappa2)
            return first, upstream * mean_difference(kappa1, kappa2)

        return tf.identity(value), gradient

    return divergence(kappa1, kappa2)


@functools.lru_cache(maxsize=2)
def _gauss_legendre(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes + 1.0) / 2.0, weights / 2.0


def _bregman_and_difference(kappa1: tf.Tensor, kappa2: tf.Tensor, dim: float) -> tuple[tf.Tensor, tf.Tensor]:
    """(B, A(kappa2) - A(kappa1)), neither losing digits when the concentrations are close or far apart."""
    # log(kappa2/kappa1) from the larger over the smaller, as log1p near -1 would magnify the rounding of its argument.
    gap, smaller = kappa2 - kappa1, tf.minimum(kappa1, kappa2)
    positive = smaller > 0.0
    log_ratio = tf.sign(gap) * tf.math.log1p(tf.abs(gap) / tf.where(positive, smaller, tf.ones_like(smaller)))
    near = (tf.abs(log_ratio) < _LOG_RATIO_LIMIT) & (positive | tf.equal(gap, 0.0))
    # From 1e18 on B depends on the ratio alone, and A(kappa2) - A(kappa1) falls as 1 / kappa.
    scale = _formulas.decay(tf.maximum(kappa1, kappa2))
    quadrature = _by_quadrature(tf.where(near, log_ratio, tf.zeros_like(log_ratio)), scale * kappa2, dim)
    closed = _by_closed_form(kappa1, kappa2, dim)
    return tf.where(near, quadrature[0], closed[0]), tf.where(near, scale * quadrature[1], closed[1])


def _by_quadrature(log_ratio: tf.Tensor, kappa2: tf.Tensor, dim: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Gauss-Legendre in u = log(kappa2/s), where kappa2 - s = -kappa2 expm1(-u) has all its digits."""
    nodes, weights = _gauss_legendre(_NODES[kappa2.dtype.name])
    kappa2 = kappa2[..., tf.newaxis]
    u = log_ratio[..., tf.newaxis] * tf.constant(nodes, kappa2.dtype)
    s = kappa2 * tf.exp(-u)
    mass = tf.constant(weights, kappa2.dtype) * s * slope(s, dim)
    value = log_ratio * tf.reduce_sum(-kappa2 * tf.math.expm1(-u) * mass, axis=-1)
    return value, log_ratio * tf.reduce_sum(mass, axis=-1)


def _by_closed_form(kappa1: tf.Tensor, kappa2: tf.Tensor, dim: float) -> tuple[tf.Tensor, tf.Tensor]:
    """KL1 - KL2 + kappa2 (A2 - A1), the logarithms joined and A2 - A1 taken from 1 - A where that is the smaller."""
    r1, r2 = _formulas.reduced(kappa1, dim), _formulas.reduced(kappa2, dim)
    e1, e2 = _formulas.half_s_minus_one(r1, dim), _formulas.half_s_minus_one(r2, dim)
    # log((1 + e1)/(1 + e2)) as log1p of a positive number, whichever is the larger.
    log_quotient = tf.sign(e1 - e2) * tf.math.log1p(tf.abs(e1 - e2) / (1.0 + tf.minimum(e1, e2)))
    kl_difference = (
        (0.5 * (dim - 1.0)) * log_quotient + _formulas.kl_remainder(r1, dim) - _formulas.kl_remainder(r2, dim)
    )
    mean1, mean2 = (_formulas.mean(r, dim) for r in (r1, r2))
    complement1, complement2 = (_formulas.one_minus_mean(r, dim) for r in (r1, r2))
    mean_difference = tf.where(tf.maximum(kappa1, kappa2) >= dim, complement1 - complement2, mean2 - mean1)
    return kl_difference + kappa2 * mean_difference, mean_difference
