"""Paths between codes: along great circles on the sphere, straight for a Gaussian."""

from __future__ import annotations

import numpy as np

# Closer to opposite than this, rounding of float32 codes decides which of the great circles is taken.
_SMALLEST_SUM = 1e-6
_NORM_TOLERANCE = 1e-3  # what float16 codes need


def great_circle(start: np.ndarray, end: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """Points on the shorter great circle from `start` to `end` (slerp; Shoemake, 1985).

    p(t) = [sin((1 - t) a) start + sin(t a) end] / sin(a), a the angle between the two; accurate at all angles, as
    a = 2 atan2(|start - end|, |start + end|) (arccos of the scalar product loses half the digits at small angles).

    Args:
        start: Unit vectors of shape (..., d).
        end: Unit vectors of a shape that broadcasts with it.
        fractions: t, shape (k,): 0 is `start`, 1 is `end`.

    Returns:
        Unit vectors of shape (..., k, d), float64.

    Raises:
        ValueError: A row is no unit vector; or two are opposite, so that infinitely many great circles join them: go by way of
            a third code.
    """
    start, end = np.broadcast_arrays(_unit(start, "start"), _unit(end, "end"))
    fractions = _fractions(fractions)
    apart = np.linalg.norm(start - end, axis=-1)
    together = np.linalg.norm(start + end, axis=-1)
    if np.any(together < _SMALLEST_SUM):
        rows = [tuple(int(i) for i in row) for row in np.argwhere(together < _SMALLEST_SUM)]
        raise ValueError(
            "`start` and `end` are opposite, so that no single great circle joins them"
            + (f", in rows {rows}" if start.ndim > 1 else "")
            + ". Interpolate by way of a third code."
        )
    angle = 2.0 * np.arctan2(apart, together)[..., np.newaxis]
    # sin(t a) / sin(a) = t sinc(t a) / sinc(a), which is t at a = 0. NumPy's sinc has a factor pi.
    of_end = fractions * np.sinc(fractions * angle / np.pi) / np.sinc(angle / np.pi)
    of_start = (1.0 - fractions) * np.sinc((1.0 - fractions) * angle / np.pi) / np.sinc(angle / np.pi)
    points = of_start[..., np.newaxis] * start[..., np.newaxis, :] + of_end[..., np.newaxis] * end[..., np.newaxis, :]
    return points / np.linalg.norm(points, axis=-1, keepdims=True)


def straight_line(start: np.ndarray, end: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """Points (1 - t) start + t end, shape (..., k, d), float64, for start and end of shape (..., d) and t of shape (k,)."""
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    t = _fractions(fractions)[:, np.newaxis]
    return (1.0 - t) * start[..., np.newaxis, :] + t * end[..., np.newaxis, :]


def interpolate(
    start: np.ndarray, end: np.ndarray, num_points: int = 5, *, spherical: bool | None = None
) -> np.ndarray:
    """`num_points` codes at equal distances from `start` to `end`, both included.

    ```python
    path = tf_vmf.analysis.interpolate(first_code, second_code)
    words = model.decode(path)
    ```

    Args:
        start: Codes of shape (..., d).
        end: Codes of a shape that broadcasts with it.
        num_points: At least 2.
        spherical: Along the great circle; else along the straight line. None: along the great circle if all codes are unit
            vectors.

    Returns:
        Codes of shape (..., num_points, d), float64.
    """
    if num_points < 2:
        raise ValueError(
            f"Argument `num_points`: expected at least 2, the two ends. Received: num_points={num_points}."
        )
    if spherical is None:
        norms = np.concatenate([np.linalg.norm(code, axis=-1).ravel() for code in (start, end)])
        spherical = bool(np.all(np.abs(norms - 1.0) < _NORM_TOLERANCE))
    path = great_circle if spherical else straight_line
    return path(start, end, np.linspace(0.0, 1.0, num_points))


def _unit(value: np.ndarray, name: str) -> np.ndarray:
    value = np.asarray(value, np.float64)
    norm = np.linalg.norm(value, axis=-1, keepdims=True)
    if not np.all(np.abs(norm - 1.0) < _NORM_TOLERANCE):
        furthest = norm.flat[np.argmax(np.abs(norm - 1.0))]
        raise ValueError(
            f"`{name}` must hold unit vectors. Received: a vector of norm {furthest:.4g}. Use `straight_line` for others."
        )
    return value / norm


def _fractions(fractions: np.ndarray) -> np.ndarray:
    fractions = np.asarray(fractions, np.float64)
    if fractions.ndim != 1:
        raise ValueError(f"`fractions` must have shape (k,). Received: shape {fractions.shape}.")
    return fractions
