"""What the public functions accept: checks of the static arguments, dtypes of the tensors."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_vmf._errors import ArgumentError

if TYPE_CHECKING:
    import tensorflow as tf

_COMPUTE_DTYPES = ("float32", "float64")
_HALF_DTYPES = ("float16", "bfloat16")


def check_dim(dim: int) -> int:
    """Return `dim` as a Python int, or raise a TypeError if it is not an integer, an ArgumentError if it is below 2."""
    if isinstance(dim, bool) or not isinstance(dim, numbers.Integral):
        raise TypeError(
            f"Argument `dim` must be a Python int, the dimension of the space that holds the sphere. Expected an int >= 2. "
            f"Received: dim={dim!r} of type {type(dim).__name__}. The coefficients depend on it, so it must be static: "
            f"take it from `x.shape[-1]`, not from `tf.shape(x)`."
        )
    if dim < 2:
        raise ArgumentError("dim", "an int >= 2", str(dim), "Unit vectors live in R^dim.")
    return int(dim)


def check_order(order: float) -> float:
    """Return `order` as a float, or raise a TypeError if it is not real, an ArgumentError if it is negative or not finite."""
    if isinstance(order, bool) or not isinstance(order, numbers.Real):
        raise TypeError(
            f"Argument `order` must be a Python number, as the coefficients depend on it. Expected a real number >= 0. "
            f"Received: order={order!r} of type {type(order).__name__}."
        )
    if not 0.0 <= order < float("inf"):
        raise ArgumentError("order", "a finite real number >= 0", str(order))
    return float(order)


def compute_dtype(
    *values: tf.Tensor | float, names: tuple[str, ...]
) -> tuple[tuple[tf.Tensor, ...], Callable[[tf.Tensor], tf.Tensor]]:
    """Convert to tensors of one dtype in which the functions are accurate, and the function that casts a result back.

    Python numbers and NumPy integers become float32, or the dtype of the first float among `values`; half precision is computed in
    float32. Raises a TypeError with the `names` if a dtype is not a floating one, or they differ.
    """
    import tensorflow as tf

    values = tuple(np.asarray(v).tolist() if _is_numpy_integer(v) else v for v in values)
    dtype = next((tf.as_dtype(v.dtype) for v in values if hasattr(v, "dtype")), None)
    if dtype is not None and dtype.name not in _COMPUTE_DTYPES + _HALF_DTYPES:
        found = ", ".join(
            f"{n} of dtype {tf.as_dtype(v.dtype).name}"
            for n, v in zip(names, values, strict=True)
            if hasattr(v, "dtype")
        )
        raise TypeError(
            f"Expected floating-point tensors (float16, bfloat16, float32 or float64) for {', '.join(names)}. Received: {found}. "
            f"Cast with `tf.cast(x, tf.float32)`."
        )
    converted = []
    for name, value in zip(names, values, strict=True):
        try:
            converted.append(tf.convert_to_tensor(value, dtype=dtype, dtype_hint=tf.float32, name=name))
        except (TypeError, ValueError) as error:
            wanted = "a float tensor" if dtype is None else f"a {dtype.name} tensor, the dtype of the other arguments"
            raise TypeError(
                f"Argument `{name}` does not convert to {wanted}. Received: {value!r}. Cast it first."
            ) from error
    dtype = converted[0].dtype
    if dtype.name in _HALF_DTYPES:
        return tuple(tf.cast(v, tf.float32) for v in converted), lambda result: tf.cast(result, dtype)
    return tuple(converted), lambda result: result


def _is_numpy_integer(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic) and np.issubdtype(value.dtype, np.integer)
