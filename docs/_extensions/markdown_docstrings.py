"""Markdown in docstrings as reStructuredText: code, tables, headings and links.

Code in single backticks that is a name stays in them, for `default_role` to link; other code gets two.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_CODE = re.compile(r"(?<!`)`([^`]+)`(\w?)(?!`)")
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_LINK = re.compile(r"\[([^\]`]+)\]\((https?://[^)]+)\)")


def to_rst(lines: list[str]) -> list[str]:
    """The lines of a docstring with their Markdown replaced."""
    out: list[str] = []
    for number, part in enumerate(re.split(r"^( *```.*)$", "\n".join(lines), flags=re.MULTILINE)):
        if number % 4 == 0:
            out += _prose(part).split("\n")
        elif number % 4 == 1:  # an opening fence
            indent, _, language = part.partition("```")
            out += ["", f"{indent}.. code-block:: {language or 'text'}", ""]
        elif number % 4 == 2:
            out += [f"    {line}" if line.strip() else "" for line in part.strip("\n").split("\n")] + [""]
    return out


def _prose(text: str) -> str:
    text = re.sub(r"^( *)(?:#+ (.*)|(Example):)$", r"\1.. rubric:: \2\3", text, flags=re.MULTILINE)
    text = re.sub(
        r"(?:^ *\|.*\|\n)+", lambda match: _list_table(match[0].splitlines()), text + "\n", flags=re.MULTILINE
    )
    text = _LINK.sub(r"`\1 <\2>`__", text)
    parts = re.split(r"(`+[^`]+`+_*)", text)
    parts[::2] = [re.sub(r"\*\*(?=\w)", r"\\*\\*", part).replace("|", r"\|") for part in parts[::2]]
    return _CODE.sub(_code, "".join(parts)).rstrip("\n") + "\n"


def _code(match: re.Match[str]) -> str:
    code, following = match[1], match[2]
    if code.endswith(">") and following == "_":  # a link
        return match[0]
    shown = f"`{code}`" if _NAME.fullmatch(code) else f"``{code}``"
    return shown + (rf"\ {following}" if following else "")


def _list_table(rows: list[str]) -> str:
    indent = rows[0][: len(rows[0]) - len(rows[0].lstrip())]
    cells = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in rows]
    out = ["", f"{indent}.. list-table::", f"{indent}   :header-rows: 1", ""]
    for row in cells:
        if not all(re.fullmatch(r":?-+:?", cell) for cell in row):
            starts = ["* -", *["  -"] * (len(row) - 1)]
            out += [f"{indent}   {start} {cell}" for start, cell in zip(starts, row, strict=True)]
    return "\n".join([*out, "", ""])


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = to_rst(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", _process, priority=100)  # before napoleon
    return {"parallel_read_safe": True}
