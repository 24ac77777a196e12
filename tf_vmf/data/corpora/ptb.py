"""Penn Treebank text as prepared by Mikolov: one sentence per line, 10,000 words, `<unk>` for all others.

Every sentence is kept, and the vocabulary comes from train alone: 9,998 words, `<unk>` and `<eos>` are the usual 10,000.
(The code published with Xu and Durrett's paper drops lines under two words and takes words from test too.)
"""

from pathlib import Path

from tf_vmf.data.corpora import folder_with
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
    source = "the files ptb.*.txt of Mikolov's simple-examples.tgz under these names"
    folder = folder_with(_FILES.values(), data_dir, "ptb", source)
    return {split: TextFiles(folder / file) for split, file in _FILES.items()}
