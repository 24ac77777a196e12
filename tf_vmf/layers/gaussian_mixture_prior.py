"""A learned mixture of diagonal Gaussians as the prior of a Gaussian code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from tf_vmf.layers.learned_prior import LearnedPrior

if TYPE_CHECKING:
    import tensorflow_probability as tfp

# The components start beside each other, with the standard normal distribution inside.
_INITIAL_DEVIATION = 0.5


@keras.saving.register_keras_serializable(package="tf_vmf")
class GaussianMixturePrior(LearnedPrior):
    """p(z) = sum_k w_k N(z; mu_k, diag(sigma_k^2)), learned with the model; pass one as `prior` of `GaussianLatent`.

    The counterpart of `VonMisesFisherMixturePrior`, for comparisons on equal terms. The KL to N(0, I) is exact and the rest is
    taken at the samples of z.

    Args:
        num_components: K >= 1.
        seed: Seed of the first means, ~ N(0, 0.5^2); deviations start at 1. None draws one (it follows
            `keras.utils.set_random_seed`).
        **kwargs: Passed to `keras.layers.Layer`. Without a `dtype` the layer computes in that of the latent layer.

    Raises:
        ValueError: `num_components` is no integer >= 1.

    Example:
    ```python
    z = tf_vmf.layers.GaussianLatent(50, prior=tf_vmf.layers.GaussianMixturePrior(100))(keras.Input((400,)))
    ```

    References:
        J. M. Tomczak and M. Welling. VAE with a VampPrior. AISTATS 2018. https://arxiv.org/abs/1705.07120
    """

    def build(self, input_shape: Any) -> None:
        shape = (self.num_components, input_shape[-1])
        start = keras.initializers.RandomNormal(0.0, _INITIAL_DEVIATION, seed=self.seed)
        self.means = self.add_weight(shape=shape, initializer=start, name="means")
        self.log_deviations = self.add_weight(shape=shape, initializer="zeros", name="log_deviations")
        super().build(input_shape)

    def distribution(self) -> tfp.distributions.MixtureSameFamily:
        import tensorflow_probability as tfp

        deviations = tf.exp(tf.convert_to_tensor(self.log_deviations))
        return tfp.distributions.MixtureSameFamily(
            tfp.distributions.Categorical(logits=self.log_weights),
            tfp.distributions.MultivariateNormalDiag(tf.convert_to_tensor(self.means), deviations),
        )

    def log_ratio(self, z: tf.Tensor) -> tf.Tensor:
        dim = z.shape[-1]
        means, log_deviations, log_weights = (
            tf.cast(tf.convert_to_tensor(each), z.dtype) for each in (self.means, self.log_deviations, self.log_weights)
        )
        points, precisions = tf.reshape(z, [-1, dim]), tf.exp(-2.0 * log_deviations)
        scaled = means * precisions
        # ((z - mu) / sigma)^2 as matrix products: no tensor of all pairs is built.
        squares = tf.matmul(tf.square(points), precisions, transpose_b=True)
        squares += tf.reduce_sum(means * scaled, axis=-1) - 2.0 * tf.matmul(points, scaled, transpose_b=True)
        by_component = log_weights - 0.5 * squares - tf.reduce_sum(log_deviations, axis=-1)
        log_prob = tf.reduce_logsumexp(by_component, axis=-1) + 0.5 * tf.reduce_sum(tf.square(points), axis=-1)
        return tf.reshape(log_prob, tf.shape(z)[:-1])
