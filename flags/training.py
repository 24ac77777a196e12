"""Flags of a run: where, how long, with what optimizer, on which devices."""

from absl import flags

WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run; the same command on it resumes.", required=True)
EPOCHS = flags.DEFINE_integer("epochs", 60, "Largest number of epochs.", lower_bound=1)
BATCH_SIZE = flags.DEFINE_integer("batch_size", 200, "Examples a step, over all replicas.", lower_bound=1)
OPTIMIZER = flags.DEFINE_enum(
    "optimizer", "adam", ["adam", "adamw", "sgd"], "Optimizer; adamw is adam with a --weight_decay."
)
LEARNING_RATE = flags.DEFINE_float("learning_rate", 1e-3, "Learning rate at the start.", lower_bound=0.0)
LEARNING_RATE_SCHEDULE = flags.DEFINE_enum(
    "learning_rate_schedule",
    "constant",
    ["constant", "linear", "cosine"],
    "How the learning rate goes to zero at the end of --epochs, if it does; not with --learning_rate_patience.",
)
WEIGHT_DECAY = flags.DEFINE_float("weight_decay", 0.0, "Decoupled weight decay of any optimizer.", lower_bound=0.0)
GRADIENT_CLIP_NORM = flags.DEFINE_float(
    "gradient_clip_norm", None, "Largest global norm of the gradient.", lower_bound=0.0
)
LEARNING_RATE_PATIENCE = flags.DEFINE_integer(
    "learning_rate_patience",
    None,
    "Halve the learning rate after so many epochs without better validation.",
    lower_bound=1,
)
EARLY_STOPPING_PATIENCE = flags.DEFINE_integer(
    "early_stopping_patience", None, "Stop after so many epochs without better validation.", lower_bound=1
)
SEED = flags.DEFINE_integer("seed", 0, "Seed of weights, noise, order of examples and splits.", 0, 2**31 - 1)
STRATEGY = flags.DEFINE_string(
    "strategy",
    "default",
    "default (one device), mirrored (all GPUs of this machine) or multi_worker (all machines that TF_CONFIG names).",
)
NUM_DEVICES = flags.DEFINE_integer(
    "num_devices", None, "Devices of --strategy=mirrored; all if not given.", lower_bound=1
)
DTYPE_POLICY = flags.DEFINE_enum(
    "dtype_policy",
    "float32",
    ["float32", "mixed_bfloat16", "mixed_float16"],
    "Keras dtype policy: what matrix products are computed in. Codes, losses and weights stay in float32.",
)
NUM_IMPORTANCE_SAMPLES = flags.DEFINE_integer(
    "num_importance_samples", 100, "Samples of the importance-weighted bound on the test set.", lower_bound=1
)
NUM_VALIDATION_IMPORTANCE_SAMPLES = flags.DEFINE_integer(
    "num_validation_importance_samples", None, "The same on the validation set; as many if not given.", lower_bound=1
)
CHECKPOINT_STEPS = flags.DEFINE_integer(
    "checkpoint_steps",
    None,
    "Save a checkpoint every so many steps, beside those at the ends of epochs.",
    lower_bound=1,
)
CHECKPOINT_MINUTES = flags.DEFINE_float(
    "checkpoint_minutes", 10.0, "Save a checkpoint when the last one is so old; 0 for never.", lower_bound=0.0
)
KEEP_CHECKPOINTS = flags.DEFINE_integer("keep_checkpoints", 3, "Number of checkpoints kept.", lower_bound=1)
STEPS_PER_EXECUTION = flags.DEFINE_integer(
    "steps_per_execution", 1, "Steps run on the device without coming back to Python.", lower_bound=1
)

flags.register_multi_flags_validator(
    ["learning_rate_schedule", "learning_rate_patience"],
    lambda values: values["learning_rate_schedule"] == "constant" or values["learning_rate_patience"] is None,
    message="--learning_rate_patience changes a constant rate: give it or --learning_rate_schedule, not both.",
)
flags.register_multi_flags_validator(
    ["optimizer", "weight_decay"],
    lambda values: values["optimizer"] != "adamw" or values["weight_decay"] > 0,
    message="--optimizer=adamw is adam with a --weight_decay: give one above 0.",
)
flags.register_validator(
    GRADIENT_CLIP_NORM,
    lambda norm: norm is None or norm > 0,
    message="--gradient_clip_norm must be above 0; leave it out for no clipping.",
)
