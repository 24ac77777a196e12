"""Sentence polarity: 5,331 negative and 5,331 positive sentences of film reviews (Pang and Lee, 2005; CC BY 4.0)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tf_vmf.data.corpora import folder_with
from tf_vmf.data.registry import register_corpus
from tf_vmf.text.files import Text, TextFiles

_SOURCE = "rt-polaritydata.tar.gz of https://www.cs.cornell.edu/people/pabo/movie-review-data"
_FILES = {"neg": "rt-polarity.neg", "pos": "rt-polarity.pos"}

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
    """The lines of both files, labeled neg and pos; see `PolarityFiles`."""
    return {"train": PolarityFiles(data_dir)}


class PolarityFiles:
    """The lines of `rt-polarity.neg` and `rt-polarity.pos` in `data_dir` or its folder `sentence_polarity`.

    The published files are in windows-1252; copies in UTF-8 give the same sentences.

    Raises:
        FileNotFoundError: the files are in neither folder.
    """

    def __init__(self, data_dir: str | Path) -> None:
        folder = folder_with(_FILES.values(), data_dir, "sentence_polarity", _SOURCE)
        self._files = [
            TextFiles(f"{label}={folder / file}", encoding=_encoding(folder / file)) for label, file in _FILES.items()
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
