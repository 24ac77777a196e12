"""Maximum likelihood for the von Mises-Fisher distribution."""

import numpy as np
import tensorflow as tf

from tf_vmf import math as vmf_math
from tf_vmf.math.precision import unit_norm_tolerance

# Samples that agree to rounding ask for an infinite concentration; mixtures fitted by EM meet them.
LARGEST_FITTED_CONCENTRATION = 1e10


def fit_von_mises_fisher(
    samples: tf.Tensor, weights: tf.Tensor | None = None, sample_ndims: int = 1, validate_args: bool = False
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the mean direction and the concentration of maximum likelihood.

    ```
    mu = s / ||s||,   A_d(kappa) = ||s||,   s = sum_i weight_i x_i / sum_i weight_i
    ```

    For samples close together `1 - ||s||` is taken as the mean of `||x_i - mu||^2 / 2`, which keeps its digits.

    Args:
        samples: Float tensor of unit vectors, `sample shape + batch shape + (d,)`, d static. Half precision is computed in
            float32.
        weights: Float tensor >= 0 that broadcasts with `samples.shape[:-1]`, or None for equal weights. Samples of weight zero
            may hold anything.
        sample_ndims: How many leading dimensions count samples.
        validate_args: Whether samples and weights are checked by assertions in graph mode. Without, a batch member with a bad
            sample or weight has NaN parameters there. In eager mode it is always an error.

    Returns:
        Mean direction `batch shape + (d,)` and concentration `batch shape`, at most 1e10 (65,504 in float16). If the samples
        cancel out, the concentration is 0 and the mean direction the first axis.

    Raises:
        ValueError: In eager mode, if a sample of positive weight is not a unit vector, or a weight is negative or not finite,
            or weights sum to zero.

    References:
        A. Banerjee, I. Dhillon, J. Ghosh, S. Sra. Clustering on the Unit Hypersphere using von Mises-Fisher Distributions.
        JMLR 6, 2005.
    """
    dtype = samples.dtype
    tolerance = unit_norm_tolerance(dtype)
    if dtype.size < 4:
        samples = tf.cast(samples, tf.float32)
    if weights is None:
        weights = tf.ones(tf.shape(samples)[:-1], samples.dtype)
    weights = tf.cast(weights, samples.dtype)
    axes = list(range(sample_ndims))
    weights = tf.broadcast_to(weights, tf.broadcast_dynamic_shape(tf.shape(weights), tf.shape(samples)[:-1]))

    norm = tf.norm(samples, axis=-1)
    is_unit = tf.abs(norm - 1) <= tolerance  # NaN is not
    is_bad_weight = ~((weights >= 0) & tf.math.is_finite(weights))
    total = tf.reduce_sum(weights, axis=axes, keepdims=True)
    is_bad = tf.reduce_any(is_bad_weight | ((weights > 0) & ~is_unit), axis=axes) | ~(tf.squeeze(total, axes) > 0)
    if tf.executing_eagerly():
        if np.any(is_bad):
            raise ValueError(_reason(norm.numpy(), is_unit.numpy(), weights.numpy(), is_bad_weight.numpy(), dtype))
    elif validate_args:
        with tf.control_dependencies([tf.debugging.assert_equal(tf.reduce_any(is_bad), False, message=_EXPECTED)]):
            samples = tf.identity(samples)

    # What is off the sphere has weight zero, or its batch member is bad.
    samples = tf.where(is_unit[..., tf.newaxis], samples, tf.zeros_like(samples))
    mean_direction, concentration = _maximum_likelihood(samples, tf.math.divide_no_nan(weights, total), axes)
    concentration = tf.minimum(concentration, _largest_concentration(dtype))
    nan = tf.constant(np.nan, samples.dtype)
    mean_direction = tf.where(is_bad[..., tf.newaxis], nan, mean_direction)
    return tf.cast(mean_direction, dtype), tf.cast(tf.where(is_bad, nan, concentration), dtype)


_EXPECTED = "Expected samples of unit length and weights that are finite, not negative and not all zero."


def _maximum_likelihood(samples: tf.Tensor, weights: tf.Tensor, axes: list[int]) -> tuple[tf.Tensor, tf.Tensor]:
    """The estimates from unit vectors and weights that sum to 1."""
    dim = samples.shape[-1]
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
    half = tf.fill(tf.shape(length), tf.constant(0.5, samples.dtype))
    concentration = tf.where(
        far,
        vmf_math.inverse_mean_resultant_length(tf.where(far, length, half), dim),
        vmf_math.inverse_one_minus_mean_resultant_length(tf.where(far, half, tf.minimum(spread, 0.5)), dim),
    )
    return mean_direction, concentration


def _largest_concentration(dtype: tf.DType) -> float:
    """The cap, as a number of the dtype: its rounding must not exceed it."""
    largest = min(LARGEST_FITTED_CONCENTRATION, float(dtype.max))
    rounded = np.asarray(largest, dtype.as_numpy_dtype)
    return float(rounded if float(rounded) <= largest else np.nextafter(rounded, np.zeros_like(rounded)))


def _reason(
    norm: np.ndarray, is_unit: np.ndarray, weights: np.ndarray, is_bad_weight: np.ndarray, dtype: tf.DType
) -> str:
    """What is wrong with the first bad sample or weight, where it stands, and what helps."""
    if is_bad_weight.any():
        where = tuple(int(i) for i in np.argwhere(is_bad_weight)[0])
        return f"Argument `weights` must be finite and not negative. Received: {weights[where]} at index {where}."
    bad = np.argwhere((weights > 0) & ~is_unit)
    if not len(bad):
        return f"Argument `weights` must not sum to zero over the samples. Received: weights of shape {weights.shape}."
    where = tuple(int(i) for i in bad[0])
    return (
        f"Expected unit vectors, of norm 1 to {unit_norm_tolerance(dtype):.0e}: the von Mises-Fisher distribution lives on the "
        f"sphere. Received: a sample of norm {np.broadcast_to(norm, weights.shape)[where]:.4g} at index {where}, and "
        f"{len(bad) - 1} more. Leave out rows of zeros (texts without a known word) and scale the others with "
        f"`tf.math.l2_normalize(x, axis=-1)`."
    )
