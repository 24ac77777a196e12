"""From a code and the words before to the state that predicts the next word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_vmf.layers.lstm import LSTM
from tf_vmf.models.dropout import dropout

State = list[tuple[tf.Tensor, tf.Tensor]]


@keras.saving.register_keras_serializable(package="tf_vmf")
class SentenceDecoder(keras.layers.Layer):
    """LSTM layers whose initial state is linear in z and whose first layer reads a context at every step.

    Args:
        units: Units of every layer.
        num_layers: Number of LSTM layers.
        code_dim: Width of z; 0 for an initial state of zeros.
        context_dim: Width of the context (z itself and what the model is conditioned on); 0 for none.
        dropout: Rate between layers.
        **kwargs: Passed to `keras.layers.Layer`.

    Call arguments:
        inputs: Embeddings of the words before, time first: shape (length, batch, embedding_dim).
        code: z, shape (batch, code_dim), or None with code_dim=0.
        context: Shape (batch, context_dim), or None with context_dim=0.
        dropout_seed: Stateless seed in training, None in evaluation.

    Returns:
        Outputs of the last layer, shape (length, batch, units), float32.
    """

    def __init__(
        self,
        units: int,
        num_layers: int = 1,
        code_dim: int = 0,
        context_dim: int = 0,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"autocast": False, **kwargs})
        self.units = units
        self.num_layers = num_layers
        self.code_dim = code_dim
        self.context_dim = context_dim
        self.dropout = dropout
        self.lstms = [
            LSTM(units, context_dim if i == 0 else 0, dtype=self.dtype_policy, name=f"lstm_{i}")
            for i in range(num_layers)
        ]
        self.state_layer = None
        if code_dim:
            self.state_layer = keras.layers.Dense(2 * units * num_layers, dtype="float32", name="initial_state")

    def build(self, input_shape: Sequence[int | None]) -> None:
        for lstm in self.lstms:
            lstm.build(input_shape)
            input_shape = (*input_shape[:-1], self.units)
        if self.state_layer is not None:
            self.state_layer.build((None, self.code_dim))
        super().build(input_shape)

    def call(
        self,
        inputs: tf.Tensor,
        code: tf.Tensor | None = None,
        context: tf.Tensor | None = None,
        dropout_seed: tf.Tensor | None = None,
    ) -> tf.Tensor:
        sequence = inputs
        for i, (lstm, state) in enumerate(zip(self.lstms, self.initial_state(code, tf.shape(inputs)[1]), strict=True)):
            if i:
                sequence = dropout(sequence, self.dropout, dropout_seed, 100 + i)
            sequence, _ = lstm(sequence, context=None if i else context, initial_state=state)
        return sequence

    def initial_state(self, code: tf.Tensor | None, batch_size: tf.Tensor) -> State:
        """(h, c) of every layer before the first word."""
        if self.state_layer is None:
            zeros = tf.zeros([batch_size, self.units], tf.float32)
            return [(zeros, zeros) for _ in self.lstms]
        states = tf.split(self.state_layer(code), 2 * self.num_layers, axis=-1)
        return list(zip(states[::2], states[1::2], strict=True))

    def step(self, inputs: tf.Tensor, context: tf.Tensor | None, state: State) -> tuple[tf.Tensor, State]:
        """Output (batch, units) and state after one more word, embedded in `inputs` of shape (batch, embedding_dim)."""
        new_state = []
        for i, (lstm, (h, c)) in enumerate(zip(self.lstms, state, strict=True)):
            new_state.append(lstm.step(lstm.project(inputs, None if i else context), h, c))
            inputs = new_state[-1][0]
        return inputs, new_state

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "num_layers": self.num_layers,
            "code_dim": self.code_dim,
            "context_dim": self.context_dim,
            "dropout": self.dropout,
        }
