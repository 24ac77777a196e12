"""Sentence model: token ids in, token ids out (NVRNN)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import scipy.sparse
import tensorflow as tf

from tf_vmf._checks import SetOnce, check_integer, check_number, check_rates
from tf_vmf._errors import ArgumentError
from tf_vmf.layers import LatentLayer
from tf_vmf.math.noise import dropout
from tf_vmf.models.inputs import check_no_text
from tf_vmf.models.likelihoods import Categorical
from tf_vmf.models.misfit import warn_of_misfit
from tf_vmf.models.sentence_generation import SentenceGeneration
from tf_vmf.models.sentence_inputs import Conditioning, TokenEmbedding, ended, lengths_of, padded_at_the_end, tokens_of
from tf_vmf.models.sentence_layers import POOLINGS, SentenceDecoder, SentenceEncoder
from tf_vmf.models.variational_autoencoder import VariationalAutoencoder, resolve_z_scale
from tf_vmf.models.word_model import WordModel
from tf_vmf.text.vocabulary import EOS_ID, PAD_ID

_ENCODER = 0  # folded into the dropout seed; the decoder folds in others


@keras.saving.register_keras_serializable(package="tf_vmf")
class LSTMVAE(WordModel, SentenceGeneration, VariationalAutoencoder):
    """LSTM sentence VAE with any latent layer, or none (Bowman et al., 2016; Xu and Durrett, 2018: NVRNN).

    x are token ids of shape (batch, length), int32, padded at the end with 0. Every sentence ends with `EOS_ID`, which counts as
    a token, as `UNK_ID` does (`tf_vmf.text.vocabulary`); padding counts nowhere and reaches nothing. The decoder starts from
    `EOS_ID`. Where the model is
    conditional on a label, x is a dict {"tokens": (batch, length), "labels": (batch,)}.

    The encoder is an LSTM whose final (h, c) feed a dense layer -> latent. z gives the decoder's initial (h, c) through a dense
    layer and joins the input of every step; log p(x|z) = sum_t log p(x_t | x_<t, z). The defaults are the paper's: embedding 100
    (one table for both sides), 400 units, dropout 0.5 on embeddings and outputs.

    - *standard*: `word_dropout=0.0`. *inputless*: `word_dropout=1.0`, every decoder input is `UNK_ID`, in evaluation too.
      In between each is `UNK_ID` with that probability, in training only.
    - `latent=None` is the plain LSTM language model.

    `predict` gives log p(x | code) of every sentence in nats, at the posterior's deterministic code.

    Args:
        vocabulary_size: Number of token ids, 0 to vocabulary_size - 1, the three special ones included.
        latent: A latent layer, for instance `tf_vmf.layers.VonMisesFisherLatent(50, concentration=35.0)`, or None.
        embedding_dim: Width of the embeddings.
        hidden_units: Units of every LSTM layer.
        num_decoder_layers: Number of LSTM layers of the decoder.
        bidirectional: The encoder reads backwards too.
        pooling: What the encoder returns: "final" (h, c), "mean_max" of its states, or "bow" (the mean embedding; no LSTM).
        encoder_activation: Of the dense layer before the latent layer; a Keras name, None for linear.
        tied_embeddings: The softmax's rows are the embeddings; a dense layer hidden_units -> embedding_dim comes before it.
        skip_connection: Adds a linear function of z to the decoder's outputs too (Dieng et al., 2019).
        word_dropout: In [0, 1]; see above.
        dropout: Rate on the decoder's embeddings and outputs.
        encoder_dropout: Rate on the encoder's embeddings; None: as `dropout`.
        z_scale: Factor of z where the decoder reads it. None: the latent layer's `coordinate_scale`, which gives the entries of z
            unit variance under the prior: sqrt(latent_dim) on the sphere, 1 for a standard Gaussian.
        free_bits: Nats of KL per sentence that the training loss leaves uncharged: it charges max(kl, free_bits), times kl_weight.
        num_labels: Number of labels of a model that is conditional on one; 0: not conditional.
        label_dim: Width of the label's embedding; it joins the inputs of every step of both sides.
        bag_of_words_units: Units of the dense layer over the sentence's mean embedding that joins the inputs of every step of
            both sides (200 in the paper); 0: not conditional on the bag of words.
        likelihood: Of the tokens given the logits of the softmax: "categorical"; or a likelihood or callable that is called with
            ids (tokens,) and logits (tokens, vocabulary_size) and returns log p of every token. "categorical" never holds all
            logits.
        vocabulary_hash: What `set_vocabulary` has recorded.
        num_samples, sample_reduction, seed, **kwargs: See `tf_vmf.models.VariationalAutoencoder`.

    Example:
    ```python
    tokens = np.array([[3, 4, 5, 1], [6, 4, 1, 0]])  # ids of words, then 1 (<eos>), then 0 (padding)
    model = tf_vmf.models.LSTMVAE(7, tf_vmf.layers.VonMisesFisherLatent(8, concentration=14.0), hidden_units=32)
    model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=5.0))
    model.fit(tokens, epochs=2)
    model.generate(model.encode(tokens).mean_direction, "beam")
    model.sample(10, sampler=tf_vmf.models.RandomSampler(temperature=0.8))
    ```

    References:
        S. R. Bowman, L. Vilnis, O. Vinyals, A. M. Dai, R. Jozefowicz and S. Bengio. Generating Sentences from a Continuous
        Space. CoNLL 2016.
        J. Xu and G. Durrett. Spherical Latent Spaces for Stable Variational Autoencoders. EMNLP 2018.
        A. B. Dieng, Y. Kim, A. M. Rush and D. M. Blei. Avoiding Latent Variable Collapse with Generative Skip Models. 2019.
    """

    _latent_is_optional = True

    word_dropout, dropout, encoder_dropout, free_bits = SetOnce(), SetOnce(), SetOnce(), SetOnce()

    def __init__(
        self,
        vocabulary_size: int,
        latent: LatentLayer | None,
        *,
        embedding_dim: int = 100,
        hidden_units: int = 400,
        num_decoder_layers: int = 1,
        bidirectional: bool = False,
        pooling: str = "final",
        encoder_activation: str | None = None,
        tied_embeddings: bool = False,
        skip_connection: bool = False,
        word_dropout: float = 0.0,
        dropout: float = 0.5,
        encoder_dropout: float | None = None,
        z_scale: float | None = None,
        free_bits: float = 0.0,
        num_labels: int = 0,
        label_dim: int = 50,
        bag_of_words_units: int = 0,
        likelihood: Any = "categorical",
        vocabulary_hash: str | None = None,
        num_samples: int = 1,
        sample_reduction: str = "mean_loss",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        # Weights are cast to half precision by the matrix products that want them so, not wherever they are read.
        options: dict[str, Any] = {"num_samples": num_samples, "sample_reduction": sample_reduction, "seed": seed}
        super().__init__(latent, likelihood=likelihood, **options, **{"autocast": False, **kwargs})
        self.vocabulary_hash = vocabulary_hash
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.hidden_units = hidden_units
        self.num_decoder_layers = num_decoder_layers
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.encoder_activation = encoder_activation
        self.tied_embeddings = tied_embeddings
        self.skip_connection = skip_connection
        self.word_dropout = check_number(type(self).__name__, "word_dropout", word_dropout)
        self.dropout = dropout
        self.encoder_dropout = encoder_dropout
        self.free_bits = check_number(type(self).__name__, "free_bits", free_bits)
        self.num_labels = num_labels
        self.label_dim = label_dim
        self.bag_of_words_units = bag_of_words_units
        self._check_options()
        warn_of_misfit(self.likelihood, (None,), tf.zeros([1, self.vocabulary_size]))
        self.z_scale = resolve_z_scale(z_scale, self.latent)
        self._make_parts()
        # Lists whose length is known only at run time (chunks of the softmax, steps of the LSTM) do not compile under XLA.
        self.supports_jit = False
        # The shapes of the input: Keras makes one from them to trace `call` in an export.
        tokens = (None, None)
        self.build({"tokens": tokens, "labels": (None,)} if num_labels else tokens)

    def _check_options(self) -> None:
        minimum = {"vocabulary_size": 3, "embedding_dim": 1, "hidden_units": 1, "num_decoder_layers": 1}
        minimum |= {"num_labels": 0, "label_dim": 1, "bag_of_words_units": 0}
        for name, least in minimum.items():
            setattr(self, name, check_integer(type(self).__name__, name, getattr(self, name), minimum=least))
        check_rates(type(self).__name__, dropout=self.dropout)
        if self.encoder_dropout is not None:
            check_rates(type(self).__name__, encoder_dropout=self.encoder_dropout)
        is_none = self.latent is None
        for name, is_right, expected in (
            ("pooling", self.pooling in POOLINGS, f"one of {POOLINGS}"),
            ("word_dropout", 0 <= self.word_dropout <= 1, "a rate in [0, 1]"),
            ("free_bits", not (is_none and self.free_bits), "0 with latent=None, which has no KL"),
            (
                "free_bits",
                not (self.free_bits and self.sample_reduction == "importance_weighted"),
                "0 with sample_reduction='importance_weighted', whose loss has no KL",
            ),
            ("skip_connection", not (is_none and self.skip_connection), "False with latent=None"),
            ("bidirectional", not (self.pooling == "bow" and self.bidirectional), "False with pooling='bow', a mean"),
        ):
            if not is_right:
                raise ArgumentError(name, expected, repr(getattr(self, name)), owner=type(self).__name__)

    def _make_parts(self) -> None:
        policy = self.dtype_policy
        uniform = keras.initializers.RandomUniform(-0.1, 0.1)
        output_dim = self.embedding_dim if self.tied_embeddings else None
        self.embedding = TokenEmbedding(
            self.vocabulary_size,
            self.embedding_dim,
            units=output_dim or self.hidden_units,
            tied=self.tied_embeddings,
            initializer=uniform,
            dtype=policy,
            name="embedding",
        )
        widths = (self.num_labels, self.label_dim, self.bag_of_words_units)
        self.conditioning = Conditioning(*widths, initializer=uniform, dtype=policy, name="conditioning")
        self.encoder: SentenceEncoder | None = None
        if self.latent is not None:
            self.encoder = SentenceEncoder(
                self.hidden_units,
                pooling=self.pooling,
                bidirectional=self.bidirectional,
                activation=self.encoder_activation,
                context_dim=self.conditioning.width,
                dtype=policy,
                name="encoder",
            )
        self.decoder = SentenceDecoder(
            self.hidden_units,
            num_layers=self.num_decoder_layers,
            code_dim=0 if self.latent is None else self.latent.latent_dim,
            condition_dim=self.conditioning.width,
            output_dim=output_dim,
            skip_connection=self.skip_connection,
            z_scale=self.z_scale,
            word_dropout=self.word_dropout,
            dropout=self.dropout,
            dtype=policy,
            name="decoder",
        )

    def build(self, input_shape: Any) -> None:
        embedded = (None, None, self.embedding_dim)
        self.embedding.build((None, None))
        self.conditioning.build(embedded)
        if self.encoder is not None:
            self.encoder.build(embedded)
            if not self.latent.built:  # a latent from a saved file arrives built
                self.latent.build((None, self.hidden_units))
        self.decoder.build(embedded)
        super().build(input_shape)

    def call(self, x: Any, training: bool | None = None) -> tf.Tensor:
        """Log p(x | code) in nats, shape (batch,), at the posterior's deterministic code."""
        del training
        if self.latent is None:
            return self.reconstruction_log_prob(x, None)[0]
        code = self.latent.code(self.latent.parameters(self.features(x)))
        return self.reconstruction_log_prob(x, code[tf.newaxis])[0]

    @property
    def encoder_variables(self) -> list[keras.Variable]:
        """The trainable variables of q(z|x) alone, for `update`; the embeddings, which both sides read, are not among them."""
        return [] if self.encoder is None else [*self.encoder.trainable_variables, *self.latent.trainable_variables]

    @property
    def output_bias(self) -> keras.Variable:
        return self.embedding.softmax.bias

    def set_embeddings(self, vocabulary: Sequence[str], vectors: Mapping[str, np.ndarray]) -> int:
        """Starts the embeddings of the words that `vectors` has from there; the others keep their random start.

        Args:
            vocabulary: The string of every token id, as `tf_vmf.data.SentenceCorpus.vocabulary`.
            vectors: The vector of every word, of width `embedding_dim`; see `tf_vmf.models.read_word_vectors`.

        Returns:
            How many words were found.

        Raises:
            ValueError: The vocabulary is not the model's, a vector has another width or is not finite, or no word is among them.
        """
        return self.embedding.set_embeddings(vocabulary, vectors)

    # The parts of the bound.

    def canonical(self, x: Any) -> Any:
        check_no_text(x)
        rows = _rows_of_ids(x)
        if rows is not None:
            padded = keras.utils.pad_sequences(rows, dtype="float64", padding="post", value=PAD_ID)
            return padded.astype(np.int32) if np.all(padded == np.trunc(padded)) else padded
        return super().canonical(x.toarray() if scipy.sparse.issparse(x) else x)

    def features(self, x: Any, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
        if self.encoder is None:
            raise ArgumentError(
                "latent", "a latent layer, whose input are the features", "None", owner="LSTMVAE.features"
            )
        tokens = padded_at_the_end(tokens_of(x))
        rate = self.dropout if self.encoder_dropout is None else self.encoder_dropout
        embedded = dropout(self.embedding(tf.transpose(tokens)), rate, dropout_seed, _ENCODER)
        return self.encoder(embedded, lengths_of(tokens), self.conditioning.of_batch(x, self.embedding))

    def token_counts(self, x: Any) -> tf.Tensor:
        return tf.cast(lengths_of(tokens_of(x)), tf.float32)

    def reconstruction_log_prob(self, x: Any, z: tf.Tensor | None, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
        losses, positions, samples = self._token_losses(x, z, dropout_seed)
        rows = samples * tf.shape(tokens_of(x))[0]
        log_prob = -tf.math.unsorted_segment_sum(losses, positions % rows, rows)
        return tf.reshape(log_prob, [samples, -1])

    def token_log_prob(self, x: Any, z: tf.Tensor | None) -> tf.Tensor:
        """Log p(x_t | x_<t, z) of every token in nats, shape (num_samples, batch, length); 0 at padding.

        Args:
            x: A batch.
            z: Shape (num_samples, batch, latent_dim); None without a latent variable, for num_samples = 1.
        """
        losses, positions, samples = self._token_losses(x, z, None)
        batch, length = tf.unstack(tf.shape(tokens_of(x)))
        log_prob = tf.scatter_nd(positions[:, tf.newaxis], -losses, [length * samples * batch])
        return tf.transpose(tf.reshape(log_prob, [length, samples, batch]), [1, 2, 0])

    def kl_loss(self, kl: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        return super().kl_loss(tf.maximum(kl, self.free_bits) if self.free_bits else kl, step)

    def _token_losses(
        self, x: Any, z: tf.Tensor | None, dropout_seed: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | int]:
        tokens = padded_at_the_end(tokens_of(x))
        if dropout_seed is not None:
            tokens = ended(tokens)
        condition = self.conditioning.of_batch(x, self.embedding)
        likelihood = None if type(self.likelihood) is Categorical else self.likelihood
        return self.decoder.token_losses(tokens, z, condition, self.embedding, dropout_seed, likelihood)

    def target_of(self, x: Any, y: Any) -> Any:
        if y is None or isinstance(y, Mapping) or not isinstance(x, Mapping):
            return super().target_of(x, y)
        return {**x, "tokens": y}

    def reconstruct(self, x: Any) -> tf.Tensor:
        """The probabilities of every token of x at the deterministic code: refused, as a sentence has no mean."""
        expected, remedy = "None, as a sentence has no mean to compare with", "`model.generate(z)` decodes sentences."
        raise ArgumentError("metrics", expected, "metrics", remedy, owner=type(self).__name__)

    def _smallest_input(self) -> Any:
        tokens = tf.constant([[EOS_ID]])
        return {"tokens": tokens, "labels": tf.constant([0])} if self.num_labels else tokens

    def quantize(self, mode: Any = None, *args: Any, **kwargs: Any) -> None:
        """Refused: embeddings and LSTM are read in full precision."""
        del args, kwargs
        raise ArgumentError(
            "mode", "no quantization of a sentence model", repr(mode), owner=f"{type(self).__name__}.quantize"
        )

    def get_config(self) -> dict[str, Any]:
        names = (
            *("vocabulary_size", "embedding_dim", "hidden_units", "num_decoder_layers", "bidirectional", "pooling"),
            *("encoder_activation", "tied_embeddings", "skip_connection", "word_dropout", "dropout", "encoder_dropout"),
            *("z_scale", "free_bits", "num_labels", "label_dim", "bag_of_words_units", "vocabulary_hash"),
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _rows_of_ids(x: Any) -> Sequence[Any] | None:
    """The rows of a list, or of a column of any library, whose entries are lists of ids; None of anything else."""
    if hasattr(x, "to_pylist") and not hasattr(x, "columns"):
        x = x.to_pylist()
    elif hasattr(x, "to_list") or (isinstance(x, np.ndarray) and x.dtype == object):
        x = list(x)
    rows = isinstance(x, (list, tuple)) and len(x) > 0 and all(getattr(row, "ndim", 1) == 1 for row in x)
    return x if rows and not isinstance(x[0], (str, bytes)) and hasattr(x[0], "__len__") else None
