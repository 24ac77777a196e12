"""Mean and its standard error."""

from __future__ import annotations

import numpy as np

from tf_vmf._errors import ArgumentError


def mean_and_standard_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the first axis and its standard error, s / sqrt(n); the error is nan for n = 1."""
    values = np.asarray(values, np.float64)
    size = len(values)
    if size == 0:
        raise ArgumentError("values", "at least one row", "none", owner="mean_and_standard_error")
    mean = values.mean(axis=0)
    if size == 1:
        return mean, np.full_like(mean, np.nan)
    return mean, values.std(axis=0, ddof=1) / np.sqrt(size)
