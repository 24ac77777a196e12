"""Labels as positions in a list of names."""

from collections.abc import Mapping

import numpy as np


def label_positions(
    columns: Mapping[str, np.ndarray | None],
) -> tuple[tuple[str, ...], dict[str, np.ndarray | None]]:
    """Label values, numbers or strings, as int64 positions in the sorted list of all that occur.

    Args:
        columns: the labels of each split.

    Returns:
        (the names of the labels, the columns as positions); ((), a None for each column) if any is None.
    """
    values = {split: np.asarray(column) for split, column in columns.items() if column is not None}
    if len(values) < len(columns):
        return (), dict.fromkeys(columns)
    distinct = np.unique(np.concatenate(list(values.values())))
    names = tuple(str(value) for value in distinct)
    return names, {split: np.searchsorted(distinct, column).astype(np.int64) for split, column in values.items()}
