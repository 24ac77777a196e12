"""Settings of the documentation site; `make docs` builds it without network."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(_DOCS.parent), str(_DOCS / "_extensions")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # autodoc imports TensorFlow

from tf_vmf.version import __version__  # noqa: E402

project = "tf_vmf"
author = "The tf_vmf authors"
copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "markdown_docstrings",
    "gallery",
    "outside_pages",
    "reference_pages",
]
exclude_patterns = ["_build", "_extensions"]
# Tables of benchmarks start at the third level; pages named by a pattern may be absent.
suppress_warnings = ["myst.header", "toc.empty_glob"]

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3
# Docstrings are Markdown: single backticks are code, and links where they name an object of the reference.
default_role = "py:obj"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Call arguments", "params_style")]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
python_use_unqualified_type_names = True

html_theme = "pydata_sphinx_theme"
html_title = f"tf_vmf {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_sidebars = {"gallery": []}  # it has no pages below it to list
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "tf_vmf"},
    "show_prev_next": True,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
