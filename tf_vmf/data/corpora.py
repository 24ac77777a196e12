"""Corpora with a name; each registers itself when `tf_vmf.data` imports this module."""

from __future__ import annotations

import bz2
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from tf_vmf._errors import MissingPlaceError
from tf_vmf.data.build import documents_corpus
from tf_vmf.data.corpus import BagOfWordsCorpus
from tf_vmf.data.feat import read_feat
from tf_vmf.data.registry import register_corpus
from tf_vmf.data.splits import SPLITS, split_rows
from tf_vmf.text.files import Text, TextFiles
from tf_vmf.text.vocabulary import read_vocabulary, require_gensim


def folder_with(files: Collection[str], data_dir: str | Path, name: str, source: str) -> Path:
    """`data_dir` or its folder `name`: the one that holds the files; else a MissingPlaceError that names their source, a clause."""
    for folder in (Path(data_dir), Path(data_dir) / name):
        if all((folder / file).is_file() for file in files):
            return folder
    expected = f"{', '.join(files)} in it or its folder {name}: {source}"
    raise MissingPlaceError(expected, data_dir, name="data_dir")


_NVDM = "https://github.com/ysmiao/nvdm"
# The files number the groups from 1 in alphabetical order.
NEWSGROUPS = (
    "alt.atheism",
    "comp.graphics",
    "comp.os.ms-windows.misc",
    "comp.sys.ibm.pc.hardware",
    "comp.sys.mac.hardware",
    "comp.windows.x",
    "misc.forsale",
    "rec.autos",
    "rec.motorcycles",
    "rec.sport.baseball",
    "rec.sport.hockey",
    "sci.crypt",
    "sci.electronics",
    "sci.med",
    "sci.space",
    "soc.religion.christian",
    "talk.politics.guns",
    "talk.politics.mideast",
    "talk.politics.misc",
    "talk.religion.misc",
)
_NUMBERED_GROUPS = {str(number): name for number, name in enumerate(NEWSGROUPS, start=1)}


@register_corpus("20ng", kinds="documents", splits=SPLITS, is_finished=True)
def load_newsgroups(data_dir: str | Path, *, validation_size: int | float = 1000, seed: int = 0) -> BagOfWordsCorpus:
    """20 Newsgroups as prepared by Miao, 11,268 training and 7,505 test documents over 2,000 words.

    Reads `train.feat`, `test.feat` and `vocab.new` from `data_dir` or its folder `20ng`.

    The validation documents are held out of train by seed. (The code published with Xu and Durrett's paper draws its
    1,000 from the test documents, and so selects on test data.)
    """
    folder = folder_with(
        ("train.feat", "test.feat", "vocab.new"), data_dir, "20ng", f"they are in the data folder of {_NVDM}"
    )
    vocabulary = read_vocabulary(folder / "vocab.new")
    everything = read_feat(folder / "train.feat", len(vocabulary))
    test = read_feat(folder / "test.feat", len(vocabulary))
    train_rows, valid_rows = split_rows(len(everything), validation_size, seed, "validation_size")
    return documents_corpus(
        "20ng",
        vocabulary,
        {"train": everything.take(train_rows), "valid": everything.take(valid_rows), "test": test},
        label_names=_NUMBERED_GROUPS,
        notes={
            "source": f"20 Newsgroups, .feat files of {_NVDM}",
            "tokens": "counts as given in the files",
            "split": f"{len(valid_rows)} validation documents held out of train by seed; test as given",
            "split_seed": seed,
        },
    )


@register_corpus(
    "ptb",
    kinds="sentences",
    splits=SPLITS,
    source="Penn Treebank, Wall Street Journal, as prepared by T. Mikolov; every sentence kept",
    tokenization="whitespace",
    min_count=1,
)
def ptb_files(data_dir: str | Path) -> dict[str, TextFiles]:
    """Penn Treebank text as prepared by Mikolov: `train.txt`, `valid.txt` and `test.txt` in `data_dir` or its folder `ptb`.

    Every sentence is kept, and the vocabulary comes from train alone: 9,998 words, `<unk>` and `<eos>` are the usual 10,000. (The
    code published with Xu and Durrett's paper drops lines under two words and takes words from test too.)
    """
    files = {split: f"{split}.txt" for split in SPLITS}
    source = "the files ptb.*.txt of Mikolov's simple-examples.tgz under these names"
    folder = folder_with(files.values(), data_dir, "ptb", source)
    return {split: TextFiles(folder / file) for split, file in files.items()}


@register_corpus(
    "yelp",
    kinds="sentences",
    splits=("train", "test"),
    source="Yelp reviews of Xu and Durrett (2018): train and valid from their valid.txt, test from their test.txt",
    tokenization="whitespace",
    min_count=1,
)
def yelp_files(data_dir: str | Path) -> dict[str, TextFiles]:
    """What is left of the Yelp reviews of Xu and Durrett (2018), at most 50 words each, `<unk>` in place.

    Labels are the stars less one, "0" to "4". The authors' training file is lost: their validation file is the training text here,
    some of it held out for validation. Figures of the paper, trained on more, are not figures of this split.
    """
    files = {"train": "valid.txt", "test": "test.txt"}
    source = "the lines `label text` of the paper's authors, https://github.com/jiacheng-xu/vmf_vae_nlp"
    folder = folder_with(files.values(), data_dir, "yelp", source)
    return {split: _Reviews(folder / file) for split, file in files.items()}


class _Reviews(TextFiles):
    def __iter__(self) -> Iterator[Text]:
        for line in super().__iter__():
            label, _, text = line.text.partition(" ")
            yield line._replace(text=text, label=label)


# The sentences were written in windows-1252. Where they were taken for ISO 8859-1, its dashes and quotes became
# control characters; UTF-8 copies made that way are in use.
_CONTROLS = {code: bytes([code]).decode("cp1252", "replace") for code in range(0x80, 0xA0)}


@register_corpus(
    "sentence_polarity",
    kinds="sentences",
    source="sentence polarity dataset 1.0 of B. Pang and L. Lee; every sentence kept",
    tokenization="whitespace",
)
def polarity_files(data_dir: str | Path) -> dict[str, PolarityFiles]:
    """5,331 negative and 5,331 positive sentences of film reviews (Pang and Lee, 2005; CC BY 4.0), labeled neg and pos."""
    return {"train": PolarityFiles(data_dir)}


class PolarityFiles:
    """The lines of `rt-polarity.neg` and `rt-polarity.pos` in `data_dir` or its folder `sentence_polarity`.

    The published files are in windows-1252; copies in UTF-8 give the same sentences.
    """

    def __init__(self, data_dir: str | Path) -> None:
        files = {"neg": "rt-polarity.neg", "pos": "rt-polarity.pos"}
        source = "rt-polaritydata.tar.gz of https://www.cs.cornell.edu/people/pabo/movie-review-data"
        folder = folder_with(files.values(), data_dir, "sentence_polarity", source)
        self._files = [
            TextFiles(f"{label}={folder / file}", encoding=_encoding(folder / file)) for label, file in files.items()
        ]

    def __iter__(self) -> Iterator[Text]:
        for file in self._files:
            for line in file:
                yield line._replace(text=line.text.translate(_CONTROLS))


def _encoding(path: Path) -> str:
    """UTF-8 if the whole file is that: text in another encoding with accents is not by chance."""
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return "ISO-8859-1"
    return "UTF-8"


# Paragraphs of English Wikipedia articles, which gensim carries among its test data.
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
_WIKIPEDIA = (
    f"paragraphs of {SHORTEST_PARAGRAPH} characters or more of the English Wikipedia articles in gensim's {ARCHIVE}; other "
    "paragraphs of a test text's article may be in train"
)


@register_corpus("wikipedia", kinds="documents", source=_WIKIPEDIA)
def wikipedia_documents() -> dict[str, Iterator[Text]]:
    """Paragraphs, labeled by their article."""
    return {"train": read_wikipedia()}


@register_corpus(
    "wikipedia", kinds="sentences", source=f"sentences of the {_WIKIPEDIA}", split_sentences=True, max_length=60
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
