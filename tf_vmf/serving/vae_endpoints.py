"""The endpoints of a variational autoencoder of any encoder and decoder."""

from __future__ import annotations

import keras
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.models import VAE
from tf_vmf.models.vae import output_spec
from tf_vmf.serving.endpoint import INTEGER, Endpoint, ModelEndpoints, Outputs, at_least


class VAEEndpoints(ModelEndpoints):
    """The endpoints of a `VAE`. `outputs` is what the decoder returns.

    Raises:
        ValueError: The encoder or the decoder takes or returns more than one tensor, or the encoder's input is not known.
    """

    example = "x"

    def __init__(self, model: VAE, vectorizer: None = None) -> None:
        if vectorizer is not None:
            raise ArgumentError("vectorizer", "None for a VAE", repr(vectorizer), owner="export")
        super().__init__(model)
        self._x = input_spec(model)

    @property
    def batch(self) -> dict[str, tf.TensorSpec]:
        return {"x": self._x}

    def declared(self) -> dict[str, Endpoint]:
        z = self.codes
        return {
            "encode": self.encode_endpoint(),
            "score": self.score_endpoint(),
            "reconstruct": Endpoint(self.reconstruct, self.batch, "the decoder's output at the code of x"),
            "decode": Endpoint(self.decode, {"z": z}, "the decoder's output at given codes"),
            "sample": Endpoint(
                self.sample, {"n": INTEGER, "seed": INTEGER}, "the decoder's output at codes drawn from the prior"
            ),
            "interpolate": Endpoint(
                self.interpolate,
                {"start": z, "end": z, "num_points": INTEGER},
                "codes between two, and the decoder's output there",
            ),
        }

    def reconstruct(self, **inputs: tf.Tensor) -> Outputs:
        """The decoder's output at the code of each example."""
        return {"outputs": self.model.decode(self.code(self.examples(inputs)))}

    def decode(self, z: tf.Tensor) -> Outputs:
        """The decoder's output at given codes."""
        return {"outputs": self.model.decode(self.latent.check_codes(z))}

    def sample(self, n: tf.Tensor, seed: tf.Tensor) -> Outputs:
        """The decoder's output at codes drawn from the prior."""
        return {"outputs": self.model.sample(at_least(n, 1, "n"), seed=seed)}

    def interpolate(self, start: tf.Tensor, end: tf.Tensor, num_points: tf.Tensor) -> Outputs:
        """Codes between two, and the decoder's output there."""
        points = self.latent.interpolate(start, end, num_points)
        outputs = self.model.decode(tf.reshape(points, [-1, self.latent.latent_dim]))
        shape = tf.concat([tf.shape(points)[:2], tf.shape(outputs)[1:]], axis=0)
        return {"codes": points, "outputs": tf.reshape(outputs, shape)}


def input_spec(model: VAE) -> tf.TensorSpec:
    """The specification of a batch.

    Raises:
        ValueError: The encoder takes more than one tensor, or what it takes is not known.
    """
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
