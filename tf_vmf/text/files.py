"""Texts before tokenizing: one record, one reader of files and folders, one reader of lists."""

from __future__ import annotations

import glob
import json
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tf_vmf._errors import ArgumentError, MissingPlaceError, half_of_a_pair
from tf_vmf.text.lines import line_error, read_lines
from tf_vmf.text.tables import Columns, check_header, read_rows, refuse_binary, table_format, warn_of_table

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
        cells: all cells of its row by column, where the file has columns; otherwise None.
    """

    text: str
    label: str | None = None
    title: str | None = None
    path: str | Path | None = None
    line: int = 0
    cells: Mapping[str, Any] | None = None

    def error(self, expected: str, received: str) -> ValueError:
        """The error for a text that is refused, to be raised by the caller."""
        if self.path is None:
            return ArgumentError(f"texts[{self.line}]", expected, received[:60])
        return line_error(self.path, self.line, expected, received)

    def check_unicode(self) -> None:
        """Refuses half of a surrogate pair, which no file can hold.

        Raises:
            ValueError: The text, its label, its title or another cell has one; the message names the row or the line.
        """
        cells = "" if self.cells is None else json.dumps(dict(self.cells), ensure_ascii=False, default=str)
        for name, value in (("text", self.text), ("label", self.label), ("title", self.title), ("cell", cells)):
            if half := half_of_a_pair(value or ""):
                raise self.error("valid Unicode", half if name == "text" else f"a {name} with {half}")


class TextFiles:
    """The texts of files and folders, in order; can be iterated again and again and holds none in memory.

    A plain file holds one text per line, empty lines included; CSV, TSV and JSON lines (.csv, .tsv, .jsonl, .ndjson) a text per
    row, in the column `text_column`. Files of a folder whose name begins with a dot are passed over. Labels, where texts have
    them, come in one of three ways:

    - one file per label: `"neg=reviews/bad.txt"` gives every text of that file or folder the label `neg`;
    - folders: if the files of a folder lie in subfolders, the names of these are the labels, and a few files beside them are
      passed over with a warning;
    - a column: `label_column`.

    Args:
        paths: files, plain or .gz, folders of them, and patterns such as `text/*.txt`, each `path` or `label=path`.
        whole_files: whether each plain file in a folder is one text, titled by its path in the folder.
        columns: of the text and the label, by name or position. Plain files are then read as columns separated by tabs.
        encoding: of the files.

    Raises:
        ValueError: no path; only some files have a label; while iterating, a line that is malformed.
        FileNotFoundError: a path does not exist, a pattern fits no file, or a folder holds no such file.
    """

    def __init__(
        self, paths: Paths, *, whole_files: bool = False, columns: Columns | None = None, encoding: str = "UTF-8"
    ) -> None:
        self._columns = columns or Columns()
        self._encoding = encoding
        self._files = [file for path in expand_paths(paths) for file in _files_at(path, whole_files, self._columns)]
        labeled = [file.label is not None for file in self._files]
        if self._columns.label is not None and any(labeled):
            raise ArgumentError(
                "label_column",
                "None where the files have labels as label=path or by their folder",
                f"{self._columns.label!r} and {paths!s}",
            )
        if any(labeled) and not all(labeled):
            unlabeled = next(file.path for file in self._files if file.label is None)
            raise ArgumentError(
                "train_files", "a label for all files or none, as label=path", f"{unlabeled} without a label"
            )
        for file in self._files:
            refuse_binary(file.path)
        if self._columns:
            for file in self._files:
                check_header(file.path, self._columns, encoding)
        elif (table := next((f.path for f in self._files if table_format(f.path)), None)) is not None:
            head = next((line for _, line in read_lines(table, encoding) if line), "")
            raise ArgumentError(
                "text_column", f"the column of the text, as {table} has columns", "None", f"Its first line: {head:.200}"
            )

    @property
    def names(self) -> list[str]:
        """The names of the files."""
        return [file.path.name for file in self._files]

    @property
    def read_again(self) -> bool:
        """True if the texts can be read more than once, as those of a pipe cannot."""
        return all(file.path.is_file() for file in self._files)

    def __iter__(self) -> Iterator[Text]:
        for file in self._files:
            if self._columns:
                for row in read_rows(file.path, self._columns, self._encoding):
                    text = Text(
                        row.text,
                        file.label if row.label is None else row.label,
                        file.title,
                        file.path,
                        row.line,
                        row.cells,
                    )
                    text.check_unicode()  # JSON may hold what other files cannot
                    yield text
                continue
            lines = read_lines(file.path, self._encoding)
            if file.whole:
                yield Text("\n".join(line for _, line in lines), file.label, file.title, file.path, 1)
                continue
            first = list(islice(lines, 20))
            warn_of_table(file.path, [line for _, line in first])
            for number, line in chain(first, lines):
                yield Text(line, file.label, file.title, file.path, number)


class TextList:
    """Texts of a list, a tuple, an array of strings or a column of a data frame, with as many labels or None.

    An ArgumentError about `name` for a single string, an entry that is no string, a missing label, or unlike lengths.
    """

    def __init__(self, texts: Iterable[Any], labels: Iterable[Any] | None = None, name: str = "texts") -> None:
        self._texts = [_text_of(entry, row, name) for row, entry in enumerate(_entries(texts, name))]
        self._labels: list[str] | None = None
        if labels is not None:
            self._labels = [_label_of(entry, row) for row, entry in enumerate(_entries(labels, "labels"))]
            if len(self._labels) != len(self._texts):
                raise ArgumentError("labels", f"one per text, {len(self._texts)}", f"{len(self._labels)}")

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[Text]:
        for row, text in enumerate(self._texts):
            yield Text(text, None if self._labels is None else self._labels[row], line=row)


def as_texts(texts: Any, name: str = "texts") -> Iterable[Text]:
    """Texts of a list, an array or a column; or of an iterator, which may give strings or lists of them, batch by batch."""
    return _streamed(texts, name) if isinstance(texts, Iterator) else TextList(texts, name=name)


def _streamed(batches: Iterator[Any], name: str) -> Iterator[Text]:
    row = 0
    for batch in batches:
        single = isinstance(batch, str | bytes) or not isinstance(
            batch, Iterable
        )  # what is no string has its row named
        for entry in [batch] if single else _entries(batch, name):
            yield Text(_text_of(entry, row, name), line=row)
            row += 1


def expand_paths(paths: Paths) -> list[Path]:
    """A list of paths, of one or several; patterns such as `text/*.txt`, and `label=text/*.txt`, are expanded and sorted."""
    several = [paths] if isinstance(paths, str | Path) else list(paths)
    if not several:
        raise ArgumentError("train_files", "one file or more", "[]")
    return [expanded for path in _rejoined([str(path) for path in several]) for expanded in _expand(path)]


def _rejoined(paths: list[str]) -> list[str]:
    """Paths, those put together again that a program has cut at a comma or a line break in their names."""
    joined, start = [], 0
    while start < len(paths):
        path, end = paths[start], start + 1
        if not _exists(path):
            ends = range(start + 2, min(start + 10, len(paths)) + 1)
            wholes = ((mark.join(paths[start:end]), end) for end in ends for mark in (",", ", ", "\n"))
            path, end = next((whole for whole in wholes if _exists(whole[0])), (path, end))
        joined.append(path)
        start = end
    return joined


def _exists(path: str) -> bool:
    return os.path.exists(path) or ("=" in path and os.path.exists(path.partition("=")[2]))


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
    raise MissingPlaceError("a pattern that fits a file", path)


@dataclass(frozen=True)
class _File:
    """A file to read; `whole` where it is one text."""

    path: Path
    label: str | None = None
    title: str | None = None
    whole: bool = False


def _files_at(path: Path, whole_files: bool, columns: Columns) -> list[_File]:
    """The files of an entry `path` or `label=path`, a file or a folder, each with its label."""
    label: str | None = None
    entry = path
    if not path.exists() and "=" in str(path):
        label, _, rest = str(path).partition("=")
        path = Path(rest)
    if not path.exists():
        raise MissingPlaceError("a text file, a folder of text files, or label=path", entry)
    if not path.is_dir():
        return [_File(path, label)]
    inside = _visible_files(path, columns)
    by_folder = label is None and columns.label is None and any(len(relative.parts) > 1 for relative in inside)
    if by_folder:
        inside, by_folder = _labeled_files(path, inside)
    whole = whole_files and not columns
    return [
        _File(path / each, each.parts[0] if by_folder else label, each.as_posix() if whole_files else None, whole)
        for each in inside
    ]


def _visible_files(folder: Path, columns: Columns) -> list[Path]:
    """The paths inside a folder of its text files, sorted; of tables too where columns are given."""
    names = [file.relative_to(folder) for file in sorted(folder.rglob("*")) if file.is_file()]
    visible = [name for name in names if not any(part.startswith(".") for part in name.parts)]
    tables = [name for name in visible if table_format(name)]
    texts = [name for name in visible if name.suffix.lower() in _SUFFIXES and name not in tables]
    if tables and not columns:
        warnings.warn(
            f"{folder}: {len(tables)} files with columns are passed over, {tables[0]} among them; `text_column` reads them.",
            stacklevel=2,
        )
    found = sorted([*texts, *tables]) if columns else texts
    if not found:
        raise MissingPlaceError(f"a folder with files that end in {' or '.join(_SUFFIXES)}", folder)
    if others := [name for name in visible if name not in texts and name not in tables]:
        warnings.warn(
            f"{folder}: {len(others)} files that do not end in {' or '.join(_SUFFIXES)} are passed over, {others[0]} among them.",
            stacklevel=2,
        )
    return found


def _labeled_files(folder: Path, inside: list[Path]) -> tuple[list[Path], bool]:
    """The files to read of a folder with subfolders, and whether the names of these are labels."""
    below = [name for name in inside if len(name.parts) > 1]
    beside = [name for name in inside if len(name.parts) == 1]
    if not beside:
        return inside, True
    shown = ", ".join(str(name) for name in beside[:3])
    if len(beside) < len(below) and len({name.parts[0] for name in below}) > 1:
        warnings.warn(
            f"{folder}: {len(beside)} files lie beside the subfolders that are the labels, and are passed over: {shown}. Move them "
            "into a subfolder, or away.",
            stacklevel=2,
        )
        return below, True
    warnings.warn(
        f"{folder}: texts get no labels from the subfolders, as {len(beside)} of {len(inside)} files lie beside these: {shown}.",
        stacklevel=2,
    )
    return inside, False


def _entries(values: Any, name: str) -> Iterable[Any]:
    # Iterated, a data frame gives the names of its columns, a mapping its keys, and a set any order.
    expected = "a list, an array or one column of a data frame"
    if hasattr(values, "columns"):
        columns = list(values.columns)
        remedy = f"Pass the column, as frame[{columns[0]!r}]." if columns else ""
        raise ArgumentError(name, expected, f"a data frame with columns {columns}", remedy)
    if isinstance(values, str | bytes):
        raise ArgumentError(name, expected, f"{values!r:.60}", f"Pass [{name.rstrip('s')}] for a single one.")
    if isinstance(values, Mapping | Set) or not isinstance(values, Iterable):
        raise ArgumentError(name, expected, f"{values!r:.60}")
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise ArgumentError(name, expected, f"an array of shape {values.shape}", f"Pass one column, as {name}[:, 0].")
    return values


def _text_of(entry: Any, row: int, name: str) -> str:
    if not isinstance(entry, str):
        raise ArgumentError(name, "strings", f"{name}[{row}] = {entry!r:.60}", text_remedy(entry))
    return str(entry)


def text_remedy(entry: Any) -> str:
    """Advice on making a string of something that stands where a text was expected."""
    if _is_missing(entry):
        return "Drop the rows without text, or make them ''."
    if isinstance(entry, bytes | bytearray):
        return "Decode bytes: text.decode()."
    if isinstance(entry, list | tuple | np.ndarray) and all(isinstance(word, str) for word in entry):
        return "Join the words of a text, ' '.join(words), and pass tokenization='whitespace'."
    return "Convert it with str()."


def _is_missing(entry: Any) -> bool:
    """True if an entry is None, NaN, or what a data frame writes for missing values."""
    return entry is None or (str(entry) in ("nan", "NaN", "<NA>", "NaT") and not isinstance(entry, str))


def _label_of(entry: Any, row: int) -> str:
    if isinstance(entry, bytes | Mapping | Set) or (not isinstance(entry, str) and np.ndim(entry)):
        raise ArgumentError("labels", "strings or numbers", f"labels[{row}] = {entry!r:.60}")
    if _is_missing(entry) or (isinstance(entry, str) and not entry):
        remedy = "Every text needs one, or give no labels."
        raise ArgumentError("labels", "a label for every text", f"labels[{row}] = {entry!r}", remedy)
    return str(entry)
