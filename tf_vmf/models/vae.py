"""A variational autoencoder of any Keras encoder and decoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from tf_vmf import _keras
from tf_vmf.layers import LatentLayer
from tf_vmf.models.likelihoods import LikelihoodFunction, get_likelihood
from tf_vmf.models.variational_autoencoder import VariationalAutoencoder
from tf_vmf.seeds import stateless_seed


@keras.saving.register_keras_serializable(package="tf_vmf")
class VAE(VariationalAutoencoder):
    """Any Keras encoder and decoder around any latent layer (Kingma and Welling, 2014; Davidson et al., 2018).

    | likelihood | x | decoder output |
    | :--- | :--- | :--- |
    | "bernoulli" | 0 or 1 (or in between), (batch, ...) | logits, of the shape of x |
    | "gaussian" | real, (batch, ...) | mean, of the shape of x; the scale is 1: `tf_vmf.models.Gaussian(scale=0.5)` for another |
    | "categorical" | class ids, (batch, ...) | logits, (batch, ..., classes) |
    | "multinomial" | counts, (batch, classes) | logits, of the shape of x |
    | a callable | anything the encoder takes | anything |

    `decode(z)` is the decoder's output, `predict(x)` that at the mean code. All losses and bounds are in nats per example.
    Perplexity is logged where examples are made of tokens: with "categorical" and "multinomial".

    Encoder and decoder are called with `training=`. `keras.layers.Dropout` and other layers with noise of their own work in them,
    but Keras saves no state of that noise: a resumed run draws other masks than an uninterrupted one, and all replicas of a
    strategy draw the same. (The noise of the latent layer is exactly resumed.) The statistics of `BatchNormalization` are those of
    each replica.

    Args:
        encoder: A Keras layer or model from x, a tensor or a dict of tensors, to features (batch, units).
        latent: A latent layer, such as `tf_vmf.layers.VonMisesFisherLatent(10, concentration=50.0)`.
        decoder: A Keras layer or model from codes (batch, latent_dim). It reads z as it is; on the sphere, where the entries of z
            are small, `keras.layers.Rescaling(latent_dim**0.5)` as its first layer helps it to start.
        likelihood: A name, an object of `tf_vmf.models` such as `Gaussian(0.5)`, or a callable (x, decoder output) -> log p(x|z)
            in nats, shape (batch,). A callable must be registered with `keras.saving.register_keras_serializable` for the model
            to be saved. With a method `token_counts(x)` -> (batch,) it has a perplexity.
        num_samples, sample_reduction, seed, **kwargs: See `tf_vmf.models.VariationalAutoencoder`.

    Example:
    ```python
    images = np.random.default_rng(0).random((100, 8, 8, 1))
    encoder = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(64, "relu")])
    decoder = keras.Sequential([keras.Input((5,)), keras.layers.Dense(64), keras.layers.Reshape((8, 8, 1))])
    latent = tf_vmf.layers.VonMisesFisherLatent(5, concentration=50.0)
    model = tf_vmf.models.VAE(encoder, latent, decoder, "bernoulli")
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(images, batch_size=50, epochs=2)
    model.encode(images).mean_direction
    ```

    References:
        D. P. Kingma and M. Welling. Auto-Encoding Variational Bayes. ICLR 2014.
        T. R. Davidson, L. Falorsi, N. De Cao, T. Kipf and J. M. Tomczak. Hyperspherical Variational Auto-Encoders. UAI 2018.
    """

    def __init__(
        self,
        encoder: keras.layers.Layer,
        latent: LatentLayer,
        decoder: keras.layers.Layer,
        likelihood: str | LikelihoodFunction,
        *,
        num_samples: int = 1,
        sample_reduction: str = "mean_loss",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(latent, num_samples=num_samples, sample_reduction=sample_reduction, seed=seed, **kwargs)
        for name, layer in (("encoder", encoder), ("decoder", decoder)):
            if not isinstance(layer, keras.layers.Layer):
                raise ValueError(f"Argument `{name}` of VAE: expected a Keras layer or model. Received: {layer!r}.")
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = get_likelihood(likelihood)
        self.has_tokens = hasattr(self.likelihood, "token_counts")
        if self.encoder_input is not None:
            self.build(keras.tree.map_structure(lambda tensor: tensor.shape, self.encoder_input))

    @property
    def encoder_input(self) -> Any:
        """The symbolic input of an encoder that is a functional or Sequential model; None of another."""
        if isinstance(self.encoder, keras.Sequential):  # its `input` is None
            return self.encoder.inputs[0] if self.encoder.built else None
        return getattr(self.encoder, "input", None) if isinstance(self.encoder, _keras.Functional) else None

    def build(self, input_shape: Any) -> None:
        features: tuple[int | None, ...] = getattr(output_spec(self.encoder, input_shape), "shape", ())
        if len(features) != 2 or features[-1] is None:
            raise ValueError(
                "Argument `encoder` of VAE: expected a model that returns features of shape (batch, units). Received one that "
                f"returns shape {features}. Does keras.layers.Flatten() at its end help?"
            )
        if not self.latent.built:  # a latent from a saved file arrives built
            self.latent.build(features)
        output_spec(self.decoder, (None, self.latent.latent_dim))
        super().build(input_shape)

    def build_for(self, x: Any) -> None:
        if not self.built:
            with tf.init_scope():
                self.build(keras.tree.map_structure(lambda value: (None, *value.shape[1:]), x))

    def call(self, x: Any, training: bool | None = None) -> Any:
        """The decoder's output at the posterior's deterministic code."""
        del training
        return self.decode(self.latent.code(self.latent.parameters(self.features(x))))

    def features(self, x: Any, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
        self.build_for(x)
        return self.encoder(x, training=dropout_seed is not None)

    def token_counts(self, x: Any) -> tf.Tensor | None:
        return self.likelihood.token_counts(_dense(x)) if self.has_tokens else None  # type: ignore[attr-defined]

    def reconstruction_log_prob(self, x: Any, z: tf.Tensor | None, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
        z = tf.convert_to_tensor(z)
        samples = z.shape[0] or tf.shape(z)[0]
        output = self.decoder(tf.reshape(z, [-1, self.latent.latent_dim]), training=dropout_seed is not None)
        output = tf.nest.map_structure(lambda value: tf.cast(value, tf.float32), output)
        x = _dense(x)
        if not isinstance(samples, int) or samples > 1:
            x = tf.nest.map_structure(lambda value: _repeated(value, samples), x)
        log_prob = self.likelihood(x, output)
        if log_prob.shape.rank != 1:
            raise ValueError(
                "Argument `likelihood` of VAE: expected a callable that returns log p(x|z) of shape (batch,), a sum over all "
                f"other axes. Received shape {log_prob.shape}."
            )
        return tf.reshape(tf.cast(log_prob, tf.float32), [samples, -1])

    def _terms(self, x: Any, seed: tf.Tensor, num_samples: int, training: bool) -> dict[str, Any]:
        if tf.distribute.get_strategy().num_replicas_in_sync == 1:
            return super()._terms(x, seed, num_samples, training)
        # The last batch may leave a replica without examples, of which the fused convolution of TensorFlow 2.21 makes an error.
        examples = tf.shape(tf.nest.flatten(_dense(x))[0])[0]
        terms = super()._terms(tf.nest.map_structure(_one_at_least, _dense(x)), seed, num_samples, training)
        return {name: None if value is None else value[:examples] for name, value in terms.items()}

    def decode(self, z: tf.Tensor) -> Any:
        """The decoder's output for codes of shape (batch, latent_dim)."""
        z = tf.convert_to_tensor(z, dtype_hint=tf.float32)
        if z.shape.rank != 2 or z.shape[-1] != self.latent.latent_dim:
            raise ValueError(f"Expected codes of shape (batch, {self.latent.latent_dim}). Received: shape {z.shape}.")
        return self.decoder(tf.cast(z, tf.float32), training=False)

    def sample(self, n: int, *, seed: int | tf.Tensor = 0) -> Any:
        """The decoder's output at `n` codes that are drawn from the prior.

        Args:
            n: Number of codes.
            seed: An int or a stateless seed of shape (2,).
        """
        return self.decode(self.latent.prior().sample(n, seed=stateless_seed(stateless_seed(seed), 0)))

    def _smallest_input(self) -> Any:
        inputs = self.encoder_input
        if inputs is None or any(None in tensor.shape[1:] for tensor in keras.tree.flatten(inputs)):
            return None
        return keras.tree.map_structure(lambda tensor: tf.zeros([1, *tensor.shape[1:]], tensor.dtype), inputs)

    def get_config(self) -> dict[str, Any]:
        _check_registered(self.likelihood)
        parts = {name: getattr(self, name) for name in ("encoder", "decoder", "likelihood")}
        serialized = {name: keras.saving.serialize_keras_object(part) for name, part in parts.items()}
        return {**super().get_config(), **serialized}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> VAE:
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects=custom_objects)
            for name in ("encoder", "latent", "decoder", "likelihood")
        }
        return super().from_config({**config, **parts}, custom_objects)


def output_spec(layer: keras.layers.Layer, input_shape: Any) -> Any:
    """Symbolic tensors of the shapes that a layer returns; builds the layer if that has not happened."""
    inputs = keras.tree.map_shape_structure(lambda shape: keras.KerasTensor(tuple(shape), "float32"), input_shape)
    return layer.compute_output_spec(inputs) if layer.built else layer(inputs)


def _dense(x: Any) -> Any:
    return tf.nest.map_structure(
        lambda value: tf.sparse.to_dense(value) if isinstance(value, tf.SparseTensor) else tf.convert_to_tensor(value),
        x,
    )


def _repeated(value: tf.Tensor, times: int | tf.Tensor) -> tf.Tensor:
    """The batch so many times, one after the other."""
    return tf.tile(value, [times, *[1] * (value.shape.rank - 1)])


def _one_at_least(value: tf.Tensor) -> tf.Tensor:
    """The batch, or one example of zeros in place of none."""
    missing = tf.maximum(1 - tf.shape(value)[0], 0)
    padded = tf.pad(value, [[0, missing], *[[0, 0]] * (value.shape.rank - 1)])
    padded.set_shape([None, *value.shape[1:]])
    return padded


def _check_registered(likelihood: LikelihoodFunction) -> None:
    """Refuses a likelihood that could be saved but not loaded.

    Raises:
        ValueError: It is not registered with Keras.
    """
    registered = likelihood if hasattr(likelihood, "__name__") else type(likelihood)
    if keras.saving.get_registered_object(keras.saving.get_registered_name(registered)) is not registered:
        raise ValueError(
            f"The likelihood {getattr(registered, '__name__', registered)!r} of this VAE is not registered, so that a file of the "
            "model could not be loaded. Define it with `def`, in a module, under the decorator "
            "@keras.saving.register_keras_serializable(package='...'), make the model anew with it and take over its weights with "
            "`set_weights`."
        )
