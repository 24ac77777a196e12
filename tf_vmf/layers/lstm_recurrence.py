"""The LSTM recurrence with a hand-written gradient.

Automatic differentiation of a loop adds up the gradient of the recurrent kernel step by step, each time with a thin matrix
product. Here the loop back in time only carries the state; all weight gradients are then one product over all steps.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tf_vmf.math.custom_gradient import custom_gradient


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

    Differentiable once, in all four tensors. The number of steps is dynamic: one graph serves all lengths.

    Args:
        projected: Inputs times kernel plus bias, time first: shape (length, batch, 4 * units), float32.
        recurrent_kernel: U, shape (units, 4 * units).
        initial_h: h_0, shape (batch, units).
        initial_c: c_0, shape (batch, units).
        compute_dtype: Type of the operands of matrix products; state and gates stay in float32.

    Returns:
        h and c after every step, both of shape (length, batch, units), float32.

    References:
        S. Hochreiter and J. Schmidhuber. Long Short-Term Memory. Neural Computation 1997.
    """

    @custom_gradient
    def recurrence(
        projected: tf.Tensor, kernel: tf.Tensor, initial_h: tf.Tensor, initial_c: tf.Tensor
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], Callable[..., tuple[tf.Tensor, ...]]]:
        units = kernel.shape[0]
        kernel = tf.cast(kernel, compute_dtype)
        length = tf.shape(projected)[0]

        def forward(t: tf.Tensor, h: tf.Tensor, c: tf.Tensor, *arrays: tf.TensorArray) -> tuple:
            h, c, *gates = lstm_step(projected[t], kernel, h, c)
            return t + 1, h, c, *(array.write(t, value) for array, value in zip(arrays, (h, c, *gates), strict=True))

        widths = (units, units, 2 * units, units, units, units)
        arrays = [tf.TensorArray(tf.float32, length, element_shape=(projected.shape[1], width)) for width in widths]
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
                dh = tf.cast(tf.matmul(tf.cast(gates_bar, compute_dtype), transposed_kernel), tf.float32)
                return t - 1, dh, dc * f[t], array

            array = tf.TensorArray(tf.float32, length, element_shape=(projected.shape[1], 4 * units))
            start = (length - 1, tf.zeros_like(initial_h), tf.zeros_like(initial_c), array)
            _, initial_h_bar, initial_c_bar, array = _loop(lambda t, *_: t >= 0, backward, start, length)
            projected_bar = array.stack()
            h_before = tf.concat([initial_h[tf.newaxis], h[:-1]], axis=0)
            kernel_bar = tf.matmul(
                tf.cast(tf.reshape(h_before, [-1, units]), compute_dtype),
                tf.cast(tf.reshape(projected_bar, [-1, 4 * units]), compute_dtype),
                transpose_a=True,
            )
            return projected_bar, tf.cast(kernel_bar, tf.float32), initial_h_bar, initial_c_bar

        return (h, c), gradient

    return recurrence(
        projected, tf.cast(recurrent_kernel, tf.float32), tf.cast(initial_h, tf.float32), tf.cast(initial_c, tf.float32)
    )


def lstm_step(
    projected: tf.Tensor, recurrent_kernel: tf.Tensor, h: tf.Tensor, c: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """One step, as `lstm_recurrence` defines it.

    Args:
        projected: Shape (batch, 4 * units), float32.
        recurrent_kernel: Shape (units, 4 * units); its type is that of the matrix product.
        h: The output before, shape (batch, units), float32.
        c: The cell before, shape (batch, units), float32.

    Returns:
        h and c after the step; the activated input and forget gates side by side, candidate and output gate; tanh(c).
    """
    units = h.shape[-1]
    recurrent = tf.matmul(tf.cast(h, recurrent_kernel.dtype), recurrent_kernel)
    gates = projected + tf.cast(recurrent, tf.float32)
    input_forget = tf.sigmoid(gates[:, : 2 * units])
    candidate = tf.tanh(gates[:, 2 * units : 3 * units])
    output = tf.sigmoid(gates[:, 3 * units :])
    c = input_forget[:, units:] * c + input_forget[:, :units] * candidate
    tanh_c = tf.tanh(c)
    return output * tanh_c, c, input_forget, candidate, output, tanh_c


def _loop(condition: Callable, body: Callable, start: tuple, length: tf.Tensor) -> tuple:
    # Every step needs the one before: parallel iterations would only cost memory.
    return tf.while_loop(condition, body, start, parallel_iterations=1, maximum_iterations=length)
