"""Trial of a likelihood: whether it fits what the decoder returns, and is a log-density and no loss."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf.models import likelihoods


def warn_of_misfit(likelihood: Any, x_shape: Sequence[int | None], output: tf.Tensor) -> None:
    """Warns of probabilities where logits belong, and of a loss where a log-density belongs, as far as numbers show it.

    `output` is that of a new decoder. All of it in [0, 1] tells of a sigmoid or softmax, however it was applied; one that returns
    a constant cannot be told. A callable of the user's is tried on ones and zeros in place of x and of the output, or on ids and
    their logits: a log-density is higher where they agree, and twice as high where all there is comes twice. One that refuses such
    an x, such as a density of unit vectors, or an output of another shape cannot be tried.
    """
    kind, problem = type(likelihood), ""
    if not tf.is_tensor(output):
        return
    if getattr(likelihood, "takes_logits", False):
        low, high = float(tf.reduce_min(output)), float(tf.reduce_max(output))
        if 0.0 <= low < high <= 1.0:
            problem = (
                f"The {kind.__name__} likelihood takes logits and applies its own activation, but all outputs of the new decoder "
                "lie between 0 and 1, as after a sigmoid or softmax: such a model trains badly. Leave the activation out, and get "
                "probabilities by `model.reconstruct(x)` or `model.sample(n, mean=True)`."
            )
    elif kind.__module__ != likelihoods.__name__ and (
        about := _unlike_a_log_density(likelihood, x_shape, output.shape)
    ):
        name = getattr(likelihood, "__name__", kind.__name__)
        problem = (
            f"The likelihood {name!r} is to return log p(x|z) in nats, a sum over the entries of x, but {about}. Is it a loss? "
            "'bernoulli' stands for binary cross-entropy, 'gaussian' for squared errors, 'categorical' for cross-entropy with ids."
        )
    if problem:
        warnings.warn(problem, stacklevel=6)


def _unlike_a_log_density(likelihood: Any, x_shape: Sequence[int | None], output_shape: Sequence[int | None]) -> str:
    """A phrase of what speaks against a log-density; "" where nothing does, or it cannot be tried."""
    rng, shape = np.random.default_rng(0), [8, *(size or 2 for size in x_shape[1:])]
    classes = None if len(output_shape) == len(shape) else output_shape[-1]
    x = rng.integers(classes or 2, size=shape)
    unlike = 1 - x if classes is None else (x + 1) % classes

    def values(x: np.ndarray, like: np.ndarray) -> np.ndarray:
        output = like if classes is None else 4.0 * (like[..., None] == np.arange(classes))
        given = tf.constant(x, tf.float32 if classes is None else tf.int32)
        return np.asarray(likelihood(given, tf.constant(output, tf.float32)), np.float64)

    try:
        agreeing, differing = values(x, x), values(x, unlike)
        other = np.roll(x, 1, axis=0)
        once, twice = values(x, other), values(np.concatenate([x, x], -1), np.concatenate([other, other], -1))
    except Exception:  # it takes other examples
        return ""
    if agreeing.ndim != 1:  # which training refuses
        return ""
    if ((agreeing >= 0.0) & (agreeing < differing)).all():
        return "it is lower where the decoder's output is x than where it is the opposite, and at least 0"
    is_mean = twice.shape == once.shape and np.allclose(twice, once, rtol=1e-3) and once.any()
    return "it is the same where all entries come twice, as a mean is" if is_mean else ""
