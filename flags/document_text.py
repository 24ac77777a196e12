"""Flags of text that is read as documents."""

from typing import Any

from absl import flags

STOP_WORDS = flags.DEFINE_string(
    "stop_words",
    "english",
    "Words to leave out: 'english', another language of the package stop-words such as 'german', 'none', or a file with a word per "
    "line.",
)
MIN_DF = flags.DEFINE_string(
    "min_df", "1", "Words in fewer training documents are left out: a number, or a share written with a point, as 0.01."
)
MAX_DF = flags.DEFINE_string("max_df", "1.0", "Words in more training documents are left out, as --min_df.")
NGRAM_RANGE = flags.DEFINE_list(
    "ngram_range",
    ["1", "1"],
    "Shortest and longest runs of words that count as a word: 1,2 adds pairs, joined by an underscore.",
)


def given() -> dict[str, Any]:
    """The loaders' arguments that the flags give."""
    shortest, longest = NGRAM_RANGE.value
    return {
        "stop_words": STOP_WORDS.value,
        "min_df": _limit(MIN_DF.value),
        "max_df": _limit(MAX_DF.value),
        "ngram_range": (int(shortest), int(longest)),
    }


def _limit(text: str) -> int | float:
    """Shares, which have a point, as floats, and numbers as ints."""
    return float(text) if "." in text else int(text)


def _is_limit(text: str) -> bool:
    try:
        value = _limit(text)
    except ValueError:
        return False
    return 0 <= value <= 1 if isinstance(value, float) else value >= 1


def _is_range(values: list[str]) -> bool:
    return len(values) == 2 and all(value.isdecimal() for value in values) and 1 <= int(values[0]) <= int(values[1])


for _flag in (MIN_DF, MAX_DF):
    flags.register_validator(
        _flag, _is_limit, f"--{_flag.name}: a number from 1, or a share from 0.0 to 1.0 written with a point."
    )
flags.register_validator(NGRAM_RANGE, _is_range, "--ngram_range: two integers, as 1,2.")
