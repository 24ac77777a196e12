"""Where the text of a corpus comes from, as the loaders' arguments say it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tf_vmf.data.splits import SPLITS, HeldOut
from tf_vmf.text.files import Paths, Text, TextFiles, TextList, expand_paths
from tf_vmf.text.tables import Columns


@dataclass(frozen=True)
class TextSource:
    """The arguments of `load_bag_of_words` and `load_sentences` that say where text and labels come from."""

    corpus: str | None
    data_dir: str | Path | None
    texts: Iterable[str] | None
    labels: Iterable[Any] | None
    train_files: Paths | None
    valid_files: Paths | None
    test_files: Paths | None
    text_column: str | int | None
    label_column: str | int | None
    validation_size: int | float | None
    test_size: int | float | None
    seed: int

    def check(self, corpora: Mapping[str, tuple[str, ...]], **others: Any) -> None:
        """Refuses arguments that exclude each other, before anything is read.

        Args:
            corpora: the names of the corpora, with the arguments that each does not take because it comes split.
            **others: further arguments that go with `train_files` alone.

        Raises:
            ValueError: no such corpus; none or several of `corpus`, `train_files` and `texts`; arguments that do not go with the
                one that is given.
        """
        if self.corpus is not None and self.corpus not in corpora:
            raise ValueError(
                f"`corpus` must be one of {', '.join(corpora)}, or None for `train_files` or `texts`. "
                f"Received: corpus={self.corpus!r}."
            )
        sources = {"corpus": self.corpus, "train_files": self.train_files, "texts": self.texts}
        if len(given := [name for name, value in sources.items() if value is not None]) != 1:
            raise ValueError(
                f"Give either `corpus` or `train_files` or `texts`. Received: {' and '.join(given) or 'none of them'}."
            )
        of_files = {"valid_files": self.valid_files, "test_files": self.test_files, "text_column": self.text_column}
        of_files["label_column"] = self.label_column
        if self.train_files is None and (given := _given(of_files)):
            raise ValueError(f"Received: {', '.join(given)}, which go with `train_files`.")
        if self.texts is None and self.labels is not None:
            raise ValueError("`labels` goes with `texts`. Received: `labels` alone.")
        if self.corpus is not None:
            self._check_corpus(corpora[self.corpus], others)
        sizes = {"valid": self.validation_size, "test": self.test_size}
        for split, files in (("valid", self.valid_files), ("test", self.test_files)):
            if files is not None and sizes[split] is not None:
                argument = "validation_size" if split == "valid" else "test_size"
                raise ValueError(f"Give either `{split}_files` or `{argument}`. Received: {argument}={sizes[split]}.")

    def _check_corpus(self, split_already: tuple[str, ...], others: Mapping[str, Any]) -> None:
        if given := _given(others):
            raise ValueError(
                f"Corpus {self.corpus!r} has labels and a vocabulary of its own. Received: {', '.join(given)}, which go "
                "with `train_files`."
            )
        if self.corpus != "wikipedia" and self.data_dir is None:
            raise ValueError(
                f"Corpus {self.corpus!r} is read from files: `data_dir` must name their folder. Received: None."
            )
        if given := [name for name in split_already if getattr(self, name) is not None]:
            raise ValueError(f"Corpus {self.corpus!r} is split already. Received: {', '.join(given)}.")

    def refuse(self, reason: str, unused: Mapping[str, bool]) -> None:
        """Refuses arguments that would do nothing.

        Args:
            reason: why.
            unused: for each of them, whether it differs from its default.

        Raises:
            ValueError: one does.
        """
        if given := [name for name, differs in unused.items() if differs]:
            raise ValueError(f"Corpus {self.corpus!r} {reason}. Received: {', '.join(given)}, which would do nothing.")

    @property
    def files(self) -> dict[str, Paths]:
        """The files of the splits that have some."""
        return given_files(self.train_files, self.valid_files, self.test_files)

    @property
    def paths(self) -> dict[str, list[Path]]:
        """The same, patterns expanded."""
        return {split: expand_paths(paths) for split, paths in self.files.items()}

    def splits(self, *, whole_files: bool) -> tuple[Mapping[str, Iterable[Text]], Any]:
        """The texts of the splits that have some, and where they come from.

        Args:
            whole_files: whether each file in a folder is one text.
        """
        if self.texts is not None:
            texts = TextList(self.texts, self.labels)
            return {"train": texts}, f"{len(texts)} texts of a list"
        files = {
            split: TextFiles(paths, whole_files=whole_files, columns=Columns(self.text_column, self.label_column))
            for split, paths in self.files.items()
        }
        return dict(files), {split: of_split.names for split, of_split in files.items()}

    def held_out(self, splits: Iterable[str]) -> HeldOut:
        """What to hold out of train beside the splits that have texts of their own."""
        return HeldOut.beside(set(splits), self.validation_size, self.test_size, self.seed)


def given_files(train: Paths | None, valid: Paths | None, test: Paths | None) -> dict[str, Paths]:
    """The files of the splits that have some."""
    files = zip(SPLITS, (train, valid, test), strict=True)
    return {split: paths for split, paths in files if paths is not None}


def _given(arguments: Mapping[str, Any]) -> list[str]:
    return [name for name, value in arguments.items() if value is not None]
