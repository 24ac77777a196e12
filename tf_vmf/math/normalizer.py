"""Log normaliser of the von Mises-Fisher density, and the log density at its mode."""

from collections.abc import Callable

import tensorflow as tf

from tf_vmf.math import _formulas
from tf_vmf.math._arguments import check_dim, compute_dtype
from tf_vmf.math.arrays import log_sphere_area
from tf_vmf.math.custom_gradient import custom_gradient
from tf_vmf.math.resultant_length import mean, one_minus_mean


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
