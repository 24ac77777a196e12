"""Flags of a sweep over the settings of a trainer."""

from absl import flags

TRAINER = flags.DEFINE_enum("trainer", None, ["bow_vae", "lstm_vae"], "The trainer to run.", required=True)
VARY = flags.DEFINE_multi_string(
    "vary",
    None,
    "A flag of the trainer and its values, NAME=VALUE,VALUE,...; given more than once, all combinations are run. Over "
    "--vary=seed=... the report averages.",
    required=True,
)
OUTPUT = flags.DEFINE_string("output", None, "Folder of the sweep; the same command on it resumes.", required=True)


def varied() -> dict[str, list[str]]:
    """The values of every flag that is varied, in the order given."""
    return dict(map(_parse, VARY.value))


def _parse(text: str) -> tuple[str, list[str]]:
    name, _, values = text.partition("=")
    return name.strip().lstrip("-"), [value.strip() for value in values.split(",")]


def _well_formed(texts: list[str]) -> bool:
    pairs = [_parse(text) for text in texts]
    names = [name for name, _ in pairs]
    return len(set(names)) == len(names) and all(
        name.isidentifier() and all(values) and len(set(values)) == len(values) for name, values in pairs
    )


flags.register_validator(
    VARY,
    _well_formed,
    message="--vary must be NAME=VALUE,VALUE,... with a name and values that are not repeated, as --vary=concentration=10,50,100.",
)
