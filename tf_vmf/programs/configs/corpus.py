"""Options that name the text and say how it is read."""

from __future__ import annotations

import dataclasses
from typing import Any

from tf_vmf._errors import ArgumentError
from tf_vmf.programs.configs.options import Config, option, refuse_unused

# Names of options that the loaders of `tf_vmf.data` know by another name.
_RENAMED = {"split_seed": "seed"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class CorpusConfig(Config):
    """Text."""

    corpus: str | None = option(
        None, "Name of a corpus; see the program's description. Leave it out to read the files of train_files."
    )
    data_dir: str | None = option(None, "Folder with the files of a named corpus.", identity=False)
    train_files: tuple[str, ...] = option(
        (),
        "Training text: files, folders or patterns, each PATH or LABEL=PATH. Plain text (.txt), CSV, TSV and JSON lines (.csv, "
        ".tsv, .jsonl, .ndjson), all of these with .gz too.",
        identity=False,
        texts=True,
    )
    valid_files: tuple[str, ...] = option(
        (), "Validation text; held out of the training text if not given.", identity=False, texts=True
    )
    test_files: tuple[str, ...] = option(
        (), "Test text; held out of the training text if not given.", identity=False, texts=True
    )
    text_column: str | int | None = option(
        None,
        "Column of the text in CSV, TSV and JSON lines: its name in the header, or its position from 0 where there is no header.",
    )
    label_column: str | int | None = option(None, "Column of the label, as text_column.")
    delimiter: str | None = option(
        None, "What separates columns, one character such as ';'; a comma in .csv and a tab elsewhere if not given."
    )
    vocab_file: str | None = option(
        None, "Vocabulary, one word per line; chosen from the training text if not given.", identity=False
    )
    vocabulary_size: int | None = option(
        None, "Most frequent words to keep; 2,000 for documents and 10,000 for sentences if not given.", minimum=2
    )
    min_count: int | None = option(
        None, "Words rarer than this in the training text are left out; 2 if not given (1 for ptb and yelp).", minimum=1
    )
    tokenization: str | None = option(
        None,
        "words: lower-case words; punctuation: punctuation marks are tokens too; "
        "whitespace: the text is tokenized already; scikit-learn: as its CountVectorizer.",
        choices=("words", "punctuation", "whitespace", "scikit-learn"),
    )
    validation_size: float | None = option(
        None,
        "How much of the training text to hold out for validation where it brings none: a share below 1, or a number of "
        "examples. If not given a tenth; 1,000 documents of 20ng; of text that is prepared 10,000 lines at most.",
        minimum=0.0,
    )
    test_size: float | None = option(None, "The same for the test.", minimum=0.0)
    split_seed: int = option(0, "Seed of the splits held out of the training text.", minimum=0)

    def check(self) -> None:
        super().check()
        if (self.corpus is None) == (not self.train_files):
            raise ArgumentError(
                "corpus",
                "a name, or `train_files` with files of your own, and not both",
                f"corpus={self.corpus!r}, train_files={list(self.train_files)!r}",
            )
        if self.corpus is None:
            refuse_unused(self, ["data_dir"], "it holds the files of a named `corpus`")
        if self.valid_files:
            refuse_unused(self, ["validation_size"], "the validation text is given by `valid_files`")
        if self.test_files:
            refuse_unused(self, ["test_size"], "the test text is given by `test_files`")
        if self.valid_files and self.test_files:
            refuse_unused(self, ["split_seed"], "no text is held out")
        if self.vocab_file is not None:
            refuse_unused(self, ["vocabulary_size", "min_count"], "the vocabulary is given by `vocab_file`")

    def loader_arguments(self) -> dict[str, Any]:
        """The keyword arguments of the loaders in `tf_vmf.data`; options not set are left to the loader's defaults."""
        return _loader_arguments(self, CorpusConfig)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DocumentTextConfig(CorpusConfig):
    """Documents."""

    stop_words: str = option(
        "english",
        "Words to leave out: 'english', another language of the package stop-words such as 'german', 'none', or a file with one "
        "word per line.",
        identity=False,
    )
    min_df: int | float = option(
        1,
        "Words in fewer training documents are left out: a number, or a share written with a point, as 0.01.",
        minimum=0,
    )
    max_df: int | float = option(1.0, "Words in more training documents are left out, as min_df.", minimum=0)
    ngram_range: tuple[int, ...] = option(
        (1, 1),
        "Shortest and longest runs of words that count as a word: 1,2 adds pairs, joined by an underscore.",
        minimum=1,
    )

    def check(self) -> None:
        super().check()
        for name in ("min_df", "max_df"):
            value = getattr(self, name)
            if (isinstance(value, float) and value > 1) or (isinstance(value, int) and value < 1):
                raise ArgumentError(
                    name, "a number of documents >= 1, or a share from 0.0 to 1.0 with a point", repr(value)
                )
        if len(self.ngram_range) != 2 or self.ngram_range[0] > self.ngram_range[1]:
            raise ArgumentError(
                "ngram_range", "two integers, the first not above the second, as 1,2", str(self.ngram_range)
            )

    def loader_arguments(self) -> dict[str, Any]:
        """The keyword arguments of `tf_vmf.data.load_bag_of_words`; options not set are left to its defaults."""
        return _loader_arguments(self, DocumentTextConfig)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SentenceTextConfig(CorpusConfig):
    """Sentences."""

    max_length: int | None = option(None, "Longer sentences are cut to this many tokens, <eos> included.", minimum=2)
    split_sentences: bool = option(False, "Lines are texts to be split into sentences.")

    def loader_arguments(self) -> dict[str, Any]:
        """The keyword arguments of `tf_vmf.data.load_sentences`; options not set are left to its defaults."""
        return _loader_arguments(self, SentenceTextConfig)


def _loader_arguments(config: CorpusConfig, group: type[CorpusConfig]) -> dict[str, Any]:
    values = {_RENAMED.get(each.name, each.name): getattr(config, each.name) for each in dataclasses.fields(group)}
    for name in ("validation_size", "test_size"):
        if values[name] is not None and values[name] >= 1:
            values[name] = int(values[name])
    return {name: value for name, value in values.items() if not (value is None or value is False or value == ())}
