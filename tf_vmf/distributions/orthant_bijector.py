"""The event-space bijector of TensorFlow Probability's spherical distributions, in a form that constructs on numpy >= 2.4."""

import tensorflow as tf
from tensorflow_probability import bijectors as tfb


class _AppendZero:
    """What `SoftmaxCentered` uses of `tfb.Pad`, whose constructor fails on numpy >= 2.4.

    TFP 0.25 passes the keyword `newshape` to `np.reshape`, which numpy has removed; a release without it retires this class.
    """

    def forward(self, x: tf.Tensor) -> tf.Tensor:
        return tf.concat([x, tf.zeros_like(x[..., :1])], axis=-1)

    def forward_event_shape(self, shape: tf.TensorShape) -> tf.TensorShape:
        return self._longer(shape, 1)

    def inverse_event_shape(self, shape: tf.TensorShape) -> tf.TensorShape:
        return self._longer(shape, -1)

    def forward_event_shape_tensor(self, shape: tf.Tensor) -> tf.Tensor:
        return tf.concat([shape[:-1], shape[-1:] + 1], axis=0)

    def inverse_event_shape_tensor(self, shape: tf.Tensor) -> tf.Tensor:
        return tf.concat([shape[:-1], shape[-1:] - 1], axis=0)

    @staticmethod
    def _longer(shape: tf.TensorShape, by: int) -> tf.TensorShape:
        if shape.rank is None or shape[-1] is None:
            return shape if shape.rank is None else shape[:-1].concatenate([None])
        return shape[:-1].concatenate([shape[-1] + by])


class SoftmaxCentered(tfb.SoftmaxCentered):
    """`tfb.SoftmaxCentered` without its `tfb.Pad`."""

    def __init__(self, validate_args: bool = False, name: str = "softmax_centered"):
        parameters = dict(locals())
        with tf.name_scope(name) as name:
            self._pad = _AppendZero()
            super(tfb.SoftmaxCentered, self).__init__(
                forward_min_event_ndims=1, validate_args=validate_args, parameters=parameters, name=name
            )


def orthant_bijector(validate_args: bool) -> tfb.Bijector:
    """Maps `R^(d-1)` to the unit vectors in `R^d` with positive coordinates, as TFP does for its spherical distributions."""
    return tfb.Chain(
        [
            tfb.Invert(tfb.Square(validate_args=validate_args), validate_args=validate_args),
            SoftmaxCentered(validate_args),
        ],
        validate_args=validate_args,
    )
