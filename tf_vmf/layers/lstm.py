"""An LSTM layer made for text: time first, a context for every step, no padding in the final state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.layers.lstm_recurrence import lstm_recurrence, lstm_step

_IMPLEMENTATIONS = ("auto", "fused", "keras")


@keras.saving.register_keras_serializable(package="tf_vmf")
class TimeMajorLSTM(keras.layers.Layer):
    """LSTM over time-first sequences, with the weights of a `keras.layers.LSTM`.

    On a CPU ("fused") the inputs of all steps are projected by one matrix product before the loop, and the gradient of every
    weight is one product after it (`tf_vmf.layers.lstm_recurrence`); a context is projected once, not tiled to every step. On a
    GPU ("keras") the call goes through `keras.layers.LSTM`, which uses cuDNN. Weights, gates and results are the same, so a model
    trained on one device runs on the other.

    Args:
        units: Number of units.
        context_dim: Width of the context that is concatenated to the input of every step; 0 for none.
        implementation: "auto" ("keras" where TensorFlow sees a GPU, else "fused"), "fused" or "keras".
        **kwargs: Passed to `keras.layers.Layer`. Under a half-precision `dtype` policy matrix products have operands of that
            type; state, gates and sums stay in float32.

    Call arguments:
        inputs: Shape (length, batch, features).
        lengths: Number of steps before the padding of every sequence, shape (batch,), at least 1; None: no padding.
        context: Shape (batch, context_dim), as if concatenated to the input of every step; None with context_dim=0.
        initial_state: (h, c), both (batch, units); None for zeros.

    Returns:
        outputs: h after every step, shape (length, batch, units), float32; those at padding mean nothing.
        final_state: (h, c) after the last step before padding, both (batch, units), float32.
    """

    def __init__(self, units: int, context_dim: int = 0, implementation: str = "auto", **kwargs: Any) -> None:
        # Weights are cast where a matrix product wants it; biases and state stay in float32.
        super().__init__(**{"autocast": False, **kwargs})
        if implementation not in _IMPLEMENTATIONS:
            raise ArgumentError(
                "implementation", f"one of {_IMPLEMENTATIONS}", repr(implementation), owner="TimeMajorLSTM"
            )
        self.units = int(units)
        self.context_dim = int(context_dim)
        self.implementation = implementation
        self.lstm = keras.layers.LSTM(
            self.units, return_sequences=True, return_state=True, dtype=self.dtype_policy, name="lstm"
        )

    def build(self, input_shape: Sequence[Any]) -> None:
        self.lstm.build((None, None, input_shape[-1] + self.context_dim))
        super().build(input_shape)

    def call(
        self,
        inputs: tf.Tensor,
        lengths: tf.Tensor | None = None,
        context: tf.Tensor | None = None,
        initial_state: tuple[tf.Tensor, tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
        if initial_state is None:
            zeros = tf.zeros([tf.shape(inputs)[1], self.units], tf.float32)
            initial_state = (zeros, zeros)
        implementation = self.implementation
        if implementation == "auto":
            implementation = "keras" if tf.config.list_logical_devices("GPU") else "fused"
        run = self._run_fused if implementation == "fused" else self._run_keras
        outputs, final_state = run(inputs, lengths, context, initial_state)
        # The loop over steps leaves no shape.
        return tf.ensure_shape(outputs, (*inputs.shape[:2], self.units)), final_state

    def project(self, inputs: tf.Tensor, context: tf.Tensor | None = None) -> tf.Tensor:
        """Inputs (..., batch, features) and context (batch, context_dim) times the kernel plus bias: (..., batch, 4 * units)."""
        kernel = tf.cast(self.lstm.cell.kernel, self.compute_dtype)
        features = inputs.shape[-1]
        bias = tf.cast(self.lstm.cell.bias, tf.float32)
        if context is not None:
            bias += tf.cast(tf.matmul(tf.cast(context, kernel.dtype), kernel[features:]), tf.float32)
        flat = tf.reshape(tf.cast(inputs, kernel.dtype), [-1, features])
        projected = tf.cast(tf.matmul(flat, kernel[:features]), tf.float32)
        return tf.reshape(projected, tf.concat([tf.shape(inputs)[:-1], [4 * self.units]], axis=0)) + bias

    def step(self, projected: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(h, c) after one more step, from what `project` returned for it, shape (batch, 4 * units)."""
        return lstm_step(projected, tf.cast(self.lstm.cell.recurrent_kernel, self.compute_dtype), h, c)[:2]

    def _run_fused(
        self,
        inputs: tf.Tensor,
        lengths: tf.Tensor | None,
        context: tf.Tensor | None,
        initial_state: tuple[tf.Tensor, tf.Tensor],
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
        projected = self.project(inputs, context)
        kernel = tf.cast(self.lstm.cell.recurrent_kernel, tf.float32)
        h, c = lstm_recurrence(projected, kernel, *initial_state, tf.as_dtype(self.compute_dtype))
        if lengths is None:
            return h, (h[-1], c[-1])
        # Padding comes last: what runs over it cannot reach the state before it.
        last = tf.stack([lengths - 1, tf.range(tf.shape(lengths)[0])], axis=1)
        return h, (tf.gather_nd(h, last), tf.gather_nd(c, last))

    def _run_keras(
        self,
        inputs: tf.Tensor,
        lengths: tf.Tensor | None,
        context: tf.Tensor | None,
        initial_state: tuple[tf.Tensor, tf.Tensor],
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
        length = tf.shape(inputs)[0]
        inputs = tf.cast(inputs, self.compute_dtype)
        if context is not None:
            context = tf.cast(context, self.compute_dtype)
            tiled = tf.broadcast_to(context, tf.concat([[length], tf.shape(context)], axis=0))
            inputs = tf.concat([inputs, tiled], axis=-1)
        h, c = (tf.cast(state, self.compute_dtype) for state in initial_state)
        mask = None if lengths is None else tf.sequence_mask(lengths, length)
        outputs, h, c = self.lstm(tf.transpose(inputs, [1, 0, 2]), initial_state=[h, c], mask=mask)
        return tf.cast(tf.transpose(outputs, [1, 0, 2]), tf.float32), (tf.cast(h, tf.float32), tf.cast(c, tf.float32))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "context_dim": self.context_dim,
            "implementation": self.implementation,
        }
