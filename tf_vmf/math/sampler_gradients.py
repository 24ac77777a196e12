"""Gradients of von Mises-Fisher samples in both parameters, which can be differentiated again."""

from collections.abc import Callable

import tensorflow as tf

from tf_vmf.math.cosine_law import Cosine, cosine_from_normal
from tf_vmf.math.custom_gradient import custom_gradient
from tf_vmf.math.precision import epsilon
from tf_vmf.math.resultant_length import one_minus_mean_resultant_length

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
