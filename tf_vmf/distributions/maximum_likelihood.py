"""Maximum likelihood for the von Mises-Fisher distribution."""

from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf._checks import check_number
from tf_vmf._errors import ArgumentError
from tf_vmf.math.precision import largest_fitted_concentration, unit_norm_tolerance
from tf_vmf.math.resultant_length import inverse_of_either


def fit_von_mises_fisher(
    samples: tf.Tensor,
    weights: tf.Tensor | None = None,
    sample_ndims: int = 1,
    validate_args: bool = False,
    prior_count: Any = 0.0,
    prior_mean: Any = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the mean direction and the concentration of maximum likelihood, or of the largest posterior density.

    ```
    mu = s / ||s||,   A_d(kappa) = ||s||,   s = (n m + sum_i weight_i x_i) / (n + sum_i weight_i)
    ```

    The arguments are those of `VonMisesFisher.experimental_fit`; half precision is computed in float32. For samples close together
    `1 - ||s||` is taken as the mean of `||x_i - mu||^2 / 2`, which keeps its digits. The concentration is at most
    `largest_fitted_concentration(dtype)`; where the samples cancel out it is 0, and the mean direction the first axis.
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
            raise sample_error(norm.numpy(), is_unit.numpy(), weights.numpy(), is_bad_weight.numpy(), dtype)
    elif validate_args:
        with tf.control_dependencies([tf.debugging.assert_equal(tf.reduce_any(is_bad), False, message=_EXPECTED)]):
            samples = tf.identity(samples)

    # What is off the sphere has weight zero, or its batch member is bad.
    samples = tf.where(is_unit[..., tf.newaxis], samples, tf.zeros_like(samples))
    prior = _prior(prior_count, prior_mean, samples)
    mean_direction, concentration = _maximum_likelihood(samples, weights, *prior, tuple(axes), samples.shape[-1])
    concentration = tf.minimum(concentration, largest_fitted_concentration(dtype))
    nan = tf.constant(np.nan, samples.dtype)
    mean_direction = tf.where(is_bad[..., tf.newaxis], nan, mean_direction)
    return tf.cast(mean_direction, dtype), tf.cast(tf.where(is_bad, nan, concentration), dtype)


_EXPECTED = "Expected samples of unit length and weights that are finite, not negative and not all zero."


def _maximum_likelihood(
    samples: tf.Tensor,
    weights: tf.Tensor,
    prior_count: tf.Tensor,
    prior_mean: tf.Tensor,
    axes: tuple[int, ...],
    dim: int,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The estimates from unit vectors and weights."""
    total = prior_count + tf.reduce_sum(weights, axis=axes, keepdims=True)
    weights, share = tf.math.divide_no_nan(weights, total), tf.squeeze(tf.math.divide_no_nan(prior_count, total), axes)
    resultant = tf.reduce_sum(weights[..., tf.newaxis] * samples, axis=axes) + share[..., tf.newaxis] * prior_mean
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
    spread += share * (1 - tf.reduce_sum(mean_direction * prior_mean, axis=-1))
    concentration = inverse_of_either(length, tf.minimum(spread, 0.5), float(dim))
    return mean_direction, concentration


def _prior(count: Any, mean: Any, samples: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The parameters of the prior as tensors of the dtype of the samples."""
    dim = samples.shape[-1]
    number = check_number("experimental_fit", "prior_count", count)
    vector = np.zeros(dim) if mean is None else np.asarray(mean, np.float64)
    if vector.shape != (dim,) or not np.linalg.norm(vector) < 1:
        raise ArgumentError(
            "prior_mean", f"a vector of shape ({dim},) and of a length below 1", repr(mean), owner="experimental_fit"
        )
    return tf.constant(number, samples.dtype), tf.constant(vector, samples.dtype)


def sample_error(
    norm: np.ndarray, is_unit: np.ndarray, weights: np.ndarray, is_bad_weight: np.ndarray, dtype: tf.DType
) -> ArgumentError:
    """The error that says what is wrong with the first bad sample or weight, where it stands, and what helps."""
    if is_bad_weight.any():
        where = tuple(int(i) for i in np.argwhere(is_bad_weight)[0])
        return ArgumentError("weights", "finite numbers >= 0", f"{weights[where]} at index {where}")
    bad = np.argwhere((weights > 0) & ~is_unit)
    if not len(bad):
        return ArgumentError("weights", "weights that do not sum to zero over the samples", f"shape {weights.shape}")
    where = tuple(int(i) for i in bad[0])
    value = float(np.broadcast_to(norm, weights.shape)[where])
    # Near 1 the distance says more than the digits of the norm.
    told = f"1 {'+' if value > 1 else '-'} {abs(value - 1):.2g}" if 0 < abs(value - 1) < 0.01 else f"{value:.4g}"
    return ArgumentError(
        "samples",
        f"unit vectors, of norm 1 to within {unit_norm_tolerance(dtype):.0e}",
        f"a sample of norm {told} at index {where}, and {len(bad) - 1} more",
        "Leave out rows of zeros (texts without a known word) and scale the others with `tf.math.l2_normalize(x, axis=-1)`.",
    )
