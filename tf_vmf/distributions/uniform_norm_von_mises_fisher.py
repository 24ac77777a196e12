"""A von Mises-Fisher direction with a uniform norm, as a distribution over vectors."""

from typing import Any

import tensorflow as tf
from tensorflow_probability import distributions as tfd
from tensorflow_probability.python.internal import dtype_util, parameter_properties, reparameterization, samplers

from tf_vmf.distributions.von_mises_fisher import VonMisesFisher

# How far, relative to the largest norm, rounding may take the norm of a sample out of its interval.
_TOLERANCE = {tf.float32: 1e-6, tf.float64: 1e-14}


class UniformNormVonMisesFisher(tfd.Distribution):
    r"""The distribution of `norm * direction` in `R^d` for independent norm and direction.

    ```none
    direction ~ VonMisesFisher(mu, kappa),    norm ~ Uniform(low, low + width)

    pdf(x) = vMF(x / |x|; mu, kappa) / (width |x|^(d-1))    for |x| in [low, low + width], else 0
    mean   = (low + width / 2) A(kappa) mu,                 A as in VonMisesFisher
    KL(p || q) = KL(vMF_p || vMF_q) + log(width_q / width_p)    if q's interval holds p's, else infinite
    ```

    The density is with respect to volume: `|x|^(d-1)` is the area that a direction has at norm `|x|`. `norm_low = 0` and
    `concentration = 0` give a uniform direction with a uniform norm, the prior of "unif-vMF".

    Args:
        mean_direction: mu, unit vectors `[B1, ..., Bn, d]`.
        concentration: kappa >= 0, of a shape that broadcasts with `[B1, ..., Bn]`.
        norm_low: low >= 0, likewise.
        norm_width: width > 0, likewise.
        validate_args: Python `bool`. When `True`, parameters and samples are checked.
        allow_nan_stats: Python `bool`. Kept for compatibility.
        name: Python `str` name prefixed to ops created by this class.

    Example:
    ```python
    p = tf_vmf.distributions.UniformNormVonMisesFisher([0.0, 1.0], 20.0, norm_low=0.5, norm_width=1.0)
    p.log_prob(p.sample(5, seed=(1, 2)))
    ```

    References:
        J. Xu, G. Durrett. Spherical Latent Spaces for Stable Variational Autoencoders. EMNLP 2018.
        https://arxiv.org/abs/1808.10805
    """

    def __init__(
        self,
        mean_direction: Any,
        concentration: Any,
        norm_low: Any = 0.0,
        norm_width: Any = 1.0,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "UniformNormVonMisesFisher",
    ):
        parameters = dict(locals())
        with tf.name_scope(name) as name:
            dtype = dtype_util.common_dtype([mean_direction, concentration, norm_low, norm_width], tf.float32)
            mean_direction = tf.convert_to_tensor(mean_direction, dtype, name="mean_direction")
            self._direction = VonMisesFisher(mean_direction, concentration, validate_args=validate_args)
            self._norm_low = tf.convert_to_tensor(norm_low, dtype, name="norm_low")
            self._norm_width = tf.convert_to_tensor(norm_width, dtype, name="norm_width")
            super().__init__(
                dtype=dtype,
                validate_args=validate_args,
                allow_nan_stats=allow_nan_stats,
                reparameterization_type=reparameterization.FULLY_REPARAMETERIZED,
                parameters=parameters,
                name=name,
            )

    @classmethod
    def _parameter_properties(cls, dtype: tf.DType, num_classes: int | None = None) -> dict[str, Any]:
        scalar = parameter_properties.ParameterProperties(
            shape_fn=lambda sample_shape: sample_shape[:-1],
            default_constraining_bijector_fn=parameter_properties.BIJECTOR_NOT_IMPLEMENTED,
        )
        return {
            "mean_direction": parameter_properties.ParameterProperties(
                event_ndims=1,
                default_constraining_bijector_fn=parameter_properties.BIJECTOR_NOT_IMPLEMENTED,
            ),
            "concentration": scalar,
            "norm_low": scalar,
            "norm_width": scalar,
        }

    @property
    def direction(self) -> VonMisesFisher:
        """The distribution of `x / |x|`."""
        return self._direction

    @property
    def norm_low(self) -> tf.Tensor:
        """Smallest norm."""
        return self._norm_low

    @property
    def norm_width(self) -> tf.Tensor:
        """Length of the interval of norms."""
        return self._norm_width

    def _event_shape(self) -> tf.TensorShape:
        return self._direction.event_shape

    def _event_shape_tensor(self) -> tf.Tensor:
        return self._direction.event_shape_tensor()

    def _sample_n(self, n: tf.Tensor, seed: Any = None) -> tf.Tensor:
        direction_seed, norm_seed = samplers.split_seed(seed)
        shape = tf.concat([[n], self.batch_shape_tensor()], axis=0)
        low = tf.broadcast_to(self._norm_low, self.batch_shape_tensor())
        uniform = samplers.uniform(shape, dtype=self.dtype, seed=norm_seed)
        mean_direction = tf.broadcast_to(
            self._direction.mean_direction, tf.concat([self.batch_shape_tensor(), self.event_shape_tensor()], axis=0)
        )
        direction = self._direction.copy(mean_direction=mean_direction).sample(n, seed=direction_seed)
        return (low + self._norm_width * uniform)[..., tf.newaxis] * direction

    def _log_prob(self, x: tf.Tensor) -> tf.Tensor:
        dim = tf.cast(tf.shape(x)[-1], self.dtype)
        norm = tf.norm(x, axis=-1)
        high = self._norm_low + self._norm_width
        slack = _TOLERANCE.get(self.dtype, 1e-3) * high
        inside = (norm >= self._norm_low - slack) & (norm <= high + slack) & (norm > 0)
        # Where the density is 0 or infinite, something with a finite gradient.
        safe = tf.where(inside, norm, tf.ones_like(norm))
        unit = tf.where(inside[..., tf.newaxis], x / safe[..., tf.newaxis], self._direction.mean_direction)
        log_prob = self._direction.log_prob(unit) - tf.math.log(self._norm_width) - (dim - 1) * tf.math.log(safe)
        log_prob = tf.where(inside, log_prob, tf.constant(float("-inf"), self.dtype))
        return tf.where(tf.math.is_nan(norm), norm, log_prob)

    def _mean(self) -> tf.Tensor:
        return (self._norm_low + 0.5 * self._norm_width)[..., tf.newaxis] * self._direction.mean()

    def _default_event_space_bijector(self) -> None:
        raise NotImplementedError("No bijector of R^d onto a shell is implemented.")


@tfd.RegisterKL(UniformNormVonMisesFisher, UniformNormVonMisesFisher)
def _kl(p: UniformNormVonMisesFisher, q: UniformNormVonMisesFisher, name: str | None = None) -> tf.Tensor:
    with tf.name_scope(name or "kl_uniform_norm_von_mises_fisher"):
        p_high, q_high = p.norm_low + p.norm_width, q.norm_low + q.norm_width
        slack = _TOLERANCE.get(p.dtype, 1e-3) * q_high
        inside = (p.norm_low >= q.norm_low - slack) & (p_high <= q_high + slack)
        kl = p.direction.kl_divergence(q.direction) + tf.math.log(q.norm_width / p.norm_width)
        return tf.where(inside, kl, tf.constant(float("inf"), p.dtype))
