"""Splits of a corpus by seed."""

import numpy as np


def split_rows(
    num_rows: int, held_out: int | float, seed: int, name: str = "held_out"
) -> tuple[np.ndarray, np.ndarray]:
    """Draws rows to hold out, uniformly and without replacement.

    Args:
        num_rows: how many rows there are.
        held_out: how many to hold out, an int; or which share of them, a float in (0, 1).
        seed: the same seed holds out the same rows on every platform and numpy version.
        name: the argument to name in errors.

    Returns:
        (kept, held out): sorted int64 positions that together are 0..num_rows-1.

    Raises:
        ValueError: `held_out` leaves no row on either side.
    """
    size = round(held_out * num_rows) if isinstance(held_out, float) else held_out
    if not 0 < size < num_rows or (isinstance(held_out, float) and not 0 < held_out < 1):
        raise ValueError(
            f"`{name}` must be a number of documents from 1 to {num_rows - 1}, or a share in (0, 1) that leaves at "
            f"least one of {num_rows} documents on either side. Received: {name}={held_out}."
        )
    # numpy promises the stream of RandomState for good; that of default_rng may change between versions.
    order = np.random.RandomState(seed).permutation(num_rows)
    return np.sort(order[size:]), np.sort(order[:size])
