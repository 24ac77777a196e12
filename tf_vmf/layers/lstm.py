"""An LSTM layer made for text: time first, a context for every step, no padding in the final state, a gradient by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_vmf._checks import check_choice
from tf_vmf.layers.training_state import NotRematerialized
from tf_vmf.math.custom_gradient import custom_gradient

_IMPLEMENTATIONS = ("auto", "fused", "keras")


@keras.saving.register_keras_serializable(package="tf_vmf")
class TimeMajorLSTM(NotRematerialized, keras.layers.Layer):
    """LSTM over time-first sequences, with the weights of a `keras.layers.LSTM`.

    On a CPU ("fused") the inputs of all steps are projected by one matrix product before the loop, and the gradient of every
    weight is one product after it (`lstm_recurrence`); a context is projected once, not tiled to every step. On a
    GPU ("keras") the call goes through `keras.layers.LSTM`, which uses cuDNN. Weights, gates and results are the same, so a model
    trained on one device runs on the other.

    Args:
        units: Number of units.
        context_dim: Width of the context that is concatenated to the input of every step; 0 for none.
        implementation: "auto" ("keras" where TensorFlow sees a GPU, else "fused"), "fused" or "keras".
        **kwargs: Passed to `keras.layers.Layer`. Under a half-precision `dtype` policy matrix products have operands of that
            type; state, gates and sums stay in float32. Under float64 all are in float64.

    Call arguments:
        inputs: Shape (length, batch, features).
        lengths: Number of steps before the padding of every sequence, shape (batch,), at least 1; None: no padding.
        context: Shape (batch, context_dim), as if concatenated to the input of every step; None with context_dim=0.
        initial_state: (h, c), both (batch, units); None for zeros.

    Returns:
        outputs: h after every step, shape (length, batch, units), float32 (or float64); those at padding mean nothing.
        final_state: (h, c) after the last step before padding, both (batch, units), of that type.
    """

    def __init__(self, units: int, context_dim: int = 0, implementation: str = "auto", **kwargs: Any) -> None:
        # Weights are cast where a matrix product wants it; biases and state stay in float32.
        super().__init__(**{"autocast": False, **kwargs})
        self.units = int(units)
        self.context_dim = int(context_dim)
        self.implementation = check_choice("TimeMajorLSTM", "implementation", implementation, _IMPLEMENTATIONS)
        self.lstm = keras.layers.LSTM(
            self.units, return_sequences=True, return_state=True, dtype=self.dtype_policy, name="lstm"
        )

    @property
    def state_dtype(self) -> tf.DType:
        """The type of state, gates and sums."""
        return sum_dtype(self.compute_dtype)

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
            zeros = tf.zeros([tf.shape(inputs)[1], self.units], self.state_dtype)
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
        bias = tf.cast(self.lstm.cell.bias, self.state_dtype)
        if context is not None:
            bias += tf.cast(tf.matmul(tf.cast(context, kernel.dtype), kernel[features:]), self.state_dtype)
        flat = tf.reshape(tf.cast(inputs, kernel.dtype), [-1, features])
        projected = tf.cast(tf.matmul(flat, kernel[:features]), self.state_dtype)
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
        kernel = tf.cast(self.lstm.cell.recurrent_kernel, self.state_dtype)
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
        outputs, h, c = (tf.cast(each, self.state_dtype) for each in (tf.transpose(outputs, [1, 0, 2]), h, c))
        return outputs, (h, c)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "context_dim": self.context_dim,
            "implementation": self.implementation,
        }


def sum_dtype(compute_dtype: Any) -> tf.DType:
    """The type of states and sums where matrix products have operands of a type: float32, or float64 of float64."""
    return tf.float64 if tf.as_dtype(compute_dtype) == tf.float64 else tf.float32


def lstm_recurrence(
    projected: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    initial_h: tf.Tensor,
    initial_c: tf.Tensor,
    compute_dtype: tf.DType = tf.float32,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Runs an LSTM over inputs that are already projected.

        i, f, g, o = projected_t + h_{t-1} U        (the gates in the order of `keras.layers.LSTM`)
        c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g)
        h_t = sigmoid(o) tanh(c_t)

    Differentiable once, in all four tensors. The number of steps is dynamic: one graph serves all lengths. The gradient is
    written by hand: automatic differentiation adds up the gradient of the recurrent kernel step by step, each time with a thin
    matrix product; here the loop back in time only carries the state, and all weight gradients are one product over all steps.

    Args:
        projected: Inputs times kernel plus bias, time first: shape (length, batch, 4 * units). State and gates have its type.
        recurrent_kernel: U, shape (units, 4 * units).
        initial_h: h_0, shape (batch, units).
        initial_c: c_0, shape (batch, units).
        compute_dtype: Type of the operands of matrix products.

    Returns:
        h and c after every step, both of shape (length, batch, units).
    """

    @custom_gradient
    def recurrence(
        projected: tf.Tensor, kernel: tf.Tensor, initial_h: tf.Tensor, initial_c: tf.Tensor
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], Callable[..., tuple[tf.Tensor, ...]]]:
        units, dtype = kernel.shape[0], projected.dtype
        kernel = tf.cast(kernel, compute_dtype)
        length = tf.shape(projected)[0]

        def forward(t: tf.Tensor, h: tf.Tensor, c: tf.Tensor, *arrays: tf.TensorArray) -> tuple:
            h, c, *gates = lstm_step(projected[t], kernel, h, c)
            return t + 1, h, c, *(array.write(t, value) for array, value in zip(arrays, (h, c, *gates), strict=True))

        widths = (units, units, 2 * units, units, units, units)
        arrays = [tf.TensorArray(dtype, length, element_shape=(projected.shape[1], width)) for width in widths]
        final = _loop(lambda t, *_: t < length, forward, (tf.constant(0), initial_h, initial_c, *arrays), length)
        h, c, input_forget, candidate, output, tanh_c = (array.stack() for array in final[3:])

        def gradient(h_bar: tf.Tensor, c_bar: tf.Tensor) -> tuple[tf.Tensor, ...]:
            # All derivatives of the activations at once, so that the loop has little to do at every step.
            c_before = tf.concat([initial_c[tf.newaxis], c[:-1]], axis=0)
            i, f = tf.split(input_forget, 2, axis=-1)
            derivatives = tf.concat(
                [
                    candidate * i * (1.0 - i),
                    c_before * f * (1.0 - f),
                    i * (1.0 - tf.square(candidate)),
                    tanh_c * output * (1.0 - output),
                ],
                axis=-1,
            )
            h_to_c = output * (1.0 - tf.square(tanh_c))
            # Transposed once: a product that has to transpose its second operand takes half as long again, at every step.
            transposed_kernel = tf.transpose(kernel)

            def backward(t: tf.Tensor, dh: tf.Tensor, dc: tf.Tensor, array: tf.TensorArray) -> tuple:
                dh += h_bar[t]
                dc += c_bar[t] + dh * h_to_c[t]
                gates_bar = tf.concat([dc, dc, dc, dh], axis=-1) * derivatives[t]
                array = array.write(t, gates_bar)
                dh = tf.cast(tf.matmul(tf.cast(gates_bar, compute_dtype), transposed_kernel), dtype)
                return t - 1, dh, dc * f[t], array

            array = tf.TensorArray(dtype, length, element_shape=(projected.shape[1], 4 * units))
            start = (length - 1, tf.zeros_like(initial_h), tf.zeros_like(initial_c), array)
            _, initial_h_bar, initial_c_bar, array = _loop(lambda t, *_: t >= 0, backward, start, length)
            projected_bar = array.stack()
            h_before = tf.concat([initial_h[tf.newaxis], h[:-1]], axis=0)
            kernel_bar = tf.matmul(
                tf.cast(tf.reshape(h_before, [-1, units]), compute_dtype),
                tf.cast(tf.reshape(projected_bar, [-1, 4 * units]), compute_dtype),
                transpose_a=True,
            )
            return projected_bar, tf.cast(kernel_bar, dtype), initial_h_bar, initial_c_bar

        return (h, c), gradient

    return recurrence(projected, *(tf.cast(each, projected.dtype) for each in (recurrent_kernel, initial_h, initial_c)))


def lstm_step(
    projected: tf.Tensor, recurrent_kernel: tf.Tensor, h: tf.Tensor, c: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """One step of `lstm_recurrence`: h, c, the input and forget gates side by side, candidate, output gate, tanh(c).

    The matrix product has the type of the kernel; all else that of `projected`.
    """
    units = h.shape[-1]
    recurrent = tf.matmul(tf.cast(h, recurrent_kernel.dtype), recurrent_kernel)
    gates = projected + tf.cast(recurrent, projected.dtype)
    input_forget = tf.sigmoid(gates[:, : 2 * units])
    candidate = tf.tanh(gates[:, 2 * units : 3 * units])
    output = tf.sigmoid(gates[:, 3 * units :])
    c = input_forget[:, units:] * c + input_forget[:, :units] * candidate
    tanh_c = tf.tanh(c)
    return output * tanh_c, c, input_forget, candidate, output, tanh_c


def _loop(condition: Callable, body: Callable, start: tuple, length: tf.Tensor) -> tuple:
    # Every step needs the one before: parallel iterations would only cost memory.
    return tf.while_loop(condition, body, start, parallel_iterations=1, maximum_iterations=length)
