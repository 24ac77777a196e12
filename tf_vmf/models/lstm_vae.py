"""Sentence model: token ids in, token ids out (NVRNN)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_vmf.layers import LatentLayer
from tf_vmf.layers.token_softmax import TokenSoftmax
from tf_vmf.models.dropout import dropout
from tf_vmf.models.generation import Choice, Decoding, generate
from tf_vmf.models.sentence_decoder import SentenceDecoder
from tf_vmf.models.sentence_encoder import POOLINGS, SentenceEncoder
from tf_vmf.models.variational_autoencoder import VariationalAutoencoder
from tf_vmf.seeds import stateless_seed

# Folded into the dropout seed, so that no two uses share a mask.
_ENCODER, _DECODER, _OUTPUT, _WORDS = 0, 1, 2, 3


@keras.saving.register_keras_serializable(package="tf_vmf")
class LSTMVAE(VariationalAutoencoder):
    """LSTM sentence VAE with any latent layer, or none (Bowman et al., 2016; Xu and Durrett, 2018: NVRNN).

    x are token ids of shape (batch, length), int32, padded at the end with 0. Every sentence ends with `EOS_ID`, which counts as
    a token, as `UNK_ID` does; padding counts nowhere and reaches nothing. The decoder starts from `EOS_ID`. Where the model is
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
        decoder_layers: Number of LSTM layers of the decoder.
        bidirectional: The encoder reads backwards too.
        pooling: What the encoder hands on: "final" (h, c), "mean_max" of its states, or "bow" (the mean embedding; no LSTM).
        encoder_activation: Of the dense layer before the latent layer; a Keras name, None for linear.
        tied_embeddings: The softmax's rows are the embeddings; a dense layer hidden_units -> embedding_dim comes before it.
        skip_connection: Adds a linear function of z to the decoder's outputs too (Dieng et al., 2019).
        word_dropout: In [0, 1]; see above.
        dropout: Rate on the decoder's embeddings and outputs.
        encoder_dropout: Rate on the encoder's embeddings; None: as `dropout`.
        z_scale: Factor of z where the decoder reads it. None: the latent layer's `coordinate_scale`, which gives the entries of z
            unit variance under the prior: sqrt(latent_dim) on the sphere, 1 for a standard Gaussian.
        free_bits: Nats of KL a sentence that the training loss leaves uncharged: it charges max(kl, free_bits), times kl_weight.
        num_labels: Number of labels of a model that is conditional on one; 0: not conditional.
        label_dim: Width of the label's embedding; it joins the inputs of every step of both sides.
        bag_of_words_units: Units of the dense layer over the sentence's mean embedding that joins the inputs of every step of
            both sides (200 in the paper); 0: not conditional on the bag of words.
        num_samples, seed, **kwargs: See `tf_vmf.models.VariationalAutoencoder`.

    Example:
    ```python
    model = tf_vmf.models.LSTMVAE(10_000, tf_vmf.layers.VonMisesFisherLatent(50, concentration=35.0))
    model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=5.0))
    model.fit(batches_of_token_ids, epochs=10)
    model.decode(model.encode(tokens).mean_direction)
    ```

    References:
        S. R. Bowman, L. Vilnis, O. Vinyals, A. M. Dai, R. Jozefowicz and S. Bengio. Generating Sentences from a Continuous
        Space. CoNLL 2016.
        J. Xu and G. Durrett. Spherical Latent Spaces for Stable Variational Autoencoders. EMNLP 2018.
        A. B. Dieng, Y. Kim, A. M. Rush and D. M. Blei. Avoiding Latent Variable Collapse with Generative Skip Models. 2019.
    """

    PAD_ID, EOS_ID, UNK_ID = 0, 1, 2

    _latent_is_optional = True

    def __init__(
        self,
        vocabulary_size: int,
        latent: LatentLayer | None,
        embedding_dim: int = 100,
        hidden_units: int = 400,
        decoder_layers: int = 1,
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
        num_samples: int = 1,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        # Weights are cast to half precision by the matrix products that want them so, not wherever they are read.
        super().__init__(latent, num_samples=num_samples, seed=seed, **{"autocast": False, **kwargs})
        _check_integers(
            vocabulary_size=(vocabulary_size, 3),
            embedding_dim=(embedding_dim, 1),
            hidden_units=(hidden_units, 1),
            decoder_layers=(decoder_layers, 1),
            num_labels=(num_labels, 0),
            label_dim=(label_dim, 1),
            bag_of_words_units=(bag_of_words_units, 0),
        )
        if pooling not in POOLINGS:
            raise ValueError(f"Argument `pooling`: expected one of {POOLINGS}. Received: pooling={pooling!r}.")
        for name, rate in (("dropout", dropout), ("encoder_dropout", encoder_dropout or 0.0)):
            if rate is None or not 0 <= rate < 1:
                raise ValueError(f"Argument `{name}`: expected a rate in [0, 1). Received: {name}={rate!r}.")
        if not 0 <= word_dropout <= 1:
            raise ValueError(f"Argument `word_dropout`: expected a rate in [0, 1]. Received: {word_dropout!r}.")
        if not free_bits >= 0:
            raise ValueError(f"Argument `free_bits`: expected nats >= 0. Received: free_bits={free_bits!r}.")
        if latent is None and skip_connection:
            raise ValueError("Argument `skip_connection`: expected False with latent=None. Received: True.")
        if latent is None and free_bits:
            raise ValueError(
                f"Argument `free_bits`: expected 0 with latent=None, which has no KL. Received: free_bits={free_bits!r}."
            )
        if pooling == "bow" and bidirectional:
            raise ValueError(
                "Argument `bidirectional`: expected False with pooling='bow', a mean that has no direction. Received: True."
            )
        self.vocabulary_size = int(vocabulary_size)
        self.embedding_dim = int(embedding_dim)
        self.hidden_units = int(hidden_units)
        self.decoder_layers = int(decoder_layers)
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.encoder_activation = encoder_activation
        self.tied_embeddings = tied_embeddings
        self.skip_connection = skip_connection
        self.word_dropout = word_dropout
        self.dropout = dropout
        self.encoder_dropout = encoder_dropout
        if z_scale is None:
            z_scale = 1.0 if self.latent is None else self.latent.coordinate_scale
        if not np.all(np.isfinite(z_scale)):
            raise ValueError(f"Argument `z_scale`: expected a finite number or None. Received: z_scale={z_scale!r}.")
        self.z_scale = np.asarray(z_scale, np.float64).tolist()  # a number, or one per dimension
        self.free_bits = free_bits
        self.num_labels = int(num_labels)
        self.label_dim = int(label_dim)
        self.bag_of_words_units = int(bag_of_words_units)

        policy = self.dtype_policy
        uniform = keras.initializers.RandomUniform(-0.1, 0.1)
        self.embedding = keras.layers.Embedding(self.vocabulary_size, self.embedding_dim, uniform, name="embedding")
        self.label_embedding = self.bag_of_words_layer = self.output_projection = self.skip_layer = None
        self.encoder: SentenceEncoder | None = None
        condition_dim = self.bag_of_words_units
        if self.num_labels:
            self.label_embedding = keras.layers.Embedding(self.num_labels, self.label_dim, uniform, name="label")
            condition_dim += self.label_dim
        if self.bag_of_words_units:
            self.bag_of_words_layer = keras.layers.Dense(self.bag_of_words_units, dtype="float32", name="bag_of_words")
        self.code_dim = code_dim = 0 if self.latent is None else self.latent.latent_dim
        if self.latent is not None:
            self.encoder = SentenceEncoder(
                self.hidden_units,
                pooling,
                bidirectional,
                encoder_activation,
                condition_dim,
                dtype=policy,
                name="encoder",
            )
        self.decoder = SentenceDecoder(
            self.hidden_units,
            self.decoder_layers,
            code_dim,
            code_dim + condition_dim,
            dropout,
            dtype=policy,
            name="decoder",
        )
        if tied_embeddings:
            self.output_projection = keras.layers.Dense(self.embedding_dim, dtype=policy, name="output_projection")
        self.output_width = self.embedding_dim if tied_embeddings else self.hidden_units
        if skip_connection:
            self.skip_layer = keras.layers.Dense(self.output_width, use_bias=False, dtype="float32", name="skip")
        # Lists whose length is known only at run time (chunks of the softmax, steps of the LSTM) do not compile under XLA.
        self.supports_jit = False
        self.softmax = TokenSoftmax(self.vocabulary_size, tied_embeddings, dtype=policy, name="softmax")
        # The shapes of the input: Keras makes one from them to trace `call` in an export.
        tokens = (None, None)
        self.build({"tokens": tokens, "labels": (None,)} if self.num_labels else tokens)

    def build(self, input_shape: Any) -> None:
        embedded = (None, None, self.embedding_dim)
        self.embedding.build((None, None))
        if self.label_embedding is not None:
            self.label_embedding.build((None,))
        if self.bag_of_words_layer is not None:
            self.bag_of_words_layer.build((None, self.embedding_dim))
        if self.encoder is not None:
            self.encoder.build(embedded)
            if not self.latent.built:  # a latent from a saved file arrives built
                self.latent.build((None, self.hidden_units))
        self.decoder.build(embedded)
        if self.output_projection is not None:
            self.output_projection.build((None, self.hidden_units))
        if self.skip_layer is not None:
            self.skip_layer.build((None, self.latent.latent_dim))
        self.softmax.build((None, self.output_width))
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

    def features(self, x: Any, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
        if self.encoder is None:
            raise ValueError("`features` needs a latent variable; this LSTMVAE was made with latent=None.")
        tokens = _padded_at_the_end(self._tokens(x))
        rate = self.dropout if self.encoder_dropout is None else self.encoder_dropout
        embedded = dropout(self._embed(tf.transpose(tokens)), rate, dropout_seed, _ENCODER)
        return self.encoder(embedded, _lengths(tokens), self._condition(x))

    def _smallest_input(self) -> Any:
        tokens = tf.constant([[self.EOS_ID]])
        return {"tokens": tokens, "labels": tf.constant([0])} if self.num_labels else tokens

    def token_counts(self, x: Any) -> tf.Tensor:
        return tf.cast(_lengths(self._tokens(x)), tf.float32)

    def reconstruction_log_prob(self, x: Any, z: tf.Tensor | None, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
        losses, places, samples = self._token_losses(x, z, dropout_seed)
        rows = samples * tf.shape(self._tokens(x))[0]
        log_prob = -tf.math.unsorted_segment_sum(losses, places % rows, rows)
        return tf.reshape(log_prob, [samples, -1])

    def token_log_prob(self, x: Any, z: tf.Tensor | None) -> tf.Tensor:
        """Log p(x_t | x_<t, z) of every token in nats, shape (num_samples, batch, length); 0 at padding.

        Args:
            x: A batch.
            z: Shape (num_samples, batch, latent_dim); None without a latent variable, for num_samples = 1.
        """
        losses, places, samples = self._token_losses(x, z, None)
        batch, length = tf.unstack(tf.shape(self._tokens(x)))
        log_prob = tf.scatter_nd(places[:, tf.newaxis], -losses, [length * samples * batch])
        return tf.transpose(tf.reshape(log_prob, [length, samples, batch]), [1, 2, 0])

    def kl_loss(self, kl: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        return super().kl_loss(tf.maximum(kl, self.free_bits) if self.free_bits else kl, step)

    def set_unigram_bias(self, token_counts: np.ndarray) -> None:
        """Starts the softmax's bias at the log frequencies of the corpus.

        Args:
            token_counts: Total count of every token id in the training sentences, shape (vocabulary_size,), `EOS_ID` included;
                zeros are smoothed by one half.
        """
        token_counts = np.asarray(token_counts, np.float64)
        if token_counts.shape != (self.vocabulary_size,):
            raise ValueError(
                f"Argument `token_counts`: expected shape ({self.vocabulary_size},). Received: {token_counts.shape}."
            )
        smoothed = token_counts + 0.5
        self.softmax.bias.assign(np.log(smoothed / smoothed.sum()))

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
        if len(vocabulary) != self.vocabulary_size:
            raise ValueError(
                f"Argument `vocabulary`: expected {self.vocabulary_size} strings. Received: {len(vocabulary)}."
            )
        ids = [i for i, word in enumerate(vocabulary) if word in vectors]
        if not ids:
            raise ValueError(
                "Argument `vectors`: expected vectors of words of the vocabulary. Received: none of them, but of "
                f"{', '.join(map(repr, list(vectors)[:3])) or 'no word'} and others. Are they of this language and tokenization?"
            )
        embeddings = keras.ops.convert_to_numpy(self.embedding.embeddings).copy()
        for i in ids:
            vector = np.asarray(vectors[vocabulary[i]], np.float32)
            if vector.shape != (self.embedding_dim,) or not np.all(np.isfinite(vector)):
                raise ValueError(
                    f"Argument `vectors`: expected finite numbers, embedding_dim={self.embedding_dim} of them. Received for "
                    f"{vocabulary[i]!r}: shape {vector.shape}, {np.count_nonzero(~np.isfinite(vector))} of them not finite."
                )
            embeddings[i] = vector
        self.embedding.embeddings.assign(embeddings)
        return len(ids)

    def decode(
        self,
        z: tf.Tensor,
        method: str = "greedy",
        *,
        max_length: int = 50,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        beam_width: int = 5,
        length_penalty: float = 0.0,
        allow_unknown: bool = True,
        labels: tf.Tensor | None = None,
        bag_of_words: tf.Tensor | None = None,
        seed: int | tf.Tensor = 0,
    ) -> tf.Tensor:
        """Sentences for codes.

        Args:
            z: Codes, shape (batch, latent_dim); with latent=None of width 0.
            method: "greedy", "sample" or "beam".
            max_length: Largest number of tokens, `EOS_ID` included.
            temperature: Sampling: log p is divided by it; >= 1e-4.
            top_k: Sampling: only from the k most probable words.
            top_p: Sampling: only from the fewest words that have this probability together, in (0, 1].
            beam_width: Beam search: hypotheses kept.
            length_penalty: Beam search: hypotheses are ranked by log p / length^length_penalty; 0 ranks by log p(x|z).
            allow_unknown: False never generates `UNK_ID`.
            labels: For a model that is conditional on a label: integers of shape (batch,), or one for all rows.
            bag_of_words: For one that is conditional on a bag of words: token ids in any order, shape (batch, any), 0 = padding.
            seed: Sampling: an int or a stateless seed of shape (2,).

        Returns:
            Token ids, shape (batch, length), int32: each row ends with `EOS_ID` (unless cut at `max_length`), then 0.

        Raises:
            ValueError: An option is out of range, codes have another width, or the model is not conditional on what is given.

        In a `tf.function` whose inputs are the numbers, use `decode_with`.
        """
        z = tf.cast(tf.convert_to_tensor(z), tf.float32)
        if z.shape.rank != 2 or z.shape[-1] != self.code_dim:
            raise ValueError(f"Expected codes of shape (batch, {self.code_dim}). Received: shape {z.shape}.")
        tf.debugging.assert_all_finite(z, "Codes must be finite numbers.")
        decoding = Decoding(method, max_length, temperature, top_k, top_p, beam_width, length_penalty)
        # Numbers go in as tensors, so that other ones need no other graph.
        choice, numbers = decoding.split()
        return self.decode_with(
            z, choice, numbers, allow_unknown=allow_unknown, labels=labels, bag_of_words=bag_of_words, seed=seed
        )

    def decode_with(
        self,
        z: tf.Tensor,
        choice: Choice,
        numbers: dict[str, tf.Tensor],
        *,
        allow_unknown: bool = True,
        labels: tf.Tensor | None = None,
        bag_of_words: tf.Tensor | None = None,
        seed: int | tf.Tensor = 0,
    ) -> tf.Tensor:
        """`decode` with its numbers as tensors, unchecked: for graphs in which they are inputs.

        Args:
            z: Codes, shape (batch, latent_dim).
            choice: What shapes the graph; its `top_k` may be a tensor.
            numbers: `max_length`, `temperature`, `top_p` and `length_penalty`; see `tf_vmf.models.generation.Decoding`.
            allow_unknown: As in `decode`.
            labels: As in `decode`.
            bag_of_words: As in `decode`.
            seed: As in `decode`.
        """
        if labels is not None and not self.num_labels:
            raise ValueError("Argument `labels`: expected None, as this model was made with num_labels=0.")
        if bag_of_words is not None and not self.bag_of_words_units:
            raise ValueError(
                "Argument `bag_of_words`: expected None, as this model was made with bag_of_words_units=0."
            )
        condition = self._condition_on(labels, bag_of_words, tf.shape(z)[0])
        return self._generate(z, condition, choice, numbers, allow_unknown, stateless_seed(seed))

    def sample(self, n: int, *, seed: int | tf.Tensor = 0, method: str = "sample", **options: Any) -> tf.Tensor:
        """Sentences from the model: z from the prior, then words.

        Args:
            n: Number of sentences.
            seed: An int or a stateless seed of shape (2,).
            method: "sample", "greedy" or "beam".
            **options: As in `decode`.

        Returns:
            Token ids, shape (n, length), int32, as from `decode`.
        """
        seed = stateless_seed(seed)
        prior = None if self.latent is None else self.latent.prior()
        z = tf.zeros([n, 0]) if prior is None else prior.sample(n, seed=stateless_seed(seed, 0))
        return self.decode(z, method, seed=stateless_seed(seed, 1), **options)

    @tf.function(reduce_retracing=True)
    def _generate(
        self,
        z: tf.Tensor,
        condition: tf.Tensor | None,
        choice: Choice,
        numbers: dict[str, tf.Tensor],
        allow_unknown: bool,
        seed: tf.Tensor,
    ) -> tf.Tensor:
        code = None if self.latent is None else self._scaled(z)
        skip = None if self.skip_layer is None else self.skip_layer(code)
        forbidden = [self.PAD_ID] if allow_unknown else [self.PAD_ID, self.UNK_ID]
        allowed = tf.reduce_all(tf.range(self.vocabulary_size)[:, tf.newaxis] != forbidden, axis=-1)

        def predict(last: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
            words = tf.fill(tf.shape(last), self.UNK_ID) if self.word_dropout == 1.0 else last
            hidden, recurrent = self.decoder.step(self._embed(words), state.get("context"), state["recurrent"])
            logits = self.softmax(self._before_softmax(hidden, state.get("skip")), self._tied_kernel())
            return tf.where(allowed, tf.nn.log_softmax(logits), -np.inf), {**state, "recurrent": recurrent}

        start = tf.fill([tf.shape(z)[0]], self.EOS_ID)
        state = {
            "recurrent": self.decoder.initial_state(code, tf.shape(z)[0]),
            "context": _concat(code, condition),
            "skip": skip,
        }
        state = {name: value for name, value in state.items() if value is not None}
        return generate(predict, state, start, choice, end_id=self.EOS_ID, pad_id=self.PAD_ID, seed=seed, **numbers)

    # The decoder in training and scoring.

    def _token_losses(
        self, x: Any, z: tf.Tensor | None, dropout_seed: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | int]:
        """-log p of all real tokens of all samples, their places in (length, samples, batch) laid flat, and number of samples."""
        tokens = _padded_at_the_end(self._tokens(x))
        batch = tf.shape(tokens)[0]
        samples: tf.Tensor | int = 1
        code = None
        if z is not None:
            samples = tf.shape(z)[0]
            code = tf.reshape(self._scaled(z), [-1, self.latent.latent_dim])
        targets = tf.tile(tf.transpose(tokens), [1, samples])
        inputs = dropout(self._embed(self._words_before(tokens, dropout_seed)), self.dropout, dropout_seed, _DECODER)
        condition = self._condition(x)
        if condition is not None:
            condition = tf.tile(condition, [samples, 1])
        outputs = self.decoder(
            tf.tile(inputs, [1, samples, 1]), code, _concat(code, condition), dropout_seed=dropout_seed
        )
        # Only real tokens go through the softmax.
        places = tf.cast(tf.where(tf.reshape(targets, [-1]) != self.PAD_ID)[:, 0], tf.int32)
        hidden = dropout(
            tf.gather(tf.reshape(outputs, [-1, self.hidden_units]), places), self.dropout, dropout_seed, _OUTPUT
        )
        skip = None if self.skip_layer is None else tf.gather(self.skip_layer(code), places % (samples * batch))
        losses = self.softmax.losses_of(
            self._before_softmax(hidden, skip),
            tf.gather(tf.reshape(targets, [-1]), places),
            self._tied_kernel(),
            gradient_in_forward=dropout_seed is not None,
        )
        return losses, places, samples

    def _words_before(self, tokens: tf.Tensor, dropout_seed: tf.Tensor | None) -> tf.Tensor:
        """The decoder's inputs, time first: `EOS_ID` and all words but the last, after word dropout."""
        start = tf.fill([1, tf.shape(tokens)[0]], self.EOS_ID)
        words = tf.concat([start, tf.transpose(tokens)[:-1]], axis=0)
        if self.word_dropout == 1.0:
            return tf.fill(tf.shape(words), self.UNK_ID)
        if self.word_dropout == 0.0 or dropout_seed is None:
            return words
        uniform = tf.random.stateless_uniform(tf.shape(words), stateless_seed(dropout_seed, _WORDS), alg="philox")
        return tf.where(uniform < self.word_dropout, self.UNK_ID, words)

    def _before_softmax(self, hidden: tf.Tensor, skip: tf.Tensor | None) -> tf.Tensor:
        if self.output_projection is not None:
            hidden = tf.cast(self.output_projection(hidden), tf.float32)
        return hidden if skip is None else hidden + skip

    def _tied_kernel(self) -> Any:
        return self.embedding.embeddings if self.tied_embeddings else None

    # Inputs of both sides.

    def _embed(self, tokens: tf.Tensor) -> tf.Tensor:
        return tf.gather(self.embedding.embeddings.value, tokens)

    def _scaled(self, z: tf.Tensor) -> tf.Tensor:
        return z if self.z_scale == 1.0 else self.z_scale * z

    def _condition(self, x: Any) -> tf.Tensor | None:
        """What the model is conditioned on, (batch, width), or None."""
        labels = x.get("labels") if isinstance(x, Mapping) else None
        tokens = self._tokens(x)
        return self._condition_on(labels, tokens if self.bag_of_words_units else None, tf.shape(tokens)[0])

    def _condition_on(
        self, labels: tf.Tensor | None, bag_of_words: tf.Tensor | None, batch: tf.Tensor
    ) -> tf.Tensor | None:
        condition = None
        if self.label_embedding is not None:
            if labels is None:
                raise ValueError(
                    f"This model is conditional on a label (num_labels={self.num_labels}): expected labels of shape (batch,), as "
                    'x = {"tokens": ..., "labels": ...} or labels=... Received none.'
                )
            condition = tf.gather(self.label_embedding.embeddings.value, self._checked_labels(labels, batch))
        if self.bag_of_words_layer is not None:
            if bag_of_words is None:
                raise ValueError(
                    f"This model is conditional on a bag of words (bag_of_words_units={self.bag_of_words_units}): expected "
                    "bag_of_words=... with token ids of shape (batch, length). Received none."
                )
            bag_of_words = tf.cast(bag_of_words, tf.int32)
            counted = tf.cast(bag_of_words != self.PAD_ID, tf.float32)[..., tf.newaxis]
            total = tf.reduce_sum(self._embed(bag_of_words) * counted, axis=1)
            mean = tf.math.divide_no_nan(total, tf.reduce_sum(counted, axis=1))
            condition = _concat(condition, self.bag_of_words_layer(mean))
        return condition

    def _checked_labels(self, labels: Any, batch: tf.Tensor) -> tf.Tensor:
        """Labels as int32 of shape (batch,); an error at run time where one is none of the model's."""
        labels = tf.convert_to_tensor(labels)
        is_number = labels.dtype.is_integer or labels.dtype.is_floating  # Keras traces exports with floats
        if not is_number or labels.shape.rank not in (None, 0, 1):
            raise ValueError(
                f"Expected labels as integers from 0 to {self.num_labels - 1}, one a row: shape (batch,). Received: shape "
                f"{labels.shape}, {labels.dtype.name}."
            )
        whole = tf.reduce_all(tf.cast(tf.cast(labels, tf.int32), labels.dtype) == labels)
        labels = (
            tf.broadcast_to(tf.cast(labels, tf.int32), [batch]) if labels.shape.rank == 0 else tf.cast(labels, tf.int32)
        )
        known = whole & tf.reduce_all((labels >= 0) & (labels < self.num_labels))
        message = f"Expected labels from 0 to {self.num_labels - 1}, one for each of"
        checks = [
            tf.debugging.Assert(known & (tf.shape(labels)[0] == batch), [message, batch, "rows. Received:", labels]),
        ]
        with tf.control_dependencies(checks):
            return tf.identity(labels)

    def _tokens(self, x: Any) -> tf.Tensor:
        tokens = x["tokens"] if isinstance(x, Mapping) else x
        if isinstance(tokens, tf.RaggedTensor):
            tokens = tokens.to_tensor(self.PAD_ID)
        tokens = tf.cast(tokens, tf.int32)
        if tokens.shape.rank not in (None, 2):
            raise ValueError(f"Expected token ids of shape (batch, length). Received: shape {tokens.shape}.")
        return tokens

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> LSTMVAE:
        # Files of a time when options without effect were passed over.
        if config.get("latent") is None:
            config = {**config, "free_bits": 0.0}
        if config.get("pooling") == "bow":
            config = {**config, "bidirectional": False}
        return super().from_config(config, custom_objects)

    def get_config(self) -> dict[str, Any]:
        names = (
            *("vocabulary_size", "embedding_dim", "hidden_units", "decoder_layers", "bidirectional", "pooling"),
            *("encoder_activation", "tied_embeddings", "skip_connection", "word_dropout", "dropout", "encoder_dropout"),
            *("z_scale", "free_bits", "num_labels", "label_dim", "bag_of_words_units"),
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _padded_at_the_end(tokens: tf.Tensor) -> tf.Tensor:
    """The ids themselves; an error at run time where padding comes before a word, as `keras.utils.pad_sequences` puts it."""
    ok = tf.reduce_all((tokens[:, 1:] == LSTMVAE.PAD_ID) | (tokens[:, :-1] != LSTMVAE.PAD_ID))
    message = "Expected padding (id 0) at the end of sentences only; pad_sequences needs padding='post'. Received:"
    with tf.control_dependencies([tf.debugging.Assert(ok, [message, tokens])]):
        return tf.identity(tokens)


def _lengths(tokens: tf.Tensor) -> tf.Tensor:
    return tf.math.count_nonzero(tokens, axis=-1, dtype=tf.int32)


def _concat(first: tf.Tensor | None, second: tf.Tensor | None) -> tf.Tensor | None:
    parts = [tf.cast(part, tf.float32) for part in (first, second) if part is not None]
    return tf.concat(parts, axis=-1) if parts else None


def _check_integers(**arguments: tuple[Any, int]) -> None:
    for name, (value, minimum) in arguments.items():
        if isinstance(value, bool) or int(value) != value or value < minimum:
            raise ValueError(f"Argument `{name}`: expected an integer >= {minimum}. Received: {name}={value!r}.")
