"""Samples from the power spherical distribution that keep their digits in float32."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from tf_vmf.math.custom_gradient import releasing_with_graph
from tf_vmf.math.normal_noise import stateless_normal
from tf_vmf.math.unit_vector import unit_vector
from tf_vmf.seeds import stateless_seed

# Below it a gamma variable of shape 1/2, as there is on the circle, has a square root without a finite derivative.
_LEAST = 1e-30

# From here on the derivative of a gamma variable is taken from its expansion: its error is of the order of shape ** -1.5.
_LARGE = 500.0


def power_spherical_sample(
    mean_direction: tf.Tensor, concentration: tf.Tensor, seed: tf.Tensor, sample_shape: Sequence[int] | tf.Tensor = ()
) -> tf.Tensor:
    """Draws unit vectors with density proportional to (1 + mu.x)^kappa, differentiably in both parameters.

    x = cos(a) mu + sin(a) u: the cosine from two gamma variables, which keep the digits of the sine, and u a uniform tangent
    direction.

    Args:
        mean_direction: Float tensor (..., d) of unit vectors, d >= 2 static.
        concentration: Float tensor >= 0 of the shape `mean_direction.shape[:-1]` and the same dtype.
        seed: int32 tensor of shape (2,).
        sample_shape: Shape of independent draws, put before the batch shape.

    Returns:
        Tensor of shape sample_shape + (..., d).

    References:
        N. De Cao and W. Aziz. The Power Spherical distribution. INNF+ 2020, algorithm 1. https://arxiv.org/abs/2006.04437
    """
    import tensorflow_probability as tfp

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
    import tensorflow_probability as tfp

    with releasing_with_graph():
        drawn = tfp.distributions.Gamma(shape, 1.0).sample(sample_shape, seed=seed)
    fixed, fixed_shape = tf.stop_gradient(drawn), tf.stop_gradient(shape)
    # Wilson and Hilferty: the cube root is nearly normal.
    normal = 3.0 * tf.sqrt(fixed_shape) * ((fixed / fixed_shape) ** (1.0 / 3.0) - 1.0 + 1.0 / (9.0 * fixed_shape))
    moved = fixed + (shape - fixed_shape) * (1.0 + normal / (2.0 * tf.sqrt(fixed_shape)))
    return tf.where(shape > _LARGE, moved, drawn)
