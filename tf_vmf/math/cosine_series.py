"""Chebyshev series that map standard normal noise to the cosine of a von Mises-Fisher sample.

The cosine `w = mu.x` has the density proportional to `(1 - w^2)^((d-3)/2) exp(kappa w)`. In `y = atanh(w)`, with
`m = d - 1`, that is the log-concave density `sech(y)^m exp(kappa tanh(y))` on the whole line. Its mode and curvature
are closed forms of `p = 1 / sqrt(1 + (2 kappa / m)^2)`, which runs from 1 (uniform) to 0 (infinitely concentrated):

    y0 = asinh(2 kappa / m) / 2,    tanh(y0)^2 = (1 - p) / (1 + p),    1 / sigma^2 = 2 m / (1 + p).

`y = y0 + sigma H(z; p)` with `z ~ N(0, 1)` defines H, the standardised quantile function; it depends on `(d, p)` alone,
is smooth on the closed range of p and tends to `H = z` for growing d. Changing the sign of kappa mirrors the law, so
the part of H that is even in z is `u = sqrt((1 - p) / 2)` times a smooth function of p. This module computes H in
float64 by quadrature and Newton's method and expands it:

    H(z; p) = sum_k c_k T_k(z / Z_LIMIT),   c_k = (u if k is even else 1) * sum_j C[k, j] T_j(2p - 1).

On the circle (d = 2) the signed angle replaces the cosine: with `angle = 2 atan(sinh(eta))` the density of eta is
proportional to `sech(eta) exp(-2 kappa tanh(eta)^2)`, symmetric, with curvature `1 + 4 kappa` at its mode 0, and
`eta = sigma z Q(z^2; q)`, `q = 1 / (1 + kappa)`, is expanded in the same way.

In few dimensions the series is long, and in float32 most of its terms are below rounding. There `cells` tabulates H over (z, u) by
polynomials on small rectangles; as a function of u, H is smooth at both ends.

Everything here is numpy, runs once per dimension (and concentration, if that is fixed) and is cached.
"""

import functools
import math
from collections.abc import Callable

import numpy as np
from numpy.polynomial import chebyshev

Array = np.ndarray

# The series hold for |z| <= Z_LIMIT, beyond which z is clipped: probability 2e-9 (float32) and 8e-11 (float64).
Z_LIMIT = {"float32": 6.0, "float64": 6.5}

# Cells in z and u, and coefficients of each in z and u: 240 kB per dimension. The derivative in u takes the higher degree.
CELLS, ORDERS = (64, 48), (4, 5)
LARGEST_U = math.sqrt(0.5)

_PANELS = 96  # narrower towards the mode
_GAUSS_NODES, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(16)
_LOG_NEGLIGIBLE = -60.0  # densities below exp(-60) of the mode's are left out of the integrals


def degrees(dim: int, dtype: str) -> tuple[int, int]:
    """Returns the degrees in z and in p that reach the accuracy of `dtype`, found by numerical experiment."""
    if dim == 2:
        return (40, 79) if dtype == "float32" else (80, 199)
    m = dim - 1.0
    if dtype == "float32":
        return math.ceil(5 + 85.0 / m**0.78), math.ceil(5 + 70.0 / m**0.8)
    return math.ceil(6 + 145.0 / m**0.8), math.ceil(8 + 125.0 / m**0.8)


def _log_density_sphere(h: Array, m: float, p: Array) -> Array:
    """Log density of `y = y0 + sigma h`, relative to the mode; every term stays accurate at any m and p."""
    w0 = np.sqrt((1 - p) / (1 + p))
    step = np.sqrt((1 + p) / (2 * m)) * h
    decay = np.exp(-2 * np.abs(step))
    tanh = np.sign(step) * (1 - decay) / (1 + decay)
    one_minus_w0 = 2 * p / ((1 + p) * (1 + w0))
    # 1 + w0 tanh, without cancellation where both w0 and -tanh are near 1.
    shift = np.where(step >= 0, 1 + w0 * tanh, (2 * decay + one_minus_w0 * (1 - decay)) / (1 + decay))
    log_cosh = np.abs(step) + np.log1p(decay) - math.log(2)
    return m * (w0 * tanh / shift - np.log(shift) - log_cosh)


def _log_density_circle(h: Array, q: Array) -> Array:
    """Log density of `eta = sigma h`, relative to the mode, where `kappa = (1 - q) / q`, `sigma^2 = q / (4 - 3 q)`."""
    eta = np.sqrt(q / (4 - 3 * q)) * h
    decay = np.exp(-2 * np.abs(eta))
    log_cosh = np.abs(eta) + np.log1p(decay) - math.log(2)
    return -log_cosh - 2 * (1 - q) / q * ((1 - decay) / (1 + decay)) ** 2


def _edge(log_density: Callable[[Array], Array], start: Array) -> Array:
    """Returns a point on the side of `start`, for every parameter, beyond which the density is negligible."""
    edge = start
    while np.any(far := log_density(edge) > _LOG_NEGLIGIBLE):
        edge = np.where(far, 1.3 * edge, edge)
    return edge


def normal_quantiles_to(log_density: Callable[[Array], Array], z: Array, parameters: int) -> Array:
    """Maps normal quantiles z `(n,)` to those of a log-concave density with mode 0 and unit curvature there, to about 1e-14.

    `log_density` maps an array `(parameters, k)` to log densities, up to a constant a row; the result is `(parameters, n)`.
    """
    ones = np.ones((parameters, 1))
    low, high = _edge(log_density, -ones), _edge(log_density, ones)
    grid = np.linspace(-1, 1, _PANELS + 1)
    edges = np.where(grid < 0, low, high) * grid**2
    halves = np.diff(edges) / 2
    nodes = (edges[:, :-1, None] + halves[..., None] * (1 + _GAUSS_NODES)).reshape(parameters, -1)
    density = np.exp(log_density(nodes)).reshape(parameters, _PANELS, -1)
    panels = density @ _GAUSS_WEIGHTS * halves
    total = panels.sum(axis=1, keepdims=True)
    zeros = np.zeros((parameters, 1))
    below = np.hstack([zeros, np.cumsum(panels, axis=1)]) / total
    above = np.hstack([np.cumsum(panels[:, ::-1], axis=1)[:, ::-1], zeros]) / total

    # Newton's method on the logarithm of the smaller tail probability, which is concave: it cannot overshoot for long.
    tail = np.array([0.5 * math.erfc(abs(value) / math.sqrt(2)) for value in z])
    left = z < 0
    points = np.empty((parameters, z.size))
    for row in range(parameters):
        points[row, left] = np.interp(np.log(tail[left]), np.log(below[row, 1:]), edges[row, 1:])
        points[row, ~left] = np.interp(-np.log(tail[~left]), -np.log(above[row, :-1]), edges[row, :-1])
    rows = np.arange(parameters)[:, None]
    for _ in range(30):
        position = np.sign(points) * np.sqrt(points / np.where(points < 0, low, high))
        panel = np.clip(((position + 1) * _PANELS / 2).astype(int), 0, _PANELS - 1) + np.where(left, 0, 1)
        half = (points - edges[rows, panel]) / 2
        inner = (edges[rows, panel][..., None] + half[..., None] * (1 + _GAUSS_NODES)).reshape(parameters, -1)
        partial = np.exp(log_density(inner)).reshape(*points.shape, -1) @ _GAUSS_WEIGHTS * np.abs(half) / total
        probability = np.where(left, below[rows, panel], above[rows, panel]) + partial
        slope = np.exp(log_density(points)) / total
        step = np.log(tail / probability) * probability / slope * np.where(left, 1, -1)
        points = np.clip(points + step, low, high)
        if np.max(np.abs(step)) < 1e-12:
            break
    return points


def _nodes(count: int) -> Array:
    return np.cos(np.pi * (np.arange(count) + 0.5) / count)


def _coefficients(dim: int, parameter: Array, degree: int, dtype: str) -> Array:
    """Returns the Chebyshev coefficients in z, shape `(len(parameter), degree + 1)`, for p (or q on the circle)."""
    column = parameter[:, None]
    # Weighted least squares: the weight follows where normal noise falls, but not too far, so that derivatives are good too.
    if dim == 2:
        # Q is even: a series in 2 t^2 - 1 of the positive half.
        x = _nodes(3 * degree)
        z = Z_LIMIT[dtype] * np.sqrt((1 + x) / 2)
        points = normal_quantiles_to(lambda h: _log_density_circle(h, column), z, parameter.size)
        return chebyshev.chebfit(x, (points / z).T, degree, w=z * np.maximum(np.exp(-z * z / 2), 1e-4)).T
    t = _nodes(3 * degree)
    z = Z_LIMIT[dtype] * t
    points = normal_quantiles_to(lambda h: _log_density_sphere(h, dim - 1.0, column), z, parameter.size)
    return chebyshev.chebfit(t, points.T, degree, w=np.maximum(np.exp(-z * z / 4), 1e-4)).T


@functools.lru_cache(maxsize=256)
def fixed_concentration_series(dim: int, concentration: float, dtype: str) -> Array:
    """Returns the series in z of `sigma H = y - y0` (of Q on the circle) for d = 2 or d >= 4 and one concentration."""
    degree, _ = degrees(dim, dtype)
    if dim == 2:
        return _coefficients(dim, np.array([1 / (1 + concentration)]), degree, dtype)[0]
    ratio = 2 * concentration / (dim - 1.0)
    p = 1 / math.hypot(1, ratio)
    return math.sqrt((1 + p) / (2 * (dim - 1.0))) * _coefficients(dim, np.array([p]), degree, dtype)[0]


@functools.lru_cache(maxsize=64)
def series(dim: int, dtype: str) -> Array:
    """Returns the matrix C of the bivariate series, shape `(degree in z + 1, degree in p + 1)`, for one dimension."""
    degree, degree_in_p = degrees(dim, dtype)
    nodes = _nodes(degree_in_p + 1)
    p = (1 + nodes) / 2
    coefficients = _coefficients(dim, p, degree, dtype)
    if dim > 2:
        coefficients[:, ::2] /= np.sqrt((1 - p) / 2)[:, None]
    return chebyshev.chebfit(nodes, coefficients, degree_in_p).T


@functools.lru_cache(maxsize=16)
def cells(dim: int) -> Array:
    """Returns coefficients of powers of the distances, in cells, from the lower ends of the cells of (z, u), for float32.

    Shape `(cells in z, cells in u, order in z, order in u)`. H is right to 1e-7 / phi(z) (phi: normal density), and its derivative
    in u so well that the derivative of samples in the concentration is right to 6e-6 for d = 4 and 2e-6 for more dimensions.
    """
    exact, limit = series(dim, "float64"), Z_LIMIT["float32"] / Z_LIMIT["float64"]
    (in_z, in_u), (at_z, at_u) = CELLS, ((1 + _nodes(order)) / 2 for order in ORDERS)
    t = limit * (2 * (np.arange(in_z)[:, np.newaxis] + at_z).ravel() / in_z - 1)
    u = LARGEST_U * (np.arange(in_u)[:, np.newaxis] + at_u).ravel() / in_u
    in_p = chebyshev.chebvander(1 - 4 * u * u, exact.shape[1] - 1) @ exact.T
    in_p[:, ::2] *= u[:, np.newaxis]
    values = (chebyshev.chebvander(t, exact.shape[0] - 1) @ in_p.T).reshape(in_z, ORDERS[0], in_u, ORDERS[1])
    to_z, to_u = (np.linalg.inv(np.vander(at, increasing=True)) for at in (at_z, at_u))
    return np.einsum("ka,lb,zaub->zukl", to_z, to_u, values).astype(np.float32)
