"""Samples from the von Mises-Fisher distribution without rejection, with gradients in both parameters."""

import numbers
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import forwardprop_util

from tf_vmf._errors import ArgumentError
from tf_vmf.math._arguments import check_dim, compute_dtype
from tf_vmf.math.cosine_law import Cosine, cosine_from_normal
from tf_vmf.math.custom_gradient import custom_gradient
from tf_vmf.math.noise import stateless_normal
from tf_vmf.math.precision import POINT_MASS_CONCENTRATION, epsilon
from tf_vmf.math.resultant_length import one_minus_mean_resultant_length

# Up to this dimension the tangent part of the noise may be so short that its length is measured rather than derived.
_SMALL_DIM = 16


def von_mises_fisher_sample(
    mean_direction: tf.Tensor,
    concentration: tf.Tensor | float,
    seed: tf.Tensor,
    sample_shape: Sequence[int] | tf.Tensor | int = (),
) -> tf.Tensor:
    """Draws unit vectors from von Mises-Fisher distributions, differentiably.

    With noise `eps ~ N(0, I_d)`, `z = eps.mu` and `u` the direction of `eps - z mu`, a sample is

    ```
    x = w(z; kappa) mu + sqrt(1 - w^2) u
    ```

    where `w` is the quantile function of the cosine `mu.x` in terms of a normal variable: no rejection, no rotation, and a
    smooth function of the mean direction everywhere, and of the concentration, 0 included.

    The gradients are those of expectations, `d E[f(x)] / d(mu, kappa)`, unbiased for every smooth f:

    - in the concentration, the derivative at fixed noise (implicit reparameterisation);
    - in the mean direction, along a velocity field that moves the distribution as mu turns, chosen for its small variance.
      It has the expectation of the derivative at fixed noise, but does not equal it sample by sample. It is a gradient on
      the sphere: its component parallel to mu has no meaning.

    They can be differentiated again, by a second tape or in forward mode (`tf.autodiff.ForwardAccumulator` in eager mode, or
    opened inside a `tf.function`; around one, TensorFlow raises): second derivatives of expectations are unbiased, too. Third
    derivatives exist in the mean direction alone, at a concentration that is a number; others raise a LookupError.

    Args:
        mean_direction: Float tensor `(..., d)` of unit vectors, d >= 2 static.
        concentration: A Python number >= 0, which is fastest, or a float tensor >= 0 whose shape broadcasts with
            `mean_direction.shape[:-1]`. 0 is the uniform distribution.
        seed: int32 tensor of shape `(2,)`. Equal seeds give equal samples, under XLA too, up to rounding.
        sample_shape: Shape of independent draws, put before the batch shape.

    Returns:
        Tensor `sample_shape + batch shape + (d,)` in the dtype of `mean_direction`. float16 and bfloat16 are computed in
        float32.

    Raises:
        TypeError: If an argument is not of a floating dtype, or the dtypes differ.
        ArgumentError: If `mean_direction` has no static last dimension of at least 2, or a number `concentration` is negative
            or NaN.

    References:
        M. Figurnov, S. Mohamed, A. Mnih. Implicit Reparameterization Gradients. NeurIPS 2018. arXiv:1805.08498
    """
    fixed = isinstance(concentration, numbers.Real)
    if fixed:
        if not concentration >= 0:
            raise ArgumentError(
                "concentration", "a number >= 0, where 0 is the uniform distribution", str(concentration)
            )
        (mu,), restore = compute_dtype(mean_direction, names=("mean_direction",))
        kappa = min(float(concentration), POINT_MASS_CONCENTRATION)
        batch_shape = tf.shape(mu)[:-1]
    else:
        (mu, kappa), restore = compute_dtype(mean_direction, concentration, names=("mean_direction", "concentration"))
        kappa = tf.minimum(kappa, POINT_MASS_CONCENTRATION)
        batch_shape = tf.broadcast_dynamic_shape(tf.shape(mu)[:-1], tf.shape(kappa))
    dim = _static_dim(mu)
    sample_shape = tf.cast(sample_shape, tf.int32)
    shape = tf.concat([tf.reshape(sample_shape, [-1]), batch_shape], axis=0)
    draws = tf.get_static_value(sample_shape)
    if fixed and draws is not None and np.all(draws == 1):
        # One draw: mu has the shape of the sample but for axes of length 1. A broadcast to a shape that is known at run time alone
        # keeps an integer for its gradient, of which TensorFlow 2.21 logs "Type inference failed" in a branch of `tf.cond`.
        mu = mu[(*(tf.newaxis,) * np.size(draws), ...)] if np.size(draws) else mu
    else:
        mu = _broadcast(mu, tf.concat([shape, [dim]], axis=0))

    draw = _draw_on_circle if dim == 2 else _draw_on_sphere
    if moves_inside_a_graph(mu, *(() if fixed else (kappa,))):
        return restore(draw(mu, kappa, shape, seed, dim)[0])
    fixed_mu, fixed_kappa = tf.stop_gradient(mu), kappa if fixed else tf.stop_gradient(kappa)
    sample, cosine, noise = draw(fixed_mu, fixed_kappa, shape, seed, dim)
    parameters = (mu,) if fixed else (mu, _broadcast(kappa, shape))
    return restore(attach_gradients(parameters, sample, cosine, noise, kappa if fixed else None, dim))


def moves_inside_a_graph(*parameters: tf.Tensor) -> bool:
    """Whether a forward accumulator that was opened inside a `tf.function` follows the parameters.

    There TensorFlow 2.21 ignores custom gradients in forward mode, without a word: the derivative would be zero. The operations
    of the sampler give the derivative at fixed noise instead, which has the same expectation.
    """
    return not tf.executing_eagerly() and bool(forwardprop_util.pack_tangents(list(parameters)).tangents)


def _static_dim(mean_direction: tf.Tensor) -> int:
    dim = mean_direction.shape[-1] if mean_direction.shape.rank else None
    if dim is None:
        raise ArgumentError(
            "mean_direction",
            "shape (..., d) with a static d, for which the sampler is built",
            f"shape {mean_direction.shape}",
            "Set it with `tf.ensure_shape(mean_direction, [None, d])`.",
        )
    return check_dim(dim)


def _broadcast(x: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """Broadcasts, unless the shapes are known to be equal: the copy of a large tensor is not free."""
    static = tf.get_static_value(shape)
    if static is not None and x.shape.is_fully_defined() and x.shape.as_list() == static.tolist():
        return x
    return tf.broadcast_to(x, shape)


def _draw_on_circle(
    mu: tf.Tensor, kappa: tf.Tensor | float, shape: tf.Tensor, seed: tf.Tensor, dim: int
) -> tuple[tf.Tensor, Cosine, tf.Tensor]:
    """Turns mu by a random angle: one normal number per sample. Returns sample, cosine and that number."""
    noise = stateless_normal(shape, seed, mu.dtype)
    cosine = cosine_from_normal(noise, kappa, dim)
    orthogonal = tf.stack([-mu[..., 1], mu[..., 0]], axis=-1)
    return cosine.cosine[..., tf.newaxis] * mu + cosine.sine[..., tf.newaxis] * orthogonal, cosine, noise


def _draw_on_sphere(
    mu: tf.Tensor, kappa: tf.Tensor | float, shape: tf.Tensor, seed: tf.Tensor, dim: int
) -> tuple[tf.Tensor, Cosine, tf.Tensor]:
    """Splits normal noise into its component along mu, which gives the cosine, and an independent tangent direction.

    Returns the sample, the cosine and the normal number behind it.
    """
    noise = stateless_normal(tf.concat([shape, [dim]], axis=0), seed, mu.dtype)
    z = tf.reduce_sum(noise * mu, axis=-1)
    cosine = cosine_from_normal(z, kappa, dim)
    if dim <= _SMALL_DIM:
        # What the first projection leaves along mu, rounding errors of the size of the noise, is taken away again: noise may be
        # nearly parallel to mu.
        tangent = noise - z[..., tf.newaxis] * mu
        rest = tf.reduce_sum(tangent * mu, axis=-1)
        square = tf.maximum(tf.reduce_sum(tangent * tangent, axis=-1) - rest * rest, 1e-37)
    else:
        # The same with fewer passes over memory: ||noise - z mu||^2 = ||noise||^2 - z^2.
        tangent, rest = noise, z
        square = tf.reduce_sum(noise * noise, axis=-1) - z * z
    scale = cosine.sine * tf.math.rsqrt(square)
    return (cosine.cosine - scale * rest)[..., tf.newaxis] * mu + scale[..., tf.newaxis] * tangent, cosine, z


_NO_THIRD_DERIVATIVE = (
    "von_mises_fisher_sample has first and second derivatives in the concentration: the second ones cannot be differentiated "
    "again. Derivatives in the mean direction alone exist to any order for a concentration that is a Python number."
)


def attach_gradients(
    parameters: tuple[tf.Tensor, ...],
    sample: tf.Tensor,
    cosine: Cosine,
    noise: tf.Tensor,
    fixed_concentration: float | None,
    dim: int,
) -> tf.Tensor:
    """Returns `sample` with gradients to the parameters: mu and, if it is not fixed, kappa, broadcast to the sample.

    In the concentration the sample moves along its great circle through mu: `dx/dkappa = rate (mu - w x)`. In the mean
    direction, which moves by a tangent vector e, it follows the velocity field of docs/NUMERICS.md, with q = e.x, s^2 = 1 - w^2:

    ```
    v = alpha e - q (lambda mu + gamma (x - w mu)),    alpha = lambda w + gamma s^2,
    lambda = 3 (r - d + 1) / (3 r + d - 5),    gamma = 4 kappa / (3 r + d - 5),    r = sqrt((d - 1)^2 + 4 kappa^2).
    ```

    Both gradients are functions of (x, mu, kappa), written so that they can be differentiated in all three, x itself moving
    by the same rules: second derivatives are unbiased by the same argument, applied to the first ones.
    """

    @custom_gradient
    def attach(mu: tf.Tensor, *kappa: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
            x = attach(mu, *kappa)
            w = _cosine(mu, x, cosine.cosine)
            weight, gamma = _weights(kappa[0] if kappa else fixed_concentration, dim)
            along_mu, along_x = (tf.reduce_sum(upstream * v, axis=-1) for v in (mu, x))
            of_upstream = weight * w + gamma * (1 - w * w)
            of_sample = (gamma * w - weight) * along_mu - gamma * along_x
            to_mu = of_upstream[..., tf.newaxis] * upstream + of_sample[..., tf.newaxis] * x
            if not kappa:
                return (to_mu,)
            return to_mu, _rate(w, kappa[0], cosine, noise, dim) * (along_mu - w * along_x)

        return tf.identity(sample), gradients

    return attach(*parameters)


def _weights(kappa: tf.Tensor | float, dim: int) -> tuple[tf.Tensor | float, tf.Tensor | float]:
    """(lambda, gamma)."""
    if dim == 2:
        return 1.0, 0.0
    r = ((dim - 1.0) ** 2 + 4 * kappa * kappa) ** 0.5
    gamma = 4 * kappa / (3 * r + dim - 5)
    return 3 * kappa * gamma / (r + dim - 1), gamma  # r - d + 1 = 4 kappa^2 / (r + d - 1)


def _cosine(mu: tf.Tensor, x: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """The known value of mu.x, with the gradients of that product."""

    @custom_gradient
    def product(mu: tf.Tensor, x: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        return tf.identity(value), lambda u: (u[..., tf.newaxis] * x, u[..., tf.newaxis] * mu)

    return product(mu, x)


def _rate(w: tf.Tensor, kappa: tf.Tensor, cosine: Cosine, noise: tf.Tensor, dim: int) -> tf.Tensor:
    """The rate as a function of w and kappa, with its first derivatives.

    With u = dw/dkappa at fixed noise, `d rate/dw = [A - w - rate (kappa s^2 - (d - 1) w)] / s^2`, as the density f of w
    obeys `df/dkappa = -d(u f)/dw`. The derivative in kappa at fixed noise is that of the series; the one at fixed w is less
    by `u d rate/dw`.
    """

    @custom_gradient
    def rate(w: tf.Tensor, kappa: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            in_w = _rate_derivative_in_cosine(cosine, kappa, dim)
            in_kappa = _rate_derivative_at_fixed_noise(noise, kappa, dim) - tf.square(cosine.sine) * cosine.rate * in_w
            return upstream * _last(in_w), upstream * _last(in_kappa)

        return tf.identity(cosine.rate), gradients

    return rate(w, kappa)


@tf.function(reduce_retracing=True, autograph=False)
def _rate_derivative_at_fixed_noise(noise: tf.Tensor, kappa: tf.Tensor, dim: int) -> tf.Tensor:
    # Symbolic, as tapes do not record while a forward accumulator runs a gradient function.
    return tf.gradients(cosine_from_normal(noise, kappa, dim).rate, kappa)[0]


def _rate_derivative_in_cosine(cosine: Cosine, kappa: tf.Tensor, dim: int) -> tf.Tensor:
    w, s2, rate = cosine.cosine, tf.square(cosine.sine), cosine.rate
    # A - w; for w > 0 from 1 - w and 1 - A, which are small with s^2, as the sum of all terms is.
    spread = one_minus_mean_resultant_length(kappa, dim)
    one_minus_w = tf.where(w > 0, s2 / (1 + tf.abs(w)), 1 - w)
    excess = one_minus_w - spread - rate * (kappa * s2 - (dim - 1.0) * w)
    # Near -1 the terms do not fall with s^2, and rounding errors are all that is left; the samples there are few.
    usable = s2 > tf.where(w > 0, tf.cast(1e-30, w.dtype), tf.cast(100 * epsilon(w.dtype), w.dtype))
    return tf.where(usable, excess / tf.where(usable, s2, tf.ones_like(s2)), tf.zeros_like(s2))


def _last(derivative: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.PreventGradient(input=derivative, message=_NO_THIRD_DERIVATIVE)
