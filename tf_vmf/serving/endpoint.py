"""What an endpoint is, and the checks that endpoints share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from tf_vmf.layers import LatentLayer
from tf_vmf.layers.spherical_latent import SphericalLatent
from tf_vmf.models import VariationalAutoencoder
from tf_vmf.seeds import stateless_seed

INTEGER, NUMBER = tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.float32)
TEXTS = tf.TensorSpec([None], tf.string)

_NORM_TOLERANCE = 1e-3  # what codes that went through text or half precision need
_SMALLEST_SUM = 1e-6


class Endpoint(NamedTuple):
    """A function of the served model.

    Attributes:
        function: From tensors to a dict of tensors; its arguments name the inputs.
        signature: The inputs.
        description: For the model card.
    """

    function: Callable[..., dict[str, tf.Tensor]]
    signature: Sequence[tf.TensorSpec]
    description: str


def codes(latent: LatentLayer) -> tf.TensorSpec:
    """The specification of codes (batch, latent_dim)."""
    return tf.TensorSpec([None, latent.latent_dim], tf.float32)


def checked_codes(z: tf.Tensor, latent: LatentLayer) -> tf.Tensor:
    """Z itself; an error at run time where it is not finite or, on the sphere, a row is no unit vector."""
    with tf.control_dependencies(
        [tf.debugging.Assert(tf.reduce_all(tf.math.is_finite(z)), ["Codes must be finite numbers. Received:", z])]
    ):
        z = tf.identity(z)
    if not isinstance(latent, SphericalLatent):
        return z
    off = tf.abs(tf.norm(z, axis=-1) - 1.0)
    unit = tf.reduce_all(off <= _NORM_TOLERANCE)
    with tf.control_dependencies(
        [tf.debugging.Assert(unit, ["Codes on the sphere must be unit vectors. Norms off by:", off])]
    ):
        return tf.identity(z)


def at_least(value: tf.Tensor, least: int | float, name: str, *, strictly: bool = False) -> tf.Tensor:
    """The scalar itself; an error at run time where it is too small."""
    ok = value > least if strictly else value >= least
    relation = ">" if strictly else ">="
    with tf.control_dependencies([tf.debugging.Assert(ok, [f"{name} must be {relation} {least}. Received:", value])]):
        return tf.identity(value)


def encodings(model: VariationalAutoencoder, x: object) -> dict[str, tf.Tensor]:
    """The parameters of q(z|x) and its deterministic `code`."""
    parameters = model.posterior_parameters(x)
    return {**parameters, "code": model.latent.code(parameters)}


def scores(model: VariationalAutoencoder, x: object, num_samples: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
    """`nll`, `kl`, `elbo` with one sample and the importance-weighted `log_likelihood`, in nats, and the `tokens` if
    examples have any; all (batch,).
    """
    num_samples = at_least(num_samples, 1, "num_samples")
    terms = model.elbo_terms(x, stateless_seed(seed))
    return {
        **terms,
        "elbo": -(terms["nll"] + terms["kl"]),
        "log_likelihood": model.importance_weighted(x, num_samples, stateless_seed(seed)),
        **({"tokens": model.token_counts(x)} if model.has_tokens else {}),
    }


def paths(start: tf.Tensor, end: tf.Tensor, num_points: tf.Tensor, latent: LatentLayer) -> tf.Tensor:
    """Codes at equal distances from start to end, both included: (batch, num_points, latent_dim).

    Along the shorter great circle on the sphere, straight otherwise; see `tf_vmf.analysis.interpolate`.
    """
    start, end = checked_codes(start, latent), checked_codes(end, latent)
    fractions = tf.linspace(0.0, 1.0, at_least(num_points, 2, "num_points"))[:, tf.newaxis]
    start, end = start[:, tf.newaxis], end[:, tf.newaxis]
    if not isinstance(latent, SphericalLatent):
        return (1.0 - fractions) * start + fractions * end
    together = tf.norm(start + end, axis=-1, keepdims=True)
    ok = tf.reduce_all(together >= _SMALLEST_SUM)
    with tf.control_dependencies(
        [tf.debugging.Assert(ok, ["Opposite codes are joined by no single great circle; go by way of a third code."])]
    ):
        angle = 2.0 * tf.atan2(tf.norm(start - end, axis=-1, keepdims=True), together)
    of_end = fractions * _sinc(fractions * angle) / _sinc(angle)
    of_start = (1.0 - fractions) * _sinc((1.0 - fractions) * angle) / _sinc(angle)
    return tf.math.l2_normalize(of_start * start + of_end * end, axis=-1)


def _sinc(x: tf.Tensor) -> tf.Tensor:
    small = tf.abs(x) < 1e-4
    safe = tf.where(small, 1.0, x)
    return tf.where(small, 1.0 - x * x / 6.0, tf.sin(safe) / safe)
