"""Flags of the preparation of corpora."""

from absl import flags

KIND = flags.DEFINE_enum("kind", None, ["documents", "sentences"], "What the text is read as.", required=True)
OUTPUT = flags.DEFINE_string("output", None, "Folder to make.", required=True)
EXAMPLES_PER_SHARD = flags.DEFINE_integer(
    "examples_per_shard", 16_384, "Examples a file; training holds up to two files in memory.", lower_bound=1
)
VALIDATION_SIZE = flags.DEFINE_float(
    "validation_size",
    None,
    "About how much of the training text to hold out if there are no --valid_files: a share below 1 or a number of lines; "
    "10,000 lines, or a tenth, if not given.",
    lower_bound=0.0,
)
TEST_SIZE = flags.DEFINE_float("test_size", None, "The same for the test.", lower_bound=0.0)


def sizes() -> dict[str, int | float | None]:
    """The sizes of the splits that are held out, shares as floats and numbers as ints."""
    given = {"validation_size": VALIDATION_SIZE.value, "test_size": TEST_SIZE.value}
    return {name: int(value) if value is not None and value >= 1 else value for name, value in given.items()}
