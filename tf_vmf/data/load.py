"""One entry to every bag-of-words corpus."""

from pathlib import Path

from tf_vmf.data.documents import BagOfWordsCorpus
from tf_vmf.data.newsgroups import load_newsgroups

CORPORA = ("20ng",)


def load_bag_of_words(
    corpus: str | None,
    *,
    data_dir: str | Path | None = None,
    validation_size: int | float | None = None,
    seed: int = 0,
) -> BagOfWordsCorpus:
    """Loads a corpus by name."""
    if corpus not in CORPORA:
        raise ValueError(f"`corpus` must be one of {', '.join(CORPORA)}. Received: corpus={corpus!r}.")
    if data_dir is None:
        raise ValueError(f"Corpus {corpus!r} is read from files: `data_dir` must name their folder. Received: None.")
    return load_newsgroups(data_dir, validation_size=1000 if validation_size is None else validation_size, seed=seed)
