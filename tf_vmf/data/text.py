"""Raw text documents: from a file a line, from folders of files, and from there to a bag-of-words corpus."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tf_vmf.data.documents import SPLITS, BagOfWordsCorpus, Documents, build_corpus, index_labels
from tf_vmf.data.lines import read_lines
from tf_vmf.data.splits import split_three_ways
from tf_vmf.data.vocabulary import count_words, find_words, select_words

_SNIPPET = 240  # characters of a document that are kept for readers
_SUFFIXES = (".txt", ".gz")


class RawDocument(NamedTuple):
    """A document before tokenising."""

    text: str
    label: str | None = None
    title: str | None = None


class TextFiles:
    """The documents in files and folders, in order; can be iterated again and again and holds none in memory.

    A file holds one document a line, empty lines included. In a folder every file that ends in .txt or .gz is one
    document, titled by its path in the folder, in sorted order; if all files lie in subfolders, the names of these are
    the labels.

    Raises:
        FileNotFoundError: a path does not exist, or a folder holds no such file.
    """

    def __init__(self, paths: Sequence[str | Path]) -> None:
        self.paths = [Path(path) for path in paths]
        self._folders = {path: files_below(path) for path in self.paths if path.is_dir()}
        for path in self.paths:
            if not path.exists():
                raise FileNotFoundError(f"Expected a text file or a folder of text files. Received: {path}")

    def __iter__(self) -> Iterator[RawDocument]:
        for path in self.paths:
            if path not in self._folders:
                for _, line in read_lines(path):
                    yield RawDocument(line)
                continue
            inside = [file.relative_to(path) for file in self._folders[path]]
            labelled = all(len(file.parts) > 1 for file in inside)
            for file in inside:
                text = "\n".join(line for _, line in read_lines(path / file))
                yield RawDocument(text, label=file.parts[0] if labelled else None, title=file.as_posix())


def files_below(folder: Path) -> list[Path]:
    """The text files in a folder and its subfolders, sorted."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
    if not files:
        raise FileNotFoundError(
            f"Expected a folder with files that end in {' or '.join(_SUFFIXES)}. Received: {folder}"
        )
    return files


def corpus_from_text(
    name: str,
    train: Iterable[RawDocument],
    valid: Iterable[RawDocument] | None = None,
    test: Iterable[RawDocument] | None = None,
    *,
    vocabulary: Sequence[str] | None = None,
    vocabulary_size: int,
    min_count: int,
    stop_words: frozenset[str],
    tokenization: str,
    validation_size: int | float,
    test_size: int | float,
    seed: int,
    notes: dict[str, Any],
) -> BagOfWordsCorpus:
    """Tokenises, splits and counts. The arguments are those of `load_bag_of_words`.

    The documents are iterated two or three times: to count them if they are to be split, to find the words, to count
    these. The vocabulary is chosen from the training documents alone, whichever way these were split off.
    """
    given = {"train": train, "valid": valid, "test": test}
    held_out = {
        split: size for split, size in (("test", test_size), ("valid", validation_size)) if given[split] is None
    }
    rows = split_three_ways(sum(1 for _ in train) if held_out else 0, held_out, seed)
    trained_on = frozenset(rows["train"].tolist()) if held_out else None

    words = vocabulary or find_words(
        (document.text for row, document in enumerate(train) if trained_on is None or row in trained_on), tokenization
    )
    splits = {
        split: _count(documents, words, tokenization) for split, documents in given.items() if documents is not None
    }
    if held_out:
        everything = splits["train"]
        splits |= {split: everything.take(rows[split]) for split in ("train", *held_out)}
    if vocabulary is None:
        totals = np.asarray(splits["train"].counts.sum(axis=0)).ravel()
        chosen = select_words(words, totals, size=vocabulary_size, min_count=min_count, stop_words=stop_words)
        if not chosen:
            raise ValueError(
                f"Corpus {name!r}: the training documents must hold a word that occurs min_count={min_count} times and "
                f"is no stop word. Received: {len(words)} distinct words, none of them such. Lower `min_count`, or set "
                "stop_words='none'."
            )
        words = [words[i] for i in chosen]
        splits = {split: documents.with_columns(chosen) for split, documents in splits.items()}
        choice = f"the {vocabulary_size} most frequent of train, occurring {min_count} times or more"
        choice += f", without {len(stop_words)} stop words" if stop_words else ", stop words included"
    else:
        choice = "as given"
    label_names, indexed = index_labels([splits[split] for split in SPLITS])
    return build_corpus(
        name,
        words,
        dict(zip(SPLITS, indexed, strict=True)),
        label_names=label_names,
        tokenization=tokenization,
        notes={
            **notes,
            "tokens": f"words of the vocabulary, tokenization {tokenization!r}",
            "vocabulary": choice,
            "split": _describe(held_out),
            "split_seed": seed,
        },
    )


def _count(documents: Iterable[RawDocument], words: Sequence[str], tokenization: str) -> Documents:
    """One pass over the documents: counts, labels, titles and the beginnings of the texts."""
    snippets: list[str] = []
    labels: list[str | None] = []
    titles: list[str | None] = []

    def texts() -> Iterator[str]:
        for document in documents:
            snippets.append(" ".join(document.text[: 2 * _SNIPPET].split())[:_SNIPPET])
            labels.append(document.label)
            titles.append(document.title)
            yield document.text

    counts = count_words(texts(), words, tokenization)
    return Documents(
        counts=counts,
        labels=None if None in labels or not labels else np.array(labels),
        texts=tuple(snippets),
        titles=None if None in titles or not titles else tuple(str(title) for title in titles),
    )


def _describe(held_out: dict[str, int | float]) -> str:
    if not held_out:
        return "as given"
    sizes = " and ".join(f"{size} of all documents for {split}" for split, size in held_out.items())
    return f"single documents held out of train at random by seed: {sizes}"
