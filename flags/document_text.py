"""Flags of text that is read as documents."""

from absl import flags

STOP_WORDS = flags.DEFINE_string("stop_words", "english", "'english', 'none', or a file with a word a line.")
