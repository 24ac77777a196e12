"""Flags of the preparation of corpora."""

from absl import flags

KIND = flags.DEFINE_enum("kind", None, ["documents", "sentences"], "What the text is read as.", required=True)
OUTPUT = flags.DEFINE_string("output", None, "Folder to make.", required=True)
EXAMPLES_PER_SHARD = flags.DEFINE_integer(
    "examples_per_shard", 16_384, "Examples a file; training holds up to two files in memory.", lower_bound=1
)
