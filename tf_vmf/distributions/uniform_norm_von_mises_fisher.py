"""A von Mises-Fisher direction with a uniform norm, as a distribution over vectors."""

from typing import Any

import tensorflow as tf
from tensorflow_probability import bijectors as tfb
from tensorflow_probability import distributions as tfd
from tensorflow_probability.python.distributions.distribution import AutoCompositeTensorDistribution
from tensorflow_probability.python.internal import (
    assert_util,
    dtype_util,
    parameter_properties,
    reparameterization,
    samplers,
    tensor_util,
)

from tf_vmf import math as vmf_math
from tf_vmf.distributions.rotational_symmetry import RotationallySymmetric
from tf_vmf.distributions.stereographic_projection import UnitVectors
from tf_vmf.distributions.von_mises_fisher import VonMisesFisher
from tf_vmf.math.precision import epsilon

# How far, relative to the largest norm, rounding may take the norm of a sample out of its interval.
_TOLERANCE = {tf.float32: 1e-6, tf.float64: 1e-14}


class UniformNormVonMisesFisher(RotationallySymmetric, AutoCompositeTensorDistribution):
    r"""The distribution of `norm * direction` in `R^d` for independent norm and direction.

    ```none
    direction ~ VonMisesFisher(mu, kappa),    norm ~ Uniform(low, low + width)

    pdf(x) = vMF(x / |x|; mu, kappa) / (width |x|^(d-1))    for |x| in [low, low + width], else 0
    mean   = (low + width / 2) A(kappa) mu,                 A as in VonMisesFisher
    mode   = low mu
    entropy = entropy of the direction + log(width) + (d - 1) E[log norm]
    KL(p || q) = KL(vMF_p || vMF_q) + log(width_q / width_p)    if q's interval holds p's, else infinite
    ```

    Parameters that are `tf.Variable`s are read when they are used, as in TensorFlow Probability. The mode is where the density is
    largest, which is infinite for `low = 0`.

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
            mean_direction = tensor_util.convert_nonref_to_tensor(mean_direction, dtype, name="mean_direction")
            self._direction = VonMisesFisher(mean_direction, concentration, validate_args=validate_args)
            self._norm_low = tensor_util.convert_nonref_to_tensor(norm_low, dtype, name="norm_low")
            self._norm_width = tensor_util.convert_nonref_to_tensor(norm_width, dtype, name="norm_width")
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
            default_constraining_bijector_fn=lambda: tfb.Softplus(low=epsilon(dtype)),
        )
        return {
            "mean_direction": parameter_properties.ParameterProperties(
                event_ndims=1,
                default_constraining_bijector_fn=UnitVectors,
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
    def mean_direction(self) -> tf.Tensor:
        """Mean direction of `x / |x|`."""
        return self._direction.mean_direction

    @property
    def concentration(self) -> tf.Tensor:
        """Concentration of `x / |x|`."""
        return self._direction.concentration

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

    def _norms(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Smallest norm, length of the interval, largest norm."""
        low, width = tf.convert_to_tensor(self.norm_low), tf.convert_to_tensor(self.norm_width)
        return low, width, low + width

    def _over_batch(self, x: tf.Tensor) -> tf.Tensor:
        return tf.broadcast_to(x, self.batch_shape_tensor())

    def _sample_n(self, n: tf.Tensor, seed: Any = None) -> tf.Tensor:
        direction_seed, norm_seed = samplers.split_seed(seed, salt="uniform_norm_von_mises_fisher")
        batch_shape = self.batch_shape_tensor()
        low, width, _ = self._norms()
        uniform = samplers.uniform(tf.concat([[n], batch_shape], axis=0), dtype=self.dtype, seed=norm_seed)
        mean_direction = tf.broadcast_to(
            self.mean_direction, tf.concat([batch_shape, self.event_shape_tensor()], axis=0)
        )
        direction = self._direction.copy(mean_direction=mean_direction).sample(n, seed=direction_seed)
        return (low + width * uniform)[..., tf.newaxis] * direction

    def _log_prob(self, x: tf.Tensor) -> tf.Tensor:
        dim = tf.cast(tf.shape(x)[-1], self.dtype)
        low, width, high = self._norms()
        norm = tf.norm(x, axis=-1)
        slack = _tolerance(self.dtype) * high
        inside = (norm >= low - slack) & (norm <= high + slack) & (norm > 0)
        # Where the density is 0 or infinite, something with a finite gradient.
        safe = tf.where(inside, norm, tf.ones_like(norm))
        unit = tf.where(inside[..., tf.newaxis], x / safe[..., tf.newaxis], self.mean_direction)
        log_prob = self._direction_log_prob(unit) - tf.math.log(width) - (dim - 1) * tf.math.log(safe)
        log_prob = tf.where(inside, log_prob, tf.constant(float("-inf"), self.dtype))
        return tf.where(tf.math.is_nan(norm), norm, log_prob)

    def _direction_log_prob(self, unit: tf.Tensor) -> tf.Tensor:
        # Past the check of unit length: the directions are made here.
        return self._direction._log_prob(unit)

    def _mean(self) -> tf.Tensor:
        low, width, _ = self._norms()
        return (low + 0.5 * width)[..., tf.newaxis] * self._direction.mean()

    def _tangent_and_radial_variance(self) -> tuple[tf.Tensor, tf.Tensor]:
        low, width, high = self._norms()
        mean_square = (low * low + low * high + high * high) / 3
        tangent, radial = self._direction._tangent_and_radial_variance()
        length = vmf_math.mean_resultant_length(self.concentration, self.event_shape[0])
        radial = mean_square * radial + width * width / 12 * length * length
        return self._over_batch(mean_square * tangent), self._over_batch(radial)

    def _mode(self) -> tf.Tensor:
        low, _, _ = self._norms()
        return self._over_batch(low)[..., tf.newaxis] * self._direction.mode()

    def _entropy(self) -> tf.Tensor:
        low, width, high = self._norms()
        # E[log norm] = log high - 1 - (low / width) log(low / high), the last term 0 for low = 0.
        positive = low > 0
        safe = tf.where(positive, low, tf.ones_like(low))
        ratio = tf.where(positive, safe / width * tf.math.log1p(width / safe), tf.zeros_like(low))
        log_norm = tf.math.log(high) - 1 + ratio
        dim = tf.cast(self.event_shape_tensor()[0], self.dtype)
        return self._over_batch(self._direction.entropy() + tf.math.log(width) + (dim - 1) * log_norm)

    @classmethod
    def experimental_fit(
        cls, value: tf.Tensor, sample_ndims: int = 1, validate_args: bool = False, **init_kwargs: Any
    ) -> "UniformNormVonMisesFisher":
        """Returns the distribution of maximum likelihood: the smallest interval that holds the norms, the fitted direction.

        Args:
            value: Floating-point `Tensor` of vectors other than zero, `sample shape + batch shape + [d]`; a batch member needs two
                different norms, as an interval without length has no density.
            sample_ndims: Python `int`, how many leading dimensions of `value` count samples.
            validate_args: Passed to the distribution and to the fit of the direction.
            **init_kwargs: Further arguments of the distribution.

        Raises:
            ArgumentError: In eager mode, if a vector is zero or not finite.
        """
        dtype = dtype_util.common_dtype([value], tf.float32)
        value = tf.convert_to_tensor(value, dtype=dtype if dtype_util.is_floating(dtype) else tf.float32)
        norm = tf.norm(value, axis=-1)
        direction = VonMisesFisher.experimental_fit(value / norm[..., tf.newaxis], sample_ndims, validate_args)
        axes = list(range(sample_ndims))
        low, high = tf.reduce_min(norm, axis=axes), tf.reduce_max(norm, axis=axes)
        parameters = direction.mean_direction, direction.concentration, low, high - low
        return cls(*parameters, validate_args=validate_args, **init_kwargs)

    def _default_event_space_bijector(self) -> None:
        raise NotImplementedError("No bijector of R^d onto a shell is implemented.")

    def _sample_control_dependencies(self, samples: tf.Tensor) -> list[tf.Operation]:
        if not self.validate_args:
            return []
        low, _, high = self._norms()
        norm, slack = tf.norm(samples, axis=-1), _tolerance(self.dtype) * high
        message = "Samples must have norms between `norm_low` and `norm_low + norm_width`."
        return [
            assert_util.assert_greater_equal(norm, low - slack, message=message),
            assert_util.assert_less_equal(norm, high + slack, message=message),
        ]

    def _parameter_control_dependencies(self, is_init: bool) -> list[tf.Operation]:
        if not self.validate_args:
            return []
        # Those of the direction are checked by it, once on construction and for variables on every use.
        assertions = [] if is_init else self._direction._parameter_control_dependencies(is_init)
        if is_init != tensor_util.is_ref(self._norm_low):
            message = "`norm_low` must be non-negative"
            assertions.append(assert_util.assert_non_negative(self.norm_low, message=message))
        if is_init != tensor_util.is_ref(self._norm_width):
            assertions.append(assert_util.assert_positive(self.norm_width, message="`norm_width` must be positive"))
        return assertions


def _tolerance(dtype: tf.DType) -> float:
    return _TOLERANCE.get(dtype, 1e-3)


@tfd.RegisterKL(UniformNormVonMisesFisher, UniformNormVonMisesFisher)
def _kl(p: UniformNormVonMisesFisher, q: UniformNormVonMisesFisher, name: str | None = None) -> tf.Tensor:
    with tf.name_scope(name or "kl_uniform_norm_von_mises_fisher"):
        (p_low, p_width, p_high), (q_low, q_width, q_high) = p._norms(), q._norms()
        slack = _tolerance(p.dtype) * q_high
        inside = (p_low >= q_low - slack) & (p_high <= q_high + slack)
        kl = p.direction.kl_divergence(q.direction) + tf.math.log(q_width / p_width)
        return tf.where(inside, kl, tf.constant(float("inf"), p.dtype))
