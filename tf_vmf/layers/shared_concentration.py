"""One concentration, learned for all rows together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_vmf.layers.concentration import LARGEST_CONCENTRATION, BoundedConcentration


@keras.saving.register_keras_serializable(package="tf_vmf")
class SharedConcentration(BoundedConcentration):
    """A concentration that is learned and the same for every row; pass one as `concentration` of a spherical latent layer.

    concentration = minimum + (initial - minimum) * softplus(rate * s + log(e - 1)), at most `maximum`, with one weight s that
    starts at 0. All rows have the same KL, as with a number, but training finds how large it is.

    Args:
        initial: Concentration at the start of training, > `minimum`. None: 2 d for a latent layer in R^d.
        minimum: Lower bound, >= 0. None: 0.2 d, or a tenth of `initial` if that is less.
        maximum: Upper bound, >= `initial`.
        rate: How fast the concentration moves beside the other weights, > 0. With Adam one step changes it by about 0.6 * `rate` *
            learning rate, relative to `initial`.
        **kwargs: Passed to `keras.layers.Layer`. Without a `dtype` the layer computes in that of the latent layer.

    Call arguments:
        inputs: Features, shape (batch, features), or with further axes in between; only their shape counts.

    Returns:
        Concentrations, shape (batch,), all equal.

    Raises:
        ValueError: An argument is no finite number in its range.

    Example:
    ```python
    concentration = tf_vmf.layers.SharedConcentration(initial=50.0)
    z = tf_vmf.layers.VonMisesFisherLatent(25, concentration=concentration)(keras.Input((400,)))
    ```
    """

    def __init__(
        self,
        *,
        initial: float | None = None,
        minimum: float | None = None,
        maximum: float = LARGEST_CONCENTRATION,
        rate: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(initial=initial, minimum=minimum, maximum=maximum, rate=rate, **kwargs)

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.raw = self.add_weight(shape=(), initializer="zeros", name="raw")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        concentration = self.bounded(self.rate * tf.convert_to_tensor(self.raw))
        return tf.fill(tf.shape(inputs)[:-1], concentration)
