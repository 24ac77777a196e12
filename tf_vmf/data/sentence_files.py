"""Text files of sentences, with or without labels, a line at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tf_vmf.data.lines import line_error, read_lines
from tf_vmf.data.text import files_below


class RawLine(NamedTuple):
    """A line of text before tokenising, and where it stands."""

    text: str
    label: str | None
    path: str | Path
    number: int


class SentenceFiles:
    """The lines of text files and folders, in order; can be iterated again and again and holds none in memory.

    Labels, where sentences have them, come in one of three ways:

    - one file a label: `"neg=reviews/bad.txt"` gives every line of that file or folder the label `neg`;
    - folders: if all files of a folder lie in subfolders, the names of these are the labels;
    - a column: `label_column` 0 or 1 says which of the two tab-separated columns of every line holds the label.

    Args:
        paths: text files, plain or .gz, and folders of .txt and .gz files; one sentence, or one text, a line.
        label_column: 0, 1 or None.
        encoding: of the files.

    Raises:
        FileNotFoundError: a path does not exist, or a folder holds no such file.
        ValueError: while iterating, a line that is malformed.
    """

    def __init__(
        self, paths: Sequence[str | Path], *, label_column: int | None = None, encoding: str = "UTF-8"
    ) -> None:
        if label_column not in (None, 0, 1):
            raise ValueError(
                "`label_column` must be 0 or 1, the place of the label in lines of two tab-separated columns, or None. "
                f"Received: label_column={label_column!r}."
            )
        self._label_column = label_column
        self._encoding = encoding
        self._files: list[tuple[str | None, Path]] = []
        for path in paths:
            self._files += _labelled_files(path)
        labelled = [label is not None for label, _ in self._files]
        if label_column is not None and any(labelled):
            raise ValueError(
                f"Labels must come from `label_column` or from the files, not from both. Received: label_column="
                f"{label_column} and {[str(path) for path in paths]}."
            )
        if any(labelled) and not all(labelled):
            unlabelled = next(file for label, file in self._files if label is None)
            raise ValueError(
                f"Either all files or none must have a label, given as `label=path`. Received: {unlabelled} without."
            )

    @property
    def names(self) -> list[str]:
        return [file.name for _, file in self._files]

    def __iter__(self) -> Iterator[RawLine]:
        for label, path in self._files:
            for number, line in read_lines(path, self._encoding):
                text = line
                if self._label_column is not None and line:
                    columns = line.split("\t")
                    if len(columns) != 2 or not columns[self._label_column].strip():
                        raise line_error(
                            path, number, f"two tab-separated columns, column {self._label_column} a label", repr(line)
                        )
                    label, text = columns[self._label_column].strip(), columns[1 - self._label_column]
                yield RawLine(text, label, path, number)


def _labelled_files(given: str | Path) -> list[tuple[str | None, Path]]:
    """The files of an entry `path` or `label=path`, a file or a folder, each with its label."""
    label: str | None = None
    path = Path(given)
    if not path.exists() and "=" in str(given):
        label, _, rest = str(given).partition("=")
        path = Path(rest)
    if not path.exists():
        raise FileNotFoundError(f"Expected a text file, a folder of text files, or label=path. Received: {given}")
    if not path.is_dir():
        return [(label, path)]
    files = files_below(path)
    inside = [file.relative_to(path).parts for file in files]
    if label is None and all(len(parts) > 1 for parts in inside):
        return [(parts[0], file) for parts, file in zip(inside, files, strict=True)]
    return [(label, file) for file in files]
