"""Reference pages: one per sub-package from its `__all__`, one of all programs. A new name or flag is on them without an edit."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_docstrings import to_rst

import tf_vmf
from tools.programs import programs

if TYPE_CHECKING:  # a quick test imports this file where Sphinx may be missing
    from sphinx.application import Sphinx


def sub_packages() -> list[str]:
    """The names of the public sub-packages."""
    return [name for name in tf_vmf.__all__ if inspect.ismodule(getattr(tf_vmf, name))]


def page(module_name: str) -> str:
    """The source of a sub-package's page."""
    module = importlib.import_module(module_name)
    lines = [module_name, "=" * len(module_name), "", f".. automodule:: {module_name}", "   :no-members:", ""]
    lines += [".. list-table::", "   :widths: 35 65", ""]
    entries = []
    for name in sorted(module.__all__, key=str.lower):
        value = getattr(module, name)
        first = _first_place(value, module_name)
        if _kind(value) == "data":  # autodoc would show the docstring of its type
            summary = f"``{textwrap.shorten(repr(value), 100)}``"
            entries += [f".. py:data:: {name}", f"   :value: {textwrap.shorten(repr(value), 100)}", ""]
        else:
            summary = " ".join(to_rst([str(inspect.getdoc(value)).split("\n")[0]])).strip()
            entries += [] if first else [f".. auto{_kind(value)}:: {name}", ""]
        lines += _row(f"`{first or name}`", summary)
    return "\n".join([*lines, "", *entries])


def programs_page() -> str:
    """The source of the page with the flags of all programs."""
    lines = ["Programs and their flags", "=" * 24, ""]
    lines += [
        "From a checkout ``python -m trainers.NAME``, from a wheel ``tf-vmf NAME``. A flag is given as ``--flag=value``;"
    ]
    lines += ["``--flagfile=FILE`` reads flags from a file, one per line, and ``--help`` lists them.", ""]
    for name, each in programs().items():
        lines += [name, "-" * len(name), "", ".. code-block:: text", ""]
        lines += [textwrap.indent(each.description.strip(), "   "), ""]
        lines += [".. list-table::", "   :header-rows: 1", ""]
        lines += _row("flag", "default", "meaning")
        for field in (field for config in each.configs for field in dataclasses.fields(config)):
            lines += _row(f"``--{field.name}``", _default(field), to_rst([field.metadata["help"]])[0])
        lines += [""]
    return "\n".join(lines)


def _row(*cells: str) -> list[str]:
    return [f"   {'*' if number == 0 else ' '} - {cell}" for number, cell in enumerate(cells)]


def _default(field: dataclasses.Field) -> str:
    if field.default is dataclasses.MISSING:
        return "must be given"
    values = field.default if isinstance(field.default, tuple) else (field.default,)
    return "" if values in ((None,), ()) else f"``{','.join(str(value) for value in values)}``"


def _first_place(value: object, module_name: str) -> str | None:
    """The full name under which another sub-package's page has described a class or function already."""
    for other in sub_packages():
        module = importlib.import_module(f"tf_vmf.{other}")
        names = [name for name in module.__all__ if getattr(module, name) is value]
        if names and _kind(value) != "data":
            return None if module.__name__ == module_name else f"{module.__name__}.{names[0]}"
    return None


def _kind(value: object) -> str:
    if inspect.isclass(value):
        return "class"
    return "function" if inspect.isroutine(value) else "data"


def modules_table() -> str:
    """A line per page of the reference, in Markdown."""
    rows = ["| | |", "|---|---|", "| [Programs](programs.rst) | programs of the shell and their flags |"]
    for name in sub_packages():
        first = str(inspect.getdoc(importlib.import_module(f"tf_vmf.{name}"))).split("\n")[0]
        rows.append(f"| [tf_vmf.{name}](tf_vmf.{name}.rst) | {first} |")
    return "\n".join(rows)


def _fill_index(app: Sphinx, name: str, source: list[str]) -> None:
    source[0] = source[0].replace("<!-- modules -->", modules_table()) if name == "reference/index" else source[0]


def _write(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "reference"
    pages = {f"tf_vmf.{name}": page(f"tf_vmf.{name}") for name in sub_packages()}
    for name, text in {**pages, "programs": programs_page()}.items():
        file = folder / f"{name}.rst"
        if not file.exists() or file.read_text("utf-8") != text:  # an unchanged page is not built again
            file.write_text(text, "utf-8")


def _signature(app: Sphinx, what: str, name: str, value: object, *_: object) -> tuple[str, str] | None:
    """The signature of a class by its constructor: Keras's `__new__`, which autodoc asks first, takes anything."""
    from sphinx.util import inspect as sphinx_inspect

    if what != "class" or not isinstance(value, type) or not inspect.isfunction(value.__init__):
        return None
    signature = sphinx_inspect.signature(value.__init__, bound_method=True)
    return sphinx_inspect.stringify_signature(signature, unqualified_typehints=True, show_return_annotation=False), ""


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", _write)
    app.connect("source-read", _fill_index)
    app.connect("autodoc-process-signature", _signature)
    return {"parallel_read_safe": True}
