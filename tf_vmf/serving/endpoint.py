"""Endpoints: those that all models share, and those of a variational autoencoder of any encoder and decoder."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.models import VAE, VariationalAutoencoder
from tf_vmf.models.vae import output_spec
from tf_vmf.seeds import stateless_seed

INTEGER, NUMBER = tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.float32)
TEXTS = tf.TensorSpec([None], tf.string)

Outputs = dict[str, tf.Tensor]


@dataclass(frozen=True)
class Endpoint:
    """A function of the served model."""

    function: Callable[..., Outputs]  # from tensors, by name, to a dict of tensors
    inputs: Mapping[str, tf.TensorSpec]  # the specifications of its tensors, by name
    description: str  # for the model card

    def signature(self) -> list[tf.TensorSpec]:
        """The specifications with their names, for a SavedModel."""
        return [tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in self.inputs.items()]

    def call(self, *tensors: tf.Tensor) -> Outputs:
        """The function of tensors in the order of `inputs`; all floats are float32, also of a model of float64."""
        found = self.function(**dict(zip(self.inputs, tensors, strict=True)))
        return {
            name: tf.cast(value, tf.float32) if value.dtype == tf.float64 else value for name, value in found.items()
        }


class ModelEndpoints(abc.ABC):
    """The endpoints of a trained model; a subclass for each kind of model.

    Those that take examples have a variant for raw text, named `..._text`, where there is a vectorizer, from strings to examples.
    """

    # The name of the input that holds examples; the variants for text have `texts` in its place.
    example: str
    # The keyword arguments of the constructor.
    options: tuple[str, ...] = ()

    def __init__(self, model: Any, vectorizer: Any = None) -> None:
        self.model: Any = model
        self.latent = model.latent
        self.vectorizer = vectorizer
        if vectorizer is not None and len(vectorizer.vocabulary) != model.vocabulary_size:
            raise ArgumentError(
                "vectorizer",
                f"a vocabulary of {model.vocabulary_size} words, as many as the model's",
                str(len(vectorizer.vocabulary)),
                owner="export",
            )
        self.words: Any = None if vectorizer is None else tf.constant(vectorizer.vocabulary)

    # What a subclass defines.

    @property
    @abc.abstractmethod
    def batch(self) -> dict[str, tf.TensorSpec]:
        """The inputs of a batch of examples, `example` among them."""

    @abc.abstractmethod
    def declared(self) -> dict[str, Endpoint]:
        """The endpoints on examples and codes, by name."""

    def examples(self, inputs: Mapping[str, tf.Tensor]) -> Any:
        """The model's input from the tensors of `batch`."""
        return inputs[self.example]

    def known_tokens(self, x: Any) -> Outputs:
        """The number of known tokens of each example, `tokens` (batch,); empty where examples have no tokens."""
        del x
        return {}

    def text_endpoints(self) -> dict[str, Endpoint]:
        """The endpoints on raw text that are no plain variants of others."""
        return {}

    # What all models share.

    def endpoints(self) -> dict[str, Endpoint]:
        """All endpoints by name; `serving_default` encodes, from raw text where there is a vectorizer."""
        declared = self.declared()
        text = {}
        if self.vectorizer is not None:
            on_examples = [name for name, each in declared.items() if self.example in each.inputs]
            text = {f"{name}_text": self.of_text(name, declared[name]) for name in on_examples} | self.text_endpoints()
        default = next((name for name in ("encode_text", "encode") if name in {**declared, **text}), None)
        served = {**declared, **text}
        if default is None:
            return served
        encode = served[default]
        return {"serving_default": Endpoint(encode.function, encode.inputs, default), **served}

    def of_text(self, name: str, endpoint: Endpoint) -> Endpoint:
        """The variant of an endpoint that takes raw text instead of examples."""

        def function(texts: tf.Tensor, **others: tf.Tensor) -> Outputs:
            return endpoint.function(**{self.example: self.vectorizer(texts)}, **others)

        inputs = {"texts" if each == self.example else each: spec for each, spec in endpoint.inputs.items()}
        inputs["texts"] = TEXTS
        return Endpoint(function, inputs, f"{name}, of raw text")

    @property
    def codes(self) -> tf.TensorSpec:
        """The specification of codes (batch, latent_dim)."""
        return tf.TensorSpec([None, self.latent.latent_dim], tf.float32)

    def code(self, x: Any) -> tf.Tensor:
        """The deterministic code of each example, (batch, latent_dim)."""
        return self.latent.code(self.model.posterior_parameters(x))

    def encode(self, **inputs: tf.Tensor) -> Outputs:
        """The parameters of q(z|x), its deterministic `code`, and the number of known tokens: 0 marks the code of nothing."""
        x = self.examples(inputs)
        return {**encodings(self.model, x), **self.known_tokens(x)}

    def score(self, num_samples: tf.Tensor, seed: tf.Tensor, **inputs: tf.Tensor) -> Outputs:
        """The bounds on log p(x), in nats."""
        return scores(self.model, self.examples(inputs), num_samples, seed)

    def on_path(
        self, start: tf.Tensor, end: tf.Tensor, num_points: tf.Tensor, function: Callable[[tf.Tensor], Outputs]
    ) -> Outputs:
        """`codes` between two, (n, num_points, latent_dim), and the outputs of a function of codes (m, latent_dim) there."""
        points = self.latent.interpolate(start, end, num_points)
        shape = tf.shape(points)[:2]
        found = function(tf.reshape(points, [-1, self.latent.latent_dim]))
        reshaped = {
            name: tf.reshape(each, tf.concat([shape, tf.shape(each)[1:]], axis=0)) for name, each in found.items()
        }
        return {"codes": points, **reshaped}

    def path_endpoint(self, function: Callable[..., Outputs], about: str, **others: tf.TensorSpec) -> Endpoint:
        """Interpolation between codes."""
        inputs = {"start": self.codes, "end": self.codes, "num_points": INTEGER, **others}
        return Endpoint(function, inputs, f"codes between two, and {about} there")

    def encode_endpoint(self) -> Endpoint:
        """Posterior parameters and codes."""
        about = "parameters of q(z|x), its deterministic code, and the number of known tokens (0: the code of nothing)"
        return Endpoint(self.encode, self.batch, about if self.has_tokens else about.partition(", and")[0])

    def score_endpoint(self) -> Endpoint:
        """Bounds."""
        example = {name: spec for name, spec in self.batch.items() if name == self.example}
        condition = {name: spec for name, spec in self.batch.items() if name != self.example}
        return Endpoint(
            self.score,
            {**example, "num_samples": INTEGER, "seed": INTEGER, **condition},
            "nll, kl, one-sample elbo and importance-weighted log likelihood, nats",
        )

    @property
    def has_tokens(self) -> bool:
        """True if examples have tokens."""
        return bool(self.model.has_tokens)


def at_least(value: tf.Tensor, least: int | float, name: str, *, strictly: bool = False) -> tf.Tensor:
    """The scalar itself; an error at run time where it is too small."""
    ok = value > least if strictly else value >= least
    relation = ">" if strictly else ">="
    with tf.control_dependencies([tf.debugging.Assert(ok, [f"{name} must be {relation} {least}. Received:", value])]):
        return tf.identity(value)


def encodings(model: VariationalAutoencoder, x: Any) -> Outputs:
    """The parameters of q(z|x) and its deterministic `code`."""
    parameters = model.posterior_parameters(x)
    return {**parameters, "code": model.latent.code(parameters)}


def scores(model: VariationalAutoencoder, x: Any, num_samples: tf.Tensor, seed: tf.Tensor) -> Outputs:
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


class DecoderEndpoints(ModelEndpoints):
    """The endpoints of a model whose decoder returns one tensor for codes."""

    # The name of that tensor.
    output: str = "outputs"

    def decoded(self, z: tf.Tensor) -> Outputs:
        """The decoder's output at codes (n, latent_dim)."""
        return {self.output: self.model.decode(z)}

    def decode(self, z: tf.Tensor) -> Outputs:
        """The decoder's output at given codes."""
        return self.decoded(self.latent.check_codes(z))

    def reconstruct(self, **inputs: tf.Tensor) -> Outputs:
        """The decoder's output at the code of each example."""
        return self.decoded(self.code(self.examples(inputs)))

    def interpolate(self, start: tf.Tensor, end: tf.Tensor, num_points: tf.Tensor) -> Outputs:
        """Codes between two, and the decoder's output there."""
        return self.on_path(start, end, num_points, self.decoded)


class VAEEndpoints(DecoderEndpoints):
    """The endpoints of a `VAE`. `outputs` is the one tensor that the decoder returns; the encoder's input must be one, too."""

    example = "x"

    def __init__(self, model: VAE, vectorizer: None = None) -> None:
        if vectorizer is not None:
            raise ArgumentError("vectorizer", "None for a VAE", repr(vectorizer), owner="export")
        super().__init__(model)
        self._x = _input_spec(model)

    @property
    def batch(self) -> dict[str, tf.TensorSpec]:
        return {"x": self._x}

    def declared(self) -> dict[str, Endpoint]:
        return {
            "encode": self.encode_endpoint(),
            "score": self.score_endpoint(),
            "reconstruct": Endpoint(self.reconstruct, self.batch, "the decoder's output at the code of x"),
            "decode": Endpoint(self.decode, {"z": self.codes}, "the decoder's output at given codes"),
            "sample": Endpoint(
                self.sample, {"n": INTEGER, "seed": INTEGER}, "the decoder's output at codes drawn from the prior"
            ),
            "interpolate": self.path_endpoint(self.interpolate, "the decoder's output"),
        }

    def sample(self, n: tf.Tensor, seed: tf.Tensor) -> Outputs:
        """The decoder's output at codes drawn from the prior."""
        return {"outputs": self.model.sample(at_least(n, 1, "n"), seed=seed)}


def _input_spec(model: VAE) -> tf.TensorSpec:
    """The specification of a batch."""
    inputs = model.encoder_input
    outputs = output_spec(model.decoder, (None, model.latent.latent_dim))
    if not isinstance(inputs, keras.KerasTensor) or not isinstance(outputs, keras.KerasTensor):
        raise ArgumentError(
            "model",
            "a VAE with an encoder that is a functional or Sequential model of one tensor, and a decoder that returns one tensor",
            f"encoder={type(model.encoder).__name__} with input {inputs}, a decoder that returns {outputs}",
            owner="export",
        )
    return tf.TensorSpec([None, *inputs.shape[1:]], inputs.dtype)
