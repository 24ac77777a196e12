"""Every public name is in the reference, and Markdown in docstrings reads the same there."""

import dataclasses
import importlib
import re
import sys

import pytest

import tf_vmf
from tests.docs.pages import DOCS
from tools.programs import programs


@pytest.fixture(autouse=True)
def _extensions(monkeypatch):
    monkeypatch.syspath_prepend(DOCS / "_extensions")
    yield
    for name in ("reference_pages", "markdown_docstrings"):
        sys.modules.pop(name, None)


def test_every_public_name_is_in_the_reference():
    import reference_pages

    described = {}
    for name in tf_vmf.__all__:
        if name in ("SphericalKMeans", "TopicModel", "VonMisesFisherMixture", "__version__"):
            assert f"tf_vmf.{name}" in (DOCS / "reference/index.md").read_text("utf-8")
            continue
        page = reference_pages.page(f"tf_vmf.{name}")
        described[name] = set(re.findall(r"^\.\. (?:auto\w+|py:data):: (\w+)$", page, re.MULTILINE))
        referred = set(re.findall(r"`tf_vmf\.\w+\.(\w+)`", page))  # described on the page of another sub-package
        module = importlib.import_module(f"tf_vmf.{name}")
        assert set(module.__all__) <= described[name] | referred, name
    assert {"VonMisesFisherLatent", "latent_names"} <= described["layers"]
    assert {"UNK_ID", "to_text"} <= described["text"]


def test_the_index_of_the_reference_has_a_line_per_module():
    import reference_pages

    rows = [row.strip("| ").split(" | ") for row in reference_pages.modules_table().splitlines()[2:]]
    assert [row[0].partition("]")[0][1:] for row in rows] == [
        "Programs",
        *(f"tf_vmf.{name}" for name in reference_pages.sub_packages()),
    ]
    assert all(len(row) == 2 and row[1][0].isupper() and "None" not in row[1] for row in rows[1:])
    assert "<!-- modules -->" in (DOCS / "reference/index.md").read_text("utf-8")


def test_every_flag_is_in_the_reference():
    import reference_pages

    page = reference_pages.programs_page()
    for name, program in programs().items():
        section = re.split(r"\n\w+\n---+\n", page.partition(f"\n{name}\n---")[2])[0]
        for config in program.configs:
            assert all(f"``--{option.name}``" in section for option in dataclasses.fields(config))


def test_markdown_becomes_restructuredtext():
    from markdown_docstrings import to_rst

    docstring = [
        "Of `name` and `f(x) + 1`: |x| and [a page](https://example.org/a_b).",
        "",
        "#### Examples",
        "",
        "| a | b |",
        "| :- | -: |",
        "| 1 | `2` |",
        "",
        "```python",
        "x = a | b  # `not code`",
        "```",
    ]
    text = "\n".join(to_rst(docstring))
    assert r"Of `name` and ``f(x) + 1``: \|x\| and `a page <https://example.org/a_b>`__." in text
    assert ".. rubric:: Examples" in text
    assert "   * - a\n     - b\n   * - 1\n     - `2`".replace("`2`", "``2``") in text
    assert ".. code-block:: python\n\n    x = a | b  # `not code`\n" in text
