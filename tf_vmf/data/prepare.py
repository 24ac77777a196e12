"""From text of any size to a prepared corpus: one pass over the text, memory bounded."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tf_vmf.data.arrays import Store
from tf_vmf.data.corpora.prepared import write_prepared
from tf_vmf.data.load import load_bag_of_words, load_sentences, read_documents, read_sentences
from tf_vmf.data.sources import Source
from tf_vmf.files import new_folder
from tf_vmf.text.files import Paths


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
