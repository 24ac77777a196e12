"""Encoder and decoder of a sentence model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_vmf.layers.lstm import TimeMajorLSTM, sum_dtype
from tf_vmf.layers.training_state import NotRematerialized
from tf_vmf.math.noise import dropout, stateless_uniform
from tf_vmf.models.sentence_inputs import TokenEmbedding, concat
from tf_vmf.seeds import stateless_seed
from tf_vmf.text.vocabulary import EOS_ID, PAD_ID, UNK_ID

POOLINGS = ("final", "mean_max", "bow")


class SentenceEncoder(NotRematerialized, keras.layers.Layer):
    """LSTM over the sentence, pooled, then a dense layer: features (batch, units). Padding reaches nothing.

    Called with embeddings, time first (length, batch, embedding_dim), the numbers of tokens (batch,), and a context (batch,
    context_dim) that joins the input of every step. See `LSTMVAE` for the options.
    """

    def __init__(
        self,
        units: int,
        *,
        pooling: str = "final",
        bidirectional: bool = False,
        activation: str | None = None,
        context_dim: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"autocast": False, **kwargs})
        self.units = units
        self.pooling = pooling
        self.bidirectional = bidirectional
        self.activation = activation
        self.context_dim = context_dim
        directions = () if pooling == "bow" else ("forward", "backward")[: 1 + bidirectional]
        self.lstms = [TimeMajorLSTM(units, context_dim, dtype=self.dtype_policy, name=name) for name in directions]
        self.dense = keras.layers.Dense(units, activation, dtype=self.dtype_policy, name="dense")

    def build(self, input_shape: Sequence[Any]) -> None:
        for lstm in self.lstms:
            lstm.build(input_shape)
        width = 2 * self.units * len(self.lstms) if self.lstms else input_shape[-1] + self.context_dim
        self.dense.build((None, width))
        super().build(input_shape)

    def call(self, inputs: tf.Tensor, lengths: tf.Tensor, context: tf.Tensor | None = None) -> tf.Tensor:
        if not self.lstms:
            pooled = [masked_mean(inputs, lengths)]
            if context is not None:
                pooled.append(tf.cast(context, pooled[0].dtype))
            return self.dense(tf.concat(pooled, axis=-1))
        pooled = []
        # A shard without sentences may come with lengths of none; one without tokens has no last token.
        last = tf.maximum(lengths, 1)
        for lstm, backwards in zip(self.lstms, (False, True), strict=False):
            sequence = tf.reverse_sequence(inputs, last, seq_axis=0, batch_axis=1) if backwards else inputs
            outputs, state = lstm(sequence, lengths=last, context=context)
            if self.pooling == "final":
                pooled.extend(state)
            else:
                mask = tf.transpose(tf.sequence_mask(last, tf.shape(outputs)[0]))[..., tf.newaxis]
                pooled.append(masked_mean(outputs, last))
                pooled.append(tf.reduce_max(tf.where(mask, outputs, outputs.dtype.min), axis=0))
        return self.dense(tf.concat(pooled, axis=-1))


def masked_mean(sequence: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """Mean over the steps before padding: (length, batch, width) -> (batch, width); zero for a length of 0."""
    mask = tf.transpose(tf.sequence_mask(lengths, tf.shape(sequence)[0], dtype=sequence.dtype))[..., tf.newaxis]
    return tf.math.divide_no_nan(
        tf.reduce_sum(sequence * mask, axis=0), tf.cast(lengths, sequence.dtype)[:, tf.newaxis]
    )


LSTMState = list[tuple[tf.Tensor, tf.Tensor]]

# Folded into the dropout seed, so that no two uses share a mask. 0 is the encoder's, 100 and more are those between layers.
_INPUTS, _OUTPUTS, _WORDS, _BETWEEN_LAYERS = 1, 2, 3, 100


class SentenceDecoder(keras.layers.Layer):
    """p(x|z) = prod_t p(x_t | x_<t, z): LSTM layers, then a softmax over the vocabulary.

    The initial state is linear in z. z and the condition join the inputs of every step of the first layer. The embeddings and the
    softmax are those of a `TokenEmbedding`, which the encoder shares and every method is given. `output_dim` is the width of a
    dense layer before the softmax, None for no such layer; see `LSTMVAE` for the other options.
    """

    def __init__(
        self,
        units: int,
        *,
        num_layers: int = 1,
        code_dim: int = 0,
        condition_dim: int = 0,
        output_dim: int | None = None,
        skip_connection: bool = False,
        z_scale: float = 1.0,
        word_dropout: float = 0.0,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"autocast": False, **kwargs})
        self.units = units
        self.state_dtype = sum_dtype(self.compute_dtype)
        self.num_layers = num_layers
        self.code_dim = code_dim
        self.z_scale = z_scale
        self.word_dropout = word_dropout
        self.dropout = dropout
        self.lstms = [
            TimeMajorLSTM(units, 0 if i else code_dim + condition_dim, dtype=self.dtype_policy, name=f"lstm_{i}")
            for i in range(num_layers)
        ]
        self.state_layer = self.projection = self.skip_layer = None
        if code_dim:
            self.state_layer = keras.layers.Dense(
                2 * units * num_layers, dtype=self.state_dtype.name, name="initial_state"
            )
        if output_dim is not None:
            self.projection = keras.layers.Dense(output_dim, dtype=self.dtype_policy, name="projection")
        if skip_connection:
            self.skip_layer = keras.layers.Dense(
                output_dim or units, use_bias=False, dtype=self.state_dtype.name, name="skip"
            )

    def build(self, input_shape: Sequence[int | None]) -> None:
        for lstm in self.lstms:
            lstm.build(input_shape)
            input_shape = (*input_shape[:-1], self.units)
        if self.state_layer is not None:
            self.state_layer.build((None, self.code_dim))
        if self.projection is not None:
            self.projection.build((None, self.units))
        if self.skip_layer is not None:
            self.skip_layer.build((None, self.code_dim))
        super().build(input_shape)

    # Scoring: all steps of known sentences.

    def token_losses(
        self,
        tokens: tf.Tensor,
        z: tf.Tensor | None,
        condition: tf.Tensor | None,
        embedding: TokenEmbedding,
        dropout_seed: tf.Tensor | None = None,
        likelihood: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | int]:
        """-log p(x_t | x_<t, z) of all tokens (batch, length) that are no padding, for z (num_samples, batch, code_dim) or None.

        Returns losses in nats, (tokens of all samples,); their positions in (length, num_samples, batch) laid flat; num_samples.
        """
        batch = tf.shape(tokens)[0]
        samples: tf.Tensor | int = 1
        code = None
        if z is not None:
            samples = tf.shape(z)[0]
            code = tf.reshape(self._scaled(z), [-1, self.code_dim])
        targets = tf.tile(tf.transpose(tokens), [1, samples])
        inputs = dropout(embedding(self.words_before(tokens, dropout_seed)), self.dropout, dropout_seed, _INPUTS)
        if condition is not None:
            condition = tf.tile(condition, [samples, 1])
        outputs = self._run(tf.tile(inputs, [1, samples, 1]), code, concat(code, condition), dropout_seed)
        # Only real tokens go through the softmax.
        positions = tf.cast(tf.where(tf.reshape(targets, [-1]) != PAD_ID)[:, 0], tf.int32)
        hidden = tf.gather(tf.reshape(outputs, [-1, self.units]), positions)
        hidden = dropout(hidden, self.dropout, dropout_seed, _OUTPUTS)
        skip = None if self.skip_layer is None else tf.gather(self.skip_layer(code), positions % (samples * batch))
        hidden, ids = self._before_softmax(hidden, skip), tf.gather(tf.reshape(targets, [-1]), positions)
        if likelihood is not None:
            return -likelihood(ids, embedding.logits(hidden)), positions, samples
        return embedding.losses_of(hidden, ids, gradient_in_forward=dropout_seed is not None), positions, samples

    def words_before(self, tokens: tf.Tensor, dropout_seed: tf.Tensor | None) -> tf.Tensor:
        """The decoder's inputs, time first: `EOS_ID` and all words but the last, after word dropout."""
        start = tf.fill([1, tf.shape(tokens)[0]], EOS_ID)
        words = tf.concat([start, tf.transpose(tokens)[:-1]], axis=0)
        if self.word_dropout == 1.0:
            return tf.fill(tf.shape(words), UNK_ID)
        if self.word_dropout == 0.0 or dropout_seed is None:
            return words
        uniform = stateless_uniform(tf.shape(words), stateless_seed(dropout_seed, _WORDS))
        return tf.where(uniform < self.word_dropout, UNK_ID, words)

    def _run(
        self, inputs: tf.Tensor, code: tf.Tensor | None, context: tf.Tensor | None, dropout_seed: tf.Tensor | None
    ) -> tf.Tensor:
        """Outputs of the last layer, (length, batch, units), for embeddings of the words before, time first."""
        states = self._initial_lstm_state(code, tf.shape(inputs)[1])
        for i, (lstm, state) in enumerate(zip(self.lstms, states, strict=True)):
            if i:
                inputs = dropout(inputs, self.dropout, dropout_seed, _BETWEEN_LAYERS + i)
            inputs, _ = lstm(inputs, context=None if i else context, initial_state=state)
        return inputs

    # Generation: one step at a time.

    def initial_state(self, z: tf.Tensor | None, condition: tf.Tensor | None, batch: tf.Tensor) -> dict[str, Any]:
        """The state before the first word, for `next_log_probs`: a nest of tensors with a row per sentence."""
        code = None if self.code_dim == 0 else self._scaled(z)
        state = {
            "lstm": self._initial_lstm_state(code, batch),
            "context": concat(code, condition),
            "skip": None if self.skip_layer is None else self.skip_layer(code),
        }
        return {name: value for name, value in state.items() if value is not None}

    def next_log_probs(
        self,
        last: tf.Tensor,
        state: dict[str, Any],
        embedding: TokenEmbedding,
        forbidden: Sequence[int],
        log_proportions: Callable[[tf.Tensor], tf.Tensor] = tf.nn.log_softmax,
    ) -> tuple[tf.Tensor, dict[str, Any]]:
        """Log p of every next word, (batch, vocabulary_size), -inf for forbidden ids, after the ids `last`; and the new state."""
        inputs = embedding(tf.fill(tf.shape(last), UNK_ID) if self.word_dropout == 1.0 else last)
        lstm_state = []
        for i, (lstm, (h, c)) in enumerate(zip(self.lstms, state["lstm"], strict=True)):
            lstm_state.append(lstm.step(lstm.project(inputs, None if i else state.get("context")), h, c))
            inputs = lstm_state[-1][0]
        logits = embedding.logits(self._before_softmax(inputs, state.get("skip")))
        allowed = tf.reduce_all(tf.range(logits.shape[-1])[:, tf.newaxis] != list(forbidden), axis=-1)
        log_probs = tf.cast(log_proportions(logits), tf.float32)  # which is enough to choose by
        return tf.where(allowed, log_probs, -np.inf), {**state, "lstm": lstm_state}

    # Both.

    def _scaled(self, z: tf.Tensor) -> tf.Tensor:
        z = tf.cast(z, self.state_dtype)
        return z if self.z_scale == 1.0 else self.z_scale * z

    def _initial_lstm_state(self, code: tf.Tensor | None, batch: tf.Tensor) -> LSTMState:
        """(h, c) of every layer before the first word."""
        if self.state_layer is None:
            zeros = tf.zeros([batch, self.units], self.state_dtype)
            return [(zeros, zeros) for _ in self.lstms]
        states = tf.split(self.state_layer(code), 2 * self.num_layers, axis=-1)
        return list(zip(states[::2], states[1::2], strict=True))

    def _before_softmax(self, hidden: tf.Tensor, skip: tf.Tensor | None) -> tf.Tensor:
        if self.projection is not None:
            hidden = tf.cast(self.projection(hidden), self.state_dtype)
        return hidden if skip is None else hidden + skip
