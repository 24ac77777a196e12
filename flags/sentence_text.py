"""Flags of text that is read as sentences."""

from typing import Any

from absl import flags

MAX_LENGTH = flags.DEFINE_integer(
    "max_length", None, "Longer sentences are cut to this many words and <eos>.", lower_bound=2
)
SPLIT_SENTENCES = flags.DEFINE_bool("split_sentences", False, "Lines are texts to be split into sentences.")
LABEL_COLUMN = flags.DEFINE_integer(
    "label_column", None, "0 or 1 if lines have two tab-separated columns and this one holds the label.", 0, 1
)


def given() -> dict[str, Any]:
    """The loaders' arguments that the flags give."""
    values = {
        "max_length": MAX_LENGTH.value,
        "split_sentences": SPLIT_SENTENCES.value or None,
        "label_column": LABEL_COLUMN.value,
    }
    return {name: value for name, value in values.items() if value is not None}
