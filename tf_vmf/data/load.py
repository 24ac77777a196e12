"""One entry to every corpus of documents, and one to every corpus of sentences; and both written to folders, in bounded memory."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tf_vmf._errors import ArgumentError
from tf_vmf.data.arrays import IN_MEMORY, Store
from tf_vmf.data.build import documents_corpus, documents_from_texts, sentences_from_texts
from tf_vmf.data.corpus import BagOfWordsCorpus, SentenceCorpus
from tf_vmf.data.feat import is_feat, read_feat
from tf_vmf.data.prepared import write_prepared
from tf_vmf.data.registry import OPTIONS
from tf_vmf.data.sources import Source
from tf_vmf.data.splits import split_three_ways
from tf_vmf.files import new_folder
from tf_vmf.text.files import Paths
from tf_vmf.text.tokenization import Tokenizer
from tf_vmf.text.vocabulary import check_count, document_choice, read_vocabulary, sentence_choice


def load_bag_of_words(
    corpus: str | None = None,
    *,
    data_dir: str | Path | None = None,
    texts: Iterable[str] | None = None,
    labels: Iterable[Any] | None = None,
    train_files: Paths | None = None,
    valid_files: Paths | None = None,
    test_files: Paths | None = None,
    text_column: str | int | None = None,
    label_column: str | int | None = None,
    delimiter: str | None = None,
    vocab_file: str | Path | None = None,
    vocabulary_size: int = 2000,
    min_count: int = 2,
    min_df: int | float = 1,
    max_df: int | float = 1.0,
    stop_words: str | Path | Iterable[str] = "english",
    tokenization: str = "words",
    tokenizer: Callable[[str], Iterable[str]] | None = None,
    ngram_range: tuple[int, int] = (1, 1),
    validation_size: int | float | None = None,
    test_size: int | float | None = None,
    seed: int = 0,
) -> BagOfWordsCorpus:
    r"""Loads a corpus of documents by name, from files, or from a list of texts.

    ```python
    texts = ["A rocket flew to the moon.", "Bread with butter."] * 50
    corpus = tf_vmf.data.load_bag_of_words(texts=texts, labels=["space", "food"] * 50)
    corpus.train.counts.shape  # (80, 5): documents, words
    corpus.vocabulary  # the words, most frequent first

    with open("reviews.csv", "w") as file:  # a file of your own
        file.write("stars,review\n" + "5,good plot\n1,dull plot\n" * 50)
    corpus = tf_vmf.data.load_bag_of_words(train_files="reviews.csv", text_column="review", label_column="stars")
    ```

    - `"wikipedia"`: paragraphs of 106 English Wikipedia articles, out of the gensim package; offline.
    - `"20ng"`: 20 Newsgroups as `.feat` files under `data_dir`.
    - `"prepared"`: what `prepare_documents` has written to `data_dir`, for corpora larger than memory: documents stay on
      disk.
    - A name given to `register_corpus`.
    - Text files hold a document per line, folders a document per file (.txt or .gz); `.feat` files hold counts and need
      `vocab_file`. Labels come from the files (`label=path`, or subfolders) or from a column.

    Empty documents, those without a word of the vocabulary, are dropped from every split and counted in
    `corpus.statistics`. The vocabulary comes from the training documents alone.

    Args:
        corpus: `"wikipedia"`, `"20ng"`, `"prepared"` or a registered name; None for `train_files` or `texts`.
        data_dir: the folder of a corpus that is read from files, or its parent.
        texts: the documents: strings in a list, an array or a column of a data frame.
        labels: as many labels of `texts`.
        train_files: a path or several: text files, folders, or `.feat` files, plain or .gz; patterns such as `text/*.txt`; each
            `path` or `label=path`.
        valid_files: the same for validation; None holds documents out of train.
        test_files: the same for the test; None holds documents out of train.
        text_column: the column of CSV, TSV and JSON lines that holds the text: its name in the header, or its position from 0
            in CSV and TSV without a header. Other files are then read as columns separated by tabs, without quotes.
        label_column: the same for the label.
        delimiter: what separates the columns, such as ";"; None: a comma in .csv, a tab elsewhere.
        vocab_file: a vocabulary to use as it is, `word` or `word total-count` per line.
        vocabulary_size: the number of words at most, where the vocabulary is chosen from text.
        min_count: how often a word must occur in train at least.
        min_df: in how many training documents it must occur at least: a number, an int, or a share, a float.
        max_df: in how many it may occur at most.
        stop_words: `"english"` (gensim's list), another language of the package stop-words, such as `"german"`, `"none"`, the
            path of a file with a word per line, or words. Runs of words with a stop word in them are left out, too.
        tokenization: one of `tf_vmf.text.TOKENIZATIONS`: `"words"` (lower-case words of two letters or more), `"punctuation"` or
            `"whitespace"` (tokenized text).
        tokenizer: a function from a text to its words, in place of `tokenization`; for languages that write no spaces, say.
            Saved models cannot hold it: their vectorizer takes text whose words are separated by spaces.
        ngram_range: the lengths (shortest, longest) of runs of words that count as a word, joined by underscores.
        validation_size: documents to hold out of train for validation, a number or a share of all; by default 1,000 of
            `"20ng"` and a tenth of others.
        test_size: the same for the test, where `test_files` is not given; None: a tenth.
        seed: of the split. The same seed gives the same split everywhere.

    Raises:
        ValueError: no such corpus; arguments that exclude each other; a malformed line, named by file and number.
        FileNotFoundError: a file is missing.
        ModuleNotFoundError: gensim is needed and not installed.
    """
    return read_documents(Source.of("documents", load_bag_of_words, locals()))


def read_documents(source: Source, store: Store = IN_MEMORY) -> BagOfWordsCorpus:
    """The corpus of a source; see `load_bag_of_words`."""
    options = source.options
    if source.named is not None and source.named.is_finished:
        return source.named.load(options, source.given)
    words = Tokenizer.of(options["tokenization"], options["ngram_range"], options["tokenizer"])
    if any(is_feat(path) for paths in source.paths.values() for path in paths):
        return _documents_from_counts(source, words)
    choice = document_choice(words, options)
    splits, origin = source.splits(whole_files=True)
    held_out = source.held_out(splits, on_disk=store.folder is not None)
    return documents_from_texts(
        options["corpus"] or "files", splits, words, choice, held_out, {"source": origin}, store
    )


def _documents_from_counts(source: Source, tokenizer: Tokenizer) -> BagOfWordsCorpus:
    """A corpus of `.feat` files; the tokenizer is that of new texts."""
    for name in ("text_column", "label_column", "delimiter"):
        if name in source.given:
            raise ArgumentError(name, "None with `.feat` files, which have no columns", repr(source.options[name]))
    for split, paths in source.paths.items():
        if not all(is_feat(path) for path in paths):
            received = ", ".join(str(path) for path in paths)
            raise ArgumentError(f"{split}_files", "`.feat` files or text files, and not both", received)
    vocab_file = source.options["vocab_file"]
    if vocab_file is None:
        raise ArgumentError("vocab_file", "the vocabulary that the ids of `.feat` files refer to", "None")
    vocabulary = read_vocabulary(vocab_file)
    splits = {split: read_feat(paths, len(vocabulary)) for split, paths in source.paths.items()}
    held_out = source.held_out(splits, on_disk=False)
    if held_out.sizes:
        everything = splits["train"]
        held_out = held_out.of(len(everything))
        rows = split_three_ways(len(everything), held_out.sizes, held_out.seed)
        splits |= {split: everything.take(rows[split]) for split in ("train", *held_out.sizes)}
    notes = {
        "source": {split: [path.name for path in paths] for split, paths in source.paths.items()},
        "tokens": "counts as given in the files",
        "vocabulary": "as given",
        **held_out.notes("documents"),
    }
    return documents_corpus("files", vocabulary, splits, notes=notes, tokenizer=tokenizer)


def load_sentences(
    corpus: str | None = None,
    *,
    data_dir: str | Path | None = None,
    texts: Iterable[str] | None = None,
    labels: Iterable[Any] | None = None,
    train_files: Paths | None = None,
    valid_files: Paths | None = None,
    test_files: Paths | None = None,
    text_column: str | int | None = None,
    label_column: str | int | None = None,
    delimiter: str | None = None,
    vocab_file: str | Path | None = None,
    vocabulary_size: int = 10_000,
    min_count: int | None = None,
    max_length: int | None = None,
    tokenization: str | None = None,
    tokenizer: Callable[[str], Iterable[str]] | None = None,
    split_sentences: bool = False,
    validation_size: int | float | None = None,
    test_size: int | float | None = None,
    seed: int = 0,
) -> SentenceCorpus:
    r"""Loads a corpus of sentences by name, from files, or from a list of texts.

    ```python
    corpus = tf_vmf.data.load_sentences(texts=["The cat sat.", "It slept."] * 50, labels=["cat", "sleep"] * 50)
    corpus.train.labels  # numbers; corpus.label_names has their names

    for name, line in (("bad", "a dull plot"), ("good", "a good plot")):  # files of your own
        with open(f"{name}.txt", "w") as file:
            file.write(f"{line}\n" * 50)
    corpus = tf_vmf.data.load_sentences(train_files=["bad=bad.txt", "good=good.txt"])
    ```

    - `"wikipedia"`: sentences of 106 English Wikipedia articles, out of the gensim package; offline. The sentences of
      a paragraph stay in the same split.
    - `"ptb"`: Penn Treebank text, `{train,valid,test}.txt` under `data_dir`.
    - `"sentence_polarity"`: `rt-polarity.{neg,pos}` under `data_dir`, with the labels `neg` and `pos`.
    - `"yelp"`: reviews, `{valid,test}.txt` under `data_dir`, with the labels `0` to `4`; `valid.txt` is the training text.
    - `"prepared"`: what `prepare_sentences` has written to `data_dir`, for corpora larger than memory: sentences stay on disk.
    - A name given to `register_corpus`.
    - Text files hold a sentence per line, or with `split_sentences` a text per line. Labels come from the files
      (`label=path`, or subfolders) or from a column.

    Lines without a token are dropped and counted in `corpus.statistics`. The vocabulary comes from the training
    sentences alone; all other words, and the token `<unk>` in the text, have the id `UNK_ID`.

    Args:
        corpus: one of the names above or a registered name; None for `train_files` or `texts`.
        data_dir: this and the following as in `load_bag_of_words`, of sentences.
        texts: the sentences.
        labels: as many labels of `texts`.
        train_files: text files, folders of them, or patterns such as `text/*.txt`, each `path` or `label=path`.
        valid_files: the same for validation; None holds lines out of train.
        test_files: the same for the test; None holds lines out of train.
        text_column: the column of the text.
        label_column: the column of the label.
        delimiter: what separates the columns.
        vocab_file: a vocabulary to use as it is, `word` or `word total-count` per line. Special tokens in it are passed
            over: they have their ids anyway.
        vocabulary_size: the most frequent words to keep, `<eos>` and `<unk>` counted among them and `<pad>` not, as is
            the custom for PTB's 10,000. `corpus.vocabulary` is one longer.
        min_count: how often a word must occur in train at least; None: 2, so that `<unk>` occurs in train, and 1 for `"ptb"` and
            `"yelp"`, whose rare words are `<unk>` from the start.
        max_length: tokens a sentence may have, `<eos>` included; longer ones are cut to that, and counted. None: no limit. By
            default 60 for `"wikipedia"`.
        tokenization: `"whitespace"` (tokenized text), `"punctuation"` (lower-case words, punctuation marks, numbers as `N`; see
            `tf_vmf.text.Tokenizer`) or `"words"` (lower-case words alone). None: `"punctuation"`, and `"whitespace"` for
            `"ptb"`, `"sentence_polarity"` and `"yelp"`.
        tokenizer: a function from a text to its words, in place of `tokenization`; see `load_bag_of_words`.
        split_sentences: whether texts are split into sentences, by the rules of `tf_vmf.text.split_sentences`.
        validation_size: lines to hold out of train for validation, a number or a share of all; None: a tenth.
        test_size: the same for the test.
        seed: of the split. The same seed gives the same split everywhere.

    Raises:
        ValueError: no such corpus; arguments that exclude each other; a malformed line, named by file and number.
        FileNotFoundError: a file is missing.
        ModuleNotFoundError: gensim is needed and not installed.
    """
    return read_sentences(Source.of("sentences", load_sentences, locals()))


def read_sentences(source: Source, store: Store = IN_MEMORY) -> SentenceCorpus:
    """The corpus of a source; see `load_sentences`."""
    options = source.options
    if source.named is not None and source.named.is_finished:
        return source.named.load(options, source.given)
    if options["max_length"] is not None:
        check_count("max_length", options["max_length"], 2)
    words = Tokenizer.of(options["tokenization"] or "punctuation", function=options["tokenizer"])
    least = 2 if options["min_count"] is None else options["min_count"]
    choice = sentence_choice(options["vocabulary_size"], least, options["vocab_file"])
    splits, origin = source.splits(whole_files=False)
    return sentences_from_texts(
        options["corpus"] or "files",
        splits,
        words,
        choice,
        source.held_out(splits, on_disk=store.folder is not None),
        {"source": origin},
        store,
        max_length=options["max_length"],
        splitting=options["split_sentences"],
    )


OPTIONS.update(
    documents=frozenset(inspect.signature(load_bag_of_words).parameters),
    sentences=frozenset(inspect.signature(load_sentences).parameters),
)


def prepare_documents(output: str | Path, train_files: Paths, **options: Any) -> dict[str, Any]:
    r"""Writes a folder for `load_bag_of_words("prepared", data_dir=output)`.

    The corpus is that of `load_bag_of_words` with the same arguments, but its numbers are written to files while the text is read,
    so that its size does not matter: loaded again they are mapped into memory, and read as they are needed. The beginnings of
    documents, for display, are not kept. Counts in `.feat` files are read into memory.

    ```python
    with open("notes.txt", "w") as file:
        file.write("The moon rose early.\nBread with butter.\n" * 40)
    tf_vmf.data.prepare_documents("prepared", "notes.txt", vocabulary_size=1000)
    corpus = tf_vmf.data.load_bag_of_words("prepared", data_dir="prepared")
    ```

    Args:
        output: The folder to make.
        train_files: Text files, as in `load_bag_of_words`.
        **options: Its options of files, vocabulary, tokens and splits. By default a tenth of the documents is held out for
            validation and for the test, and 10,000 at most.

    Returns:
        The manifest.

    Raises:
        FileExistsError: `output` exists.
        TypeError: There is no such option.
        FileNotFoundError, ValueError: As `load_bag_of_words`.
    """
    return _prepare("documents", load_bag_of_words, read_documents, output, {"train_files": train_files, **options})


def prepare_sentences(output: str | Path, train_files: Paths, **options: Any) -> dict[str, Any]:
    """Writes a folder for `load_sentences("prepared", data_dir=output)`.

    As `prepare_documents`, with the options of `load_sentences`.
    """
    return _prepare("sentences", load_sentences, read_sentences, output, {"train_files": train_files, **options})


def _prepare(
    kind: str, loader: Callable[..., Any], read: Callable[..., Any], output: str | Path, options: dict[str, Any]
) -> dict[str, Any]:
    call = inspect.signature(loader).bind(**options)
    call.apply_defaults()
    with new_folder(output) as folder:
        return write_prepared(folder, Path(output).name, read(Source.of(kind, loader, call.arguments), Store(folder)))
