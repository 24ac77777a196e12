"""Negative log-likelihood of directions under a predicted von Mises-Fisher distribution, as a Keras loss."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from tf_vmf import math as vmf_math
from tf_vmf._checks import check_number, require
from tf_vmf._errors import ArgumentError

# How far from 1 the norm of a target may be: targets may have passed through half precision.
_TOLERANCE = 1e-3


@keras.saving.register_keras_serializable(package="tf_vmf")
class VonMisesFisherLoss(keras.losses.Loss):
    """Negative log-likelihood of unit vectors under a von Mises-Fisher distribution that the model predicts, in nats.

    ```
    loss = -log vMF(y_true; mu, kappa) = log Z_d(kappa) - kappa mu.y_true
    ```

    with the exact normalizer Z_d, to rounding in float32 for every dimension d and every concentration, where published losses
    approximate it. The model predicts, for targets `(..., d)`, one of

    - a vector of d numbers: its direction is mu and its length is kappa (Kumar and Tsvetkov, 2019);
    - d + 1 numbers: a direction, which is scaled to unit length, and kappa >= 0, such as
      `keras.layers.Concatenate()([direction, keras.layers.Dense(1, activation="softplus")(h)])`.

    So a network learns how certain it is of each direction: `mean_direction_and_concentration` reads both from a prediction, and
    `tf_vmf.math.von_mises_fisher_cosine_quantile(0.05, kappa, d)` is the cosine of the cone that holds 95 %.

    Where kappa grows without bound, as for targets that can be met exactly, Kumar and Tsvetkov change the loss to

    ```
    loss = log Z_d(kappa) - cosine_weight kappa mu.y_true + length_penalty kappa
    ```

    Their `length_penalty` is 0.02, their `cosine_weight` 0.1. Either makes it another loss than a likelihood: kappa is no error
    estimate then.

    Args:
        cosine_weight: Weight of the second term, > 0.
        length_penalty: Weight of kappa itself, >= 0.
        reduction: As for any Keras loss.
        name: As for any Keras loss.
        dtype: As for any Keras loss; the loss is computed in float32 at least.

    Call arguments:
        y_true: Unit vectors `(..., d)`, d >= 2. A row of another length than 1 is an error, or NaN under XLA; padding needs a unit
            vector, too, and a sample weight of 0.
        y_pred: Predictions `(..., d)` or `(..., d + 1)`. A negative concentration is an error, or NaN under XLA.

    Raises:
        ValueError: The shapes do not fit; in eager mode, if a target is no unit vector or a concentration negative.

    Example:
    ```python
    model = keras.Sequential([keras.layers.Dense(32, activation="relu"), keras.layers.Dense(3)])
    model.compile("adam", loss=tf_vmf.losses.VonMisesFisherLoss())
    x = np.random.normal(size=(64, 5)).astype("float32")
    y = x[:, :3] / np.linalg.norm(x[:, :3], axis=1, keepdims=True)
    model.fit(x, y, verbose=0)
    mu, kappa = tf_vmf.losses.mean_direction_and_concentration(model.predict(x, verbose=0), 3)
    ```

    References:
        S. Kumar, Y. Tsvetkov. Von Mises-Fisher Loss for Training Sequence to Sequence Models with Continuous Outputs. ICLR 2019.
        https://arxiv.org/abs/1812.04616
    """

    def __init__(
        self,
        *,
        cosine_weight: float = 1.0,
        length_penalty: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "von_mises_fisher_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.cosine_weight = check_number("VonMisesFisherLoss", "cosine_weight", cosine_weight, above=True)
        self.length_penalty = check_number("VonMisesFisherLoss", "length_penalty", length_penalty)

    def call(self, y_true: Any, y_pred: Any) -> tf.Tensor:
        """Loss of every target, `(...)`."""
        return von_mises_fisher_loss(
            y_true, y_pred, cosine_weight=self.cosine_weight, length_penalty=self.length_penalty
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config = super().get_config()
        return config | {"cosine_weight": self.cosine_weight, "length_penalty": self.length_penalty}


def von_mises_fisher_loss(
    y_true: Any, y_pred: Any, *, cosine_weight: float = 1.0, length_penalty: float = 0.0
) -> tf.Tensor:
    """The loss of `VonMisesFisherLoss` for every target.

    Args:
        y_true: Unit vectors `(..., d)`, d >= 2 static.
        y_pred: Vectors `(..., d)`, or directions and concentrations `(..., d + 1)`.
        cosine_weight: Weight of `kappa mu.y_true`.
        length_penalty: Weight of kappa.

    Returns:
        Tensor `(...)` in nats, float64 for float64 predictions, else float32.

    Raises:
        ValueError: The shapes do not fit; in eager mode, if a target is no unit vector or a concentration negative.

    Example:
    ```python
    y = tf.constant([[0.0, 0.6, 0.8]])
    tf_vmf.losses.von_mises_fisher_loss(y, 1e6 * y)  # log(2 pi / 1e6) = -11.98
    ```
    """
    y_pred = tf.convert_to_tensor(y_pred)
    y_pred = y_pred if y_pred.dtype in (tf.float32, tf.float64) else tf.cast(y_pred, tf.float32)
    y_true = tf.cast(y_true, y_pred.dtype)
    dim, width = (y.shape[-1] if y.shape.rank else None for y in (y_true, y_pred))
    same_batch = y_true.shape[:-1].is_compatible_with(y_pred.shape[:-1])
    if dim is None or dim < 2 or width not in (dim, dim + 1) or not same_batch:
        raise ArgumentError(
            "y_pred",
            "shape (..., d) or (..., d + 1) for targets of shape (..., d), d >= 2 static",
            f"y_true of shape {y_true.shape}, y_pred of shape {y_pred.shape}",
            owner="VonMisesFisherLoss",
        )
    is_unit = tf.abs(tf.norm(y_true, axis=-1) - 1.0) <= _TOLERANCE
    y_true = require(
        tf.reduce_all(is_unit),
        y_true,
        "y_true",
        "unit vectors",
        "rows of norm",
        _some(tf.norm(y_true, axis=-1), ~is_unit),
        owner="VonMisesFisherLoss",
    )
    # Of unit length to rounding, which a large concentration multiplies.
    y_true = tf.math.l2_normalize(y_true, axis=-1)
    loss = _loss_of_vector if width == dim else _loss_of_direction
    value = loss(y_true, y_pred, dim, cosine_weight, length_penalty)
    return tf.where(is_unit, value, tf.constant(float("nan"), value.dtype))


def mean_direction_and_concentration(y_pred: Any, dim: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean directions `(..., dim)` and concentrations `(...)` of predictions that `VonMisesFisherLoss` trains.

    Args:
        y_pred: Predictions `(..., dim)`, or `(..., dim + 1)`.
        dim: The dimension d of the targets.

    Raises:
        ValueError: The predictions have neither shape.

    Example:
    ```python
    mu, kappa = tf_vmf.losses.mean_direction_and_concentration(np.array([[0.0, 3.0, 4.0]]), 3)  # kappa = 5
    cosine = tf_vmf.math.von_mises_fisher_cosine_quantile(0.05, kappa, 3)  # the cone around mu that holds 95 %
    ```
    """
    y_pred = tf.convert_to_tensor(y_pred)
    width = y_pred.shape[-1] if y_pred.shape.rank else None
    if width not in (dim, dim + 1):
        raise ArgumentError(
            "y_pred",
            f"shape (..., {dim}) or (..., {dim + 1})",
            f"shape {y_pred.shape}",
            owner="mean_direction_and_concentration",
        )
    vector = y_pred[..., :dim]
    return tf.math.l2_normalize(vector, axis=-1), tf.norm(vector, axis=-1) if width == dim else y_pred[..., dim]


def _some(values: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
    """The first few of the chosen values."""
    return tf.boolean_mask(tf.reshape(values, [-1]), tf.reshape(chosen, [-1]))[:5]


def _loss_of_vector(
    y_true: tf.Tensor, vector: tf.Tensor, dim: int, cosine_weight: float, length_penalty: float
) -> tf.Tensor:
    """Loss of a vector whose length is the concentration; its gradient is smooth through 0, where it is -cosine_weight y_true.

    Below a length of 1 the loss is taken as it stands, above it from the log density at the mode: see `_loss_at`. Each form works
    on its own vectors, and on harmless ones where the other is used.
    """
    is_short = tf.reduce_sum(vector * vector, axis=-1, keepdims=True) < 1.0
    short = tf.where(is_short, vector, tf.zeros_like(vector))
    square = tf.reduce_sum(short * short, axis=-1)
    is_zero = tf.equal(square, 0.0)
    length = tf.where(is_zero, tf.zeros_like(square), tf.sqrt(tf.where(is_zero, tf.ones_like(square), square)))
    near = vmf_math.log_normalizer(length, dim) - cosine_weight * tf.reduce_sum(short * y_true, axis=-1)
    near += length_penalty * length
    long = tf.where(is_short, y_true, vector)
    concentration = tf.norm(long, axis=-1)
    far = _loss_at(y_true, long / concentration[..., tf.newaxis], concentration, dim, cosine_weight, length_penalty)
    return tf.where(is_short[..., 0], near, far)


def _loss_of_direction(
    y_true: tf.Tensor, prediction: tf.Tensor, dim: int, cosine_weight: float, length_penalty: float
) -> tf.Tensor:
    """Loss of a direction of any length and a concentration; a negative one is an error, or NaN under XLA."""
    direction, concentration = tf.math.l2_normalize(prediction[..., :dim], axis=-1), prediction[..., dim]
    is_negative = concentration < 0.0  # NaN is not: it stays NaN
    concentration = require(
        ~tf.reduce_any(is_negative),
        concentration,
        "y_pred",
        "concentrations >= 0 in its last column, such as a softplus gives",
        "concentrations",
        _some(concentration, is_negative),
        owner="VonMisesFisherLoss",
    )
    concentration = tf.where(is_negative, tf.constant(float("nan"), concentration.dtype), concentration)
    return _loss_at(y_true, direction, concentration, dim, cosine_weight, length_penalty)


def _loss_at(
    y_true: tf.Tensor,
    direction: tf.Tensor,
    concentration: tf.Tensor,
    dim: int,
    cosine_weight: float,
    length_penalty: float,
) -> tf.Tensor:
    """Loss of a unit vector and a concentration, without the difference of large numbers: `1 - cosine = ||y - mu||^2 / 2`."""
    distance = 0.5 * tf.reduce_sum(tf.math.squared_difference(y_true, direction), axis=-1)
    loss = cosine_weight * concentration * distance - vmf_math.log_prob_at_mode(concentration, dim)
    excess = 1.0 - cosine_weight + length_penalty
    return loss + excess * concentration if excess else loss
