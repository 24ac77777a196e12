"""Maximum likelihood for the von Mises-Fisher distribution."""

import tensorflow as tf

from tf_vmf import math as vmf_math

# Samples that agree to rounding ask for an infinite concentration; mixtures fitted by EM meet them.
LARGEST_CONCENTRATION = 1e10


def fit_von_mises_fisher(
    samples: tf.Tensor, weights: tf.Tensor | None = None, sample_ndims: int = 1
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the mean direction and the concentration of maximum likelihood.

    ```
    mu = s / ||s||,   A_d(kappa) = ||s||,   s = sum_i weight_i x_i / sum_i weight_i
    ```

    For samples close together `1 - ||s||` is taken as the mean of `||x_i - mu||^2 / 2`, which keeps its digits.

    Args:
        samples: Float tensor of unit vectors, `sample shape + batch shape + (d,)`, d static.
        weights: Float tensor >= 0 that broadcasts with `samples.shape[:-1]`, or None for equal weights.
        sample_ndims: How many leading dimensions count samples.

    Returns:
        Mean direction `batch shape + (d,)` and concentration `batch shape`, at most 1e10. If the samples cancel out, the
        concentration is 0 and the mean direction the first axis.

    References:
        A. Banerjee, I. Dhillon, J. Ghosh, S. Sra. Clustering on the Unit Hypersphere using von Mises-Fisher Distributions.
        JMLR 6, 2005.
    """
    dim = samples.shape[-1]
    if weights is None:
        weights = tf.ones(tf.shape(samples)[:-1], samples.dtype)
    weights = tf.cast(weights, samples.dtype)
    axes = list(range(sample_ndims))
    weights = tf.broadcast_to(weights, tf.broadcast_dynamic_shape(tf.shape(weights), tf.shape(samples)[:-1]))
    weights = tf.math.divide_no_nan(weights, tf.reduce_sum(weights, axis=axes, keepdims=True))

    resultant = tf.reduce_sum(weights[..., tf.newaxis] * samples, axis=axes)
    length = tf.norm(resultant, axis=-1)
    first_axis = tf.one_hot(0, dim, dtype=samples.dtype)
    mean_direction = tf.where(
        length[..., tf.newaxis] > 0,
        tf.math.divide_no_nan(resultant, length[..., tf.newaxis]),
        first_axis,
    )
    spread = 0.5 * tf.reduce_sum(
        weights * tf.reduce_sum(tf.math.squared_difference(samples, mean_direction), axis=-1), axis=axes
    )
    # Each estimate on its own half; outside, a harmless argument.
    far = length < 0.5
    half = tf.fill(tf.shape(length), tf.cast(0.5, samples.dtype))
    concentration = tf.where(
        far,
        vmf_math.inverse_mean_resultant_length(tf.where(far, length, half), dim),
        vmf_math.inverse_one_minus_mean_resultant_length(tf.where(far, half, spread), dim),
    )
    return mean_direction, tf.minimum(concentration, tf.cast(LARGEST_CONCENTRATION, samples.dtype))
