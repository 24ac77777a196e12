"""Document model: bag of words in, bag of words out (NVDM)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import scipy.sparse
import tensorflow as tf

from tf_vmf._checks import SetOnce, check_choice, check_integer, check_rates
from tf_vmf._errors import ArgumentError
from tf_vmf.data.counts import check_counts
from tf_vmf.layers import LatentLayer
from tf_vmf.math.noise import dropout
from tf_vmf.models.likelihoods import TokenLikelihood, checked_counts
from tf_vmf.models.misfit import warn_of_misfit
from tf_vmf.models.variational_autoencoder import VariationalAutoencoder, resolve_z_scale
from tf_vmf.models.word_model import WordModel, hash_of_vocabulary
from tf_vmf.seeds import stateless_seed

_INPUT_TRANSFORMS = ("counts", "log1p")


@keras.saving.register_keras_serializable(package="tf_vmf")
class BagOfWordsVAE(WordModel, VariationalAutoencoder):
    """Neural variational document model with any latent layer (NVDM; Miao et al., 2016; Xu and Durrett, 2018).

    x are word counts over V words; log p(x|z) = sum_w x_w log p_w(z), p(z) = softmax(decoder(z)). Counts are of shape (batch, V): a
    list, an array, a tensor, a `tf.SparseTensor`, a scipy matrix of any format or a data frame, whose columns are put in the order
    of `set_vocabulary` or of the first frame trained on. Negative counts and NaN are errors. The multinomial coefficient, a
    constant, is left out as in the literature.

    The defaults are the paper's architecture: encoder dense(400, tanh) -> dense(400) -> latent, decoder dense(400, tanh) ->
    dense(V), dropout 0.1 on the hidden layers. (The authors also drop logits; here logits are kept.)

    Args:
        vocabulary_size: V, the number of words.
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
        likelihood: p(x|z) given the V outputs of the decoder: "multinomial", or another name, likelihood of `tf_vmf.models` or
            callable, such as "bernoulli" for whether words occur. Perplexity is logged where it counts tokens.
        vocabulary_hash: What `set_vocabulary` has recorded.
        num_samples, sample_reduction, seed, **kwargs: See `tf_vmf.models.VariationalAutoencoder`.

    Example:
    ```python
    counts = np.random.default_rng(0).poisson(0.05, (400, 2000))  # documents, words
    model = tf_vmf.models.BagOfWordsVAE(2000, tf_vmf.layers.VonMisesFisherLatent(25, concentration=100.0))
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(counts, batch_size=200, epochs=2)
    model.encode(counts[:5]).mean_direction
    ```

    References:
        Y. Miao, L. Yu and P. Blunsom. Neural Variational Inference for Text Processing. ICML 2016.
        J. Xu and G. Durrett. Spherical Latent Spaces for Stable Variational Autoencoders. EMNLP 2018.
    """

    dropout, input_dropout = SetOnce(), SetOnce()

    def __init__(
        self,
        vocabulary_size: int,
        latent: LatentLayer,
        *,
        encoder_units: Sequence[int] = (400, 400),
        decoder_units: Sequence[int] = (400,),
        activation: str = "tanh",
        input_transform: str = "log1p",
        input_dropout: float = 0.0,
        dropout: float = 0.1,
        z_scale: float | None = None,
        likelihood: Any = "multinomial",
        vocabulary_hash: str | None = None,
        num_samples: int = 1,
        sample_reduction: str = "mean_loss",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        options: dict[str, Any] = {"num_samples": num_samples, "sample_reduction": sample_reduction, "seed": seed}
        super().__init__(latent, likelihood=likelihood, **options, **kwargs)
        self.has_tokens = isinstance(self.likelihood, TokenLikelihood)
        name = type(self).__name__
        self.vocabulary_size = check_integer(name, "vocabulary_size", vocabulary_size, minimum=1)
        warn_of_misfit(self.likelihood, (None, self.vocabulary_size), tf.zeros([1, self.vocabulary_size]))
        check_rates(name, input_dropout=input_dropout, dropout=dropout)
        if not encoder_units:
            raise ArgumentError("encoder_units", "at least one width, for instance (400, 400)", "()", owner=name)
        self.encoder_units = tuple(encoder_units)
        self.decoder_units = tuple(decoder_units)
        self.activation = activation
        self.input_transform = check_choice(name, "input_transform", input_transform, _INPUT_TRANSFORMS)
        self.input_dropout = input_dropout
        self.dropout = dropout
        self.z_scale = resolve_z_scale(z_scale, self.latent)
        self.vocabulary_hash = vocabulary_hash
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

    @property
    def output_bias(self) -> keras.Variable:
        return self.output_layer.bias

    def build(self, input_shape: Sequence[int | None]) -> None:
        if input_shape[-1] not in (None, self.vocabulary_size):
            expected = f"counts of shape (batch, {self.vocabulary_size})"
            raise ArgumentError("x", expected, f"shape {tuple(input_shape)}", owner=self.name)
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
        """Log of each word's share in the reconstruction, log p(w|z), shape (batch, V), at the deterministic code."""
        del training
        return self.decode(self.latent.code(self.latent.parameters(self.features(x))))

    _targets_are_named = True

    @property
    def _column_names(self) -> tuple[str, ...] | None:
        return self._words

    def _learn_columns(self, names: tuple[str, ...]) -> None:
        if self.vocabulary_hash is None and len(names) == self.vocabulary_size:
            self.set_vocabulary(names)

    def _in_order(self, frame: Any, names: tuple[str, ...]) -> Any:
        if self._words is not None or self.vocabulary_hash in (None, hash_of_vocabulary(names)):
            return super()._in_order(frame, names)
        received = f"{len(names)} columns, {', '.join(map(repr, names[:3]))} and so on, other ones or in another order"
        remedy = "Put them in order, or call `model.set_vocabulary(words)`, and they are put in order here."
        expected = "columns named by the words of the vocabulary, in its order"
        raise ArgumentError("x", expected, received, remedy, owner=type(self).__name__)

    def canonical(self, x: Any) -> Any:
        x = super().canonical(x)
        if isinstance(x, np.ndarray | scipy.sparse.csr_matrix) and x.dtype == bool:  # whether a word occurs
            x = x.astype(np.float32)
        shape = tf.TensorShape(getattr(x, "shape", None))
        if not shape.is_compatible_with([None, self.vocabulary_size]):
            expected = f"counts of shape (batch, {self.vocabulary_size}), a column per word of the vocabulary"
            raise ArgumentError("x", expected, f"shape {shape}", owner=type(self).__name__)
        check_counts(x, "x", type(self).__name__)
        return x

    def features(self, x: tf.Tensor | tf.SparseTensor, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
        h = tf.cast(checked_counts(x), self.compute_dtype)
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
        outputs = tf.cast(self._logits(z, dropout_seed), self.bound_dtype)
        counts = tf.cast(tf.sparse.to_dense(x) if isinstance(x, tf.SparseTensor) else x, outputs.dtype)
        if hasattr(self.likelihood, "log_prob_of_samples"):
            return self.likelihood.log_prob_of_samples(counts, outputs)
        return tf.map_fn(lambda output: self.likelihood(counts, output), outputs)

    def decode(self, z: tf.Tensor) -> tf.Tensor:
        """Log p(w|z) of every word, shape (..., V), for codes of shape (..., latent_dim)."""
        z = tf.convert_to_tensor(z, dtype_hint=self.compute_dtype)
        if z.shape[-1] != self.latent.latent_dim:
            expected = f"codes of shape (..., {self.latent.latent_dim})"
            raise ArgumentError("z", expected, f"shape {z.shape}", owner=f"{type(self).__name__}.decode")
        return self.likelihood.log_proportions(tf.cast(self._logits(z, None), self.bound_dtype))

    def reconstruct(self, x: Any) -> tf.Tensor:
        """The mean of the reconstruction at the deterministic code, shape (batch, V): of one word where words are counted."""
        code = self.latent.code(self.posterior_parameters(self.to_tensors(x)))
        return self.likelihood.mean(tf.cast(self._logits(code, None), self.bound_dtype))

    def sample(self, n: int, *, document_length: int = 100, seed: int | tf.Tensor = 0) -> tf.Tensor:
        """Counts of documents drawn from the model: z from the prior, then `document_length` words from p(w|z).

        Args:
            n: Number of documents.
            document_length: Words of every document.
            seed: An int or a stateless seed of shape (2,).

        Returns:
            Counts of shape (n, V), float32; every row sums to `document_length`.
        """
        seed = stateless_seed(seed)
        z = self.latent.prior().sample(n, seed=stateless_seed(seed, 0))
        words = tf.random.stateless_categorical(self.decode(z), document_length, stateless_seed(seed, 1))
        return tf.math.bincount(
            tf.cast(words, tf.int32),
            minlength=self.vocabulary_size,
            maxlength=self.vocabulary_size,
            axis=-1,
            dtype=tf.float32,
        )

    def _logits(self, z: tf.Tensor, dropout_seed: tf.Tensor | None) -> tf.Tensor:
        h = z if self.z_scale == 1.0 else self.z_scale * z
        for i, layer in enumerate(self.decoder_layers):
            h = dropout(layer(h), self.dropout, dropout_seed, -1 - i)
        return self.output_layer(h)

    def get_config(self) -> dict[str, Any]:
        names = ("vocabulary_size", "activation", "input_transform", "input_dropout", "dropout", "z_scale")
        config = {**super().get_config(), **{name: getattr(self, name) for name in (*names, "vocabulary_hash")}}
        config |= {"encoder_units": list(self.encoder_units), "decoder_units": list(self.decoder_units)}
        mode = getattr(self.output_layer, "quantization_mode", None)
        return config if mode is None else {**config, "quantization_mode": mode}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> BagOfWordsVAE:
        mode = config.get("quantization_mode")
        config = {name: value for name, value in config.items() if name != "quantization_mode"}
        model = super().from_config(config, custom_objects)
        if mode is not None:  # the latent layer does it itself
            for layer in (*model.encoder_layers, *model.decoder_layers, model.output_layer):
                layer.quantize(mode)
        return model
