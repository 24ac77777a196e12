"""Kullback-Leibler divergences of the von Mises-Fisher distribution, registered with TensorFlow Probability.

The closed forms are exact in every dimension. Those that involve `tfd.VonMisesFisher` take its parameters alone and none of its
formulas.
"""

from typing import Any

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tf_vmf import math as vmf_math
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


def cosine_distance(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """`1 - a.b` of unit vectors, without cancellation."""
    return 0.5 * tf.reduce_sum(tf.math.squared_difference(a, b), axis=-1)


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
