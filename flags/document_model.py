"""Flags of the bag-of-words model."""

from absl import flags

from flags.checks import positive_integers

ENCODER_UNITS = flags.DEFINE_list(
    "encoder_units", ["400", "400"], "Widths of the encoder's layers; the last is linear."
)
DECODER_UNITS = flags.DEFINE_list(
    "decoder_units", ["400"], "Widths of the decoder's hidden layers; empty for a linear one."
)
ACTIVATION = flags.DEFINE_string(
    "activation", "tanh", "Activation of the hidden layers: the name of a Keras activation."
)
INPUT_TRANSFORM = flags.DEFINE_enum(
    "input_transform", "log1p", ["counts", "log1p"], "What the encoder makes of counts."
)
INPUT_DROPOUT = flags.DEFINE_float("input_dropout", 0.0, "Rate at which input words are dropped.", 0.0, 0.99)
DROPOUT = flags.DEFINE_float("dropout", 0.1, "Rate of dropout after hidden layers.", 0.0, 0.99)
NUM_SAMPLES = flags.DEFINE_integer("num_samples", 1, "Posterior samples an example and training step.", lower_bound=1)
UNIGRAM_BIAS = flags.DEFINE_bool("unigram_bias", True, "Start the output bias at the log frequencies of the words.")

flags.register_validator(
    ENCODER_UNITS, lambda units: bool(units) and positive_integers(units), "--encoder_units: integers >= 1."
)
flags.register_validator(DECODER_UNITS, positive_integers, "--decoder_units: integers >= 1, or empty.")
