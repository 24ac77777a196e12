"""The configurations of the programs that do not train a single model."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from tf_vmf._errors import ArgumentError
from tf_vmf.programs.configs.corpus import CorpusConfig, DocumentTextConfig, SentenceTextConfig
from tf_vmf.programs.configs.options import Config, option, refuse_unused, with_default

EXPORT_CODES = (
    "Folder to make for TensorFlow's Embedding Projector: codes.tsv, metadata.tsv, and coordinates.tsv in the plane."
)

# Options of `TopicsConfig` that a prepared corpus leaves without effect.
_OF_TEXT = [
    "vocabulary_size",
    "tokenization",
    "stop_words",
    "min_df",
    "max_df",
    "ngram_range",
    "text_column",
    "label_column",
]
_OF_TEXT += ["delimiter", "date_column", "export_codes"]


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
    delimiter: str | None = with_default(CorpusConfig, "delimiter", None)
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig(Config):
    """Run."""

    workdir: str = option(dataclasses.MISSING, "Folder of the run; the same command on it resumes.")
    log_format: str = option(
        "text", "What the terminal shows: text for people, or json, one object per line.", choices=("text", "json")
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SweepConfig(Config):
    """Sweep."""

    trainer: str = option(dataclasses.MISSING, "The program to run.", choices=("bow_vae", "lstm_vae"))
    vary: tuple[str, ...] = option(
        dataclasses.MISSING,
        "A flag of the trainer and its values, NAME=VALUE,VALUE,...; given more than once, all combinations are run. Over "
        "--vary=seed=... the report averages.",
        repeated=True,
    )
    output: str = option(dataclasses.MISSING, "Folder of the sweep; the same command on it resumes.")

    def check(self) -> None:
        super().check()
        pairs = [_varied(text) for text in self.vary]
        distinct = len({name for name, _ in pairs}) == len(pairs)
        well_formed = all(
            name.isidentifier() and all(values) and len({*values}) == len(values) for name, values in pairs
        )
        if not (pairs and distinct and well_formed):
            raise ArgumentError(
                "vary",
                "NAME=VALUE,VALUE,... with a name and values that are not repeated, as --vary=concentration=10,50,100",
                repr(", ".join(self.vary)),
            )

    def varied(self) -> dict[str, list[str]]:
        """The values of every flag that is varied, in the order of the command line."""
        return dict(map(_varied, self.vary))


def _varied(text: str) -> tuple[str, list[str]]:
    name, _, values = text.partition("=")
    return name.strip().lstrip("-"), [value.strip() for value in values.split(",")]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrepareConfig(DocumentTextConfig, SentenceTextConfig):
    """Preparation."""

    kind: str = option(dataclasses.MISSING, "What the text is read as.", choices=("documents", "sentences"))
    output: str = option(dataclasses.MISSING, "Folder to make.")

    def check(self) -> None:
        super().check()
        if not self.train_files:
            raise ArgumentError("train_files", "text to prepare, as named corpora fit in memory", "none")
        other = SentenceTextConfig if self.kind == "documents" else DocumentTextConfig
        names = [name for name in inspect.get_annotations(other)]
        refuse_unused(self, names, f"kind is {self.kind!r}")

    def loader_arguments(self) -> dict[str, Any]:
        """The keyword arguments of `tf_vmf.data.prepare_documents` or `prepare_sentences`."""
        text = DocumentTextConfig if self.kind == "documents" else SentenceTextConfig
        return text.loader_arguments(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PredictConfig(Config):
    """Prediction."""

    model: str = option(dataclasses.MISSING, "Folder of a finished run or of topics, a .keras file or an export.")
    input: tuple[str, ...] = option(
        dataclasses.MISSING, "Texts: files, folders or patterns, as the training text.", texts=True
    )
    output: str = option(dataclasses.MISSING, "CSV file to write.")
    proportions: bool = option(False, "Of a topic model: write the proportion of every topic, as topic_0, topic_1, ...")
    embeddings: str | None = option(
        None, "File of numpy.save with a vector per text, for topics that were found with --embeddings."
    )
    codes: bool = option(
        False, "Write the codes, as code_0, code_1, ...; of models without topics if nothing is asked for."
    )
    bounds: bool = option(False, "Write nll and kl, in nats; of models without topics if nothing is asked for.")
    refine_steps: int = option(
        0,
        "Fit the posterior to each text by so many gradient steps: refined_nll and refined_kl stand beside nll and kl, and codes "
        "are those of the refined posteriors.",
        minimum=0,
    )
    export_codes: str | None = option(None, EXPORT_CODES)
    text_column: str | int | None = with_default(CorpusConfig, "text_column", None)
    label_column: str | int | None = with_default(CorpusConfig, "label_column", None)
    delimiter: str | None = with_default(CorpusConfig, "delimiter", None)
    seed: int = option(0, "Seed of the samples of the code behind nll.", minimum=0, maximum=2**31 - 1)

    def check(self) -> None:
        super().check()
        if not self.input:
            raise ArgumentError("input", "texts", "none")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportConfig(Config):
    """Export."""

    model: str = option(dataclasses.MISSING, "Folder of a finished run or of topics, a .keras file or an export.")
    output: str = option(dataclasses.MISSING, "Folder to make, for instance exports/1.")
    allow_unknown: bool = option(
        True, "Sentences that the export writes may hold <unk>; --noallow_unknown keeps it out."
    )
    examples: tuple[str, ...] = option(
        (),
        "Texts that the export shall hold, to find those nearest to a new text: files, folders or patterns, as the training text. "
        "Everyone who can use the export can read them.",
        texts=True,
    )
    text_column: str | int | None = with_default(CorpusConfig, "text_column", None)

    def check(self) -> None:
        super().check()
        if not self.examples:
            refuse_unused(self, ["text_column"], "there are no `examples` to read")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServeConfig(Config):
    """Service."""

    export_dir: str = option(dataclasses.MISSING, "Folder of an export.")
    model_name: str = option("model", "Name of the model in URLs.")
    version_labels: tuple[str, ...] = option(
        ("stable",), "Names that stand for the version in URLs, as in /v1/models/model/labels/stable:predict."
    )
    host: str = option("127.0.0.1", "Address to listen on; 0.0.0.0 for all.")
    port: int = option(8501, "Port to listen on; 0 for any that is free.", minimum=0, maximum=65535)
    max_batch: int = option(1024, "Rows that one request may have.", minimum=1)
    max_body_bytes: int = option(4 * 2**20, "Largest request.", minimum=1)
    max_predictions: int | None = option(
        None, "Predictions that are computed at once; others wait. If not given as many as there are cores.", minimum=1
    )
    max_seconds: float = option(60.0, "Time that a prediction may take.", minimum=0.1)
    max_connections: int = option(512, "Connections that may be open at once.", minimum=1)
