"""What an endpoint is, and the checks that endpoints share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from tf_vmf.layers import LatentLayer
from tf_vmf.models import VariationalAutoencoder
from tf_vmf.seeds import stateless_seed

INTEGER, NUMBER = tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.float32)
TEXTS = tf.TensorSpec([None], tf.string)


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
