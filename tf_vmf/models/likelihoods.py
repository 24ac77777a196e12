"""Likelihoods p(x|z), from what a decoder returns to log p(x|z), and their names."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable
from typing import Any, TypeVar

import keras
import tensorflow as tf

from tf_vmf import _tfp as tfp
from tf_vmf._checks import check_number, whole_numbers
from tf_vmf._errors import ArgumentError
from tf_vmf._registry import Registry
from tf_vmf.losses import von_mises_fisher_loss

_Class = TypeVar("_Class", bound="type[Likelihood]")

LIKELIHOODS: Registry[type[Likelihood]] = Registry("likelihood", "tf_vmf.models.register_likelihood")


def register_likelihood(name: str, package: str = "tf_vmf") -> Callable[[_Class], _Class]:
    """A class decorator that registers a likelihood, with Keras for saved files and by `name` for models and programs.

    ```python
    @tf_vmf.models.register_likelihood("laplace", package="my_project")
    class Laplace(tf_vmf.models.Likelihood):
        def __call__(self, x, output):
            return -tf.reduce_sum(tf.abs(x - output) + np.log(2.0), axis=-1)
    ```

    Args:
        name: Name of the likelihood, for instance "bernoulli".
        package: Prefix of the class's name in saved files.

    Raises:
        ArgumentError: Another class has the name.
    """
    return LIKELIHOODS.class_decorator(name, package)


def likelihood_names() -> tuple[str, ...]:
    """The names of all registered likelihoods, sorted."""
    return LIKELIHOODS.names()


class Likelihood(abc.ABC):
    """A likelihood p(x|z); called as any callable likelihood, with (x, decoder output).

    A subclass defines `__call__`; `mean` where the mean of x is known, `get_config` where its constructor has arguments.

    Call arguments:
        x: A batch of examples.
        output: What the decoder returned for them.

    Returns:
        Log p(x|z) in nats, shape (batch,), in the dtype of `output`.
    """

    # Whether the output is logits, which no sigmoid or softmax may end.
    takes_logits = False

    # A Keras layer that holds what the likelihood learns; None where it learns nothing.
    layer: keras.layers.Layer | None = None

    @abc.abstractmethod
    def __call__(self, x: Any, output: Any) -> tf.Tensor: ...

    def mean(self, output: Any) -> tf.Tensor:
        """The mean of x given the decoder's output: probabilities for logits."""
        raise NotImplementedError(f"{type(self).__name__} does not define `mean(self, output)`.")

    def log_prob_of_samples(self, x: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """Log p(x|z), shape (num_samples, batch), for outputs of shape (num_samples, batch, ...)."""
        if outputs.shape[0] == 1:
            return self(x, outputs[0])[tf.newaxis]
        samples = tf.shape(outputs)[0]
        repeated = tf.tile(x, [samples, *[1] * (x.shape.rank - 1)])
        flat = tf.reshape(outputs, tf.concat([[-1], tf.shape(outputs)[2:]], axis=0))
        flat.set_shape([None, *outputs.shape[2:]])
        return tf.reshape(self(repeated, flat), [samples, -1])

    def log_proportions(self, output: tf.Tensor) -> tf.Tensor:
        """The logarithm of each entry's share of the mean, along the last axis: log p(w|z) of words."""
        mean = self.mean(output)
        return tf.math.log(mean) - tf.math.log(tf.reduce_sum(mean, axis=-1, keepdims=True))

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


def get_likelihood(likelihood: Any, owner: str) -> Any:
    """The likelihood of a name or a configuration, or the callable itself; an ArgumentError for anything else, and for a loss."""
    known = {
        name: cls for name, cls in LIKELIHOODS.entries.items() if name != "distribution"
    }  # which needs an argument
    if isinstance(likelihood, str) and likelihood in known:
        return known[likelihood]()
    if isinstance(likelihood, dict):
        likelihood = keras.saving.deserialize_keras_object(likelihood)
    expected = f"one of {', '.join(map(repr, sorted(known)))}, or a callable (x, decoder output) -> log p(x|z) of shape (batch,)"
    if isinstance(likelihood, type) or not callable(likelihood):
        raise ArgumentError("likelihood", expected, repr(likelihood), owner=owner)
    function = likelihood
    while hasattr(function, "func"):  # of functools.partial
        function = function.func
    module = getattr(function, "__module__", None) or type(function).__module__
    if isinstance(function, keras.losses.Loss) or module.split(".")[0] in ("keras", "tf_keras", "tensorflow"):
        raise ArgumentError(
            "likelihood",
            expected,
            repr(likelihood),
            "That is a loss: it falls where a log-density rises, and is a mean where a density is a sum. Use 'bernoulli' for "
            "binary cross-entropy, 'gaussian' for squared errors, 'categorical' for cross-entropy with ids.",
            owner=owner,
        )
    return likelihood


def serialize_likelihood(likelihood: Any) -> Any:
    """The configuration of a likelihood, from which `get_likelihood` makes it again."""
    check_registered(likelihood)
    return keras.saving.serialize_keras_object(likelihood)


def check_registered(function: Any) -> None:
    """Refuses a likelihood, or a function of one, that could be saved but not loaded, as Keras does not know it."""
    registered = function if hasattr(function, "__name__") else type(function)
    if keras.saving.get_registered_object(keras.saving.get_registered_name(registered)) is not registered:
        raise ArgumentError(
            "likelihood",
            "one that is registered with Keras, so that a file of the model can be loaded",
            repr(getattr(registered, "__name__", registered)),
            "Define it with `def`, in a module, under the decorator "
            "@keras.saving.register_keras_serializable(package='...'), make the model anew with it and take over its weights with "
            "`set_weights`.",
        )


@register_likelihood("bernoulli")
class Bernoulli(Likelihood):
    """Binary x of any shape, (batch, ...); the decoder returns logits of the same shape.

    x in between, such as gray values from 0 to 1, gives the cross-entropy, which is common for images but no normalized density. A
    value outside [0, 1] is an error at run time.
    """

    takes_logits = True

    def mean(self, output: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(output)

    def log_proportions(self, output: tf.Tensor) -> tf.Tensor:
        log_mean = tf.math.log_sigmoid(output)
        return log_mean - tf.reduce_logsumexp(log_mean, axis=-1, keepdims=True)

    def __call__(self, x: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
        x = _same_shape(self, x, output)
        message = "Expected x in [0, 1] for a Bernoulli likelihood. Received a smallest and a largest value of:"
        smallest, largest = tf.reduce_min(x), tf.reduce_max(x)
        # A replica without examples has a smallest value of +inf and a largest of -inf.
        in_range = (smallest >= 0.0) & (largest <= 1.0)
        with tf.control_dependencies([tf.debugging.Assert(in_range, [message, smallest, largest])]):
            x += _nan_unless(in_range, x.dtype)
            return -_sum_per_example(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=output))


@register_likelihood("gaussian")
class Gaussian(Likelihood):
    """Real x of any shape, (batch, ...), independent normal with one scale for all entries; the decoder returns the mean.

    Args:
        scale: The standard deviation of every entry, > 0; or "learned" for one that starts at 1 and is trained with the model
            (Rybkin et al., 2021), which balances reconstruction and KL by itself. A scale of every entry is learned where the
            decoder returns it: see `tf_vmf.models.DistributionLikelihood`.

    References:
        O. Rybkin, K. Daniilidis and S. Levine. Simple and Effective VAE Training with Calibrated Decoders. ICML 2021.
    """

    def __init__(self, scale: float | str = 1.0) -> None:
        if isinstance(scale, str) and scale == "learned":
            self.layer = _LearnedScale(name="scale")
            self._fixed = math.nan
        else:
            self._fixed = check_number("Gaussian", "scale", scale, above=True, alternative=" or 'learned'")

    @property
    def scale(self) -> Any:
        """The standard deviation: a float, or the value that is learned, a tensor of shape ()."""
        return self._fixed if self.layer is None else tf.exp(tf.convert_to_tensor(self.layer.log_scale))

    def mean(self, output: tf.Tensor) -> tf.Tensor:
        return output

    def __call__(self, x: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
        x = _same_shape(self, x, output)
        log_scale: Any = math.log(self._fixed) if self.layer is None else tf.cast(self.layer.log_scale, x.dtype)
        scale: Any = self._fixed if self.layer is None else tf.exp(log_scale)
        return -_sum_per_example(0.5 * tf.square((x - output) / scale) + (log_scale + 0.5 * math.log(2.0 * math.pi)))

    def get_config(self) -> dict[str, Any]:
        return {"scale": "learned" if self.layer is not None else self._fixed}


class _LearnedScale(keras.layers.Layer):
    """Holds the logarithm of a scale."""

    def build(self, input_shape: Any) -> None:
        self.log_scale = self.add_weight(shape=(), initializer="zeros", name="log_scale")
        super().build(input_shape)


@register_likelihood("distribution")
class DistributionLikelihood(Likelihood):
    """The likelihood of a TFP distribution that is made from the decoder's output.

    ```python
    from tensorflow_probability import distributions as tfd

    @keras.saving.register_keras_serializable(package="my_project")
    def normal(output):  # the decoder returns means and, beside them, logarithms of scales
        mean, log_scale = tf.split(output, 2, axis=-1)
        return tfd.Normal(mean, tf.exp(log_scale))

    likelihood = tf_vmf.models.DistributionLikelihood(normal)
    ```

    Args:
        make: A function from the decoder's output to a distribution of x, batch shape (batch,) or (batch, ...): log-probabilities
            are added up over all axes but the first. It must be registered with `keras.saving.register_keras_serializable` for a
            model to be saved.

    Raises:
        ArgumentError: `make` is not callable.
    """

    def __init__(self, make: Callable[[Any], tfp.distributions.Distribution]) -> None:
        if not callable(make):
            expected = "a function from the decoder's output to a distribution"
            raise ArgumentError("make", expected, repr(make), owner=type(self).__name__)
        self.make = make

    def mean(self, output: Any) -> tf.Tensor:
        return self.make(output).mean()

    def __call__(self, x: tf.Tensor, output: Any) -> tf.Tensor:
        distribution = self.make(output)
        return _sum_per_example(distribution.log_prob(tf.cast(x, distribution.dtype)))

    def get_config(self) -> dict[str, Any]:
        check_registered(self.make)
        return {"make": keras.saving.serialize_keras_object(self.make)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DistributionLikelihood:
        return cls(keras.saving.deserialize_keras_object(config["make"]))


@register_likelihood("von_mises_fisher")
class VonMisesFisherLikelihood(Likelihood):
    """Unit vectors x, (batch, ..., d), such as embeddings; the decoder returns vectors of the same shape.

    The direction of an output is the mean direction, its length the concentration. The density is exact in every dimension:
    `tf_vmf.losses.VonMisesFisherLoss` is its negative. An x that is no unit vector is an error at run time.
    """

    def mean(self, output: tf.Tensor) -> tf.Tensor:
        """The mean direction."""
        return tf.math.l2_normalize(output, axis=-1)

    def __call__(self, x: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
        loss = von_mises_fisher_loss(_same_shape(self, x, output), output)
        return -tf.reduce_sum(loss, axis=list(range(1, loss.shape.rank)))


class _SoftmaxLikelihood(TokenLikelihood):
    """Base of likelihoods whose decoder returns logits along the last axis."""

    takes_logits = True

    def mean(self, output: tf.Tensor) -> tf.Tensor:
        """Probabilities of the classes."""
        return tf.nn.softmax(output)

    def log_proportions(self, output: tf.Tensor) -> tf.Tensor:
        return tf.nn.log_softmax(output)


@register_likelihood("categorical")
class Categorical(_SoftmaxLikelihood):
    """Ids of classes of any shape, (batch, ...); the decoder returns logits with one more axis, the classes, (batch, ..., classes).

    Every id is a token.
    """

    def __call__(self, x: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
        if x.shape.rank is None or not x.shape.is_compatible_with(output.shape[:-1]):
            expected = "ids of shape (batch, ...) and decoder output of shape (batch, ..., classes)"
            received = f"x of shape {x.shape}, decoder output of shape {output.shape}"
            raise ArgumentError("x", expected, received, owner="Categorical")
        return -_sum_per_example(tf.nn.sparse_softmax_cross_entropy_with_logits(whole_numbers(x, "x"), output))

    def token_counts(self, x: tf.Tensor) -> tf.Tensor:
        return _sum_per_example(tf.ones_like(x, tf.float32))


@register_likelihood("multinomial")
class Multinomial(_SoftmaxLikelihood):
    """Counts of shape (batch, classes); the decoder returns logits of the same shape. Every counted thing is a token.

    The multinomial coefficient, a constant, is left out.
    """

    def log_prob_of_samples(self, x: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        return multinomial_log_prob(x, outputs)

    def __call__(self, x: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
        x = checked_counts(_same_shape(self, x, output))
        return multinomial_log_prob(x, output[tf.newaxis])[0]

    def token_counts(self, x: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(tf.cast(x, tf.float32), axis=-1)


def multinomial_log_prob(counts: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Log p (num_samples, batch), without the coefficient, of counts (batch, classes) for logits (num_samples, batch, classes)."""
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
    if values.dtype.is_floating:
        values += _nan_unless(smallest >= 0, values.dtype)
    return counts.with_values(values) if isinstance(counts, tf.SparseTensor) else values


def _nan_unless(condition: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """0, or NaN where a condition does not hold: XLA leaves out checks, and so the loss shows it."""
    return tf.where(condition, tf.zeros([], dtype), tf.constant(math.nan, dtype))


def _same_shape(likelihood: Likelihood, x: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
    """X in the dtype of the output; an error where the output is of another shape, which would be broadcast to a wrong number."""
    if x.shape.rank != output.shape.rank or not x.shape.is_compatible_with(output.shape):
        received = f"x of shape {x.shape}, decoder output of shape {output.shape}"
        raise ArgumentError(
            "decoder", "output of the shape of x", received, owner=f"the {type(likelihood).__name__} likelihood"
        )
    return tf.cast(x, output.dtype)


def _sum_per_example(values: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(values, axis=list(range(1, values.shape.rank)))
