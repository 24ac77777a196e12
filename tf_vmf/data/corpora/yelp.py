"""Yelp reviews of Xu and Durrett (2018): what is left of them, at most 50 words each, `<unk>` in place.

Their training file is lost. Their validation file is the training text here, some of it held out for validation; their test file
is the test text. Figures of the paper, trained on more, are not figures of this split.
"""

from collections.abc import Iterator
from pathlib import Path

from tf_vmf.data.corpora import folder_with
from tf_vmf.data.registry import register_corpus
from tf_vmf.text.files import Text, TextFiles

_FILES = {"train": "valid.txt", "test": "test.txt"}


@register_corpus(
    "yelp",
    kinds="sentences",
    splits=("train", "test"),
    source="Yelp reviews of Xu and Durrett (2018): train and valid from their valid.txt, test from their test.txt",
    tokenization="whitespace",
    min_count=1,
)
def yelp_files(data_dir: str | Path) -> dict[str, TextFiles]:
    """The reviews in `data_dir` or its folder `yelp`, labeled with their stars less one, "0" to "4".

    Raises:
        FileNotFoundError: The files are in neither folder.
    """
    source = "the lines `label text` of the paper's authors, https://github.com/jiacheng-xu/vmf_vae_nlp"
    folder = folder_with(_FILES.values(), data_dir, "yelp", source)
    return {split: _Reviews(folder / file) for split, file in _FILES.items()}


class _Reviews(TextFiles):
    def __iter__(self) -> Iterator[Text]:
        for line in super().__iter__():
            label, _, text = line.text.partition(" ")
            yield line._replace(text=text, label=label)
