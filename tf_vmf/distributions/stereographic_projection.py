"""The stereographic projection as a bijector from a Euclidean space to the sphere without one point."""

from typing import Any

import tensorflow as tf
from tensorflow_probability import bijectors as tfb
from tensorflow_probability.python.internal import assert_util, dtype_util, parameter_properties, tensor_util

from tf_vmf.math.precision import unit_norm_tolerance


class _OntoSphere(tfb.AutoCompositeTensorBijector):
    """A bijector from R^(d-1) into R^d."""

    def _forward_event_shape(self, shape: tf.TensorShape) -> tf.TensorShape:
        return _longer(shape, 1)

    def _inverse_event_shape(self, shape: tf.TensorShape) -> tf.TensorShape:
        return _longer(shape, -1)

    def _forward_event_shape_tensor(self, shape: tf.Tensor) -> tf.Tensor:
        return tf.concat([shape[:-1], shape[-1:] + 1], axis=0)

    def _inverse_event_shape_tensor(self, shape: tf.Tensor) -> tf.Tensor:
        return tf.concat([shape[:-1], shape[-1:] - 1], axis=0)


class StereographicProjection(_OntoSphere):
    r"""Maps `R^(d-1)` to the unit sphere in `R^d` without the antipode of a given point.

    #### Mathematical details

    ```none
    forward(y) = H [2 y, -s (1 - ||y||^2)] / (1 + ||y||^2)
    inverse(x) = (H x)[:-1] / (1 + mu^T x)
    forward_log_det_jacobian(y) = (d - 1) log(2 / (1 + ||y||^2))
    ```

    where:

    * `mean_direction = mu`; a unit vector in `R^d`, the image of `y = 0`. Its antipode `-mu`, the image of infinity, is the
      one point that is left out.
    * `s` is the sign of the last coordinate of mu, and H the reflection that takes `-s e_d` to mu (`e_d` the last axis). The
      choice of the sign keeps its axis, `e_d + s mu`, longer than 1, so that H is accurate for every mu.

    As the sphere has one dimension less than the space around it, the log-determinant is that of the area,
    `log sqrt(det J^T J)` for the Jacobian J, of shape `(d, d-1)`. With it, `log_prob(forward(y)) +
    forward_log_det_jacobian(y)` is a log density on `R^(d-1)`, as Markov chain Monte Carlo needs it.

    `inverse(-mu)` is NaN, or an error with `validate_args=True`.

    #### Examples

    ```python
    bijector = tf_vmf.distributions.StereographicProjection([0., 0., 1.])
    bijector.forward([0., 0.])  # [0., 0., 1.]
    bijector.forward([1., 0.])  # a quarter turn away
    ```
    """

    def __init__(self, mean_direction: Any, validate_args: bool = False, name: str = "stereographic_projection"):
        """Creates the bijector.

        Args:
            mean_direction: Floating-point `Tensor` `[..., d]` of unit vectors, d >= 2, the image of the origin.
            validate_args: Python `bool`. When `True`, `inverse` checks that its argument is a unit vector other than `-mu`.
            name: Python `str` name prefixed to ops created by this class.
        """
        parameters = dict(locals())
        with tf.name_scope(name) as name:
            dtype = dtype_util.common_dtype([mean_direction], tf.float32)
            self._mean_direction = tensor_util.convert_nonref_to_tensor(
                mean_direction, name="mean_direction", dtype=dtype
            )
            super().__init__(
                forward_min_event_ndims=1,
                validate_args=validate_args,
                dtype=dtype,
                parameters=parameters,
                name=name,
            )

    @classmethod
    def _parameter_properties(cls, dtype: tf.DType | None) -> dict[str, Any]:
        return {
            "mean_direction": parameter_properties.ParameterProperties(
                event_ndims=1,
                default_constraining_bijector_fn=parameter_properties.BIJECTOR_NOT_IMPLEMENTED,
            )
        }

    @property
    def mean_direction(self) -> tf.Tensor:
        """The image of the origin."""
        return self._mean_direction

    def _forward(self, y: tf.Tensor) -> tf.Tensor:
        mu = tf.convert_to_tensor(self.mean_direction)
        squared = tf.reduce_sum(tf.square(y), axis=-1, keepdims=True)
        sign = _sign(mu)
        # (1 - ||y||^2) / (1 + ||y||^2), which does not overflow to NaN where ||y||^2 does.
        cosine = 2 / (1 + squared) - 1
        tangent = y * (2 / (1 + squared))
        shape = tf.broadcast_dynamic_shape(tf.shape(tangent)[:-1], tf.shape(mu)[:-1])
        tangent = tf.broadcast_to(tangent, tf.concat([shape, tf.shape(tangent)[-1:]], axis=0))
        height = tf.broadcast_to(-sign * cosine, tf.concat([shape, [1]], axis=0))
        return _reflect(tf.concat([tangent, height], axis=-1), mu, sign)

    def _inverse(self, x: tf.Tensor) -> tf.Tensor:
        mu = tf.convert_to_tensor(self.mean_direction)
        with tf.control_dependencies(self._assertions(x, mu)):
            tangent = _reflect(x, mu, _sign(mu))[..., :-1]
            # 1 + mu.x of unit vectors, without cancellation.
            return tangent / (0.5 * tf.reduce_sum(tf.square(x + mu), axis=-1, keepdims=True))

    def _forward_log_det_jacobian(self, y: tf.Tensor) -> tf.Tensor:
        dim = tf.cast(tf.shape(y)[-1], y.dtype)
        return dim * (tf.math.log(tf.cast(2, y.dtype)) - tf.math.log1p(tf.reduce_sum(tf.square(y), axis=-1)))

    def _inverse_log_det_jacobian(self, x: tf.Tensor) -> tf.Tensor:
        # 2 / (1 + ||y||^2) is 1 + mu.x.
        mu = tf.convert_to_tensor(self.mean_direction)
        dim = tf.cast(tf.shape(x)[-1] - 1, x.dtype)
        return -dim * tf.math.log(0.5 * tf.reduce_sum(tf.square(x + mu), axis=-1))

    def _assertions(self, x: tf.Tensor, mu: tf.Tensor) -> list[tf.Operation]:
        if not self.validate_args:
            return []
        excess = tf.abs(tf.reduce_sum(tf.square(tf.cast(x, tf.float64)), axis=-1) - 1)
        return [
            assert_util.assert_less_equal(
                excess,
                tf.cast(2 * unit_norm_tolerance(x.dtype), tf.float64),
                message="Expected unit vectors: the squares of their coordinates must sum to `1`.",
            ),
            assert_util.assert_positive(
                tf.reduce_sum(tf.square(x + mu), axis=-1),
                message="The antipode of `mean_direction` has no inverse: it is the image of infinity.",
            ),
        ]


class UnitVectors(_OntoSphere):
    """Maps `R^(d-1)` to the unit sphere in `R^d` without one point, for any d: the projection whose origin is the last axis.

    It constrains mean directions, as in `tfp.experimental.util.make_trainable`, where the dimension is not known in advance.
    """

    def __init__(self, validate_args: bool = False, name: str = "unit_vectors"):
        parameters = dict(locals())
        with tf.name_scope(name) as name:
            super().__init__(forward_min_event_ndims=1, validate_args=validate_args, parameters=parameters, name=name)

    @classmethod
    def _parameter_properties(cls, dtype: tf.DType | None) -> dict[str, Any]:
        return {}

    def _projection(self, x: tf.Tensor, dim: int) -> StereographicProjection:
        return StereographicProjection(tf.one_hot(dim - 1, dim, dtype=x.dtype), validate_args=self.validate_args)

    def _forward(self, y: tf.Tensor) -> tf.Tensor:
        return self._projection(y, y.shape[-1] + 1).forward(y)

    def _inverse(self, x: tf.Tensor) -> tf.Tensor:
        return self._projection(x, x.shape[-1]).inverse(x)

    def _forward_log_det_jacobian(self, y: tf.Tensor) -> tf.Tensor:
        return self._projection(y, y.shape[-1] + 1).forward_log_det_jacobian(y)


def _longer(shape: tf.TensorShape, by: int) -> tf.TensorShape:
    if shape.rank is None or shape[-1] is None:
        return shape if shape.rank is None else shape[:-1].concatenate([None])
    return shape[:-1].concatenate([shape[-1] + by])


def _sign(mu: tf.Tensor) -> tf.Tensor:
    """1 or -1, the sign of the last coordinate, which is kept as an axis of length 1."""
    last = mu[..., -1:]
    return tf.where(last < 0, -tf.ones_like(last), tf.ones_like(last))


def _reflect(x: tf.Tensor, mu: tf.Tensor, sign: tf.Tensor) -> tf.Tensor:
    """The reflection of x that takes `-sign e_d` to mu; it is its own inverse."""
    axis = sign * mu + tf.one_hot(mu.shape[-1] - 1, mu.shape[-1], dtype=mu.dtype)
    projection = tf.reduce_sum(axis * x, axis=-1, keepdims=True) / tf.reduce_sum(axis * axis, axis=-1, keepdims=True)
    return x - 2 * projection * axis
