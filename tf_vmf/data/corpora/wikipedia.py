"""The embedded corpus: paragraphs of English Wikipedia articles that gensim carries among its test data."""

import bz2
import re
from collections.abc import Callable, Iterator

from tf_vmf.data.registry import register_corpus
from tf_vmf.text.files import Text
from tf_vmf.text.vocabulary import require_gensim

ARCHIVE = "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"
SHORTEST_PARAGRAPH = 200  # characters; shorter ones are headings, captions and cells

# Images with their captions, one link deep. gensim keeps the caption and glues it to the paragraph that follows.
_IMAGE = re.compile(r"\[\[\s*(?:file|image)\s*:(?:[^\[\]]|\[\[[^\[\]]*\]\]|\[[^\[\]]*\])*\]\]", re.IGNORECASE)
# Content of these elements is no prose: gensim drops the tags and keeps what stands between them.
_NO_PROSE = re.compile(r"<(gallery|source|syntaxhighlight|pre|timeline|score)\b.*?</\1>", re.IGNORECASE | re.DOTALL)
# The start of headings, list items, table rows and indented formulas; whole paragraphs, as a line is one.
_MARKUP_LINE = re.compile(r"\s*(?:[=*#:;|!{}]|(?:file|image|category)\s*:)", re.IGNORECASE)
_LEFTOVER = re.compile(r"''+|https?://\S+|\(\s*[,;]?\s*\)")
_SPACE = re.compile(r"\s+")


_SOURCE = (
    f"paragraphs of {SHORTEST_PARAGRAPH} characters or more of the English Wikipedia articles in gensim's {ARCHIVE}; other "
    "paragraphs of a test text's article may be in train"
)


@register_corpus("wikipedia", kinds="documents", source=_SOURCE)
def wikipedia_documents() -> dict[str, Iterator[Text]]:
    """Paragraphs, labeled by their article."""
    return {"train": read_wikipedia()}


@register_corpus(
    "wikipedia", kinds="sentences", source=f"sentences of the {_SOURCE}", split_sentences=True, max_length=60
)
def wikipedia_sentences() -> dict[str, Iterator[Text]]:
    """Paragraphs to be split into sentences, without labels."""
    return {"train": (paragraph._replace(label=None) for paragraph in read_wikipedia())}


def read_wikipedia() -> Iterator[Text]:
    """Yields the paragraphs of 200 characters or more, as text, with the article's title as label and title.

    Left out are redirects, pages outside the article namespace, headings, list items, tables, image captions, code and
    footnotes.
    """
    wikicorpus = require_gensim("gensim.corpora.wikicorpus", "the Wikipedia articles")
    path = require_gensim("gensim.test.utils", "the Wikipedia articles").datapath(ARCHIVE)
    with bz2.open(path) as file:
        for title, markup, _ in wikicorpus.extract_pages(file, filter_namespaces=("0",)):
            if markup.lstrip()[:9].lower() == "#redirect" or title.startswith("Wikipedia:"):
                continue
            for paragraph in paragraphs(markup, wikicorpus.filter_wiki):
                yield Text(paragraph, label=title, title=title, path=ARCHIVE)


def paragraphs(markup: str, filter_wiki: Callable[[str], str]) -> Iterator[str]:
    """The long paragraphs of an article, freed of wiki markup by gensim's `filter_wiki` and of what that overlooks."""
    markup = _without_tables(_IMAGE.sub("\n", _NO_PROSE.sub("\n", markup)))
    for line in filter_wiki(markup).split("\n"):
        if _MARKUP_LINE.match(line):
            continue
        text = _SPACE.sub(" ", _LEFTOVER.sub("", line)).strip(" ,;")
        if len(text) >= SHORTEST_PARAGRAPH:
            yield text


def _without_tables(markup: str) -> str:
    """Drops the lines from `{|` to its `|}`, tables in tables included; gensim would keep the cells as lines."""
    depth = 0
    kept = []
    for line in markup.split("\n"):
        start = line.lstrip(" \t:")
        depth += start.startswith("{|")
        if not depth:
            kept.append(line)
        elif start.startswith("|}") and not start.startswith("|}}"):  # the latter ends a template
            depth -= 1
    return "\n".join(kept)
