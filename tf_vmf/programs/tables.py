"""Files about texts: the user's columns in tables, and codes for TensorFlow's Embedding Projector."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.files import new_folder, write_text
from tf_vmf.report.engine.maps import project
from tf_vmf.text.files import Text
from tf_vmf.topics.tables import NO_TOPIC, NO_TOPIC_LABEL

CODES_FILE, METADATA_FILE, COORDINATES_FILE = "codes.tsv", "metadata.tsv", "coordinates.tsv"
# t-SNE of 10,000 codes takes about a minute on two cores, and grows faster than their number.
_MOST_TSNE = 10_000
_SNIPPET = 100  # characters of a text: the projector shows them beside its point


class OwnColumns:
    """The columns of the input: those of its files, or of plain files `row`, `text`, and `title` and `label` where texts have them.

    Cells are written as they were read, as programs join tables by them. A spreadsheet takes those that begin with =, +, - or @ for
    formulas: there, import files whose texts are not trusted as text. Columns that the program adds, `added`, may not be among
    them.
    """

    def __init__(self, texts: Iterable[Text], added: Sequence[str]) -> None:
        names: dict[str, None] = {}
        plain: dict[str, None] = {}
        for text in texts:
            if text.cells is None:
                plain |= dict.fromkeys(["row", *(["title"] if text.title is not None else []), "text"])
            names |= dict.fromkeys(text.cells or ())
            if text.label is not None and not text.cells:
                plain["label"] = None
        self.names = [*names, *(name for name in plain if name not in names)]
        if taken := [name for name in self.names if name in set(added)]:
            raise ArgumentError(
                "text_column",
                f"an input without a column {taken[0]!r}, which is one of those that are added",
                f"the columns {', '.join(self.names)}",
                "Rename it.",
            )

    def cells(self, row: int, text: Text) -> list[Any]:
        """The cells of a text."""
        own = (
            {"row": row, "text": text.text, "title": text.title, "label": text.label}
            if text.cells is None
            else text.cells
        )
        own = {name: value for name, value in own.items() if value is not None}
        if text.cells is not None and (new := [name for name in own if name not in self.names]):
            raise text.error(f"the columns {', '.join(self.names)}, as in the first texts", f"a column {new[0]!r}")
        return [_cell(own.get(name, "")) for name in self.names]

    def columns(self, texts: Sequence[Text], without: Set[str]) -> dict[str, list[Any]]:
        """The columns by name, but for those of the names `without`."""
        rows = [self.cells(row, text) for row, text in enumerate(texts)]
        kept = [(position, name) for position, name in enumerate(self.names) if name not in without]
        return {name: [row[position] for row in rows] for position, name in kept}


def _cell(value: Any) -> Any:
    """A value of JSON as a cell: strings and numbers as they are, others in JSON."""
    return (
        value
        if isinstance(value, str | int | float) and not isinstance(value, bool)
        else json.dumps(value, ensure_ascii=False)
    )


class CodeFiles:
    """Collects the codes of texts, and writes them to a folder.

    - `codes.tsv`: one code per line, numbers separated by tabs, no header;
    - `metadata.tsv`: one line per code, with a header: `row`, the position of the text, and what else is known;
    - `coordinates.tsv`: `x` and `y` per code, with a header. Codes in the plane stay as they are; others go through t-SNE on cosine
      distances, more than 10,000 of them, or fewer than 100, through principal components.

    https://projector.tensorflow.org loads the first two ("Load"), and colors points by a column of the second. Texts without a
    known word have no code and no line.
    """

    def __init__(self) -> None:
        self._codes: list[np.ndarray] = []
        self._metadata: list[dict[str, Any]] = []

    def add(self, code: np.ndarray, row: int, known_tokens: int, text: str, **metadata: Any) -> None:
        """Adds a text; does nothing where it has no known word."""
        if known_tokens:
            self._codes.append(np.asarray(code, np.float32))
            self._metadata.append({"row": row, "known_tokens": known_tokens, **metadata, "text": text[:_SNIPPET]})

    def write(self, folder: Path, *, spherical: bool, seed: int = 0) -> None:
        """Writes the three files."""
        if not self._codes:
            raise ArgumentError("export_codes", "a text with a word that the model knows", "none")
        codes = np.stack(self._codes)
        write_text(folder / CODES_FILE, _table(codes))
        columns = list(self._metadata[0])
        rows = ["\t".join(_line(row[name]) for name in columns) for row in self._metadata]
        write_text(folder / METADATA_FILE, "\n".join(["\t".join(columns), *rows]) + "\n")
        write_text(folder / COORDINATES_FILE, "x\ty\n" + _table(_plane(codes, spherical, seed)))


def folder_of_codes(path: str | None) -> AbstractContextManager[Path | None]:
    """`tf_vmf.files.new_folder` at the path, or None where no codes are asked for."""
    return nullcontext(None) if path is None else new_folder(path)


def label_and_topic(label: str | None, proportions: np.ndarray, names: Sequence[str], placed: bool) -> dict[str, Any]:
    """Columns of metadata: the text's own label, "" for none, and its most probable topic, -1 where it is not placed."""
    topic = int(np.argmax(proportions)) if placed else NO_TOPIC
    return {
        "label": label or "",
        "topic": topic,
        "topic_label": names[topic] if placed else NO_TOPIC_LABEL,
        "probability": float(proportions[topic]) if placed else "",
    }


def topic_cells(about: Mapping[str, Any]) -> list[Any]:
    """The cells `topic`, `topic_label` and `probability` of a table, of what `label_and_topic` returned."""
    probability = about["probability"]
    return [about["topic"], about["topic_label"], f"{probability:.6g}" if probability != "" else ""]


def _plane(codes: np.ndarray, spherical: bool, seed: int) -> np.ndarray:
    if codes.shape[1] == 2:
        return codes
    if len(codes) == 1:
        return np.zeros((1, 2))
    method = "tsne" if 100 <= len(codes) <= _MOST_TSNE else "pca"
    return project(codes, spherical=spherical, method=method, seed=seed).points


def _table(numbers: np.ndarray) -> str:
    return "".join("\t".join(f"{value:.6g}" for value in row) + "\n" for row in numbers)


def _line(value: Any) -> str:
    """A cell of a TSV file, which has no quotes: white space within is one blank."""
    return " ".join((f"{value:.6g}" if isinstance(value, float) else str(value)).split())
