"""Document model: bag of words in, bag of words out (NVDM)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_vmf.layers import LatentLayer
from tf_vmf.models.dropout import dropout
from tf_vmf.models.variational_autoencoder import VariationalAutoencoder
from tf_vmf.seeds import stateless_seed

_INPUT_TRANSFORMS = ("counts", "log1p")


@keras.saving.register_keras_serializable(package="tf_vmf")
class BagOfWordsVAE(VariationalAutoencoder):
    """Neural variational document model with any latent layer (NVDM; Miao et al., 2016; Xu and Durrett, 2018).

    x are word counts over V words; log p(x|z) = sum_w x_w log p_w(z), p(z) = softmax(decoder(z)). Counts are a dense tensor or a
    `tf.SparseTensor` of shape (batch, V); the multinomial coefficient, a constant, is left out as in the literature.

    The defaults are the paper's architecture: encoder dense(400, tanh) -> dense(400) -> latent, decoder dense(400, tanh) ->
    dense(V), dropout 0.1 on the hidden layers. (The authors also drop logits; here logits are kept.)

    Args:
        vocabulary_size: V.
        latent: A latent layer, for instance `tf_vmf.layers.VonMisesFisherLatent(25, concentration=100.0)`.
        encoder_units: Widths of the encoder's dense layers; all but the last one have the activation.
        decoder_units: Widths of the decoder's hidden layers, all with the activation; () for a decoder that is linear in z.
        activation: Name of a Keras activation.
        input_transform: "log1p" (default: long documents do not saturate the first layer) or "counts".
        input_dropout: Rate at which transformed counts are dropped in training: the code then has to do with part of the words.
        dropout: Rate of dropout after every hidden layer.
        z_scale: Factor of z where the decoder reads it. None: the latent layer's `coordinate_scale`, which gives the entries of z
            unit variance under the prior: sqrt(d) on the sphere, 1 for a standard Gaussian. At factor 1 the decoder learns to use
            a unit vector so slowly that a learned concentration collapses before it does (20 Newsgroups, d = 50: KL 0 after 70
            epochs).
        num_samples, seed, **kwargs: See `tf_vmf.models.VariationalAutoencoder`.

    Example:
    ```python
    model = tf_vmf.models.BagOfWordsVAE(2000, tf_vmf.layers.VonMisesFisherLatent(25, concentration=100.0))
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(counts, batch_size=200, epochs=60)
    model.encode(counts[:5]).mean_direction
    ```

    References:
        Y. Miao, L. Yu and P. Blunsom. Neural Variational Inference for Text Processing. ICML 2016.
        J. Xu and G. Durrett. Spherical Latent Spaces for Stable Variational Autoencoders. EMNLP 2018.
    """

    def __init__(
        self,
        vocabulary_size: int,
        latent: LatentLayer,
        encoder_units: Sequence[int] = (400, 400),
        decoder_units: Sequence[int] = (400,),
        activation: str = "tanh",
        input_transform: str = "log1p",
        input_dropout: float = 0.0,
        dropout: float = 0.1,
        z_scale: float | None = None,
        num_samples: int = 1,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(latent, num_samples=num_samples, seed=seed, **kwargs)
        if int(vocabulary_size) != vocabulary_size or vocabulary_size < 1:
            raise ValueError(f"Argument `vocabulary_size`: expected an integer >= 1. Received: {vocabulary_size!r}.")
        if not encoder_units:
            raise ValueError(
                "Argument `encoder_units`: expected at least one width, for instance (400, 400). Received: ()."
            )
        if input_transform not in _INPUT_TRANSFORMS:
            raise ValueError(
                f"Argument `input_transform`: expected one of {_INPUT_TRANSFORMS}. Received: {input_transform!r}."
            )
        for name, rate in (("input_dropout", input_dropout), ("dropout", dropout)):
            if not 0 <= rate < 1:
                raise ValueError(f"Argument `{name}`: expected a rate in [0, 1). Received: {name}={rate!r}.")
        self.vocabulary_size = int(vocabulary_size)
        self.encoder_units = tuple(encoder_units)
        self.decoder_units = tuple(decoder_units)
        self.activation = activation
        self.input_transform = input_transform
        self.input_dropout = input_dropout
        self.dropout = dropout
        if z_scale is None:
            z_scale = self.latent.coordinate_scale
        self.z_scale = np.asarray(z_scale, np.float64).tolist()  # a number, or one per dimension
        linear_from = len(self.encoder_units) - 1
        self.encoder_layers = [
            keras.layers.Dense(units, activation if i < linear_from else None, name=f"encoder_{i}")
            for i, units in enumerate(self.encoder_units)
        ]
        self.decoder_layers = [
            keras.layers.Dense(units, activation, name=f"decoder_{i}") for i, units in enumerate(self.decoder_units)
        ]
        self.output_layer = keras.layers.Dense(self.vocabulary_size, name="output")
        self.build((None, self.vocabulary_size))

    def build(self, input_shape: Sequence[int | None]) -> None:
        if input_shape[-1] not in (None, self.vocabulary_size):
            raise ValueError(
                f"Expected counts of shape (batch, {self.vocabulary_size}), as vocabulary_size={self.vocabulary_size}. "
                f"Received: shape {tuple(input_shape)}."
            )
        width = self.vocabulary_size
        for layer in self.encoder_layers:
            layer.build((None, width))
            width = layer.units
        if not self.latent.built:  # a latent from a saved file arrives built
            self.latent.build((None, width))
        width = self.latent.latent_dim
        for layer in (*self.decoder_layers, self.output_layer):
            layer.build((None, width))
            width = layer.units
        super().build(input_shape)

    def call(self, x: tf.Tensor | tf.SparseTensor, training: bool | None = None) -> tf.Tensor:
        """Reconstruction log p(w|z), shape (batch, V), at the posterior's deterministic code."""
        del training
        return self.decode(self.latent.code(self.latent.parameters(self.features(x))))

    def features(self, x: tf.Tensor | tf.SparseTensor, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
        h = tf.cast(x, self.compute_dtype)
        if self.input_transform == "log1p":
            h = tf.sparse.map_values(tf.math.log1p, h) if isinstance(h, tf.SparseTensor) else tf.math.log1p(h)
        h = dropout(h, self.input_dropout, dropout_seed)
        for i, layer in enumerate(self.encoder_layers):
            h = layer(h)
            if i + 1 < len(self.encoder_layers):
                h = dropout(h, self.dropout, dropout_seed, i + 1)
        return h

    def _smallest_input(self) -> tf.Tensor:
        return tf.zeros([1, self.vocabulary_size])

    def token_counts(self, x: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
        if isinstance(x, tf.SparseTensor):
            return tf.ensure_shape(tf.cast(tf.sparse.reduce_sum(x, axis=-1), tf.float32), [None])
        return tf.reduce_sum(tf.cast(x, tf.float32), axis=-1)

    def reconstruction_log_prob(
        self, x: tf.Tensor | tf.SparseTensor, z: tf.Tensor, dropout_seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        logits = tf.cast(self._logits(z, dropout_seed), tf.float32)
        counts = tf.cast(tf.sparse.to_dense(x) if isinstance(x, tf.SparseTensor) else x, tf.float32)
        tokens = tf.reduce_sum(counts, axis=-1)
        # One fused operation for log-softmax, cross-entropy and their gradient; it wants labels that sum to one.
        frequencies = tf.math.divide_no_nan(counts, tokens[:, tf.newaxis])
        samples = tf.shape(z)[0]
        labels = tf.tile(frequencies, [samples, 1])
        cross_entropy = tf.nn.softmax_cross_entropy_with_logits(labels, tf.reshape(logits, [-1, self.vocabulary_size]))
        return -tokens * tf.reshape(cross_entropy, [samples, -1])

    def decode(self, z: tf.Tensor) -> tf.Tensor:
        """Log p(w|z) of every word, shape (..., V), for codes of shape (..., latent_dim)."""
        z = tf.convert_to_tensor(z, dtype_hint=self.compute_dtype)
        if z.shape[-1] != self.latent.latent_dim:
            raise ValueError(f"Expected codes of shape (..., {self.latent.latent_dim}). Received: shape {z.shape}.")
        return tf.nn.log_softmax(tf.cast(self._logits(z, None), tf.float32))

    def sample(self, num_documents: int, document_length: int = 100, seed: int | tf.Tensor = 0) -> tf.Tensor:
        """Counts of documents drawn from the model: z from the prior, then `document_length` words from p(w|z).

        Returns:
            Counts of shape (num_documents, V), float32; every row sums to `document_length`.
        """
        seed = stateless_seed(seed)
        z = self.latent.prior().sample(num_documents, seed=stateless_seed(seed, 0))
        words = tf.random.stateless_categorical(self.decode(z), document_length, stateless_seed(seed, 1))
        return tf.math.bincount(
            tf.cast(words, tf.int32),
            minlength=self.vocabulary_size,
            maxlength=self.vocabulary_size,
            axis=-1,
            dtype=tf.float32,
        )

    def set_unigram_bias(self, word_counts: np.ndarray) -> None:
        """Starts the output bias at the log frequencies of the corpus, so that the decoder learns deviations from them.

        Args:
            word_counts: Total count of every word in the training documents, shape (V,); zeros are smoothed by one half.
        """
        word_counts = np.asarray(word_counts, np.float64)
        if word_counts.shape != (self.vocabulary_size,):
            raise ValueError(
                f"Argument `word_counts`: expected shape ({self.vocabulary_size},). Received: {word_counts.shape}."
            )
        smoothed = word_counts + 0.5
        self.output_layer.bias.assign(np.log(smoothed / smoothed.sum()))

    def _logits(self, z: tf.Tensor, dropout_seed: tf.Tensor | None) -> tf.Tensor:
        h = z if self.z_scale == 1.0 else self.z_scale * z
        for i, layer in enumerate(self.decoder_layers):
            h = dropout(layer(h), self.dropout, dropout_seed, -1 - i)
        return self.output_layer(h)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "encoder_units": list(self.encoder_units),
            "decoder_units": list(self.decoder_units),
            "activation": self.activation,
            "input_transform": self.input_transform,
            "input_dropout": self.input_dropout,
            "dropout": self.dropout,
            "z_scale": self.z_scale,
        }
