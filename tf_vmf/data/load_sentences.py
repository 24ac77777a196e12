"""One entry to every corpus of sentences."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tf_vmf.data.documents import SPLITS
from tf_vmf.data.feat import read_vocabulary
from tf_vmf.data.paths import Paths, as_paths
from tf_vmf.data.prepared import prepared_sentences
from tf_vmf.data.ptb import ptb_files
from tf_vmf.data.sentence_files import RawLine, SentenceFiles
from tf_vmf.data.sentence_polarity import PolarityFiles
from tf_vmf.data.sentence_text import corpus_from_sentences
from tf_vmf.data.sentences import SentenceCorpus
from tf_vmf.data.splits import check_sizes
from tf_vmf.data.vocabulary import STANDARDIZERS
from tf_vmf.data.wikipedia import ARCHIVE, SHORTEST_PARAGRAPH, read_wikipedia

SENTENCE_CORPORA = ("wikipedia", "ptb", "sentence_polarity", "prepared")

_WIKIPEDIA_LENGTH = 60


def load_sentences(
    corpus: str | None = None,
    *,
    data_dir: str | Path | None = None,
    train_files: Paths | None = None,
    valid_files: Paths | None = None,
    test_files: Paths | None = None,
    vocab_file: str | Path | None = None,
    vocabulary_size: int = 10_000,
    min_count: int | None = None,
    max_length: int | None = None,
    tokenization: str | None = None,
    split_sentences: bool = False,
    label_column: int | None = None,
    validation_size: int | float | None = None,
    test_size: int | float | None = None,
    seed: int = 0,
) -> SentenceCorpus:
    """Loads a corpus of sentences by name, or from files of your own.

    ```python
    corpus = load_sentences("wikipedia")
    corpus = load_sentences("ptb", data_dir="data")
    corpus = load_sentences(train_files="sentences.txt.gz")
    corpus = load_sentences(train_files=["bad=reviews/bad.txt", "good=reviews/good.txt"])
    ```

    - `"wikipedia"`: sentences of 106 English Wikipedia articles, out of the gensim package; offline. The sentences of
      a paragraph stay in the same split.
    - `"ptb"`: Penn Treebank text, `{train,valid,test}.txt` under `data_dir`.
    - `"sentence_polarity"`: `rt-polarity.{neg,pos}` under `data_dir`, with the labels `neg` and `pos`.
    - `"prepared"`: what `prepare_sentences` has written to `data_dir`, for corpora larger than memory: training sentences stay
      on disk (`corpus.train_records`), and `corpus.train` is a sample of them.
    - Text files hold a sentence a line, or with `split_sentences` a text a line. Labels may come from the files
      (`label=path`, or subfolders) or from a column; see `SentenceFiles`.

    Lines without a token are dropped and counted in `corpus.statistics`. The vocabulary comes from the training
    sentences alone; all other words, and the token `<unk>` in the text, have the id `UNK_ID`.

    Args:
        corpus: `"wikipedia"`, `"ptb"`, `"sentence_polarity"`, `"prepared"`, or None for `train_files`.
        data_dir: the folder of a corpus that is read from files, or its parent.
        train_files: a path or several, of text files (plain or .gz), folders of them, or patterns such as `text/*.txt`, each
            `path` or `label=path`.
        valid_files: the same for validation; None holds lines out of train.
        test_files: the same for the test; None holds lines out of train.
        vocab_file: a vocabulary to use as it is, `word` or `word total-count` a line. Special tokens in it are passed
            over: they have their ids anyway.
        vocabulary_size: the most frequent words to keep, `<eos>` and `<unk>` counted among them and `<pad>` not, as is
            the custom for PTB's 10,000. `corpus.vocabulary` is one longer.
        min_count: how often a word must occur in train at least; None: 1 for `"ptb"`, whose rare words are `<unk>` from
            the start, otherwise 2, so that `<unk>` occurs in train.
        max_length: tokens a sentence may have, `<eos>` included; longer ones are cut to that, and counted. None: 60
            for `"wikipedia"`, otherwise no limit.
        tokenization: `"whitespace"` (already tokenised text), `"punctuation"` (lower-case words, punctuation marks,
            numbers as `N`; see `separate_punctuation`) or `"words"` (lower-case words alone). None: `"whitespace"` for
            `"ptb"` and `"sentence_polarity"`, otherwise `"punctuation"`.
        split_sentences: whether lines of files are texts to split into sentences, by the rules of
            `tf_vmf.data.sentence_splitting`.
        label_column: 0 or 1, if lines have two tab-separated columns and this one holds the label.
        validation_size: lines to hold out of train for validation, a number or a share of all; None: a tenth.
        test_size: the same for the test.
        seed: of the split. The same seed gives the same split everywhere.

    Raises:
        ValueError: no such corpus; arguments that exclude each other; a malformed line, named by file and number.
        FileNotFoundError: a file is missing.
        ModuleNotFoundError: gensim is needed and not installed.
    """
    _check(corpus, data_dir, train_files, vocabulary_size, min_count, max_length, tokenization)
    if corpus is not None:
        own: dict[str, Any] = {"valid_files": valid_files, "test_files": test_files, "vocab_file": vocab_file}
        own |= {"label_column": label_column, "split_sentences": split_sentences or None}
        if given := [name for name, value in own.items() if value is not None]:
            raise ValueError(
                f"Corpus {corpus!r} brings its own splits, labels and vocabulary. Received: {', '.join(given)}, which "
                "go with `train_files`."
            )
    sizes = {"validation_size": validation_size, "test_size": test_size}
    if corpus in ("ptb", "prepared") and (given := [name for name, value in sizes.items() if value is not None]):
        raise ValueError(f"Corpus {corpus!r} brings its own splits. Received: {', '.join(given)}.")
    check_sizes(valid_files, test_files, **sizes)
    if corpus == "prepared":
        return prepared_sentences(str(data_dir))
    options: dict[str, Any] = {
        "tokenization": tokenization or ("whitespace" if corpus in ("ptb", "sentence_polarity") else "punctuation"),
        "vocabulary_size": vocabulary_size,
        "min_count": min_count or (1 if corpus == "ptb" else 2),
        "max_length": max_length or (_WIKIPEDIA_LENGTH if corpus == "wikipedia" else None),
        **{name: 0.1 if value is None else value for name, value in sizes.items()},
        "seed": seed,
    }
    lines: dict[str, Iterable[RawLine]]
    if corpus == "wikipedia":
        source = (
            f"sentences of the paragraphs of {SHORTEST_PARAGRAPH} characters or more of the English Wikipedia articles "
            f"in gensim's {ARCHIVE}; other paragraphs of a test sentence's article may be in train"
        )
        lines = {"train": _wikipedia_lines()}
        return corpus_from_sentences("wikipedia", lines, splitting=True, notes={"source": source}, **options)
    if corpus == "ptb":
        source = "Penn Treebank, Wall Street Journal, as prepared by T. Mikolov; every sentence kept"
        return corpus_from_sentences("ptb", ptb_files(str(data_dir)), notes={"source": source}, **options)
    if corpus == "sentence_polarity":
        source = "sentence polarity dataset 1.0 of B. Pang and L. Lee; every sentence kept"
        lines = {"train": PolarityFiles(str(data_dir))}
        return corpus_from_sentences("sentence_polarity", lines, notes={"source": source}, **options)

    files = {
        split: SentenceFiles(as_paths(paths), label_column=label_column)
        for split, paths in zip(SPLITS, (train_files, valid_files, test_files), strict=True)
        if paths is not None
    }
    return corpus_from_sentences(
        "files",
        files,
        vocabulary=None if vocab_file is None else read_vocabulary(vocab_file),
        splitting=split_sentences,
        notes={"source": {split: of_split.names for split, of_split in files.items()}},
        **options,
    )


def _check(
    corpus: str | None,
    data_dir: str | Path | None,
    train_files: Paths | None,
    vocabulary_size: int,
    min_count: int | None,
    max_length: int | None,
    tokenization: str | None,
) -> None:
    """Refuses arguments that cannot be, before any file is read."""
    if corpus is not None and corpus not in SENTENCE_CORPORA:
        raise ValueError(
            f"`corpus` must be one of {', '.join(SENTENCE_CORPORA)}, or None for `train_files`. "
            f"Received: corpus={corpus!r}."
        )
    if (corpus is None) == (train_files is None):
        raise ValueError(
            f"Give either `corpus` or `train_files`. Received: corpus={corpus!r}, train_files={train_files!r}."
        )
    if corpus in ("ptb", "sentence_polarity", "prepared") and data_dir is None:
        raise ValueError(f"Corpus {corpus!r} is read from files: `data_dir` must name their folder. Received: None.")
    limits = (("vocabulary_size", vocabulary_size, 3), ("min_count", min_count, 1), ("max_length", max_length, 2))
    for name, value, least in limits:
        if value is not None and value < least:
            raise ValueError(f"`{name}` must be at least {least}. Received: {name}={value}.")
    if tokenization is not None and tokenization not in STANDARDIZERS:
        raise ValueError(
            f"`tokenization` must be one of {', '.join(STANDARDIZERS)}. Received: tokenization={tokenization!r}."
        )


def _wikipedia_lines() -> Iterator[RawLine]:
    for number, paragraph in enumerate(read_wikipedia(), start=1):
        yield RawLine(paragraph.text, None, ARCHIVE, number)
