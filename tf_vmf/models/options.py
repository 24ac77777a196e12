"""Options that several models have."""

from __future__ import annotations

from typing import Any

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.layers import LatentLayer

# What training does with several samples of z.
SAMPLE_REDUCTIONS = ("mean_loss", "mean_code", "importance_weighted")


def check_reduction(sample_reduction: str, num_samples: int, latent: LatentLayer | None) -> None:
    """Checks what training does with several samples.

    Raises:
        ArgumentError: It is unknown, or there are no samples to take the mean of.
    """
    if sample_reduction not in SAMPLE_REDUCTIONS:
        raise ArgumentError("sample_reduction", f"one of {SAMPLE_REDUCTIONS}", repr(sample_reduction))
    if sample_reduction != "mean_loss" and (num_samples < 2 or latent is None):
        raise ArgumentError(
            "sample_reduction",
            f"with {sample_reduction!r} a latent variable and num_samples of at least 2, as one sample makes no difference",
            f"num_samples={num_samples}, latent={latent!r}",
        )


def resolve_z_scale(z_scale: Any, latent: LatentLayer | None) -> Any:
    """The factor of z where a decoder reads it, a number or one per dimension; None: the latent layer's `coordinate_scale`.

    Raises:
        ValueError: It is not finite.
    """
    if z_scale is None:
        z_scale = 1.0 if latent is None else latent.coordinate_scale
    if not np.all(np.isfinite(z_scale)):
        raise ArgumentError("z_scale", "a finite number or None", repr(z_scale))
    return np.asarray(z_scale, np.float64).tolist()
