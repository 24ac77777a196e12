"""Samples from the von Mises-Fisher distribution without rejection, with gradients in both parameters."""

import numbers
from collections.abc import Callable, Sequence

import tensorflow as tf

from tf_vmf.math._arguments import check_dim, compute_dtype
from tf_vmf.math.cosine_law import LARGEST_CONCENTRATION, Cosine, cosine_from_normal
from tf_vmf.math.normal_noise import stateless_normal

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

    The gradients cannot be differentiated again: doing so raises an error.

    Args:
        mean_direction: Float tensor `(..., d)` of unit vectors, d >= 2 static.
        concentration: A Python number >= 0, which is fastest, or a float tensor >= 0 whose shape broadcasts with
            `mean_direction.shape[:-1]`. 0 is the uniform distribution.
        seed: int32 tensor of shape `(2,)`. Equal seeds give equal samples (in one execution mode: XLA draws others).
        sample_shape: Shape of independent draws, put before the batch shape.

    Returns:
        Tensor `sample_shape + batch shape + (d,)` in the dtype of `mean_direction`. float16 and bfloat16 are computed in
        float32.

    Raises:
        TypeError: If an argument is not of a floating dtype, or the dtypes differ.
        ValueError: If `mean_direction` has no static last dimension of at least 2, or a number `concentration` is negative
            or NaN.

    References:
        M. Figurnov, S. Mohamed, A. Mnih. Implicit Reparameterization Gradients. NeurIPS 2018. arXiv:1805.08498
    """
    fixed = isinstance(concentration, numbers.Real)
    if fixed:
        if not concentration >= 0:
            raise ValueError(
                f"Argument `concentration` must not be negative. Expected a number >= 0, where 0 is the uniform "
                f"distribution. Received: concentration={concentration}."
            )
        (mu,), restore = compute_dtype(mean_direction, names=("mean_direction",))
        kappa = min(float(concentration), LARGEST_CONCENTRATION)
        batch_shape = tf.shape(mu)[:-1]
    else:
        (mu, kappa), restore = compute_dtype(mean_direction, concentration, names=("mean_direction", "concentration"))
        kappa = tf.minimum(kappa, LARGEST_CONCENTRATION)
        batch_shape = tf.broadcast_dynamic_shape(tf.shape(mu)[:-1], tf.shape(kappa))
    dim = _static_dim(mu)
    shape = tf.concat([tf.reshape(tf.cast(sample_shape, tf.int32), [-1]), batch_shape], axis=0)
    mu = _broadcast(mu, tf.concat([shape, [dim]], axis=0))

    fixed_mu, fixed_kappa = tf.stop_gradient(mu), kappa if fixed else tf.stop_gradient(kappa)
    draw = _draw_on_circle if dim == 2 else _draw_on_sphere
    sample, cosine = draw(fixed_mu, fixed_kappa, shape, seed, dim)
    parameters = (mu,) if fixed else (mu, _broadcast(kappa, shape))
    return restore(_attach_gradients(parameters, sample, cosine, fixed_kappa, dim))


def _static_dim(mean_direction: tf.Tensor) -> int:
    dim = mean_direction.shape[-1] if mean_direction.shape.rank else None
    if dim is None:
        raise ValueError(
            f"Argument `mean_direction` must have a static last dimension, as the sampler is built for it. Expected shape "
            f"(..., d). Received: shape {mean_direction.shape}. Set it with `tf.ensure_shape(mean_direction, [None, d])`."
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
) -> tuple[tf.Tensor, Cosine]:
    """Turns mu by a random angle: one normal number a sample."""
    cosine = cosine_from_normal(stateless_normal(shape, seed, mu.dtype), kappa, dim)
    orthogonal = tf.stack([-mu[..., 1], mu[..., 0]], axis=-1)
    return cosine.cosine[..., tf.newaxis] * mu + cosine.sine[..., tf.newaxis] * orthogonal, cosine


def _draw_on_sphere(
    mu: tf.Tensor, kappa: tf.Tensor | float, shape: tf.Tensor, seed: tf.Tensor, dim: int
) -> tuple[tf.Tensor, Cosine]:
    """Splits normal noise into its component along mu, which gives the cosine, and an independent tangent direction."""
    noise = stateless_normal(tf.concat([shape, [dim]], axis=0), seed, mu.dtype)
    z = tf.reduce_sum(noise * mu, axis=-1)
    cosine = cosine_from_normal(z, kappa, dim)
    if dim <= _SMALL_DIM:
        tangent = noise - z[..., tf.newaxis] * mu
        # Again, for noise nearly parallel to mu: the first projection leaves rounding errors of the size of the noise.
        tangent -= tf.reduce_sum(tangent * mu, axis=-1, keepdims=True) * mu
        scale = cosine.sine / tf.maximum(tf.norm(tangent, axis=-1), 1e-30)
        return cosine.cosine[..., tf.newaxis] * mu + scale[..., tf.newaxis] * tangent, cosine
    # The same with fewer passes over memory: ||noise - z mu||^2 = ||noise||^2 - z^2.
    scale = cosine.sine * tf.math.rsqrt(tf.reduce_sum(noise * noise, axis=-1) - z * z)
    return (cosine.cosine - scale * z)[..., tf.newaxis] * mu + scale[..., tf.newaxis] * noise, cosine


def _attach_gradients(
    parameters: tuple[tf.Tensor, ...],
    sample: tf.Tensor,
    cosine: Cosine,
    kappa: tf.Tensor | float,
    dim: int,
) -> tf.Tensor:
    """Returns `sample` with gradients to the parameters: mu and, if it is not fixed, kappa, broadcast to the sample.

    In the concentration the sample moves along its great circle through mu: `dx/dkappa = rate (mu - w x)`.

    In the mean direction, let mu move by a tangent vector e, and let q = e.x, w = mu.x. A velocity field that is symmetric
    about mu and keeps x on the sphere is

    ```
    v = alpha e + q (b mu - gamma (x - w mu)),    gamma s^2 = alpha + b w,    s^2 = 1 - w^2,
    ```

    and it moves vMF(mu) to vMF(mu + e) if, for all f, E[v.grad f] = kappa E[q f]. Inserting f = F(w) q / s and integrating
    by parts over w shows that, for b = -lambda with any constant lambda, this is so for

    ```
    gamma = kappa (1 - lambda) / (d - 2),    alpha = lambda w + gamma s^2.
    ```

    lambda = 1 is the rotation of the sphere that turns mu to mu + e. To leading order in 1/d the mean square velocity, and
    with it the variance of the gradient of a function without preferred directions, is smallest for

    ```
    lambda = 3 (r - d + 1) / (3 r + d - 5),    gamma = 4 kappa / (3 r + d - 5),    r = sqrt((d - 1)^2 + 4 kappa^2),
    ```

    which goes from 0 (the uniform distribution stays as it is) to 1 (a concentrated one turns as a whole).
    """
    mu, (w, s, rate) = parameters[0], cosine
    if dim == 2:
        weight, gamma = 1.0, 0.0
    else:
        r = ((dim - 1.0) ** 2 + 4 * kappa * kappa) ** 0.5
        gamma = 4 * kappa / (3 * r + dim - 5)
        weight = 3 * kappa * gamma / (r + dim - 1)  # r - d + 1 = 4 kappa^2 / (r + d - 1)

    def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
        along_mu = tf.reduce_sum(upstream * mu, axis=-1)
        along_x = tf.reduce_sum(upstream * sample, axis=-1)
        of_upstream = weight * w + gamma * s * s
        of_sample = (gamma * w - weight) * along_mu - gamma * along_x
        to_mu = of_upstream[..., tf.newaxis] * upstream + of_sample[..., tf.newaxis] * sample
        if rate is None:
            return (_final(to_mu),)
        return _final(to_mu), _final(rate * (along_mu - w * along_x))

    @tf.custom_gradient
    def attach(*parameters: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        del parameters  # the sample was made from them
        return tf.identity(sample), gradients

    return attach(*parameters)


def _final(gradient: tf.Tensor) -> tf.Tensor:
    message = "von_mises_fisher_sample has first derivatives only: its gradients cannot be differentiated again."
    return tf.raw_ops.PreventGradient(input=gradient, message=message)
