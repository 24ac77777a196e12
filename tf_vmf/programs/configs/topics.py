"""The configuration of a topic model."""

from __future__ import annotations

import dataclasses

from tf_vmf._errors import ArgumentError
from tf_vmf.programs.configs.corpus import CorpusConfig, DocumentTextConfig
from tf_vmf.programs.configs.options import Config, option, refuse_unused, with_default

EXPORT_CODES = (
    "Folder to make for TensorFlow's Embedding Projector: codes.tsv, metadata.tsv, and coordinates.tsv in the plane."
)

DELIMITER = "What separates columns, one character such as ';'; a comma in .csv and a tab elsewhere if not given."

_OF_TEXT: tuple[str, ...] = (
    "vocabulary_size",
    "tokenization",
    "stop_words",
    "min_df",
    "max_df",
    "ngram_range",
    "text_column",
    "label_column",
)
_OF_TEXT += ("delimiter", "date_column", "export_codes")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TopicsConfig(Config):
    """Topics."""

    output: str = option(dataclasses.MISSING, "Folder to make, for instance topics/reviews.")
    export_codes: str | None = option(None, EXPORT_CODES)
    corpus: str | None = option(
        None,
        "wikipedia, the paragraphs that gensim carries; or prepared, the training documents of a folder of prepare, data_dir, of "
        "any size; leave it out to read the files of train_files.",
        choices=("wikipedia", "prepared"),
    )
    data_dir: str | None = option(None, "Folder of a prepared corpus.", identity=False)
    train_files: tuple[str, ...] = with_default(CorpusConfig, "train_files", ())
    text_column: str | int | None = with_default(CorpusConfig, "text_column", None)
    label_column: str | int | None = with_default(CorpusConfig, "label_column", None)
    delimiter: str | None = option(None, DELIMITER)
    date_column: str | int | None = option(
        None, "Column of the date or the time, as text_column: writes topics_over_time.csv and shows topics over time."
    )
    freq: str | None = option(
        None,
        "Calendar period of topics_over_time.csv: D, W, M, Q or Y; if not given every distinct time is kept apart.",
    )
    datetime_format: str | None = option(
        None, "How dates are read, as %d.%m.%Y; needed where day and month cannot be told."
    )
    num_topics: int | str = option(
        20, "Number of topics; none chooses it by the silhouette of the codes.", minimum=2, words=("none",)
    )
    seed_words: str | None = option(
        None, "File with words that shall have a topic each: a line per topic, NAME: WORD, WORD."
    )
    embeddings: str | None = option(
        None, "File of numpy.save with a vector per text, of any encoder: words and vectors decide the topics."
    )
    edits: str | None = option(
        None, "File of labels, merges and topics to hide, which the report's page writes; applied to the topics found."
    )
    vocabulary_size: int = option(5000, "Most frequent words to keep.", minimum=2)
    tokenization: str = option(
        "words",
        "words: lower-case words; punctuation: punctuation marks are tokens too; whitespace: the text is tokenized already.",
        choices=("words", "punctuation", "whitespace", "scikit-learn"),
    )
    stop_words: str = with_default(DocumentTextConfig, "stop_words", "english")
    min_df: int | float = with_default(DocumentTextConfig, "min_df", 2)
    max_df: int | float = with_default(DocumentTextConfig, "max_df", 1.0)
    ngram_range: tuple[int, ...] = with_default(DocumentTextConfig, "ngram_range", (1, 1))
    latent_dim: int = option(50, "Dimension of the codes.", minimum=2)
    epochs: int | None = option(None, "Passes over the texts; chosen by their number if not given.", minimum=1)
    relevance_weight: float = option(
        0.8,
        "1 ranks the words of a topic by probability, 0 by how much likelier they are there than elsewhere.",
        minimum=0.0,
        maximum=1.0,
    )
    seed: int = option(0, "Seed of weights, noise and clusters.", minimum=0, maximum=2**31 - 1)

    def check(self) -> None:
        super().check()
        if (self.corpus is None) == (not self.train_files):
            raise ArgumentError(
                "train_files",
                "files of your own, or `corpus`, and not both",
                f"corpus={self.corpus!r}, train_files={list(self.train_files)!r}",
            )
        if (self.corpus == "prepared") == (self.data_dir is None):
            received = f"corpus={self.corpus!r}, data_dir={self.data_dir!r}"
            raise ArgumentError("data_dir", "the folder of corpus='prepared', and None otherwise", received)
        if self.corpus == "prepared":
            refuse_unused(self, _OF_TEXT, "a prepared corpus has its words, and no text")
        if self.date_column is None:
            for name in ("freq", "datetime_format"):
                if getattr(self, name) is not None:
                    raise ArgumentError(name, "None without `date_column`", repr(getattr(self, name)))
        if self.date_column is not None and self.text_column is None:
            raise ArgumentError("text_column", "the column of the text, as `date_column` is given", "None")
