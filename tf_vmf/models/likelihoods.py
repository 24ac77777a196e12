"""Likelihoods p(x|z): from what a decoder returns to log p(x|z)."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import keras
import tensorflow as tf


class Likelihood(abc.ABC):
    """A likelihood that knows its examples; called as any callable likelihood, with (x, decoder output).

    Call arguments:
        x: A batch of examples.
        output: What the decoder returned for them.

    Returns:
        Log p(x|z) in nats, shape (batch,), float32.
    """

    @abc.abstractmethod
    def __call__(self, x: tf.Tensor, output: tf.Tensor) -> tf.Tensor: ...

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Likelihood:
        """A likelihood from its configuration."""
        return cls(**config)


class TokenLikelihood(Likelihood):
    """A likelihood of examples that are made of tokens, so that perplexity is defined."""

    @abc.abstractmethod
    def token_counts(self, x: tf.Tensor) -> tf.Tensor:
        """The number of tokens of every example, shape (batch,), float32."""


@keras.saving.register_keras_serializable(package="tf_vmf")
class Bernoulli(Likelihood):
    """Binary x of any shape, (batch, ...); the decoder returns logits of the same shape.

    x in between, such as grey values from 0 to 1, gives the cross-entropy, which is common for images but no normalised density. A
    value outside [0, 1] is an error at run time.
    """

    def __call__(self, x: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
        x = _same_shape(self, x, output)
        message = "Expected x in [0, 1] for a Bernoulli likelihood. Received a smallest and a largest value of:"
        smallest, largest = tf.reduce_min(x), tf.reduce_max(x)
        # A replica without examples has a smallest value of +inf and a largest of -inf.
        in_range = (smallest >= 0.0) & (largest <= 1.0)
        with tf.control_dependencies([tf.debugging.Assert(in_range, [message, smallest, largest])]):
            return -_sum_per_example(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=output))


@keras.saving.register_keras_serializable(package="tf_vmf")
class Gaussian(Likelihood):
    """Real x of any shape, (batch, ...), independent normal with a fixed scale; the decoder returns the mean.

    Args:
        scale: The standard deviation of every entry, > 0.
    """

    def __init__(self, scale: float = 1.0) -> None:
        if not (math.isfinite(scale) and scale > 0):
            raise ValueError(f"Argument `scale` of Gaussian: expected a number > 0. Received: scale={scale!r}.")
        self.scale = float(scale)

    def __call__(self, x: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
        x = _same_shape(self, x, output)
        log_normalizer = math.log(self.scale) + 0.5 * math.log(2.0 * math.pi)
        return -_sum_per_example(0.5 * tf.square((x - output) / self.scale) + log_normalizer)

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale}


@keras.saving.register_keras_serializable(package="tf_vmf")
class Categorical(TokenLikelihood):
    """Ids of classes of any shape, (batch, ...); the decoder returns logits with one more axis, the classes, (batch, ..., classes).

    Every id is a token.
    """

    def __call__(self, x: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
        if x.shape.rank is None or not x.shape.is_compatible_with(output.shape[:-1]):
            raise ValueError(
                "A categorical likelihood expects ids x of shape (batch, ...) and decoder output of shape (batch, ..., classes). "
                f"Received: x of shape {x.shape}, decoder output of shape {output.shape}."
            )
        return -_sum_per_example(tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(x, tf.int32), output))

    def token_counts(self, x: tf.Tensor) -> tf.Tensor:
        return _sum_per_example(tf.ones_like(x, tf.float32))


@keras.saving.register_keras_serializable(package="tf_vmf")
class Multinomial(TokenLikelihood):
    """Counts of shape (batch, classes); the decoder returns logits of the same shape. Every counted thing is a token.

    The multinomial coefficient, a constant, is left out.
    """

    def __call__(self, x: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
        x = checked_counts(_same_shape(self, x, output))
        return multinomial_log_prob(x, output[tf.newaxis])[0]

    def token_counts(self, x: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(tf.cast(x, tf.float32), axis=-1)


LikelihoodFunction: TypeAlias = Callable[[Any, Any], tf.Tensor]

LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
    "categorical": Categorical,
    "multinomial": Multinomial,
}


def get_likelihood(likelihood: str | LikelihoodFunction) -> LikelihoodFunction:
    """The likelihood of a name, or the callable itself.

    Raises:
        ValueError: It is neither a known name nor callable.
    """
    if isinstance(likelihood, str) and likelihood in LIKELIHOODS:
        return LIKELIHOODS[likelihood]()
    if isinstance(likelihood, type) or not callable(likelihood):
        raise ValueError(
            f"Argument `likelihood`: expected one of {', '.join(map(repr, LIKELIHOODS))}, or a callable (x, decoder output) -> "
            f"log p(x|z) of shape (batch,). Received: likelihood={likelihood!r}."
        )
    return likelihood


def multinomial_log_prob(counts: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Log p(counts|z) without the multinomial coefficient, shape (num_samples, batch).

    Args:
        counts: Shape (batch, classes), float32.
        logits: Shape (num_samples, batch, classes), float32.
    """
    tokens = tf.reduce_sum(counts, axis=-1)
    # One fused operation for log-softmax, cross-entropy and their gradient; it wants labels that sum to one.
    frequencies = tf.math.divide_no_nan(counts, tokens[:, tf.newaxis])
    samples = tf.shape(logits)[0]
    # A copy of a large tensor, which one sample does without.
    labels = frequencies if logits.shape[0] == 1 else tf.tile(frequencies, [samples, 1])
    cross_entropy = tf.nn.softmax_cross_entropy_with_logits(labels, tf.reshape(logits, [-1, logits.shape[-1]]))
    return -tokens * tf.reshape(cross_entropy, [samples, -1])


def checked_counts(counts: tf.Tensor | tf.SparseTensor) -> tf.Tensor | tf.SparseTensor:
    """The counts themselves; an error at run time where one is negative or NaN."""
    values = counts.values if isinstance(counts, tf.SparseTensor) else counts
    smallest = tf.reduce_min(values)  # NaN if one is
    check = tf.debugging.Assert(
        smallest >= 0, ["Expected counts: numbers >= 0. Received a smallest value of:", smallest]
    )
    with tf.control_dependencies([check]):
        values = tf.identity(values)
    return counts.with_values(values) if isinstance(counts, tf.SparseTensor) else values


def _same_shape(likelihood: Likelihood, x: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
    """X as float32; an error where the output is of another shape, which would be broadcast to a wrong number."""
    if x.shape.rank != output.shape.rank or not x.shape.is_compatible_with(output.shape):
        raise ValueError(
            f"A {type(likelihood).__name__} likelihood expects decoder output of the shape of x. Received: x of shape {x.shape}, "
            f"decoder output of shape {output.shape}."
        )
    return tf.cast(x, tf.float32)


def _sum_per_example(values: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(values, axis=list(range(1, values.shape.rank)))
