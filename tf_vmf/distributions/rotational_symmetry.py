"""Moments and the bijector of distributions around a mean direction."""

import tensorflow as tf
from tensorflow_probability import bijectors as tfb

from tf_vmf.distributions.stereographic_projection import StereographicProjection


class RotationallySymmetric:
    """Mixin of distributions over R^d that every rotation about their `mean_direction` leaves as they are."""

    mean_direction: tf.Tensor
    validate_args: bool

    def _tangent_and_radial_variance(self) -> tuple[tf.Tensor, tf.Tensor]:
        """The variances in a direction orthogonal to `mean_direction` and along it, of the batch's shape."""
        raise NotImplementedError

    def _variance(self) -> tf.Tensor:
        tangent, radial = self._tangent_and_radial_variance()
        squared = tf.square(self.mean_direction)
        return tangent[..., tf.newaxis] * (1 - squared) + radial[..., tf.newaxis] * squared

    def _stddev(self) -> tf.Tensor:
        return tf.sqrt(self._variance())

    def _covariance(self) -> tf.Tensor:
        tangent, radial = self._tangent_and_radial_variance()
        mean_direction = tf.convert_to_tensor(self.mean_direction)
        outer = mean_direction[..., tf.newaxis] * mean_direction[..., tf.newaxis, :]
        covariance = (radial - tangent)[..., tf.newaxis, tf.newaxis] * outer
        return tf.linalg.set_diag(covariance, self._variance())


class SymmetricOnSphere(RotationallySymmetric):
    """Mixin of those on the unit sphere."""

    def _default_event_space_bijector(self) -> tfb.Bijector:
        return StereographicProjection(self.mean_direction, validate_args=self.validate_args)
