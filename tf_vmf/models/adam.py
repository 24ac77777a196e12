"""Adam as one operation per weight."""

from typing import Any

import keras
import tensorflow as tf

from tf_vmf import _keras


@keras.saving.register_keras_serializable(package="tf_vmf")
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` in one pass over each weight and its moments.

    Keras's update is a chain of a dozen operations, each of which reads and writes a tensor of the weight's size. TensorFlow has
    the whole update as one kernel, for CPU and GPU, with the same result within rounding: on a CPU a training step of
    `BagOfWordsVAE` is 1.18 times as fast (benchmarks/results/adam.md). Arguments, state and checkpoints are those of
    `keras.optimizers.Adam`; with `weight_decay` it is AdamW. A sparse gradient, as that of `keras.layers.Embedding` in a model of
    one's own, is made dense first, so that rows named twice are added up, where Keras's Adam on TensorFlow counts their moments
    one by one.

    References:
        D. P. Kingma and J. Ba. Adam: A Method for Stochastic Optimization. ICLR 2015 (the form before section 2.1's epsilon hat).
    """

    def update_step(self, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        if self.amsgrad:  # the kernel has no such thing
            super().update_step(gradient, variable, learning_rate)
            return
        dtype = variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        beta_1, beta_2 = tf.cast(self.beta_1, dtype), tf.cast(self.beta_2, dtype)
        first_moment, second_moment = _keras.adam_moments(self, variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=first_moment.handle,
            v=second_moment.handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(learning_rate, dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
            use_locking=False,
        )
