"""The user's columns in the tables that programs write."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence, Set
from typing import Any

from tf_vmf._errors import ArgumentError
from tf_vmf.text.files import Text


class OwnColumns:
    """The columns of the input: those of its files, or of plain files `row`, `text`, and `title` and `label` where texts have them.

    Cells are written as they were read, as programs join tables by them. A spreadsheet takes those that begin with =, +, - or @ for
    formulas: there, import files whose texts are not trusted as text.

    Args:
        texts: All texts, or the first ones.
        added: The columns that the program adds.

    Raises:
        ArgumentError: The input has a column of the name of an added one.
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
        """The cells of a text.

        Args:
            row: The position of the text, from 0.
            text: The text.

        Raises:
            ValueError: It has a column that the texts before had not.
        """
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
