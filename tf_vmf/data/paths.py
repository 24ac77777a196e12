"""What callers may give as files."""

import glob
from collections.abc import Sequence
from pathlib import Path

Paths = str | Path | Sequence[str | Path]  # one or several, patterns among them


def as_paths(paths: Paths) -> list[Path]:
    """A list of paths, of one or several; patterns such as `text/*.txt`, and `label=text/*.txt`, are expanded and sorted.

    Raises:
        ValueError: the list is empty.
        FileNotFoundError: a pattern fits no file.
    """
    several = [paths] if isinstance(paths, str | Path) else list(paths)
    if not several:
        raise ValueError("A list of files must not be empty. Received: [].")
    return [expanded for path in several for expanded in _expand(path)]


def is_feat(path: Path) -> bool:
    """Whether a file holds counts of documents, by its name."""
    return path.name.removesuffix(".gz").endswith(".feat")


def _expand(path: str | Path) -> list[Path]:
    given = str(path)
    if Path(given).exists() or not glob.has_magic(given):
        return [Path(given)]
    label, equals, pattern = given.rpartition("=")
    found = sorted(glob.glob(given, recursive=True))
    if not found and equals:
        found = [f"{label}={each}" for each in sorted(glob.glob(pattern, recursive=True))]
    if not found:
        raise FileNotFoundError(f"Expected a pattern that fits a file. Received: {given}")
    return [Path(each) for each in found]
