"""Checks of files of text that need no TensorFlow, whose import takes seconds."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from tf_vmf._errors import ArgumentError, MissingPlaceError

_PATTERN = frozenset("*?[")
_MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16, which the reader refuses in words of its own
_LONGEST_HEADER = 2**16


def check_text(entry: str, columns: Mapping[str, str]) -> None:
    """Checks one entry of an option that names texts: a path, `label=path` or a pattern.

    Args:
        entry: The entry.
        columns: Names of columns by the option that holds them, which a table must have in its header.

    Raises:
        MissingPlaceError: There is no such file or folder.
        ArgumentError: The header of a CSV or TSV file holds no column of a name.
    """
    if _PATTERN & set(entry):
        return
    rest = entry.partition("=")[2]
    path = Path(entry) if os.path.exists(entry) or not rest else Path(rest)
    if not path.exists():
        raise MissingPlaceError("a text file, a folder of text files, or label=path", entry, remedy=_remedy(entry))
    name = path.name.lower().removesuffix(".gz")
    if columns and path.is_file() and name.endswith((".csv", ".tsv")):
        header = _header(path)
        for option, column in columns.items():
            # Whatever separates them: a name that is nowhere in the line is no column.
            if header is not None and column not in header.replace('""', '"'):
                raise ArgumentError(option, f"a column of {path}", repr(column), f"Its first line is {header!r}.")


def _remedy(entry: str) -> str:
    return "A path is no place for a line break." if "\n" in entry else ""


def _header(path: Path) -> str | None:
    """The first line that is not blank; None where it is not known."""
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            lines = islice(iter(lambda: file.readline(_LONGEST_HEADER), b""), 100)
            first = next((line for line in lines if line.strip()), b"")
        if first.startswith(_MARKS) or first.count(b'"') % 2:  # a quoted name with a line break
            return None
        return first.decode("utf-8-sig").strip()
    except (OSError, EOFError, UnicodeDecodeError):
        return None
