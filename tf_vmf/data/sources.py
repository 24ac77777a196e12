"""The source of a corpus's text, from the options of the loaders."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tf_vmf._errors import ArgumentError
from tf_vmf.data.registry import NamedCorpus, named_corpus
from tf_vmf.data.splits import SPLITS, HeldOut
from tf_vmf.text.files import Paths, Text, TextFiles, TextList, expand_paths
from tf_vmf.text.tables import Columns

# Options that go with files alone.
_OF_FILES = ("valid_files", "test_files", "text_column", "label_column", "delimiter")
# Options of a vocabulary that is chosen from the text, and their values that leave nothing out.
_OF_CHOSEN_WORDS = {"vocabulary_size": None, "min_count": 1, "min_df": 1, "max_df": 1.0, "stop_words": "none"}
_DEFAULT_MOST = 10_000  # texts of a corpus on disk that are held out by default: they are looked at again and again


@dataclass(frozen=True)
class Source:
    """The options of a loader, and which of them the caller has given."""

    kind: str  # "documents" or "sentences"
    options: Mapping[str, Any]  # every option by name; those of a named corpus have its defaults
    given: frozenset[str]  # the names of those that differ from the loader's defaults
    named: NamedCorpus | None  # the corpus, where it has a name

    @classmethod
    def of(cls, kind: str, loader: Callable[..., Any], options: Mapping[str, Any]) -> Source:
        """The options of a call of `loader`, checked before anything is read."""
        defaults = {name: each.default for name, each in inspect.signature(loader).parameters.items()}
        given = frozenset(name for name, default in defaults.items() if _differs(options.get(name, default), default))
        sources = [name for name in ("corpus", "train_files", "texts") if options.get(name) is not None]
        if len(sources) != 1:
            name = sources[-1] if sources else "corpus"
            expected = "one of `corpus`, `train_files` and `texts`, and not several"
            raise ArgumentError(name, expected, " and ".join(sources) or "none of them")
        named = None
        if options.get("corpus") is not None:
            named = named_corpus(options["corpus"], kind)
            named.check(given)
            own = {name: value for name, value in named.defaults.items() if name in options and name not in given}
            options = {**options, **own}
        elif options.get("train_files") is None and (wrong := [name for name in _OF_FILES if name in given]):
            raise ArgumentError(wrong[0], "None with `texts`: it goes with `train_files`", "a value")
        if options.get("texts") is None and options.get("labels") is not None:
            raise ArgumentError(
                "labels", "None without `texts`", "a value", "Labels of files come from `label_column`."
            )
        if "data_dir" in given and named is None:
            raise ArgumentError("data_dir", "None without `corpus`", "a value", "Name the files in `train_files`.")
        for name, harmless in _OF_CHOSEN_WORDS.items() if options.get("vocab_file") is not None else ():
            if name in given and options[name] != harmless:
                raise ArgumentError(name, "no value where `vocab_file` gives the words", repr(options[name]))
        if "tokenizer" in given and "tokenization" in given and options["tokenization"] != "whitespace":
            raise ArgumentError(
                "tokenization", "none beside `tokenizer`", repr(options["tokenization"]), "Give one of the two."
            )
        for files, size in (("valid_files", "validation_size"), ("test_files", "test_size")):
            if options.get(files) is not None and options[size] is not None:
                raise ArgumentError(size, f"None where `{files}` is given", repr(options[size]))
        return cls(kind, options, given, named)

    @property
    def files(self) -> dict[str, Paths]:
        """The files of the splits that have some."""
        return {
            split: self.options[f"{split}_files"] for split in SPLITS if self.options.get(f"{split}_files") is not None
        }

    @property
    def paths(self) -> dict[str, list[Path]]:
        """The same, patterns expanded."""
        return {split: expand_paths(paths) for split, paths in self.files.items()}

    def splits(self, *, whole_files: bool) -> tuple[Mapping[str, Iterable[Text]], Any]:
        """The texts of the splits that have some, and where they come from."""
        if self.named is not None:
            return self.named.load(self.options, self.given), self.named.source
        if self.options.get("texts") is not None:
            texts = TextList(self.options["texts"], self.options["labels"])
            return {"train": texts}, f"{len(texts)} texts of a list"
        columns = Columns(*(self.options[name] for name in ("text_column", "label_column", "delimiter")))
        files = {
            split: TextFiles(paths, whole_files=whole_files, columns=columns) for split, paths in self.files.items()
        }
        return dict(files), {split: of_split.names for split, of_split in files.items()}

    def held_out(self, splits: Collection[str], *, on_disk: bool) -> HeldOut:
        """The sizes of the splits to draw from the training texts."""
        sizes = (self.options["validation_size"], self.options["test_size"], self.options["seed"])
        return HeldOut.beside(splits, *sizes, _DEFAULT_MOST if on_disk else None)


def _differs(value: Any, default: Any) -> bool:
    if value is default:
        return False
    if isinstance(default, tuple) and isinstance(value, list | tuple):
        return tuple(value) != default
    return not (isinstance(value, str | int | float) and type(value) is type(default) and value == default)
