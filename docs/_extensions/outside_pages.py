"""Pages of the repository outside docs/ as pages of the site, and links to them and to other files.

In the repository `docs/X.md` links to `../results/iw500.md`; on the site that page is `outside/results/iw500`. Other files that are
linked to, recipes and tables, become downloads, which MyST does by itself.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from sphinx.application import Sphinx

_PAGES = ("results/*.md", "benchmarks/results/*.md", "CHANGELOG.md", "CONTRIBUTING.md")
_LINK = re.compile(r"(\]\()([^)#:\s]+)(#[^)\s]*)?(\))")


def _outside(root: Path) -> dict[Path, Path]:
    """The pages outside docs/, and where they lie on the site."""
    files = (file for pattern in _PAGES for file in sorted(root.glob(pattern)))
    return {file: root / "docs" / "outside" / file.relative_to(root) for file in files}


def _copy(app: Sphinx) -> None:
    root = Path(app.srcdir).parent
    for file, copy in _outside(root).items():
        text = file.read_text("utf-8")
        first = re.sub(r"\A#+ ", "# ", text)  # a page needs a title of the first level
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists() or copy.read_text("utf-8") != first:
            copy.write_text(first, "utf-8")


def _mend_links(app: Sphinx, name: str, source: list[str]) -> None:
    docs = Path(app.srcdir)
    pages = _outside(docs.parent)
    written = docs / f"{name}.md"
    # The folder from which the page's links count: that of the original.
    origin = next((file for file, copy in pages.items() if copy == written), written)

    def mended(match: re.Match[str]) -> str:
        before, target, anchor, after = match[1], match[2], match[3] or "", match[4]
        file = (origin.parent / target).resolve()
        file = pages.get(file, file)
        if origin == written and file == (origin.parent / target).resolve():
            return match[0]
        return f"{before}{_relative(file, written.parent)}{anchor}{after}"

    source[0] = _LINK.sub(mended, source[0])


def _relative(file: Path, folder: Path) -> str:
    return Path(os.path.relpath(file, folder)).as_posix()


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", _copy)
    app.connect("source-read", _mend_links)
    return {"parallel_read_safe": True}
