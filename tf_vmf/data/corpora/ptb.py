"""Penn Treebank text as prepared by Mikolov: one sentence per line, 10,000 words, `<unk>` for all others.

Every sentence is kept, and the vocabulary comes from train alone: 9,998 words, `<unk>` and `<eos>` are the usual 10,000.
(The code published with Xu and Durrett's paper drops lines under two words and takes words from test too.)
"""

from pathlib import Path

from tf_vmf._errors import MissingPlaceError
from tf_vmf.data.registry import register_corpus
from tf_vmf.data.splits import SPLITS
from tf_vmf.text.files import TextFiles

_FILES = {split: f"{split}.txt" for split in SPLITS}


@register_corpus(
    "ptb",
    kinds="sentences",
    splits=SPLITS,
    source="Penn Treebank, Wall Street Journal, as prepared by T. Mikolov; every sentence kept",
    tokenization="whitespace",
    min_count=1,
)
def ptb_files(data_dir: str | Path) -> dict[str, TextFiles]:
    """The lines of `train.txt`, `valid.txt` and `test.txt` in `data_dir` or its folder `ptb`."""
    for folder in (Path(data_dir), Path(data_dir) / "ptb"):
        if all((folder / file).is_file() for file in _FILES.values()):
            return {split: TextFiles(folder / file) for split, file in _FILES.items()}
    raise MissingPlaceError(
        f"{', '.join(_FILES.values())} in it or its folder ptb: the files ptb.*.txt of Mikolov's simple-examples.tgz under these "
        "names",
        data_dir,
        name="data_dir",
    )
