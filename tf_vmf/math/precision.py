"""Limits that follow from the precision of a dtype."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf

# Beyond this concentration the distribution is a point mass to any precision: samples equal the mean direction, and the
# functions follow their leading term exactly. The square of the bound is finite in float32.
POINT_MASS_CONCENTRATION = 1e18

# Distance from 1 to the next larger number; `numpy.finfo` does not know bfloat16.
_EPSILON = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}


def epsilon(dtype: tf.DType) -> float:
    """Distance from 1 to the next larger number of a floating dtype, bfloat16 included."""
    return _EPSILON[getattr(dtype, "name", dtype)]


def rounded_norm_tolerance(dtype: tf.DType) -> float:
    """How far from 1 the norm of a vector may be that was normalised in its dtype and is measured in at least float32."""
    return (20 if getattr(dtype, "name", dtype) in ("float32", "float64") else 4) * epsilon(dtype)


def unit_norm_tolerance(dtype: tf.DType) -> float:
    """How far from 1 the norm of a vector of data may be: at least 1e-5, as data have passed through other dtypes."""
    return max(1e-5, rounded_norm_tolerance(dtype))


def largest_fitted_concentration(dtype: tf.DType) -> float:
    """The largest concentration that points of a dtype can tell from a point mass: a number of the dtype.

    Rounding alone moves the coordinates by epsilon, which looks like a concentration of at least 1 / epsilon^2: 7e13 in float32,
    16,384 in bfloat16; at most 1e18 in float64, and the largest number, 65,504, in float16.
    """
    largest_number = 65504.0 if getattr(dtype, "name", dtype) == "float16" else float("inf")
    return min(epsilon(dtype) ** -2, POINT_MASS_CONCENTRATION, largest_number)
