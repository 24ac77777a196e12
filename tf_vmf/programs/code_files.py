"""Codes of texts as files for TensorFlow's Embedding Projector, with coordinates in the plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.files import new_folder, write_text
from tf_vmf.report.engine.projection import project
from tf_vmf.topics.tables import NO_TOPIC, NO_TOPIC_LABEL

CODES_FILE, METADATA_FILE, COORDINATES_FILE = "codes.tsv", "metadata.tsv", "coordinates.tsv"
# t-SNE of 10,000 codes takes about a minute on two cores, and grows faster than their number.
_MOST_TSNE = 10_000
_SNIPPET = 100  # characters of a text: the projector shows them beside its point


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
        """Adds a text; does nothing where it has no known word.

        Args:
            code: Shape (d,).
            row: The position of the text.
            known_tokens: How many of its tokens the model knows.
            text: The text; its first 100 characters are kept.
            **metadata: Other columns, the same for all texts.
        """
        if known_tokens:
            self._codes.append(np.asarray(code, np.float32))
            self._metadata.append({"row": row, "known_tokens": known_tokens, **metadata, "text": text[:_SNIPPET]})

    def write(self, folder: Path, *, spherical: bool, seed: int = 0) -> None:
        """Writes the three files.

        Args:
            folder: A folder that exists.
            spherical: Whether the codes are unit vectors.
            seed: Seed of t-SNE.

        Raises:
            ValueError: There is no code.
        """
        if not self._codes:
            raise ArgumentError("export_codes", "a text with a word that the model knows", "none")
        codes = np.stack(self._codes)
        write_text(folder / CODES_FILE, _table(codes))
        columns = list(self._metadata[0])
        rows = ["\t".join(_cell(row[name]) for name in columns) for row in self._metadata]
        write_text(folder / METADATA_FILE, "\n".join(["\t".join(columns), *rows]) + "\n")
        write_text(folder / COORDINATES_FILE, "x\ty\n" + _table(_plane(codes, spherical, seed)))


def folder_of_codes(path: str | None) -> AbstractContextManager[Path | None]:
    """`tf_vmf.files.new_folder` at the path, or None where no codes are asked for.

    Raises:
        FileExistsError: There is something at the path.
    """
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


def _cell(value: Any) -> str:
    """A cell of a TSV file, which has no quotes: white space within is one blank."""
    return " ".join((f"{value:.6g}" if isinstance(value, float) else str(value)).split())
