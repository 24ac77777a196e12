"""The von Mises-Fisher distribution in JAX: samples as a smooth function of normal noise, KL and mean cosine.

The sampler is that of the package (tf_vmf/math/von_mises_fisher_sampler.py), with its series of coefficients. KL and mean cosine
are Chebyshev polynomials in log kappa, fitted to the package's formulas in double precision.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.polynomial import chebyshev

from tf_vmf.math import _formulas, cosine_series

Array = Any  # jax.Array or numpy.ndarray

_NOISE_LIMIT = cosine_series.Z_LIMIT["float32"]
_LOG_RANGE = np.log([0.5, 3000.0])  # of concentrations
_NODES, _KL_DEGREE, _MEAN_DEGREE = 160, 48, 32


class VonMisesFisher(NamedTuple):
    """The functions of one dimension d.

    Attributes:
        sample: (mean direction (..., d), kappa (...), standard normal noise (..., d)) -> sample (..., d).
        kl: kappa -> KL(vMF || uniform), nats.
        mean: kappa -> E[mu . x].
    """

    sample: Callable[[Array, Array, Array], Array]
    kl: Callable[[Array], Array]
    mean: Callable[[Array], Array]


@functools.lru_cache
def von_mises_fisher(dim: int) -> VonMisesFisher:
    """The functions of dimension `dim` >= 3; concentrations in [0.5, 3000]."""
    cosine = _cosine_function(dim)

    def draw(mu: Array, kappa: Array, noise: Array) -> tuple[Array, Array, Array]:
        along = jnp.sum(noise * mu, -1)
        w, sine, rate = cosine(along, kappa)
        tangent = noise - along[..., None] * mu
        # Once more: the first projection leaves a rounding error.
        tangent = tangent - jnp.sum(tangent * mu, -1, keepdims=True) * mu
        scale = sine / jnp.maximum(jnp.linalg.norm(tangent, axis=-1), 1e-30)
        return w[..., None] * mu + scale[..., None] * tangent, w, rate

    @jax.custom_vjp
    def sample(mu: Array, kappa: Array, noise: Array) -> Array:
        return draw(mu, kappa, noise)[0]

    def forward(mu: Array, kappa: Array, noise: Array) -> tuple[Array, tuple]:
        x, w, rate = draw(mu, kappa, noise)
        return x, (mu, kappa, x, w, rate)

    def backward(residuals: tuple, upstream: Array) -> tuple:
        # The gradient in mu that the package uses: unbiased, as that of the sample, with less variance.
        mu, kappa, x, w, rate = residuals
        root = jnp.sqrt((dim - 1.0) ** 2 + 4 * kappa * kappa)
        gamma = 4 * kappa / (3 * root + dim - 5)
        factor = 3 * kappa * gamma / (root + dim - 1)
        along_mu, along_x = jnp.sum(upstream * mu, -1), jnp.sum(upstream * x, -1)
        to_mu = (factor * w + gamma * (1 - w * w))[..., None] * upstream
        to_mu += ((gamma * w - factor) * along_mu - gamma * along_x)[..., None] * x
        return to_mu, rate * (along_mu - w * along_x), None

    sample.defvjp(forward, backward)
    return VonMisesFisher(sample, _fitted(_formulas.kl, dim, _KL_DEGREE), _fitted(_formulas.mean, dim, _MEAN_DEGREE))


def _cosine_function(dim: int) -> Callable[[Array, Array], tuple[Array, Array, Array]]:
    """(z, kappa) -> the cosine of a sample, its sine, and the derivative in kappa of atanh(cosine); see `cosine_series`."""
    series = np.asarray(cosine_series.series(dim, "float32"), np.float32)
    m = dim - 1.0

    def from_mode(kappa: Array, t: Array) -> Array:
        """The atanh of the cosine, less that of the mode."""
        p, ratio = _reduced(kappa, m)
        root = jnp.sqrt(2 * (1 + p))
        x = 2 * p - 1
        basis = [jnp.ones_like(x), x]
        while len(basis) < series.shape[1]:
            basis.append(2 * x * basis[-1] - basis[-2])
        # At full precision: a product in TF32 would cost three digits of the cosine.
        values = jnp.einsum("kc,c...->k...", series, jnp.stack(basis), precision=jax.lax.Precision.HIGHEST)
        u = ratio * p / root
        return root / (2 * math.sqrt(m)) * _clenshaw([u * c if k % 2 == 0 else c for k, c in enumerate(values)], t)

    def cosine(z: Array, kappa: Array) -> tuple[Array, Array, Array]:
        t = jnp.clip(z, -_NOISE_LIMIT, _NOISE_LIMIT) / _NOISE_LIMIT
        step, slope = jax.jvp(lambda kappa: from_mode(kappa, t), (kappa,), (jnp.ones_like(kappa),))
        p, ratio = _reduced(kappa, m)
        mode_cosine, mode_sine = ratio * p / (1 + p), jnp.sqrt(2 * p / (1 + p))
        tanh = jnp.tanh(step)
        shift = 1 + mode_cosine * tanh
        return (mode_cosine + tanh) / shift, mode_sine / (jnp.cosh(step) * shift), p / m + slope

    return cosine


def _reduced(kappa: Array, m: float) -> tuple[Array, Array]:
    """The variable p of the series, and 2 kappa / m."""
    ratio = (2 / m) * kappa
    return jax.lax.rsqrt(1 + ratio * ratio), ratio


def _fitted(formula: Callable, dim: int, degree: int) -> Callable[[Array], Array]:
    """A function of kappa and the dimension as a polynomial in log kappa."""
    low, high = _LOG_RANGE
    x = np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)
    kappa = np.exp((x * (high - low) + low + high) / 2)
    values = formula(_formulas.reduced(kappa, float(dim)), float(dim))
    coefficients = [np.float32(c) for c in chebyshev.chebfit(x, values, degree)]
    return lambda kappa: _clenshaw(coefficients, (2 * jnp.log(kappa) - low - high) / (high - low))


def _clenshaw(coefficients: Sequence[Array], x: Array) -> Array:
    """The value at x of a Chebyshev series."""
    twice = 2 * x
    previous, value = coefficients[-1], twice * coefficients[-1] + coefficients[-2]
    for c in coefficients[-3:0:-1]:
        previous, value = value, twice * value + (c - previous)
    return x * value + (coefficients[0] - previous)
