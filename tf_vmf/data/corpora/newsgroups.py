"""20 Newsgroups as prepared by Miao: 11,268 training and 7,505 test documents over 2,000 words."""

from pathlib import Path

from tf_vmf.data.build import documents_corpus
from tf_vmf.data.corpora import folder_with
from tf_vmf.data.corpora.feat import read_feat
from tf_vmf.data.corpus import BagOfWordsCorpus
from tf_vmf.data.registry import register_corpus
from tf_vmf.data.splits import SPLITS, split_rows
from tf_vmf.text.vocabulary import read_vocabulary

_FILES = ("train.feat", "test.feat", "vocab.new")
_SOURCE = "https://github.com/ysmiao/nvdm"

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
    """Reads `train.feat`, `test.feat` and `vocab.new` from `data_dir` or its folder `20ng`.

    The validation documents are held out of train by seed. (The code published with Xu and Durrett's paper draws its
    1,000 from the test documents, and so selects on test data.)
    """
    folder = folder_with(_FILES, data_dir, "20ng", f"they are in the data folder of {_SOURCE}")
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
            "source": f"20 Newsgroups, .feat files of {_SOURCE}",
            "tokens": "counts as given in the files",
            "split": f"{len(valid_rows)} validation documents held out of train by seed; test as given",
            "split_seed": seed,
        },
    )
