"""Rows of CSV, TSV and JSON lines files: texts with labels, by column."""

from __future__ import annotations

import csv
import json
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from tf_vmf._errors import ArgumentError
from tf_vmf.text.lines import line_error, read_lines

# The formats by suffix, before which a name may end in .gz.
TABLES = {".csv": "csv", ".tsv": "tsv", ".jsonl": "json lines", ".ndjson": "json lines", ".json": "json lines"}

# Names that headers have and labels and texts have not.
_HEADERS = {
    "text",
    "label",
    "document",
    "sentence",
    "body",
    "content",
    "review",
    "title",
    "category",
    "class",
    "id",
    "index",
}
_SAMPLE = 20  # lines of a plain text that are examined


class Row(NamedTuple):
    """A text with its label, the line that it begins on, and all cells of its row by the names or positions of their columns."""

    line: int
    text: str
    label: str | None
    cells: dict[str, Any]


@dataclass(frozen=True)
class Columns:
    """The columns of the text and the label: by name, or by position from 0 in CSV and TSV."""

    text: str | int | None = None  # None: the other one of two columns
    label: str | int | None = None  # None: there are no labels
    delimiter: str | None = None  # what separates the columns; None: a comma in .csv, a tab elsewhere

    def __post_init__(self) -> None:
        for name, value in (("text_column", self.text), ("label_column", self.label)):
            wrong = isinstance(value, bool) or not isinstance(value, str | int | None)
            if wrong or (isinstance(value, int) and value < 0):
                raise ArgumentError(name, "the name of a column, or its position from 0", repr(value))
        if self.label is not None and self.text == self.label:
            raise ArgumentError("label_column", "another column than text_column", repr(self.label))
        wrong = self.delimiter is not None and (not isinstance(self.delimiter, str) or len(self.delimiter) != 1)
        if wrong or self.delimiter in ('"', "\n", "\r"):
            raise ArgumentError("delimiter", "one character, such as ';'", repr(self.delimiter))
        if self.delimiter is not None and not self:
            raise ArgumentError("text_column", "the column of the text, as `delimiter` is given", "None")

    def __bool__(self) -> bool:
        return self.text is not None or self.label is not None

    @property
    def named(self) -> bool:
        """True if a column is given by its name, so that the first row of CSV and TSV is a header."""
        return isinstance(self.text, str) or isinstance(self.label, str)

    def positions(self, cells: Sequence[str], path: Path, line: int) -> tuple[int, int | None]:
        """The positions of text and label in rows like the first."""
        label = None if self.label is None else _position(self.label, cells, path, line, "label_column")
        if self.text is not None:
            return _position(self.text, cells, path, line, "text_column"), label
        if len(cells) != 2:
            raise ArgumentError(
                "text_column",
                f"the column of the text, as {path}, line {line}, has not two columns",
                f"None, and {len(cells)} columns: {_shown(cells)}",
                delimiter_hint(cells),
            )
        return (0 if label is None else 1 - label), label


def table_format(path: Path) -> str | None:
    """The format "csv", "tsv" or "json lines", by the name of a file; None for plain text."""
    return TABLES.get(Path(path.name.lower().removesuffix(".gz")).suffix)


def read_rows(path: Path, columns: Columns, encoding: str = "UTF-8") -> Iterator[Row]:
    """Reads a file of rows; a blank line gives an empty text.

    CSV and TSV have a header where a column is given by its name. Fields that begin with a quote are quoted whole, and may hold
    separators, doubled quotes and line ends. Other files than .csv, .tsv, .jsonl and .ndjson hold tab-separated columns without
    quoting.
    """
    kind = table_format(path)
    if kind == "json lines":
        yield from _json_rows(path, columns, encoding)
        return
    rows = _rows(path, kind, columns, encoding)
    first = next(((line, cells) for line, cells in rows if cells), None)
    if first is None:
        return
    text, label = columns.positions(first[1], path, first[0])
    names = [cell.strip() if columns.named else str(position) for position, cell in enumerate(first[1])]
    if not columns.named:
        if {cell.strip().lower() for cell in first[1]} <= _HEADERS:
            warnings.warn(
                f"{path}, line {first[0]} looks like a header ({_shown(first[1])}) and is read as a text: give the columns by "
                "name.",
                stacklevel=2,
            )
        rows = chain([first], rows)
    for line, cells in rows:
        if not cells:
            yield Row(line, "", None, {})
            continue
        if len(cells) != len(first[1]):
            raise line_error(
                path, line, f"{_number(len(first[1]))} columns, as in line {first[0]}", f"{len(cells)}: {_shown(cells)}"
            )
        own = None if label is None else _label(cells[label].strip(), path, line, columns.label)
        yield Row(line, cells[text], own, dict(zip(names, cells, strict=True)))


def check_header(path: Path, columns: Columns, encoding: str = "UTF-8") -> None:
    """Reads the first row of a file, so that a column that it lacks is refused before anything else is done."""
    if not path.is_file():
        return  # a pipe can be read once
    kind = table_format(path)
    if kind == "json lines":
        next(iter(_json_rows(path, columns, encoding)), None)
        return
    for line, cells in _rows(path, kind, columns, encoding):
        if cells:
            columns.positions(cells, path, line)
            return


def refuse_binary(path: Path) -> None:
    """Refuses formats that hold no text lines, by their names and first bytes."""
    if not path.is_file():
        return  # a pipe can be read once
    with path.open("rb") as file:
        start = file.read(8)
    suffix = path.suffix.lower()
    for kind, reader, suffixes, magic in _BINARY:
        if suffix in suffixes or (magic and start.startswith(magic)):
            received = f"{kind}. {reader.format(path=path.name)}"
            raise ValueError(f"{path}: expected plain text, CSV, TSV or JSON lines. Received: {received}.")


_PANDAS = "pandas.read_{0}({{path!r}}).to_csv('texts.csv', index=False) makes CSV of it"
_UNPACK = "Unpack it, and name the files or their folder"
# What a binary format is, how to read it, its suffixes, and its first bytes.
_BINARY = (
    ("a spreadsheet", _PANDAS.format("excel"), (".xls", ".xlsx", ".xlsm", ".ods"), b"\xd0\xcf\x11\xe0"),
    ("a Parquet file", _PANDAS.format("parquet"), (".parquet",), b""),
    ("an Arrow file", _PANDAS.format("feather"), (".feather", ".arrow"), b""),
    ("a pickle", _PANDAS.format("pickle"), (".pkl", ".pickle"), b""),
    ("a PDF document", "pdftotext makes text of it", (".pdf",), b"%PDF-"),
    ("a document of a word processor", "Save it as plain text", (".doc", ".docx", ".odt", ".rtf"), b"{\\rtf"),
    ("a zip archive", _UNPACK, (".zip",), b"PK\x03\x04"),
    ("a tar archive", _UNPACK, (".tar", ".tgz"), b""),
    ("a 7-Zip archive", _UNPACK, (".7z",), b"7z\xbc\xaf"),
    ("a bzip2 file", "bunzip2 unpacks it", (".bz2",), b""),
    ("an xz file", "unxz unpacks it", (".xz",), b"\xfd7zXZ"),
    ("a Zstandard file", "unzstd unpacks it", (".zst",), b"\x28\xb5\x2f\xfd"),
)


def delimiter_hint(cells: Sequence[str]) -> str:
    """Advice on a row that another character separates than was expected; "" where none does."""
    if len(cells) != 1:
        return ""
    counts = {each: cells[0].count(each) for each in ";\t|,"}
    best = max(counts, key=lambda each: counts[each])
    return f"Columns seem to be separated by {best!r}: pass delimiter={best!r}." if counts[best] else ""


def looks_like_table(lines: Sequence[str]) -> str | None:
    """The format that the first lines of a plain text suggest: "csv", "tsv" or "json lines"; None for prose."""
    lines = [line for line in lines if line.strip()][:_SAMPLE]
    if lines and all(line.lstrip().startswith("{") and _is_object(line) for line in lines):
        return "json lines"
    for kind, separator in (("tsv", "\t"), ("csv", ",")):
        try:
            rows = list(csv.reader(lines, delimiter=separator, strict=True))
        except csv.Error:
            continue
        header = rows[0] if rows else []
        same = len(rows) > 1 and len(header) > 1 and {len(row) for row in rows} == {len(header)}
        if same and (kind == "tsv" or all(re.fullmatch(r"\w[\w .-]{0,30}", cell) for cell in header)):
            return kind
    return None


def warn_of_table(path: Path, lines: Sequence[str]) -> None:
    """Warns where a plain text looks like rows of columns."""
    kind = looks_like_table(lines)
    if kind is not None:
        suffix = next(suffix for suffix, each in TABLES.items() if each == kind)
        warnings.warn(
            f"{path} looks like {kind} and is read as plain text, one text per line. If it has columns, give it a name that "
            f"ends in {suffix}, and text_column and label_column.",
            stacklevel=2,
        )


def _rows(path: Path, kind: str | None, columns: Columns, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row of CSV, TSV, or plain text with tabs."""
    if kind is None and columns.delimiter is None:
        return ((line, content.split("\t") if content else []) for line, content in read_lines(path, encoding))
    return _quoted_rows(path, columns.delimiter or ("," if kind == "csv" else "\t"), encoding)


def _quoted_rows(path: Path, separator: str, encoding: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(2**31 - 1)  # Python's own limit of 131,072 characters is below long documents
    reader = csv.reader((f"{line}\n" for _, line in read_lines(path, encoding)), delimiter=separator, strict=True)
    start = 1
    try:
        for cells in reader:
            yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise line_error(
            path,
            start,
            "fields that, if they begin with a quote, are quoted whole, and quotes in them doubled",
            str(error),
        ) from error


def _json_rows(path: Path, columns: Columns, encoding: str) -> Iterator[Row]:
    if isinstance(columns.text, int) or isinstance(columns.label, int):
        name = "text_column" if isinstance(columns.text, int) else "label_column"
        value = columns.text if isinstance(columns.text, int) else columns.label
        raise ArgumentError(name, f"a name, as {path} has JSON lines", repr(value))
    for line, content in read_lines(path, encoding):
        if not content.strip():
            yield Row(line, "", None, {})
            continue
        try:
            value = json.loads(content, object_pairs_hook=_without_repeats)
        except (ValueError, RecursionError) as error:
            expected = f"a JSON object per line ({error}; jq -c makes lines of objects that span several)"
            raise line_error(path, line, expected, repr(content)) from error
        if not isinstance(value, dict):
            raise line_error(path, line, "a JSON object per line (jq -c '.[]' makes them of an array)", repr(content))
        text = _field(value, columns.text, path, line, "text_column")
        if not isinstance(text, str):
            raise line_error(path, line, f"a string as {columns.text!r}", repr(text))
        if columns.label is None:
            yield Row(line, text, None, value)
            continue
        label = _field(value, columns.label, path, line, "label_column")
        if not isinstance(label, str | int | float) or (isinstance(label, float) and not math.isfinite(label)):
            raise line_error(path, line, f"a string or a number as {columns.label!r}", repr(label))
        yield Row(line, text, _label(str(label).strip(), path, line, columns.label), value)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these keys and values, as `dict` makes it, but with an error where it would keep the last of several."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("keys that differ")
    return value


def _field(value: dict[str, Any], name: str | int | None, path: Path, line: int, argument: str) -> Any:
    if name is None or name not in value:
        raise ArgumentError(argument, f"one of the keys of {path}, line {line}: {', '.join(value)}", repr(name))
    return value[str(name)]


def _position(column: str | int, cells: Sequence[str], path: Path, line: int, argument: str) -> int:
    names = [cell.strip() for cell in cells]
    if isinstance(column, str) and names.count(column) == 1:
        return names.index(column)
    if isinstance(column, int) and column < len(cells):
        return column
    if isinstance(column, int):
        expected = f"a position below {len(cells)}, the number of columns of {path}, line {line}: {_shown(cells)}"
    elif column in names:
        expected = f"a name that one column of {path}, line {line}, has: {_shown(cells)}"
    else:
        expected = f"one of the columns of {path}, line {line}: {_shown(cells)}"
    raise ArgumentError(argument, expected, repr(column), delimiter_hint(cells))


def _label(label: str, path: Path, line: int, column: str | int | None) -> str:
    if not label:
        raise line_error(path, line, f"column {column!r} a label", "an empty field")
    return label


def _number(number: int) -> str:
    return {1: "one", 2: "two"}.get(number, str(number))


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _shown(cells: Sequence[str]) -> str:
    shown = ", ".join(cells)
    return shown if len(shown) <= 200 else shown[:200] + ".."
