"""The contract of a likelihood p(x|z), from what a decoder returns to log p(x|z), and likelihoods by name."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import keras
import tensorflow as tf

from tf_vmf._errors import ArgumentError

if TYPE_CHECKING:
    pass

_Class = TypeVar("_Class", bound="type[Likelihood]")

LIKELIHOODS: dict[str, type[Likelihood]] = {}


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

    def register(cls: _Class) -> _Class:
        known = LIKELIHOODS.get(name)
        # A notebook cell that runs again defines the same class once more.
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ArgumentError(
                "name",
                "a name that no other likelihood has",
                f"{name!r}, which is {known.__module__}.{known.__qualname__}",
                owner="register_likelihood",
            )
        LIKELIHOODS[name] = cls
        return keras.saving.register_keras_serializable(package=package)(cls)

    return register


def likelihood_names() -> tuple[str, ...]:
    """The names of all registered likelihoods, sorted."""
    return tuple(sorted(LIKELIHOODS))


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
    """The likelihood of a name or a configuration, or the callable itself.

    Raises:
        ArgumentError: It is neither a known name nor callable, or it is a loss.
    """
    if isinstance(likelihood, str) and likelihood in LIKELIHOODS and likelihood != "distribution":
        return LIKELIHOODS[likelihood]()
    if isinstance(likelihood, dict):
        likelihood = keras.saving.deserialize_keras_object(likelihood)
    expected = (
        f"one of {', '.join(repr(name) for name in likelihood_names() if name != 'distribution')}, or a callable (x, decoder "
        "output) -> log p(x|z) of shape (batch,)"
    )
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
    """The configuration of a likelihood, from which `get_likelihood` makes it again.

    Raises:
        ArgumentError: It is not registered with Keras.
    """
    check_registered(likelihood)
    return keras.saving.serialize_keras_object(likelihood)


def check_registered(function: Any) -> None:
    """Refuses a likelihood, or a function of one, that could be saved but not loaded.

    Raises:
        ArgumentError: It is not registered with Keras.
    """
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
