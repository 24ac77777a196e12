"""How much a code says about its example: active units and mutual information."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tf_vmf.layers import LatentLayer
from tf_vmf.measures import ACTIVE_VARIANCE, MUTUAL_INFORMATION_EXAMPLES
from tf_vmf.seeds import stateless_seed


def active_units(latent: LatentLayer, parameters: Mapping[str, tf.Tensor]) -> int:
    """The number of latent dimensions whose posterior mean varies over the data by more than 0.01 (Burda et al., 2016).

    The variance is relative to that of the fixed prior (`LatentLayer.coordinate_scale`), also where a prior was learned. On the
    sphere it is that of the mean direction's coordinate times d: a coordinate of a uniform unit vector has variance 1 / d where a
    standard Gaussian's has 1.

    Args:
        latent: The latent layer.
        parameters: Posterior parameters of all examples, as `latent.parameters` returns them.
    """
    codes = latent.code(parameters).numpy().astype(np.float64) * latent.coordinate_scale
    return int(np.sum(codes.var(axis=0) > ACTIVE_VARIANCE))


def mutual_information(
    latent: LatentLayer,
    parameters: Mapping[str, tf.Tensor],
    seed: int | tf.Tensor = 0,
    max_examples: int = MUTUAL_INFORMATION_EXAMPLES,
    chunk_size: int = 64,
) -> float:
    """I(x; z) = E_x[KL(q(z|x) || p(z))] - KL(q(z) || p(z)) in nats, q(z) the aggregate posterior (He et al., 2019).

    Estimated as the mean of log q(z_i|x_i) - log q(z_i) with one sample z_i an example and log q(z_i) = log (1/n) sum_j q(z_i|x_j).
    It never exceeds log n: a value close to log n says that the codes tell all n examples apart, and is a lower bound.

    Args:
        latent: The latent layer.
        parameters: Posterior parameters of all examples, each of shape (n, ...).
        seed: An int or a stateless seed of shape (2,).
        max_examples: Of more examples than this, an even subset is used: the cost is quadratic.
        chunk_size: Samples compared with all examples at a time; bounds memory.

    References:
        J. He, D. Spokoyny, G. Neubig and T. Berg-Kirkpatrick. Lagging Inference Networks and Posterior Collapse in Variational
        Autoencoders. ICLR 2019.
    """
    size = len(next(iter(parameters.values())))
    rows = np.unique(np.linspace(0, size - 1, min(size, max_examples)).round().astype(np.int64))
    parameters = {name: tf.gather(value, rows) for name, value in parameters.items()}
    z = latent.sample(parameters, stateless_seed(seed))
    own = latent.distribution(parameters).log_prob(z)

    # Eager: compiling it takes longer than running it.
    def log_aggregate(z_chunk: tf.Tensor) -> tf.Tensor:
        log_q = latent.distribution(parameters).log_prob(z_chunk[:, tf.newaxis])
        return tf.reduce_logsumexp(log_q, axis=1) - np.log(len(rows)).astype(np.float32)

    aggregate = np.concatenate([log_aggregate(z[i : i + chunk_size]).numpy() for i in range(0, len(rows), chunk_size)])
    return float(np.mean(own.numpy().astype(np.float64) - aggregate))
