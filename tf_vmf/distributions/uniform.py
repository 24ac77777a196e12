"""The log density of TensorFlow Probability's uniform distribution, to which others are equal at concentration 0."""

import functools

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp


def as_uniform_at_zero(log_prob_at_mode: tf.Tensor, concentration: tf.Tensor, dim: int) -> tf.Tensor:
    """Takes the rounding errors of `tfp.distributions.SphericalUniform` over where the concentration is 0.

    The exact value and its differ by some rounding errors in the dtype, which a test of equality would find. Gradients stay.
    """
    uniform = tf.constant(_uniform_log_prob(dim, log_prob_at_mode.dtype))
    # The difference of two close numbers is exact, and so is the sum.
    difference = tf.stop_gradient(uniform - log_prob_at_mode)
    return log_prob_at_mode + tf.where(tf.equal(concentration, 0.0), difference, tf.zeros_like(difference))


@functools.lru_cache(maxsize=256)
def _uniform_log_prob(dim: int, dtype: tf.DType) -> np.ndarray:
    own = tf.float32 if dtype == tf.bfloat16 else dtype  # its log-gamma function knows no bfloat16
    with tf.init_scope():
        value = tfp.distributions.SphericalUniform(dim, dtype=own).log_prob(tf.zeros([dim], own))
        return tf.cast(value, dtype).numpy()
