"""Flags that name the text."""

from typing import Any

from absl import flags

CORPUS = flags.DEFINE_string(
    "corpus",
    None,
    "Name of a corpus; see the trainer's description. Leave it out to read files given by --train_files.",
)
DATA_DIR = flags.DEFINE_string("data_dir", None, "Folder with the files of a named corpus.")
TRAIN_FILES = flags.DEFINE_list(
    "train_files",
    [],
    "Training text: files, folders or patterns, separated by commas, each PATH or LABEL=PATH. Plain text (.txt), CSV, TSV and JSON "
    "lines (.csv, .tsv, .jsonl, .ndjson), all of these with .gz too.",
)
VALID_FILES = flags.DEFINE_list("valid_files", [], "Validation text; held out of the training text if not given.")
TEST_FILES = flags.DEFINE_list("test_files", [], "Test text; held out of the training text if not given.")
TEXT_COLUMN = flags.DEFINE_string(
    "text_column",
    None,
    "Column of the text in CSV, TSV and JSON lines: its name in the header, or its position from 0 where there is no header.",
)
LABEL_COLUMN = flags.DEFINE_string("label_column", None, "Column of the label, as --text_column.")
VOCAB_FILE = flags.DEFINE_string(
    "vocab_file", None, "Vocabulary, one word a line; made from the training text if not given."
)
VOCABULARY_SIZE = flags.DEFINE_integer(
    "vocabulary_size",
    None,
    "Most frequent words to keep; 2,000 for documents and 10,000 for sentences if not given.",
    2,
)
MIN_COUNT = flags.DEFINE_integer(
    "min_count", None, "Words rarer than this in the training text are left out; 2 for documents if not given.", 1
)
TOKENIZATION = flags.DEFINE_enum(
    "tokenization",
    None,
    ["words", "punctuation", "whitespace"],
    "words: lower-case words; punctuation: its marks are tokens too; whitespace: the text is tokenised already.",
)
VALIDATION_SIZE = flags.DEFINE_float(
    "validation_size",
    None,
    "How much of the training text to hold out for validation where it brings none: a share below 1, or a number of examples. If "
    "not given a tenth; 1,000 documents of 20ng; of text that is prepared 10,000 lines at most.",
    lower_bound=0.0,
)
TEST_SIZE = flags.DEFINE_float("test_size", None, "The same for the test.", lower_bound=0.0)
SPLIT_SEED = flags.DEFINE_integer("split_seed", 0, "Seed of the splits held out of the training text.", lower_bound=0)


def given() -> dict[str, Any]:
    """The loaders' arguments that the flags give: those not given are left to the loader's defaults."""
    values = {
        "corpus": CORPUS.value,
        "data_dir": DATA_DIR.value,
        "train_files": TRAIN_FILES.value or None,
        "valid_files": VALID_FILES.value or None,
        "test_files": TEST_FILES.value or None,
        "text_column": _column(TEXT_COLUMN.value),
        "label_column": _column(LABEL_COLUMN.value),
        "vocab_file": VOCAB_FILE.value,
        "vocabulary_size": VOCABULARY_SIZE.value,
        "min_count": MIN_COUNT.value,
        "tokenization": TOKENIZATION.value,
        "validation_size": _size(VALIDATION_SIZE.value),
        "test_size": _size(TEST_SIZE.value),
        "seed": SPLIT_SEED.value,
    }
    return {name: value for name, value in values.items() if value is not None}


def _size(value: float | None) -> int | float | None:
    """Shares as floats and numbers as ints."""
    return int(value) if value is not None and value >= 1 else value


def _column(value: str | None) -> str | int | None:
    """Positions as ints and names as strings."""
    return int(value) if value is not None and value.isdecimal() else value
