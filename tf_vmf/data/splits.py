"""Splits of a corpus by seed."""

import numbers
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tf_vmf._errors import ArgumentError

SPLITS = ("train", "valid", "test")

SPLIT_SIZES = {"validation_size": "valid", "test_size": "test"}  # the arguments that give the sizes of splits
_ARGUMENTS = {split: argument for argument, split in SPLIT_SIZES.items()}


@dataclass(frozen=True)
class HeldOut:
    """The splits to hold out of the training texts."""

    # their sizes, a number of texts or a share of all, in the order of drawing; None: a tenth, and at most `most`
    sizes: Mapping[str, int | float | None]
    seed: int  # of the draw. The same seed gives the same split everywhere.
    most: int | None = None  # None: no limit

    @classmethod
    def beside(
        cls,
        splits: Collection[str],
        validation_size: int | float | None,
        test_size: int | float | None,
        seed: int,
        most: int | None = None,
    ) -> "HeldOut":
        """Validation and test, where they are not among the splits that have texts of their own."""
        sizes = {"test": test_size, "valid": validation_size}
        return cls({split: size for split, size in sizes.items() if split not in splits}, seed, most)

    def of(self, num_texts: int) -> "HeldOut":
        """The same with a size for every split, for so many texts."""
        by_default = 0.1 if self.most is None or num_texts <= 10 * self.most else self.most
        return replace(self, sizes={split: by_default if size is None else size for split, size in self.sizes.items()})

    def notes(self, unit: str) -> dict[str, Any]:
        """The split in words, for the record of a run; `unit` names what is split."""
        sizes = " and ".join(f"{size} of all {unit} for {split}" for split, size in self.sizes.items())
        described = f"single {unit} held out of train at random by seed: {sizes}" if sizes else "as given"
        return {"split": described, "split_seed": self.seed}


def split_rows(
    num_rows: int, held_out: int | float, seed: int, name: str = "held_out"
) -> tuple[np.ndarray, np.ndarray]:
    """Sorted positions (kept, held out) of rows drawn without replacement: a number of them, or a share if it is a float.

    The same seed holds out the same rows on every platform and numpy version. `name` is for errors.
    """
    is_number = isinstance(held_out, numbers.Real) and not isinstance(held_out, bool) and held_out == held_out
    size = 0 if not is_number else round(held_out * num_rows) if isinstance(held_out, float) else held_out
    if not 0 < size < num_rows or (isinstance(held_out, float) and not 0 < held_out < 1):
        expected = (
            f"a number from 1 to {num_rows - 1}, or a share in (0, 1) that leaves one of {num_rows} on either side"
        )
        raise ArgumentError(name, expected, repr(held_out))
    if not isinstance(seed, numbers.Integral) or not 0 <= seed < 2**32:
        raise ArgumentError("seed", "an integer in [0, 2**32)", repr(seed))
    # numpy promises the stream of RandomState for good; that of default_rng may change between versions.
    order = np.random.RandomState(seed).permutation(num_rows)
    return np.sort(order[size:]), np.sort(order[:size])


def split_three_ways(num_rows: int, held_out: Mapping[str, Any], seed: int) -> dict[str, np.ndarray]:
    """Splits rows into "train" and what `held_out` names."""
    if held_out and num_rows <= len(held_out):
        expected = f"{len(held_out) + 1} texts or more that hold a word, one each for {', '.join(['train', *held_out])}"
        raise ArgumentError("texts", expected, str(num_rows))
    rest = np.arange(num_rows)
    rows: dict[str, np.ndarray] = {}
    for name, size in held_out.items():
        number = max(1, round(size * num_rows)) if isinstance(size, float) and 0 < size < 1 else size
        kept, held = split_rows(len(rest), number, seed, _ARGUMENTS.get(name, name))
        rows[name], rest = rest[held], rest[kept]
    return {"train": rest, **rows}
