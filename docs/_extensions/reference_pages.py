"""A reference page per sub-package, written from its `__all__`: a new public name is on it without an edit."""

from __future__ import annotations

import importlib
import inspect
import textwrap
from pathlib import Path

from markdown_docstrings import to_rst
from sphinx.application import Sphinx

import tf_vmf


def sub_packages() -> list[str]:
    """The names of the public sub-packages."""
    return [name for name in tf_vmf.__all__ if inspect.ismodule(getattr(tf_vmf, name))]


def page(module_name: str) -> str:
    """The source of a sub-package's page."""
    module = importlib.import_module(module_name)
    names = sorted(module.__all__, key=str.lower)
    described = [name for name in names if _first_place(getattr(module, name), module_name) is None]
    listed = [name for name in described if _kind(getattr(module, name)) != "data"]
    lines = [module_name, "=" * len(module_name), "", f".. automodule:: {module_name}", "   :no-members:", ""]
    lines += [".. list-table::", ""]
    for name in listed:
        summary = to_rst([str(inspect.getdoc(getattr(module, name))).split("\n")[0]])
        lines += [f"   * - `{name}`", f"     - {' '.join(summary).strip()}"]
    lines += [""]
    for name in names:
        first = _first_place(getattr(module, name), module_name)
        lines += [name, "-" * len(name), ""]
        lines += [f"See `{first}`." if first else _entry(name, getattr(module, name)), ""]
    return "\n".join(lines)


def _first_place(value: object, module_name: str) -> str | None:
    """The full name under which another sub-package's page has described a class or function already."""
    for other in sub_packages():
        module = importlib.import_module(f"tf_vmf.{other}")
        names = [name for name in module.__all__ if getattr(module, name) is value]
        if names and _kind(value) != "data":
            return None if module.__name__ == module_name else f"{module.__name__}.{names[0]}"
    return None


def _entry(name: str, value: object) -> str:
    if _kind(value) == "data":  # autodoc would show the docstring of its type
        return f".. py:data:: {name}\n   :value: {textwrap.shorten(repr(value), 100)}"
    return f".. auto{_kind(value)}:: {name}"


def _kind(value: object) -> str:
    if inspect.isclass(value):
        return "class"
    return "function" if inspect.isroutine(value) else "data"


def _write(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "reference"
    for name in sub_packages():
        file, text = folder / f"tf_vmf.{name}.rst", page(f"tf_vmf.{name}")
        if not file.exists() or file.read_text("utf-8") != text:  # an unchanged page is not built again
            file.write_text(text, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True}
