"""Flags of text that is read as sentences."""

from typing import Any

from absl import flags

MAX_LENGTH = flags.DEFINE_integer(
    "max_length", None, "Longer sentences are cut to this many words and <eos>.", lower_bound=2
)
SPLIT_SENTENCES = flags.DEFINE_bool("split_sentences", False, "Lines are texts to be split into sentences.")


def given() -> dict[str, Any]:
    """The loaders' arguments that the flags give."""
    values = {
        "max_length": MAX_LENGTH.value,
        "split_sentences": SPLIT_SENTENCES.value or None,
    }
    return {name: value for name, value in values.items() if value is not None}
