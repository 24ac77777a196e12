"""Corpora by name: `register_corpus` adds one, the loaders and the trainers' `--corpus` find it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tf_vmf._errors import ArgumentError
from tf_vmf._registry import Registry
from tf_vmf.data.splits import SPLIT_SIZES, SPLITS
from tf_vmf.text.files import Text

KINDS = ("documents", "sentences")
# Options of the loaders that say where text comes from, and no default of a corpus.
_SOURCES = {"corpus", "texts", "labels", "train_files", "valid_files", "test_files", "text_column", "label_column"}
_SOURCES |= {"delimiter", "data_dir", "vocab_file"}

_Loader = TypeVar("_Loader", bound=Callable[..., Any])

# The options of the loaders of each kind; entered by the loaders, which are defined after the corpora of the package.
OPTIONS: dict[str, frozenset[str]] = {}

CORPORA: dict[str, Registry[NamedCorpus]] = {
    kind: Registry(f"corpus of {kind}", "tf_vmf.data.register_corpus") for kind in KINDS
}


@dataclass(frozen=True)
class NamedCorpus:
    """A registered corpus."""

    name: str  # its name
    loader: Callable[..., Any]  # the function that reads it
    source: str  # where it comes from, for the record of a run
    splits: tuple[str, ...]  # the splits that it brings
    is_finished: bool  # whether the loader returns a corpus, not texts
    defaults: Mapping[str, Any]  # options of the loaders that this corpus has other defaults of

    @property
    def arguments(self) -> Mapping[str, inspect.Parameter]:
        """The arguments of the loader."""
        return inspect.signature(self.loader).parameters

    def check(self, given: Collection[str]) -> None:
        """Refuses options that would do nothing, before anything is read."""
        for name in given:
            if name == "corpus" or name in self.arguments:
                continue
            if name in _SOURCES:
                expected = f"None with corpus={self.name!r}, which has text, labels and a vocabulary of its own"
                if name == "data_dir":
                    expected = f"None with corpus={self.name!r}, which reads no files of yours"
                raise ArgumentError(name, expected, "a value")
            if self.is_finished:
                expected = f"no value with corpus={self.name!r}, which comes split, as numbers of a vocabulary"
                raise ArgumentError(name, expected, "one that would do nothing")
            if (split := SPLIT_SIZES.get(name)) in self.splits:
                raise ArgumentError(name, f"None with corpus={self.name!r}, which brings its {split} split", "a size")
        needs = [name for name, each in self.arguments.items() if each.default is inspect.Parameter.empty]
        if "data_dir" in needs and "data_dir" not in given:
            raise ArgumentError("data_dir", f"the folder of the files of corpus={self.name!r}", "None")

    def load(self, options: Mapping[str, Any], given: Collection[str]) -> Any:
        """Calls the loader: a corpus, or a mapping from splits to texts."""
        arguments = {name: options[name] for name in self.arguments if name in given}
        loaded = self.loader(**arguments)
        if self.is_finished:
            return loaded
        if not isinstance(loaded, Mapping) or set(loaded) != set(self.splits):
            shown = sorted(loaded) if isinstance(loaded, Mapping) else type(loaded).__name__
            expected = f"a mapping from {', '.join(self.splits)} to texts"
            raise ArgumentError("loader", expected, f"{shown}", owner=f"register_corpus({self.name!r})")
        return {split: _Records(texts) for split, texts in loaded.items()}


class _Records:
    """The texts of a split as records; read again as often as the texts can be."""

    def __init__(self, texts: Iterable[Any]) -> None:
        self._texts = texts

    def __iter__(self) -> Iterator[Text]:
        for row, entry in enumerate(self._texts):
            if isinstance(entry, Text):
                yield entry
            elif isinstance(entry, str):
                yield Text(entry, line=row)
            elif isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str):
                yield Text(entry[0], str(entry[1]), line=row)
            else:
                raise ArgumentError("loader", "texts, or pairs of a text and its label", f"{entry!r:.60} in row {row}")


def register_corpus(
    name: str,
    *,
    kinds: str | tuple[str, ...] = KINDS,
    splits: tuple[str, ...] = ("train",),
    source: str = "",
    is_finished: bool = False,
    **defaults: Any,
) -> Callable[[_Loader], _Loader]:
    """A decorator for a function that reads a corpus; the loaders and the trainers' `--corpus` then know it by name.

    ```python
    @tf_vmf.data.register_corpus("haiku", source="written here", stop_words="none", min_count=1)
    def read_haiku():
        texts = [("an old silent pond", "frog"), ("the light of a candle", "candle")] * 20
        return {"train": texts}

    corpus = tf_vmf.data.load_bag_of_words("haiku")
    corpus.label_names  # ("candle", "frog")
    ```

    Args:
        name: Name of the corpus.
        kinds: What it can be read as: "documents", "sentences" or both.
        splits: The splits that the function gives; "train", and "valid" or "test" where they are not held out of train.
        source: Where the corpus comes from, for the record of a run.
        is_finished: Whether the function returns a `BagOfWordsCorpus` or `SentenceCorpus`. Otherwise it returns a mapping from
            splits to iterables of texts, of pairs (text, label), or of `tf_vmf.text.files.Text`.
        **defaults: Options of `load_bag_of_words` or `load_sentences` of which this corpus has another default. It holds wherever a
            call leaves the option at the loader's own default.

    The function takes those of the loaders' options that it names as arguments: `data_dir`, `seed`, and where it returns a corpus
    any other. Options that would do nothing are refused.

    Raises:
        ArgumentError: Another function has the name; no such kind, split or option.
    """
    chosen = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    if not chosen or not set(chosen) <= set(KINDS):
        raise ArgumentError("kinds", f"some of {', '.join(KINDS)}", repr(kinds), owner="register_corpus")
    if "train" not in splits or not set(splits) <= set(SPLITS):
        raise ArgumentError("splits", "'train' and others of 'valid', 'test'", repr(splits), owner="register_corpus")

    def register(loader: _Loader) -> _Loader:
        known_options = {option for kind in chosen for option in OPTIONS.get(kind, ())}
        for option in (*defaults, *inspect.signature(loader).parameters):
            if (OPTIONS and option not in known_options) or (option in defaults and option in _SOURCES):
                expected = f"options of the loaders of {' and '.join(chosen)}"
                raise ArgumentError(option, expected, option, owner=f"register_corpus({name!r})")
        origin = source or f"{loader.__module__}.{loader.__qualname__}"
        corpus = NamedCorpus(name, loader, origin, tuple(splits), is_finished, defaults)
        for kind in chosen:
            CORPORA[kind].add(name, corpus, loader)
        return loader

    return register


def corpus_names(kind: str) -> tuple[str, ...]:
    """The names of all registered corpora of "documents" or "sentences", sorted."""
    return CORPORA[kind].names()


def named_corpus(name: str, kind: str) -> NamedCorpus:
    """A registered corpus."""
    return CORPORA[kind].find(name, "corpus", alternative=", or None for `train_files` or `texts`")
