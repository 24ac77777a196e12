"""The endpoints of a variational autoencoder of any encoder and decoder."""

from __future__ import annotations

import keras
import tensorflow as tf

from tf_vmf.models import VAE
from tf_vmf.models.vae import output_spec
from tf_vmf.serving.endpoint import INTEGER, Endpoint, at_least, codes, encodings, scores


def vae_endpoints(model: VAE) -> dict[str, Endpoint]:
    """The endpoints by name. `outputs` is what the decoder returns.

    Raises:
        ValueError: The encoder or the decoder takes or returns more than one tensor, or the encoder's input is not known.
    """
    latent = model.latent
    x, z = input_spec(model), codes(latent)

    def encode(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return encodings(model, x)

    def score(x: tf.Tensor, num_samples: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        return scores(model, x, num_samples, seed)

    def reconstruct(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": model.decode(latent.code(model.posterior_parameters(x)))}

    def decode(z: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": model.decode(latent.check_codes(z))}

    def sample(n: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": model.sample(at_least(n, 1, "n"), seed=seed)}

    def interpolate(start: tf.Tensor, end: tf.Tensor, num_points: tf.Tensor) -> dict[str, tf.Tensor]:
        points = latent.interpolate(start, end, num_points)
        outputs = model.decode(tf.reshape(points, [-1, latent.latent_dim]))
        shape = tf.concat([tf.shape(points)[:2], tf.shape(outputs)[1:]], axis=0)
        return {"codes": points, "outputs": tf.reshape(outputs, shape)}

    return {
        "serving_default": Endpoint(encode, [x], "encode"),
        "encode": Endpoint(encode, [x], "parameters of q(z|x) and its deterministic code"),
        "score": Endpoint(
            score, [x, INTEGER, INTEGER], "nll, kl, one-sample elbo and importance-weighted log likelihood, nats"
        ),
        "reconstruct": Endpoint(reconstruct, [x], "the decoder's output at the code of x"),
        "decode": Endpoint(decode, [z], "the decoder's output at given codes"),
        "sample": Endpoint(sample, [INTEGER, INTEGER], "the decoder's output at codes drawn from the prior"),
        "interpolate": Endpoint(interpolate, [z, z, INTEGER], "codes between two, and the decoder's output there"),
    }


def input_spec(model: VAE) -> tf.TensorSpec:
    """The specification of a batch.

    Raises:
        ValueError: The encoder takes more than one tensor, or what it takes is not known.
    """
    inputs = model.encoder_input
    outputs = output_spec(model.decoder, (None, model.latent.latent_dim))
    if not isinstance(inputs, keras.KerasTensor) or not isinstance(outputs, keras.KerasTensor):
        raise ValueError(
            "Argument `model`: an export of a VAE needs an encoder that is a functional or Sequential model of one tensor, and a "
            f"decoder that returns one tensor. Received: encoder={type(model.encoder).__name__} with input {inputs}, a decoder "
            f"that returns {outputs}."
        )
    return tf.TensorSpec([None, *inputs.shape[1:]], inputs.dtype)
