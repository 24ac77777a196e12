"""From text of any size to a prepared corpus: one pass over the text, memory bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tf_vmf.data.arrays import Store
from tf_vmf.data.corpora.prepared import write_prepared
from tf_vmf.data.load import load_bag_of_words, load_sentences, read_documents, read_sentences
from tf_vmf.data.sources import Source
from tf_vmf.files import new_folder
from tf_vmf.text.files import Paths


def prepare_documents(
    output: str | Path,
    train_files: Paths,
    *,
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
) -> dict[str, Any]:
    """Writes a folder for `load_bag_of_words("prepared", data_dir=output)`.

    The corpus is that of `load_bag_of_words` with the same arguments, but its numbers are written to files while the text is read,
    so that its size does not matter: loaded again they are mapped into memory, and read as they are needed. The beginnings of
    documents, for display, are not kept. Counts in `.feat` files are read into memory.

    Args:
        output: The folder to make.
        train_files: This and the following as in `load_bag_of_words`.
        valid_files: The same for validation; None holds documents out of train.
        test_files: The same for the test.
        text_column: The column of the text.
        label_column: The column of the label.
        delimiter: What separates the columns.
        vocab_file: A vocabulary to use as it is.
        vocabulary_size: The number of words at most.
        min_count: How often a word must occur.
        min_df: In how many documents it must occur.
        max_df: In how many documents it may occur.
        stop_words: What to leave out.
        tokenization: How text becomes words.
        tokenizer: A function from a text to its words.
        ngram_range: The lengths of runs of words.
        validation_size: Documents to hold out, a number or a share; None: a tenth, and 10,000 at most.
        test_size: The same for the test.
        seed: Of the split.

    Returns:
        The manifest.

    Raises:
        FileExistsError: `output` exists.
        FileNotFoundError, ValueError: As `load_bag_of_words`.
    """
    options = {name: value for name, value in locals().items() if name != "output"}
    with new_folder(output) as folder:
        source = Source.of("documents", load_bag_of_words, {"corpus": None, "texts": None, "labels": None, **options})
        return write_prepared(folder, Path(output).name, read_documents(source, Store(folder)))


def prepare_sentences(
    output: str | Path,
    train_files: Paths,
    *,
    valid_files: Paths | None = None,
    test_files: Paths | None = None,
    text_column: str | int | None = None,
    label_column: str | int | None = None,
    delimiter: str | None = None,
    vocab_file: str | Path | None = None,
    vocabulary_size: int = 10_000,
    min_count: int = 2,
    max_length: int | None = None,
    tokenization: str = "punctuation",
    tokenizer: Callable[[str], Iterable[str]] | None = None,
    split_sentences: bool = False,
    validation_size: int | float | None = None,
    test_size: int | float | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Writes a folder for `load_sentences("prepared", data_dir=output)`.

    As `prepare_documents`; the arguments on text, vocabulary and labels are those of `load_sentences`.
    """
    options = {name: value for name, value in locals().items() if name != "output"}
    with new_folder(output) as folder:
        source = Source.of("sentences", load_sentences, {"corpus": None, "texts": None, "labels": None, **options})
        return write_prepared(folder, Path(output).name, read_sentences(source, Store(folder)))
