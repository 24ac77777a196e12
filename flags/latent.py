"""Flags that choose the latent variable."""

from absl import flags

from flags.checks import number_or

LATENT = flags.DEFINE_string(
    "latent",
    "vmf",
    "Posterior of the code: vmf, gaussian, power_spherical, the name of another registered latent layer, or none.",
)
LATENT_DIM = flags.DEFINE_integer(
    "latent_dim", 50, "Dimension d of the code; on the sphere that of R^d.", lower_bound=1
)
CONCENTRATION = flags.DEFINE_string(
    "concentration", "100", "Concentration of a spherical posterior: a number, or 'learned' for one per example."
)
INITIAL_CONCENTRATION = flags.DEFINE_float(
    "initial_concentration", 100.0, "Learned concentration at the start of training.", lower_bound=0.0
)
MINIMUM_CONCENTRATION = flags.DEFINE_float(
    "minimum_concentration", 1.0, "Lower bound of a learned concentration.", lower_bound=0.0
)
NORM_PENALTY = flags.DEFINE_float(
    "norm_penalty", 0.0, "Weight of (||m|| - 1)^2, m the mean direction before it is normalised.", lower_bound=0.0
)
KL_WEIGHT = flags.DEFINE_float(
    "kl_weight",
    1.0,
    "Weight of the KL in the training loss; with --kl_warmup_steps the one it rises to.",
    lower_bound=0.0,
)
KL_WARMUP_STEPS = flags.DEFINE_integer(
    "kl_warmup_steps", 0, "Raise the weight of the KL from 0 to --kl_weight over so many steps.", lower_bound=0
)
KL_SCHEDULE = flags.DEFINE_enum(
    "kl_schedule",
    "linear",
    ["linear", "sigmoid", "cyclical"],
    "How the weight rises: in a line; along a sigmoid, half of it half-way; or four times over --kl_warmup_steps, each time in the "
    "first half of a cycle.",
)

flags.register_validator(
    CONCENTRATION, number_or("learned"), message="--concentration must be a number >= 0, or 'learned'."
)
flags.register_multi_flags_validator(
    ["kl_schedule", "kl_warmup_steps"],
    lambda values: values["kl_schedule"] == "linear" or values["kl_warmup_steps"] > 0,
    message="--kl_schedule says how the weight rises over --kl_warmup_steps: give both.",
)
