"""One entry to every bag-of-words corpus."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tf_vmf.data.documents import SPLITS, BagOfWordsCorpus, Documents, build_corpus, index_labels
from tf_vmf.data.feat import read_feat, read_vocabulary
from tf_vmf.data.newsgroups import load_newsgroups
from tf_vmf.data.paths import Paths, as_paths, is_feat
from tf_vmf.data.prepared import prepared_documents
from tf_vmf.data.splits import check_sizes, split_three_ways
from tf_vmf.data.text import TextFiles, corpus_from_text
from tf_vmf.data.vocabulary import STANDARDIZERS, read_stop_words
from tf_vmf.data.wikipedia import ARCHIVE, SHORTEST_PARAGRAPH, read_wikipedia

BAG_OF_WORDS_CORPORA = ("wikipedia", "20ng", "prepared")


def load_bag_of_words(
    corpus: str | None = None,
    *,
    data_dir: str | Path | None = None,
    train_files: Paths | None = None,
    valid_files: Paths | None = None,
    test_files: Paths | None = None,
    vocab_file: str | Path | None = None,
    vocabulary_size: int = 2000,
    min_count: int = 2,
    stop_words: str | Path | Iterable[str] = "english",
    tokenization: str = "words",
    validation_size: int | float | None = None,
    test_size: int | float | None = None,
    seed: int = 0,
) -> BagOfWordsCorpus:
    """Loads a corpus by name, or from files of your own.

    ```python
    corpus = load_bag_of_words("wikipedia")
    corpus = load_bag_of_words("20ng", data_dir="data")
    corpus = load_bag_of_words(train_files="reviews.txt.gz", vocabulary_size=5000)
    ```

    - `"wikipedia"`: paragraphs of 106 English Wikipedia articles, out of the gensim package; offline.
    - `"20ng"`: 20 Newsgroups as `.feat` files under `data_dir`.
    - `"prepared"`: what `prepare_documents` has written to `data_dir`, for corpora larger than memory: training documents
      stay on disk (`corpus.train_records`), and `corpus.train` is a sample of them.
    - Text files hold a document a line; folders hold a document a file (.txt or .gz), with subfolders as labels;
      `.feat` files hold counts and need `vocab_file`.

    Empty documents, those without a word of the vocabulary, are dropped from every split and counted in
    `corpus.statistics`. The vocabulary comes from the training documents alone.

    Args:
        corpus: `"wikipedia"`, `"20ng"`, `"prepared"`, or None for `train_files`.
        data_dir: the folder of a corpus that is read from files, or its parent.
        train_files: a path or several: text files, folders, or `.feat` files, plain or .gz; patterns such as `text/*.txt` too.
        valid_files: the same for validation; None holds documents out of train.
        test_files: the same for the test; None holds documents out of train.
        vocab_file: a vocabulary to use as it is, `word` or `word total-count` a line.
        vocabulary_size: the number of words at most, where the vocabulary is chosen from text.
        min_count: how often a word must occur in train at least.
        stop_words: `"english"` (gensim's list), `"none"`, the path of a file with a word a line, or words.
        tokenization: `"words"` (lower-case words of two letters or more) or `"whitespace"` (already tokenised text).
        validation_size: documents to hold out of train for validation, a number or a share of all; by default 1,000 of
            `"20ng"` and a tenth of others.
        test_size: the same for the test, where `test_files` is not given; None: a tenth.
        seed: of the split. The same seed gives the same split everywhere.

    Raises:
        ValueError: no such corpus; arguments that exclude each other; a malformed line, named by file and number.
        FileNotFoundError: a file is missing.
        ModuleNotFoundError: gensim is needed and not installed.
    """
    if corpus is not None and corpus not in BAG_OF_WORDS_CORPORA:
        raise ValueError(
            f"`corpus` must be one of {', '.join(BAG_OF_WORDS_CORPORA)}, or None for `train_files`. "
            f"Received: corpus={corpus!r}."
        )
    if (corpus is None) == (train_files is None):
        raise ValueError(
            f"Give either `corpus` or `train_files`. Received: corpus={corpus!r}, train_files={train_files!r}."
        )
    if corpus is not None and any(given is not None for given in (valid_files, test_files, vocab_file)):
        raise ValueError(
            f"Corpus {corpus!r} brings its own splits and vocabulary; `valid_files`, `test_files` and `vocab_file` go "
            "with `train_files`."
        )
    for name, value in (("vocabulary_size", vocabulary_size), ("min_count", min_count)):
        if value < 1:
            raise ValueError(f"`{name}` must be positive. Received: {name}={value}.")
    if tokenization not in STANDARDIZERS:
        raise ValueError(
            f"`tokenization` must be one of {', '.join(STANDARDIZERS)}. Received: tokenization={tokenization!r}."
        )

    check_sizes(valid_files, test_files, validation_size=validation_size, test_size=test_size)
    own = {"validation_size": validation_size if corpus == "prepared" else None, "test_size": test_size}
    if corpus in ("20ng", "prepared") and (given := [name for name, value in own.items() if value is not None]):
        raise ValueError(f"Corpus {corpus!r} brings its own splits. Received: {', '.join(given)}.")
    if corpus == "prepared":
        if data_dir is None:
            raise ValueError("Corpus 'prepared' is read from files: `data_dir` must name their folder. Received: None.")
        return prepared_documents(data_dir)
    if corpus == "20ng":
        if data_dir is None:
            raise ValueError("Corpus '20ng' is read from files: `data_dir` must name their folder. Received: None.")
        return load_newsgroups(
            data_dir, validation_size=1000 if validation_size is None else validation_size, seed=seed
        )

    sizes: dict[str, Any] = {
        "validation_size": 0.1 if validation_size is None else validation_size,
        "test_size": 0.1 if test_size is None else test_size,
        "seed": seed,
    }
    files = {
        split: None if given is None else as_paths(given)
        for split, given in zip(SPLITS, (train_files, valid_files, test_files), strict=True)
    }
    if any(is_feat(path) for paths in files.values() if paths for path in paths):
        return _load_feat(files, vocab_file, **sizes)

    options: dict[str, Any] = sizes | {
        "vocabulary": None if vocab_file is None else read_vocabulary(vocab_file),
        "vocabulary_size": vocabulary_size,
        "min_count": min_count,
        "stop_words": frozenset() if vocab_file is not None else read_stop_words(stop_words, tokenization),
        "tokenization": tokenization,
    }
    if corpus == "wikipedia":
        source = (
            f"paragraphs of {SHORTEST_PARAGRAPH} characters or more of the English Wikipedia articles in gensim's "
            f"{ARCHIVE}; other paragraphs of a test document's article may be in train"
        )
        return corpus_from_text("wikipedia", list(read_wikipedia()), notes={"source": source}, **options)
    texts = {split: None if paths is None else TextFiles(paths) for split, paths in files.items()}
    assert texts["train"] is not None
    return corpus_from_text(
        "files", texts["train"], texts["valid"], texts["test"], notes={"source": _names(files)}, **options
    )


def _load_feat(
    files: dict[str, list[Path] | None],
    vocab_file: str | Path | None,
    *,
    validation_size: int | float,
    test_size: int | float,
    seed: int,
) -> BagOfWordsCorpus:
    """A corpus of `.feat` files."""
    for paths in files.values():
        if paths and not all(is_feat(path) for path in paths):
            raise ValueError(
                "A corpus must be of `.feat` files or of text files, not of both. Received: "
                f"{', '.join(str(path) for path in paths)}."
            )
    if vocab_file is None:
        raise ValueError("`.feat` files hold ids: `vocab_file` must name the vocabulary that they refer to.")
    vocabulary = read_vocabulary(vocab_file)
    splits: dict[str, Documents] = {split: read_feat(paths, len(vocabulary)) for split, paths in files.items() if paths}
    sizes = {"test": test_size, "valid": validation_size}
    held_out = {split: size for split, size in sizes.items() if split not in splits}
    if held_out:
        everything = splits["train"]
        rows = split_three_ways(len(everything), held_out, seed)
        splits |= {split: everything.take(rows[split]) for split in ("train", *held_out)}
    label_names, indexed = index_labels([splits[split] for split in SPLITS])
    return build_corpus(
        "files",
        vocabulary,
        dict(zip(SPLITS, indexed, strict=True)),
        label_names=label_names,
        notes={
            "source": _names(files),
            "tokens": "counts as given in the files",
            "vocabulary": "as given",
            "split": f"held out of train by seed: {held_out}" if held_out else "as given",
            "split_seed": seed,
        },
    )


def _names(files: dict[str, list[Path] | None]) -> dict[str, list[str]]:
    return {split: [path.name for path in paths] for split, paths in files.items() if paths}
