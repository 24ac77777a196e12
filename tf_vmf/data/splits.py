"""Splits of a corpus by seed."""

import numpy as np

_ARGUMENTS = {"valid": "validation_size", "test": "test_size"}  # what callers call the size of a split


def check_sizes(
    valid_files: object, test_files: object, *, validation_size: float | None, test_size: float | None
) -> None:
    """Refuses the size of a split whose files are given.

    Raises:
        ValueError: Both are given.
    """
    for name, files, size in (("valid", valid_files, validation_size), ("test", test_files, test_size)):
        if files is not None and size is not None:
            raise ValueError(
                f"Give either `{name}_files` or `{_ARGUMENTS[name]}`. Received: {_ARGUMENTS[name]}={size}."
            )


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


def split_three_ways(num_rows: int, held_out: dict[str, int | float], seed: int) -> dict[str, np.ndarray]:
    """Splits rows into "train" and what `held_out` names.

    Args:
        num_rows: how many rows there are.
        held_out: the size of each split to hold out, in documents or as a share of all rows, in the order of drawing.
        seed: as in `split_rows`.

    Returns:
        Sorted positions of each split, disjoint, together 0..num_rows-1.

    Raises:
        ValueError: There are fewer rows than splits, or a size leaves none for another split.
    """
    if held_out and num_rows <= len(held_out):
        raise ValueError(
            f"Expected at least {len(held_out) + 1} texts that hold a word, one each for {', '.join(['train', *held_out])}. "
            f"Received: {num_rows}."
        )
    rest = np.arange(num_rows)
    rows: dict[str, np.ndarray] = {}
    for name, size in held_out.items():
        number = max(1, round(size * num_rows)) if isinstance(size, float) and 0 < size < 1 else size
        kept, held = split_rows(len(rest), number, seed, _ARGUMENTS.get(name, name))
        rows[name], rest = rest[held], rest[kept]
    return {"train": rest, **rows}
