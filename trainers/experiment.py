"""What the trainers share: configuration, optimizer and latent layer from flags, and the end of a run."""

import math
import platform
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import keras
import tensorflow as tf
from absl import flags as absl_flags

from flags import latent as latent_flags
from flags import training as training_flags
from tf_vmf.layers import GaussianLatent, LatentLayer, PowerSphericalLatent, VonMisesFisherLatent
from tf_vmf.version import __version__

# Flags that say where things are or how fast they go, not what is computed.
_NOT_CONFIGURATION = {"workdir", "data_dir"}

_OPTIMIZERS = {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW, "sgd": keras.optimizers.SGD}


def configuration(*modules: ModuleType) -> dict[str, Any]:
    """Names and values of all flags that the modules define, but for folders."""
    names = {
        flag.name
        for module in modules
        for flag in vars(module).values()
        if isinstance(flag, absl_flags.FlagHolder) and flag.name not in _NOT_CONFIGURATION
    }
    return {name: absl_flags.FLAGS[name].value for name in sorted(names)}


def versions() -> dict[str, str]:
    """Versions of what the numbers of a run depend on."""
    return {
        "tf_vmf": __version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "python": platform.python_version(),
    }


def make_optimizer() -> keras.optimizers.Optimizer:
    """The optimizer that the flags ask for."""
    return _OPTIMIZERS[training_flags.OPTIMIZER.value](
        training_flags.LEARNING_RATE.value,
        # Not None for "no decay": AdamW would fall back on its own default.
        weight_decay=training_flags.WEIGHT_DECAY.value or (0.0 if training_flags.OPTIMIZER.value == "adamw" else None),
        global_clipnorm=training_flags.GRADIENT_CLIP_NORM.value,
    )


def make_latent() -> LatentLayer | None:
    """The latent layer that the flags ask for; None for --latent=none."""
    name, dim = latent_flags.LATENT.value, latent_flags.LATENT_DIM.value
    warmup = latent_flags.KL_WARMUP_STEPS.value
    shared: dict[str, Any] = {
        "kl_weight": keras.optimizers.schedules.PolynomialDecay(0.0, warmup, 1.0) if warmup else 1.0,
        "seed": training_flags.SEED.value,
        "name": "latent",
    }
    if name == "none":
        return None
    if name == "gaussian":
        return GaussianLatent(dim, **shared)
    concentration = latent_flags.CONCENTRATION.value
    layer = VonMisesFisherLatent if name == "vmf" else PowerSphericalLatent
    return layer(
        dim,
        concentration=concentration if concentration == "learned" else float(concentration),
        minimum_concentration=latent_flags.MINIMUM_CONCENTRATION.value,
        initial_concentration=latent_flags.INITIAL_CONCENTRATION.value,
        norm_penalty=latent_flags.NORM_PENALTY.value,
        **shared,
    )


def summary(metrics: dict[str, Any], lines: Sequence[str] = ()) -> str:
    """A short table for the terminal."""
    rows = [
        ("", "validation", "test"),
        *[
            (label, *(f"{metrics[split][name]:,.2f}" for split in ("valid", "test")))
            for label, name in (
                ("nll + KL, nats an example", "nll"),
                ("  of which KL", "kl"),
                ("perplexity, corpus", "perplexity"),
                ("perplexity, per document", "document_perplexity"),
                ("perplexity, importance-weighted", "iw_perplexity"),
                ("code gain, nats", "code_gain"),
                ("active units", "active_units"),
            )
        ],
    ]
    for i, (label, *_) in enumerate(rows):
        if label.startswith("nll + KL"):
            rows[i] = (label, *(f"{metrics[s]['nll'] + metrics[s]['kl']:,.2f}" for s in ("valid", "test")))
    width = max(len(row[0]) for row in rows)
    table = [f"{row[0]:<{width}}  {row[1]:>12}  {row[2]:>12}" for row in rows]
    return "\n".join([*table, *lines])


def check_finite(metrics: dict[str, Any]) -> None:
    """Raises FloatingPointError if a figure is not finite: JSON holds no NaN, and a report of it misleads."""
    for split in ("valid", "test"):
        for name, value in metrics[split].items():
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"The evaluation gave {split}.{name} = {value}. See history.csv for when it began."
                )
