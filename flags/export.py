"""Flags of the export."""

from absl import flags

MODEL = flags.DEFINE_string("model", None, "Folder of a finished run, a .keras file or an export.", required=True)
OUTPUT = flags.DEFINE_string("output", None, "Folder to make, for instance exports/1.", required=True)
ALLOW_UNKNOWN = flags.DEFINE_bool(
    "allow_unknown", True, "Sentences that the export writes may hold <unk>; --noallow_unknown keeps it out."
)
