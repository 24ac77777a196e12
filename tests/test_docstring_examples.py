"""Every example in a docstring runs as pasted, after the imports that the documentation names."""

import ast
import pkgutil
import re
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_vmf

PACKAGE = Path(tf_vmf.__file__).parent
IMPORTS = {"keras": keras, "np": np, "tf": tf, "tf_vmf": tf_vmf}
# Examples that train or export a model, by module and number.
SLOW = re.compile(r"models/(bag|load|lstm|replicated|vae|word)|report/reports\.|programs/|serving/|topics/|training/")


def examples():
    """The fenced Python blocks of all docstrings of public modules."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if "/_" in f"/{name.removesuffix('__init__.py')}":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                continue
            blocks = re.findall(r"^ *```python\n(.*?)^ *```", ast.get_docstring(node) or "", re.DOTALL | re.MULTILINE)
            for number, block in enumerate(blocks):
                slow = [pytest.mark.slow] if SLOW.match(name) else []
                yield pytest.param(block, marks=slow, id=f"{name}:{getattr(node, 'name', '')}:{number}")


@pytest.mark.parametrize("example", list(examples()))
def test_the_example_runs_as_pasted(example, tmp_path, monkeypatch):
    if "gensim" in example or "wikipedia" in example:
        pytest.importorskip("gensim")
    monkeypatch.chdir(tmp_path)
    exec(compile(textwrap.dedent(example), "<example>", "exec"), dict(IMPORTS))


def test_every_name_that_a_docstring_gives_in_full_is_there():
    missing = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                for name in re.findall(r"`(tf_vmf(?:\.\w+)+)", ast.get_docstring(node) or ""):
                    owner, _, last = name.rpartition(".")
                    try:
                        found = pkgutil.resolve_name(owner)
                        if not hasattr(found, last) and last not in getattr(found, "__dataclass_fields__", ()):
                            pkgutil.resolve_name(name)  # a module that is not imported yet
                    except (ImportError, AttributeError):
                        missing.append((path.name, name))
    assert not missing
