"""Reports of `TopicModel` on texts that installed packages carry, and a card for each where a page says `<!-- gallery -->`.

They are kept in docs/outside/gallery until the code that makes them changes.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_ROOT = Path(__file__).resolve().parents[2]
_MADE_BY = ("docs/_extensions/gallery.py", "tf_vmf/topics/*.py", "tf_vmf/report/**/*.*")
_SHORTEST = 150
Text = tuple[str, str, str | None]  # title, text, label


@dataclass(frozen=True)
class Entry:
    """A report: where its texts come from, and the options of its model."""

    name: str
    title: str
    about: str
    options: dict[str, Any]

    def texts(self) -> list[Text]:
        return list({"wikipedia": _wikipedia, "news": _news, "docstrings": _docstrings}[self.name]())


ENTRIES = (
    Entry("wikipedia", "Wikipedia articles", "Paragraphs of articles, labeled by their article.", {"epochs": 30}),
    Entry("news", "Australian news", "Radio news of 2000 and 2001, the Lee corpus.", {"num_topics": 10, "epochs": 80}),
    Entry("docstrings", "Docstrings of SciPy and scikit-learn", "What functions say about themselves, labeled by their package.",
          {"epochs": 15, "stop_words": "english", "max_df": 0.2}),
)  # fmt: skip


def _wikipedia() -> Iterator[Text]:
    from tf_vmf.data.corpora import read_wikipedia

    return ((text.title, text.text, text.label) for text in read_wikipedia())


def _news() -> Iterator[Text]:
    from gensim.test.utils import datapath

    for line in Path(datapath("lee_background.cor")).read_text("utf-8").splitlines():
        sentences = re.split(r"(?<=[.?!]) ", line.strip())
        for start in range(0, len(sentences), 3):
            yield f"{line[:60].rsplit(' ', 1)[0]} …", " ".join(sentences[start : start + 3]), None


def _docstrings() -> Iterator[Text]:
    """The prose of docstrings, up to the list of parameters."""
    kinds = ast.FunctionDef | ast.ClassDef
    for package in ("scipy", "sklearn"):
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        root = Path(spec.origin).parent
        for file in sorted(root.rglob("*.py")):
            parts = file.relative_to(root).with_suffix("").parts
            if len(parts) < 2 or any(part.startswith(("_", "test", "externals")) for part in parts[:-1]):
                continue
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, kinds) and not node.name.startswith("_"):
                    prose = re.split(r"\n\s*(?:Parameters|Returns|Attributes|\.\. )", ast.get_docstring(node) or "")[0]
                    if len(prose) >= _SHORTEST:
                        label = f"{package}.{parts[0]}"
                        yield f"{label}: {node.name}", " ".join(prose.split()), label


def _make(entry: Entry, folder: Path) -> None:
    import tf_vmf

    titles, texts, labels = zip(*entry.texts(), strict=True)
    model = tf_vmf.TopicModel(**{"num_topics": 20, "random_state": 0, **entry.options}).fit(list(texts))
    file = folder / f"{entry.name}.html"
    given = None if labels[0] is None else list(labels)
    model.report(file, given, titles=list(titles), texts=list(texts), title=entry.title)
    info = model.topic_info().sort_values("size", ascending=False)
    (folder / f"{entry.name}.txt").write_text("; ".join(info["label"][:5]), "utf-8")
    (folder / f"{entry.name}.svg").write_text(_picture(file.read_text("utf-8")), "utf-8")


def _picture(page: str) -> str:
    """The map of a page as it is without JavaScript, every other point, in its light colors."""
    colors = dict(re.findall(r"\.(k\d+)\{--k:light-dark\((#\w+)", page))
    points = re.findall(r'<circle class="(k\d+)" cx="([\d.]+)" cy="([\d.]+)"', page)[::2]
    circles = "".join(f'<circle fill="{colors[k]}" cx="{x}" cy="{y}" r="3"/>' for k, x, y in points)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 440" width="640" height="440">{circles}</svg>'


def _prepare(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "outside" / "gallery"
    files = sorted(
        file for pattern in _MADE_BY for file in _ROOT.glob(pattern) if file.is_file() and file.suffix != ".pyc"
    )
    stamp = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    made = folder / "stamp"
    if made.exists() and made.read_text() == stamp:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for entry in ENTRIES:
        _make(entry, folder)
    made.write_text(stamp)


def _cards(app: Sphinx, name: str, source: list[str]) -> None:
    folder, cards = Path(app.srcdir) / "outside" / "gallery", ["::::{grid} 1 1 2 2", ":gutter: 3"]
    if "<!-- gallery -->" not in source[0]:
        return
    for entry in ENTRIES:
        topics = (folder / f"{entry.name}.txt").read_text("utf-8")
        cards += [
            f":::{{grid-item-card}} {entry.title}",
            f":link: gallery/{entry.name}.html",
            f":link-alt: {entry.title}",
        ]
        cards += [f":img-top: outside/gallery/{entry.name}.svg", f":img-alt: Map of {entry.title}", ""]
        cards += [f"{entry.about} Largest topics: {topics}.", ":::"]
    source[0] = source[0].replace("<!-- gallery -->", "\n".join([*cards, "::::"]))


def _copy(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.name == "html":
        for entry in ENTRIES:
            (Path(app.outdir) / "gallery").mkdir(exist_ok=True)
            shutil.copy(Path(app.srcdir) / "outside" / "gallery" / f"{entry.name}.html", Path(app.outdir) / "gallery")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", _prepare)
    app.connect("source-read", _cards)
    app.connect("build-finished", _copy)
    return {"parallel_read_safe": True}
