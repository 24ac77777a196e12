"""Samples on the sphere as arrays, checked, and results of their analysis that can be compared."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.distributions.maximum_likelihood import sample_error
from tf_vmf.math.precision import largest_fitted_concentration, unit_norm_tolerance


class SampleResult:
    """A dataclass of numbers and arrays; results are equal if all of their fields are."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        names = [field.name for field in dataclasses.fields(self)]  # type: ignore[arg-type]
        return all(np.array_equal(getattr(self, name), getattr(other, name), equal_nan=True) for name in names)

    __hash__ = None  # type: ignore[assignment]


def unit_points(samples: Any, owner: str) -> tuple[np.ndarray, float]:
    """The samples in double precision, of unit length to rounding, and the largest concentration that their dtype can tell.

    Args:
        samples: Unit vectors, n >= 2 points along the first axis, d >= 2.
        owner: The function whose argument they are.

    Raises:
        ArgumentError: A sample is no unit vector, or the shape is another.
    """
    dtype = tf.as_dtype(getattr(samples, "dtype", tf.float64))
    dtype = dtype if dtype.is_floating else tf.float64
    points = np.asarray(tf.cast(samples, tf.float64) if tf.is_tensor(samples) else samples).astype(np.float64)
    if points.ndim < 2 or points.shape[0] < 2 or points.shape[-1] < 2:
        raise ArgumentError(
            "samples",
            "shape (n, ..., d), n >= 2 points in d >= 2 dimensions",
            f"shape {points.shape}",
            owner=owner,
        )
    norm = np.linalg.norm(points, axis=-1)
    is_unit = np.abs(norm - 1) <= unit_norm_tolerance(dtype)  # NaN is not
    if not is_unit.all():
        weights = np.ones_like(norm)
        raise sample_error(norm, is_unit, weights, np.zeros_like(is_unit), dtype)
    return points / norm[..., np.newaxis], largest_fitted_concentration(dtype)
