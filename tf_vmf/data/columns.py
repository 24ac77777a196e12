"""Rows of CSV, TSV and JSON lines files: texts with labels, by column."""

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
    """A text with its label, and the line that it begins on."""

    line: int
    text: str
    label: str | None


@dataclass(frozen=True)
class Columns:
    """Which columns hold the text and the label: by name, or by position from 0 in CSV and TSV.

    Attributes:
        text: None: the other one of two columns.
        label: None: there are no labels.

    Raises:
        ValueError: neither a name nor a position.
    """

    text: str | int | None = None
    label: str | int | None = None

    def __post_init__(self) -> None:
        for name, value in (("text_column", self.text), ("label_column", self.label)):
            wrong = isinstance(value, bool) or not isinstance(value, str | int | None)
            if wrong or (isinstance(value, int) and value < 0):
                raise ValueError(
                    f"`{name}` must be the name of a column, or its position from 0. Received: {name}={value!r}."
                )
        if self.label is not None and self.text == self.label:
            raise ValueError(f"`text_column` and `label_column` must differ. Received: {self.text!r} for both.")

    def __bool__(self) -> bool:
        return self.text is not None or self.label is not None

    @property
    def named(self) -> bool:
        """Whether a column is given by its name, so that the first row of CSV and TSV is a header."""
        return isinstance(self.text, str) or isinstance(self.label, str)

    def positions(self, cells: Sequence[str], path: Path, line: int) -> tuple[int, int | None]:
        """The positions of text and label in rows like the first."""
        label = None if self.label is None else _position(self.label, cells, path, line, "label_column")
        if self.text is not None:
            return _position(self.text, cells, path, line, "text_column"), label
        if len(cells) != 2:
            raise line_error(
                path, line, "two tab-separated columns, or `text_column`", f"{len(cells)} columns: {_shown(cells)}"
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

    Raises:
        ValueError: a malformed row, with file, line, what was expected and what received.
    """
    kind = table_format(path)
    if kind == "json lines":
        yield from _json_rows(path, columns, encoding)
        return
    rows = _plain_rows(path, encoding) if kind is None else _quoted_rows(path, "," if kind == "csv" else "\t", encoding)
    first = next(((line, cells) for line, cells in rows if cells), None)
    if first is None:
        return
    text, label = columns.positions(first[1], path, first[0])
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
            yield Row(line, "", None)
            continue
        if len(cells) != len(first[1]):
            raise line_error(
                path, line, f"{_number(len(first[1]))} columns, as in line {first[0]}", f"{len(cells)}: {_shown(cells)}"
            )
        yield Row(line, cells[text], None if label is None else _label(cells[label].strip(), path, line, columns.label))


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


def _plain_rows(path: Path, encoding: str) -> Iterator[tuple[int, list[str]]]:
    for line, content in read_lines(path, encoding):
        yield line, content.split("\t") if content else []


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
        raise ValueError(
            f"{path}: expected the columns of JSON lines by name. Received: {columns.text!r}, {columns.label!r}."
        )
    for line, content in read_lines(path, encoding):
        if not content.strip():
            yield Row(line, "", None)
            continue
        try:
            value = json.loads(content, object_pairs_hook=_without_repeats)
        except (ValueError, RecursionError) as error:
            expected = f"a JSON object per line ({error}; jq -c makes lines of objects that span several)"
            raise line_error(path, line, expected, repr(content)) from error
        if not isinstance(value, dict):
            raise line_error(path, line, "a JSON object per line (jq -c '.[]' makes them of an array)", repr(content))
        text = _field(value, columns.text, path, line)
        if not isinstance(text, str):
            raise line_error(path, line, f"a string as {columns.text!r}", repr(text))
        if columns.label is None:
            yield Row(line, text, None)
            continue
        label = _field(value, columns.label, path, line)
        if not isinstance(label, str | int | float) or (isinstance(label, float) and not math.isfinite(label)):
            raise line_error(path, line, f"a string or a number as {columns.label!r}", repr(label))
        yield Row(line, text, _label(str(label).strip(), path, line, columns.label))


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these keys and values, as `dict` makes it, but with an error where it would keep the last of several."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("keys that differ")
    return value


def _field(value: dict[str, Any], name: str | int | None, path: Path, line: int) -> Any:
    if name is None:
        raise line_error(path, line, f"`text_column`, one of {', '.join(value)}", "none")
    if name not in value:
        raise line_error(path, line, f"an object with the key {name!r}", f"the keys {', '.join(value)}")
    return value[str(name)]


def _position(column: str | int, cells: Sequence[str], path: Path, line: int, argument: str) -> int:
    if isinstance(column, str):
        names = [cell.strip() for cell in cells]
        if names.count(column) == 1:
            return names.index(column)
        raise line_error(path, line, f"a header with one column {column!r}, `{argument}`", f"{_shown(cells)}")
    if column >= len(cells):
        raise line_error(path, line, f"a column {column}, `{argument}`", f"{len(cells)} columns: {_shown(cells)}")
    return column


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
    return ", ".join(cells)
