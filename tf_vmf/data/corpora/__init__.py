"""Corpora with a name, one per file; each registers itself when `tf_vmf.data` imports it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tf_vmf._errors import MissingPlaceError


def folder_with(files: Collection[str], data_dir: str | Path, name: str, source: str) -> Path:
    """`data_dir`, or its folder `name`: the one that holds the files.

    Raises:
        FileNotFoundError: They are in neither; the message names them and their source, a clause.
    """
    for folder in (Path(data_dir), Path(data_dir) / name):
        if all((folder / file).is_file() for file in files):
            return folder
    expected = f"{', '.join(files)} in it or its folder {name}: {source}"
    raise MissingPlaceError(expected, data_dir, name="data_dir")
