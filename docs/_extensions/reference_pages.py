"""Reference pages: one per sub-package from its `__all__`, one of all programs. A new name or flag is on them without an edit."""

from __future__ import annotations

import importlib
import inspect
import textwrap
from pathlib import Path

from markdown_docstrings import to_rst
from sphinx.application import Sphinx

import tf_vmf
from flags.help import help_text
from tools.programs import programs


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


def programs_page() -> str:
    """The source of the page with the flags of all programs."""
    lines = ["Programs and their flags", "=" * 24, ""]
    lines += ["From a checkout ``python -m trainers.NAME``; from a wheel ``tf-vmf NAME``.", ""]
    for name, each in programs().items():
        text = help_text(f"python -m trainers.{name}", each.description, each.configs)
        lines += [name, "-" * len(name), "", ".. code-block:: text", "", textwrap.indent(text, "   "), ""]
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
    pages = {f"tf_vmf.{name}": page(f"tf_vmf.{name}") for name in sub_packages()}
    for name, text in {**pages, "programs": programs_page()}.items():
        file = folder / f"{name}.rst"
        if not file.exists() or file.read_text("utf-8") != text:  # an unchanged page is not built again
            file.write_text(text, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True}
