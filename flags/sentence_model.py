"""Flags of the LSTM sentence model."""

from absl import flags

from flags.checks import number_or

EMBEDDING_DIM = flags.DEFINE_integer("embedding_dim", 100, "Width of the word embeddings.", lower_bound=1)
INITIAL_EMBEDDINGS = flags.DEFINE_string(
    "initial_embeddings",
    None,
    "Where the word embeddings start: a finished run of this trainer, or a text file of word2vec or GloVe. Read at the start "
    "only.",
)
HIDDEN_UNITS = flags.DEFINE_integer("hidden_units", 400, "Units of every LSTM layer.", lower_bound=1)
DECODER_LAYERS = flags.DEFINE_integer("decoder_layers", 1, "LSTM layers of the decoder.", lower_bound=1)
BIDIRECTIONAL = flags.DEFINE_bool("bidirectional", False, "The encoder reads in both directions.")
POOLING = flags.DEFINE_enum(
    "pooling", "final", ["final", "mean_max", "bow"], "What the encoder makes of its states: the last, mean and maximum; or none, "
    "only the mean embedding."
)  # fmt: skip
ENCODER_ACTIVATION = flags.DEFINE_string(
    "encoder_activation", None, "Of the encoder's last layer; linear if not given."
)
TIED_EMBEDDINGS = flags.DEFINE_bool("tied_embeddings", False, "The softmax's rows are the word embeddings.")
SKIP_CONNECTION = flags.DEFINE_bool(
    "skip_connection", False, "A linear function of the code joins the decoder's outputs."
)
WORD_DROPOUT = flags.DEFINE_float(
    "word_dropout",
    0.0,
    "Rate at which the decoder is fed <unk> for the previous word: 0 standard, 1 inputless.",
    0.0,
    1.0,
)
DROPOUT = flags.DEFINE_float("dropout", 0.5, "Dropout on the decoder's embeddings and outputs.", 0.0, 0.99)
ENCODER_DROPOUT = flags.DEFINE_float(
    "encoder_dropout", None, "Dropout on the encoder's embeddings; as --dropout if not given.", 0.0, 0.99
)
Z_SCALE = flags.DEFINE_string(
    "z_scale", "auto", "Factor of the code where the decoder reads it; auto: sqrt(latent_dim) on the sphere, else 1."
)
FREE_BITS = flags.DEFINE_float(
    "free_bits", 0.0, "Nats of KL a sentence that training does not charge.", lower_bound=0.0
)
CONDITIONAL = flags.DEFINE_bool("conditional", False, "Condition both sides on the sentence's label.")
LABEL_DIM = flags.DEFINE_integer("label_dim", 50, "Width of the label's embedding with --conditional.", lower_bound=1)
NUM_SAMPLES = flags.DEFINE_integer("num_samples", 1, "Posterior samples a sentence and training step.", lower_bound=1)
BAG_OF_WORDS_UNITS = flags.DEFINE_integer(
    "bag_of_words_units",
    0,
    "Units of the bag-of-words summary on which both sides are conditioned; 0 for none.",
    lower_bound=0,
)

flags.register_validator(Z_SCALE, number_or("auto"), message="--z_scale must be a number >= 0, or 'auto'.")
