"""The von Mises-Fisher distribution over unit vectors, in any dimension."""

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_probability import bijectors as tfb
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
from tf_vmf._errors import ArgumentError
from tf_vmf.distributions.maximum_likelihood import fit_von_mises_fisher
from tf_vmf.distributions.pairwise import as_uniform_at_zero, cosine_distance
from tf_vmf.distributions.rotational_symmetry import SymmetricOnSphere
from tf_vmf.distributions.stereographic_projection import UnitVectors
from tf_vmf.math.precision import epsilon, rounded_norm_tolerance


class VonMisesFisher(SymmetricOnSphere, AutoCompositeTensorDistribution):
    r"""The von Mises-Fisher distribution over unit vectors in `R^d`, the Gaussian of the sphere.

    A drop-in replacement for `tfp.distributions.VonMisesFisher` in any dimension from 2 to 200,000, reparameterized in
    both parameters, accurate in float32.

    #### Mathematical details

    The probability density function (pdf), with respect to the surface measure of the sphere, is

    ```none
    pdf(x; mu, kappa) = exp(kappa mu^T x) / Z_d(kappa)

    Z_d(kappa) = (2 pi)^(d/2) I_v(kappa) / kappa^v,    v = d/2 - 1
               = area(S^(d-1)) 0F1(; d/2; kappa^2 / 4)
    ```

    where:

    * `mean_direction = mu`; a unit vector in `R^d`, the mode,
    * `concentration = kappa`; scalar real >= 0,
    * `I_v` is the modified Bessel function of the first kind, `0F1` the confluent hypergeometric limit function.

    With `A(kappa) = I_{v+1}(kappa) / I_v(kappa)`, the mean of `w = mu^T x`:

    ```none
    mean       = A mu
    covariance = A / kappa (I - mu mu^T) + A' mu mu^T,    A' = 1 - A^2 - (d - 1) A / kappa
    entropy    = log area(S^(d-1)) - KL(vMF || uniform)
    KL(vMF || uniform) = kappa A - log 0F1(; d/2; kappa^2 / 4)
    ```

    Limits: `kappa = 0` is the uniform distribution (mean 0, covariance `I / d`); for `kappa -> inf` the distribution shrinks
    to mu like a Gaussian of covariance `(I - mu mu^T) / kappa` in the tangent space. All values, samples and gradients are
    finite for `0 <= kappa <= 1e10`, and values are right as far as the dtype reaches; from 1e18 on the distribution is a point
    mass to any precision.

    `log_prob(x)` is computed as `log_prob(mu) - kappa ||x - mu||^2 / 2`, which keeps its accuracy for large kappa. It equals
    the density above for unit vectors x and mu; its gradients differ from those of `kappa mu^T x` only along x and mu. Points
    `[n, 1, d]` against distributions `[K]`, as in mixtures, go through one matrix product; `tf_vmf.distributions.pairwise_log_prob`
    is faster still.

    The default event-space bijector is the stereographic projection whose origin is the mean direction; it leaves out one
    point, the antipode.

    Samples are drawn without rejection and differentiably, twice; see `tf_vmf.math.von_mises_fisher_sample` for what the
    gradients mean.

    NOTE: `mean_direction` is not the mean of the distribution, which lies inside the sphere.

    #### Examples

    ```python
    vmf = tf_vmf.distributions.VonMisesFisher(mean_direction=[0., 1., 0.], concentration=1.)
    vmf.prob([1., 0., 0.])  # a scalar

    # A batch of two distributions in three dimensions.
    mu = [[0., 1., 0.],
          [1., 0., 0.]]
    vmf = tf_vmf.distributions.VonMisesFisher(mean_direction=mu, concentration=[1., 2.])
    vmf.prob([[0., 0., 1.],
              [0., 1., 0.]])  # shape [2]
    vmf.sample(5)  # shape [5, 2, 3]

    # Maximum likelihood.
    samples = vmf[0].sample(1000, seed=(1, 2))
    vmf = tf_vmf.distributions.VonMisesFisher.experimental_fit(samples)
    ```

    #### References

    - K. V. Mardia, P. E. Jupp. Directional Statistics. Wiley, 2000.
    - J. Xu, G. Durrett. Spherical Latent Spaces for Stable Variational Autoencoders. EMNLP 2018.
      https://arxiv.org/abs/1808.10805
    - T. Davidson, L. Falorsi, N. De Cao, T. Kipf, J. Tomczak. Hyperspherical Variational Auto-Encoders. UAI 2018.
      https://arxiv.org/abs/1804.00891
    """

    def __init__(
        self,
        mean_direction: Any,
        concentration: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "VonMisesFisher",
    ):
        """Creates the distribution.

        Args:
            mean_direction: Floating-point `Tensor` `[B1, ..., Bn, d]` of unit vectors, the mode; d >= 2, static.
            concentration: Floating-point `Tensor` >= 0 whose shape broadcasts with `[B1, ..., Bn]`. A Python number counts as
                fixed: sampling is fastest then, and samples carry no gradient in it.
            validate_args: Python `bool`. When `True`, parameters and samples are checked at the cost of speed.
            allow_nan_stats: Python `bool`. All statistics of this distribution are defined; kept for compatibility.
            name: Python `str` name prefixed to ops created by this class.
        """
        parameters = dict(locals())
        with tf.name_scope(name) as name:
            dtype = dtype_util.common_dtype([mean_direction, concentration], tf.float32)
            self._mean_direction = tensor_util.convert_nonref_to_tensor(
                mean_direction, name="mean_direction", dtype=dtype
            )
            self._concentration = tensor_util.convert_nonref_to_tensor(concentration, name="concentration", dtype=dtype)
            is_fixed = isinstance(concentration, (int, float, np.number)) and concentration >= 0
            self._fixed_concentration = float(concentration) if is_fixed else None
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
        return {
            "mean_direction": parameter_properties.ParameterProperties(
                event_ndims=1,
                default_constraining_bijector_fn=UnitVectors,
            ),
            "concentration": parameter_properties.ParameterProperties(
                shape_fn=lambda sample_shape: sample_shape[:-1],
                default_constraining_bijector_fn=lambda: tfb.Softplus(low=epsilon(dtype)),
            ),
        }

    @property
    def mean_direction(self) -> tf.Tensor:
        """Mean direction parameter."""
        return self._mean_direction

    @property
    def concentration(self) -> tf.Tensor:
        """Concentration parameter."""
        return self._concentration

    @classmethod
    def experimental_fit(
        cls,
        value: tf.Tensor,
        sample_ndims: int = 1,
        validate_args: bool = False,
        *,
        weights: tf.Tensor | None = None,
        prior_count: float = 0.0,
        prior_mean: Any = None,
        **init_kwargs: Any,
    ) -> "VonMisesFisher":
        """Returns the distribution of maximum likelihood, or of the largest posterior density, for unit vectors.

        The mean direction is that of the weighted sum of the samples; the concentration solves `A(kappa) = r` for the length
        r of their weighted mean, to full precision. One sample alone would ask for infinity: the result is at most what the dtype
        can tell from a point mass, 7e13 in float32, 1e18 in float64, 65,504 in float16 and 16,384 in bfloat16.

        A conjugate prior, proportional to `c(kappa)^n exp(kappa n m^T mu)` where `c(kappa) exp(kappa mu^T x)` is the density of a
        sample, counts as n more samples of mean m. It keeps the concentration of few samples finite.

        Samples that are not unit vectors have no likelihood. In eager mode they raise a `ValueError`, whatever
        `validate_args`; rows of weight zero may hold anything. Inside a `tf.function` they raise an `InvalidArgumentError` if
        `validate_args=True` and else make the parameters of their batch member NaN. The same holds for weights that are
        negative or not finite, or sum to zero.

        Args:
            value: Floating-point `Tensor` of unit vectors, `sample shape + batch shape + [d]`.
            sample_ndims: Python `int`, how many leading dimensions of `value` count samples.
            validate_args: Passed to the distribution. When `True`, samples and weights are checked in graph mode, too.
            weights: `Tensor` >= 0 of any numbers that broadcasts with `value.shape[:-1]`, for instance the responsibilities
                of a mixture. None weighs all samples alike.
            prior_count: n >= 0. 0 is maximum likelihood.
            prior_mean: m, a vector `[d]` of a length below 1; None is zero.
            **init_kwargs: Further arguments of the distribution.

        Raises:
            ArgumentError: In eager mode, if a row of positive weight is not a unit vector (to 1e-5, or to the precision of a half
                dtype), or a weight is negative or not finite, or weights sum to zero.

        Returns:
            A `VonMisesFisher` of the batch shape of the samples (broadcast with that of the weights).

        #### References

        [1]: A. Banerjee, I. Dhillon, J. Ghosh, S. Sra. Clustering on the Unit Hypersphere using von Mises-Fisher
             Distributions. JMLR 6, 2005.
        """
        with tf.name_scope("experimental_fit"):
            dtype = dtype_util.common_dtype([value], tf.float32)
            value = tf.convert_to_tensor(value, dtype=dtype if dtype_util.is_floating(dtype) else tf.float32)
            mean_direction, concentration = fit_von_mises_fisher(
                value, weights, sample_ndims, validate_args, prior_count, prior_mean
            )
        return cls(mean_direction, concentration, validate_args=validate_args, **init_kwargs)

    @classmethod
    def _maximum_likelihood_parameters(cls, value: tf.Tensor) -> dict[str, tf.Tensor]:
        mean_direction, concentration = fit_von_mises_fisher(value)
        return {"mean_direction": mean_direction, "concentration": concentration}

    def cosine_cdf(self, value: tf.Tensor, name: str = "cosine_cdf") -> tf.Tensor:
        """Cumulative distribution function `P[mu^T X <= value]` of the cosine to the mean direction.

        Args:
            value: Floating-point `Tensor` in [-1, 1] whose shape broadcasts with the batch shape.
            name: Python `str` prepended to names of ops created by this function.
        """
        with self._name_and_control_scope(name):
            value = tf.convert_to_tensor(value, dtype=self.dtype, name="value")
            return vmf_math.von_mises_fisher_cosine_cdf(value, self._batch_concentration(), self._dim())

    def cosine_quantile(self, value: tf.Tensor, name: str = "cosine_quantile") -> tf.Tensor:
        """Quantile function of the cosine to the mean direction, the inverse of `cosine_cdf`.

        Args:
            value: Floating-point `Tensor` of probabilities whose shape broadcasts with the batch shape.
            name: Python `str` prepended to names of ops created by this function.
        """
        with self._name_and_control_scope(name):
            value = tf.convert_to_tensor(value, dtype=self.dtype, name="value")
            return vmf_math.von_mises_fisher_cosine_quantile(value, self._batch_concentration(), self._dim())

    def _dim(self) -> int:
        dim = tf.compat.dimension_value(self.event_shape[0]) if self.event_shape.rank else None
        if dim is None:
            raise ArgumentError(
                "mean_direction",
                "shape (..., d) with a static d, on which the computation depends",
                f"shape {self.mean_direction.shape}",
                "Set it with `tf.ensure_shape`.",
                owner=type(self).__name__,
            )
        return dim

    def _batch_concentration(self) -> tf.Tensor:
        """The concentration, broadcast to the batch shape."""
        concentration = tf.convert_to_tensor(self.concentration)
        return tf.broadcast_to(concentration, self._batch_shape_tensor(concentration=concentration))

    def _event_shape_tensor(self, mean_direction: tf.Tensor | None = None) -> tf.Tensor:
        return tf.shape(self.mean_direction if mean_direction is None else mean_direction)[-1:]

    def _event_shape(self) -> tf.TensorShape:
        shape = tf.TensorShape(self.mean_direction.shape)
        return tf.TensorShape([None]) if shape.rank is None else shape[-1:]

    def _sample_n(self, n: tf.Tensor, seed: Any = None) -> tf.Tensor:
        seed = samplers.sanitize_seed(seed, salt="von_mises_fisher")
        concentration = self._fixed_concentration
        if concentration is None:
            concentration = tf.convert_to_tensor(self.concentration)
        return vmf_math.von_mises_fisher_sample(
            tf.convert_to_tensor(self.mean_direction), concentration, seed=seed, sample_shape=tf.reshape(n, [1])
        )

    def _log_prob(self, x: tf.Tensor) -> tf.Tensor:
        # The largest number stands for infinity, as infinity times zero is NaN.
        concentration = tf.minimum(tf.convert_to_tensor(self.concentration), self.dtype.max)
        distance = cosine_distance(x, tf.convert_to_tensor(self.mean_direction))
        at_mode = vmf_math.log_prob_at_mode(concentration, self._dim())
        return as_uniform_at_zero(at_mode, concentration, self._dim()) - concentration * distance

    def _entropy(self) -> tf.Tensor:
        dim = self._dim()
        divergence = vmf_math.kl_to_uniform(self._batch_concentration(), dim)
        return tf.constant(vmf_math.log_sphere_area(dim), self.dtype) - divergence

    def _mean(self) -> tf.Tensor:
        length = vmf_math.mean_resultant_length(tf.convert_to_tensor(self.concentration), self._dim())
        return length[..., tf.newaxis] * self.mean_direction

    def _mode(self) -> tf.Tensor:
        return self.mean_direction + tf.zeros_like(self.concentration)[..., tf.newaxis]

    def _tangent_and_radial_variance(self) -> tuple[tf.Tensor, tf.Tensor]:
        """A / kappa, the variance orthogonal to mu, and A', the variance of `mu^T x`; both 1/d for kappa = 0."""
        concentration, dim = tf.convert_to_tensor(self.concentration), self._dim()
        # A_d / kappa = 1 / (d + kappa A_{d+2}), the recurrence of the Bessel functions: no division by kappa.
        tangent = 1 / (dim + concentration * vmf_math.mean_resultant_length(concentration, dim + 2))
        return tangent, vmf_math.mean_resultant_length_derivative(concentration, dim)

    def _experimental_tangent_space(self, x: tf.Tensor) -> Any:
        from tensorflow_probability.python.experimental.tangent_spaces import spherical

        del x
        return spherical.SphericalSpace()

    def _sample_control_dependencies(self, samples: tf.Tensor) -> list[tf.Operation]:
        message = "Samples must have innermost dimension matching that of `self.mean_direction`."
        expected, received = self.event_shape[-1], samples.shape[-1]
        if expected is not None and received is not None and expected != received:
            raise ValueError(f"{message} Expected {expected}. Received: {received}.")
        if not self.validate_args:
            return []
        return [
            _assert_unit_length(samples, "Samples must be unit length."),
            assert_util.assert_equal(tf.shape(samples)[-1:], self.event_shape_tensor(), message=message),
        ]

    def _parameter_control_dependencies(self, is_init: bool) -> list[tf.Operation]:
        if not self.validate_args:
            return []
        assertions = []
        if is_init != tensor_util.is_ref(self._mean_direction):
            mean_direction = tf.convert_to_tensor(self.mean_direction)
            assertions += [
                assert_util.assert_greater(
                    # A static dimension is an error now rather than when the graph runs.
                    mean_direction.shape[-1] or tf.shape(mean_direction)[-1],
                    1,
                    message="`mean_direction` may not have scalar event shape",
                ),
                _assert_unit_length(mean_direction, "`mean_direction` must be unit-length"),
            ]
        if is_init != tensor_util.is_ref(self._concentration):
            assertions.append(
                assert_util.assert_non_negative(
                    tf.convert_to_tensor(self.concentration), message="`concentration` must be non-negative"
                )
            )
        return assertions


def _assert_unit_length(x: tf.Tensor, message: str) -> tf.Operation:
    """Half precision is measured in float32; NaN is no unit length."""
    tolerance = rounded_norm_tolerance(x.dtype)
    x = tf.cast(x, tf.float32) if x.dtype.size < 4 else x
    return assert_util.assert_less_equal(
        tf.abs(tf.norm(x, axis=-1) - 1), tf.constant(tolerance, x.dtype), message=message
    )
