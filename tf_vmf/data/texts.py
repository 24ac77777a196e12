"""Texts before tokenizing: one record, one reader of files and folders, one reader of lists."""

import glob
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tf_vmf.text.lines import line_error, read_lines

Paths = str | Path | Sequence[str | Path]  # one or several, patterns among them

_SUFFIXES = (".txt", ".gz")


class Text(NamedTuple):
    """A document, a sentence, or a line of several sentences.

    Attributes:
        text: the text.
        label: its label, or None.
        title: its title, or None.
        path: the file that it was read from; None for a list.
        line: the line in that file, from 1, or the row of the list, from 0.
    """

    text: str
    label: str | None = None
    title: str | None = None
    path: str | Path | None = None
    line: int = 0

    def error(self, expected: str, received: str) -> ValueError:
        """The error for a text that is refused, to be raised by the caller."""
        if self.path is None:
            return ValueError(f"texts[{self.line}]: expected {expected}. Received: {received[:60]}")
        return line_error(self.path, self.line, expected, received)


class TextFiles:
    """The texts of files and folders, in order; can be iterated again and again and holds none in memory.

    A file holds one text per line, empty lines included. Labels, where texts have them, come in one of three ways:

    - one file per label: `"neg=reviews/bad.txt"` gives every text of that file or folder the label `neg`;
    - folders: if all files of a folder lie in subfolders, the names of these are the labels;
    - a column: `label_column` 0 or 1 says which of the two tab-separated columns of every line holds the label.

    Args:
        paths: text files, plain or .gz, folders of .txt and .gz files, and patterns such as `text/*.txt`, each `path` or
            `label=path`.
        whole_files: whether each file in a folder is one text, titled by its path in the folder.
        label_column: 0, 1 or None.
        encoding: of the files.

    Raises:
        ValueError: no path; only some files have a label; while iterating, a line that is malformed.
        FileNotFoundError: a path does not exist, a pattern fits no file, or a folder holds no such file.
    """

    def __init__(
        self, paths: Paths, *, whole_files: bool = False, label_column: int | None = None, encoding: str = "UTF-8"
    ) -> None:
        if label_column not in (None, 0, 1):
            raise ValueError(
                "`label_column` must be 0 or 1, the position of the label in lines of two tab-separated columns, or None. "
                f"Received: label_column={label_column!r}."
            )
        self._label_column = label_column
        self._encoding = encoding
        self._files = [file for path in expand_paths(paths) for file in _files_at(path, whole_files)]
        labelled = [file.label is not None for file in self._files]
        if label_column is not None and any(labelled):
            raise ValueError(
                "Labels must come from `label_column` or from the files, not from both. Received: label_column="
                f"{label_column} and {paths!s}."
            )
        if any(labelled) and not all(labelled):
            unlabelled = next(file.path for file in self._files if file.label is None)
            raise ValueError(
                f"Either all files or none must have a label, given as `label=path`. Received: {unlabelled} without."
            )

    @property
    def names(self) -> list[str]:
        """The names of the files."""
        return [file.path.name for file in self._files]

    def __iter__(self) -> Iterator[Text]:
        for file in self._files:
            lines = read_lines(file.path, self._encoding)
            if file.whole:
                yield Text("\n".join(line for _, line in lines), file.label, file.title, file.path, 1)
                continue
            for number, line in lines:
                label, text = (file.label, line) if self._label_column is None else self._columns(line, file, number)
                yield Text(text, label, file.title, file.path, number)

    def _columns(self, line: str, file: "_File", number: int) -> tuple[str | None, str]:
        """The label and the text of a line; empty lines have neither."""
        assert self._label_column is not None
        if not line:
            return None, ""
        columns = line.split("\t")
        if len(columns) != 2 or not columns[self._label_column].strip():
            raise line_error(
                file.path, number, f"two tab-separated columns, column {self._label_column} a label", repr(line)
            )
        return columns[self._label_column].strip(), columns[1 - self._label_column]


class TextList:
    """Texts of a list, a tuple, an array of strings or a column of a data frame.

    Args:
        texts: the strings.
        labels: as many labels, or None. They are turned into strings.
        name: the argument to name in errors.

    Raises:
        ValueError: `texts` is a single string; an entry is no string, or a label is missing; the lengths differ.
    """

    def __init__(self, texts: Iterable[Any], labels: Iterable[Any] | None = None, name: str = "texts") -> None:
        self._texts = [_text_of(entry, f"{name}[{row}]") for row, entry in enumerate(_entries(texts, name))]
        self._labels: list[str] | None = None
        if labels is not None:
            self._labels = [_label_of(entry, row) for row, entry in enumerate(_entries(labels, "labels"))]
            if len(self._labels) != len(self._texts):
                raise ValueError(
                    f"`labels` must have one entry per text, {len(self._texts)}. Received: {len(self._labels)}."
                )

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[Text]:
        for row, text in enumerate(self._texts):
            yield Text(text, None if self._labels is None else self._labels[row], line=row)


def expand_paths(paths: Paths) -> list[Path]:
    """A list of paths, of one or several; patterns such as `text/*.txt`, and `label=text/*.txt`, are expanded and sorted.

    Raises:
        ValueError: the list is empty.
        FileNotFoundError: a pattern fits no file.
    """
    several = [paths] if isinstance(paths, str | Path) else list(paths)
    if not several:
        raise ValueError("A list of files must not be empty. Received: [].")
    return [expanded for path in several for expanded in _expand(str(path))]


def _expand(path: str) -> list[Path]:
    if Path(path).exists():
        return [Path(path)]
    label, equals, pattern = path.partition("=")
    if glob.has_magic(path) and (matches := sorted(glob.glob(path, recursive=True))):
        return [Path(match) for match in matches]
    if not glob.has_magic(path) or (equals and Path(pattern).exists()):
        return [Path(path)]
    if equals and (matches := sorted(glob.glob(pattern, recursive=True))):
        return [Path(f"{label}={match}") for match in matches]
    raise FileNotFoundError(f"Expected a pattern that fits a file. Received: {path}")


@dataclass(frozen=True)
class _File:
    """A file to read; `whole` where it is one text."""

    path: Path
    label: str | None = None
    title: str | None = None
    whole: bool = False


def _files_at(path: Path, whole_files: bool) -> list[_File]:
    """The files of an entry `path` or `label=path`, a file or a folder, each with its label."""
    label: str | None = None
    entry = path
    if not path.exists() and "=" in str(path):
        label, _, rest = str(path).partition("=")
        path = Path(rest)
    if not path.exists():
        raise FileNotFoundError(f"Expected a text file, a folder of text files, or label=path. Received: {entry}")
    if not path.is_dir():
        return [_File(path, label)]
    files = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
    if not files:
        raise FileNotFoundError(f"Expected a folder with files that end in {' or '.join(_SUFFIXES)}. Received: {path}")
    inside = [file.relative_to(path) for file in files]
    by_folder = label is None and all(len(relative.parts) > 1 for relative in inside)
    return [
        _File(
            file, relative.parts[0] if by_folder else label, relative.as_posix() if whole_files else None, whole_files
        )
        for file, relative in zip(files, inside, strict=True)
    ]


def _entries(values: Iterable[Any], name: str) -> Iterable[Any]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ValueError(f"`{name}` must be a list, an array or a column of a data frame. Received: {values!r:.60}.")
    return values


def _text_of(entry: Any, name: str) -> str:
    if not isinstance(entry, str):
        missing = entry is None or entry != entry  # NaN, as data frames write missing text
        hint = "Drop the rows without text, or make them ''." if missing else "Convert it with str()."
        raise ValueError(f"{name} must be a string. Received: {entry!r:.60}. {hint}")
    return str(entry)


def _label_of(entry: Any, row: int) -> str:
    if entry is None or entry != entry or (isinstance(entry, str) and not entry):
        raise ValueError(
            f"labels[{row}] must be a label. Received: {entry!r}. Every text needs one, or give no labels."
        )
    return str(entry)
