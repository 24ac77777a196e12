"""Modified Bessel functions of the first kind, and the normalizer of the von Mises-Fisher density, which is made of one."""

import math
from collections.abc import Callable

import tensorflow as tf

from tf_vmf.math import _formulas
from tf_vmf.math._arguments import check_dim, check_order, compute_dtype
from tf_vmf.math.arrays import log_sphere_area
from tf_vmf.math.custom_gradient import custom_gradient
from tf_vmf.math.resultant_length import mean, one_minus_mean, slope


def log_bessel_i(order: float, x: tf.Tensor) -> tf.Tensor:
    """`log I_v(x)`, the modified Bessel function of the first kind.

    With d = 2 v + 2 it is the normaliser of the von Mises-Fisher distribution in R^d:
    `log I_v(x) = log 0F1(; v + 1; x^2/4) + v log(x/2) - log Gamma(v + 1)`. The absolute error is a few rounding errors of
    `sqrt(v^2 + x^2)`, which is what one rounding of x brings about; the relative error is larger where log I_v crosses 0.

    Args:
        order: Python number v >= 0, not necessarily an integer or half-integer.
        x: Float tensor of any shape, x >= 0.

    Returns:
        Tensor of the shape and dtype of `x`; at x = 0 it is 0 for v = 0 and minus infinity for v > 0. Its gradient is
        `I_{v+1}(x) / I_v(x) + v / x`.

    Raises:
        TypeError: If `order` is not a real number or `x` not a float tensor.
        ArgumentError: If `order` is negative or not finite.

    References:
        NIST Digital Library of Mathematical Functions, 10.39.9 (as 0F1), 10.41.3 (uniform expansion).
    """
    v = check_order(order)
    (converted,), restore = compute_dtype(x, names=("x",))

    @custom_gradient
    def forward(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            ratio = mean(x, 2.0 * v + 2.0)
            return upstream * (ratio + v / x if v else ratio)

        return _log_bessel_i(v, x), gradient

    return restore(forward(converted))


def bessel_i_ratio(order: float, x: tf.Tensor) -> tf.Tensor:
    """`I_{v+1}(x) / I_v(x)`, the mean resultant length of the von Mises-Fisher distribution in R^(2 v + 2).

    Relative error below 5e-7 in float32 and 2e-15 in float64, gradient included, for any order.

    Args:
        order: Python number v >= 0, not necessarily an integer or half-integer.
        x: Float tensor of any shape, x >= 0.

    Returns:
        Tensor of the shape and dtype of `x`, in [0, 1): about `x / (2 v + 2)` near 0.

    Raises:
        TypeError: If `order` is not a real number or `x` not a float tensor.
        ArgumentError: If `order` is negative or not finite.
    """
    v = check_order(order)
    (converted,), restore = compute_dtype(x, names=("x",))
    return restore(mean(converted, 2.0 * v + 2.0))


def bessel_i_ratio_derivative(order: float, x: tf.Tensor) -> tf.Tensor:
    """Derivative in x of `bessel_i_ratio`, positive, without cancellation.

    Args:
        order: Python number v >= 0.
        x: Float tensor of any shape, x >= 0.

    Returns:
        Tensor of the shape and dtype of `x`: `1 / (2 v + 2)` at 0.

    Raises:
        TypeError: If `order` is not a real number or `x` not a float tensor.
        ArgumentError: If `order` is negative or not finite.
    """
    v = check_order(order)
    (converted,), restore = compute_dtype(x, names=("x",))
    return restore(slope(converted, 2.0 * v + 2.0))


def _log_bessel_i(v: float, x: tf.Tensor) -> tf.Tensor:
    """Log I_v as x A - KL + v log(x/2) - log Gamma(v + 1), with the large terms joined.

    KL has the leading term (v + 1/2) log((1 + s)/2), so v log(x/2) becomes v log(x/(1 + s)), which is of the size of
    v log v - log Gamma(v + 1) in the transition region.
    """
    dim = 2.0 * v + 2.0
    r = _formulas.reduced(x, dim)
    product = x * _formulas.mean(r, dim)
    if v == 0.0:
        return tf.where(x == math.inf, x, product - _formulas.kl(r, dim))
    unit = max(v, 1.0)  # x is measured in units of v, unless that is tiny
    powers = v * tf.math.log((r.bounded / unit) * (r.p / (1.0 + r.p))) + _log_power_over_gamma(v, unit)
    value = powers + product - 0.5 * _formulas.log_half_one_plus_s(r, dim) - _formulas.kl_remainder(r, dim)
    return tf.where(x == math.inf, x, value)


def _log_power_over_gamma(v: float, unit: float) -> float:
    """Return log(unit^v / Gamma(v + 1)); for large v by Stirling's series, where lgamma would be rounded at its own size."""
    if v < 20.0:
        return v * math.log(unit) - math.lgamma(v + 1.0)
    w = 1.0 / (v * v)
    stirling = (1.0 / 12.0 - w * (1.0 / 360.0 - w * (1.0 / 1260.0 - w * (1.0 / 1680.0 - w / 1188.0)))) / v
    return v - 0.5 * math.log(2.0 * math.pi * v) - stirling


def log_hyp0f1(concentration: tf.Tensor, dim: int) -> tf.Tensor:
    """`log 0F1(; d/2; kappa^2/4) = log E[exp(kappa mu . x)]` for x uniform on the sphere.

    Its derivative in kappa is the mean resultant length.

    Args:
        concentration: Float tensor of any shape, kappa >= 0.
        dim: Python int d >= 2, the dimension of the space that holds the sphere.

    Returns:
        Tensor of the shape and dtype of `concentration`: `kappa^2 / (2 d)` near 0, `kappa - (d - 1)/2 log(kappa)` to leading order
        for large kappa.

    Raises:
        TypeError: If `dim` is not an int or `concentration` not a float tensor.
        ArgumentError: If `dim` < 2.
    """
    dim = check_dim(dim)
    (kappa,), restore = compute_dtype(concentration, names=("concentration",))
    return restore(log_expectation(kappa, float(dim)))


def log_normalizer(concentration: tf.Tensor, dim: int) -> tf.Tensor:
    """Log of the normaliser Z of the density `exp(kappa mu . x) / Z` with respect to the area of the sphere.

    `log Z = log area(S^(d-1)) + log 0F1(; d/2; kappa^2/4)`. For `log_prob` prefer `log_prob_at_mode`, from which the large
    part kappa has been taken out.

    Args:
        concentration: Float tensor of any shape, kappa >= 0.
        dim: Python int d >= 2, the dimension of the space that holds the sphere.

    Returns:
        Tensor of the shape and dtype of `concentration`.

    Raises:
        TypeError: If `dim` is not an int or `concentration` not a float tensor.
        ArgumentError: If `dim` < 2.

    References:
        K. V. Mardia, P. E. Jupp. Directional Statistics, 2000, equation 9.3.4.
    """
    dim = check_dim(dim)
    (kappa,), restore = compute_dtype(concentration, names=("concentration",))
    return restore(log_sphere_area(dim) + log_expectation(kappa, float(dim)))


def log_prob_at_mode(concentration: tf.Tensor, dim: int) -> tf.Tensor:
    """Log density at the mean direction, `kappa - log_normalizer(kappa)`, without subtracting large numbers.

    The log density elsewhere is `log_prob_at_mode(kappa, d) - kappa ||x - mu||^2 / 2`, which keeps its accuracy in float32
    where `kappa mu . x - log_normalizer` loses it.

    Args:
        concentration: Float tensor of any shape, kappa >= 0.
        dim: Python int d >= 2, the dimension of the space that holds the sphere.

    Returns:
        Tensor of the shape and dtype of `concentration`: minus the log area of the sphere at 0, about
        `(d - 1)/2 log(kappa / (2 pi))` for large kappa.

    Raises:
        TypeError: If `dim` is not an int or `concentration` not a float tensor.
        ArgumentError: If `dim` < 2.
    """
    dim = check_dim(dim)
    (kappa,), restore = compute_dtype(concentration, names=("concentration",))
    return restore(_mode_excess(kappa, float(dim)) - log_sphere_area(dim))


def log_expectation(kappa: tf.Tensor, dim: float) -> tf.Tensor:
    """Log 0F1 = kappa A - KL for real `dim`, with A as its gradient."""

    @custom_gradient
    def forward(kappa: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        r = _formulas.reduced(tf.minimum(kappa, kappa.dtype.max), dim)  # at infinity the difference is infinite
        value = kappa * _formulas.mean(r, dim) - _formulas.kl(r, dim)
        return value, lambda upstream: upstream * mean(kappa, dim)

    return forward(kappa)


def _mode_excess(kappa: tf.Tensor, dim: float) -> tf.Tensor:
    """Kappa - log 0F1 = kappa (1 - A) + KL, a sum of two positive terms, with 1 - A as its gradient."""

    @custom_gradient
    def forward(kappa: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        r = _formulas.reduced(kappa, dim)
        # The product tends to (dim - 1)/2.
        value = r.bounded * _formulas.one_minus_bounded_mean(r, dim) + _formulas.kl(r, dim)
        return value, lambda upstream: upstream * one_minus_mean(kappa, dim)

    return forward(kappa)
