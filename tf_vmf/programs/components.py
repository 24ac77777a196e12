"""Optimizer, latent layer and the weight of the KL from a configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import keras

from tf_vmf import layers
from tf_vmf._errors import ArgumentError
from tf_vmf.layers import CyclicalSchedule, LinearSchedule, SigmoidSchedule
from tf_vmf.models import FusedAdam
from tf_vmf.programs.configs.models import LatentConfig
from tf_vmf.programs.configs.options import refuse_unused
from tf_vmf.programs.configs.training import TrainingConfig

_OPTIMIZERS = {"adam": FusedAdam, "adamw": FusedAdam, "sgd": keras.optimizers.SGD}

Schedule: TypeAlias = keras.optimizers.schedules.LearningRateSchedule

# Arguments of latents, and the options that set them.
_OPTIONS_OF = {
    "concentration": ("concentration", "initial_concentration", "minimum_concentration", "concentration_warmup_steps"),
    "norm_penalty": ("norm_penalty",),
    "norm_max": ("norm_max",),
    "norm_width": ("norm_width",),
    "part_dim": ("part_dim",),
}

# The weight of the KL, for the number of steps after which it is at its end (the sigmoid's: 0.9975 of it).
_KL_SCHEDULES: dict[str, Callable[[int, float], Schedule]] = {
    "linear": lambda steps, end: LinearSchedule(steps, end=end),
    "sigmoid": lambda steps, end: SigmoidSchedule(steps / 2, end=end),
    "cyclical": lambda steps, end: CyclicalSchedule(-(-steps // 4), end=end),
}


def make_optimizer(config: TrainingConfig, steps: int) -> keras.optimizers.Optimizer:
    """The optimizer of a configuration.

    Args:
        config: The configuration of the run.
        steps: Training steps in all, with the last of which a learning-rate schedule ends.
    """
    rate = config.learning_rate
    schedules = {
        "constant": rate,
        "linear": keras.optimizers.schedules.PolynomialDecay(rate, steps, end_learning_rate=0.0),
        "cosine": keras.optimizers.schedules.CosineDecay(rate, steps),
    }
    return _OPTIMIZERS[config.optimizer](
        schedules[config.learning_rate_schedule],
        weight_decay=config.weight_decay or None,
        global_clipnorm=config.gradient_clip_norm,
    )


def kl_weight(config: LatentConfig) -> float | Schedule:
    """The weight of the KL in the training loss: a number, or a schedule over training steps."""
    if not config.kl_warmup_steps:
        return config.kl_weight
    return _KL_SCHEDULES[config.kl_schedule](config.kl_warmup_steps, config.kl_weight)


def make_latent(config: LatentConfig, seed: int) -> layers.LatentLayer | None:
    """The latent layer of a configuration; None for latent="none".

    Args:
        config: The configuration of the run.
        seed: Seed of the noise.

    Raises:
        ArgumentError: `latent` is not the name of a registered latent layer, or an option is given that it does not have.
    """
    if config.latent == "none":
        return None
    check_latent(config)
    declared = layers.latent_options(config.latent)
    arguments = {name: getattr(config, name) for name in _OPTIONS_OF if name in declared}
    if "concentration" in declared:
        arguments["concentration"] = _concentration(config)
    if config.prior == "mixture" and (mixture := layers.mixture_prior_of(config.latent)) is not None:
        arguments["prior"] = mixture(config.prior_components, name="prior")
    return layers.make_latent(
        config.latent,
        config.latent_dim,
        arguments | config.own_latent_options(),
        kl_weight=kl_weight(config),
        seed=seed,
        name="latent",
    )


def check_latent(config: LatentConfig) -> None:
    """Checks the options of the latent layer against those that it declares."""
    if config.latent == "none":
        return
    if config.latent not in layers.latent_names():
        raise ArgumentError("latent", f"one of {', '.join([*layers.latent_names(), 'none'])}", repr(config.latent))
    declared = layers.latent_options(config.latent)
    for argument, options in _OPTIONS_OF.items():
        if argument not in declared:
            refuse_unused(config, options, f"the latent {config.latent!r} has no `{argument}`")
    if config.prior == "mixture" and ("prior" not in declared or layers.mixture_prior_of(config.latent) is None):
        raise ArgumentError("prior", f"'fixed' with latent={config.latent!r}", repr(config.prior))
    others = declared - {*_OPTIONS_OF, "prior"}
    for name in config.own_latent_options():
        if name not in others:
            names = ", ".join(sorted(others)) or "none"
            raise ArgumentError("latent_options", f"options of the latent {config.latent!r}: {names}", repr(name))


def _concentration(config: LatentConfig) -> float | Schedule | layers.LearnedConcentration | layers.SharedConcentration:
    if isinstance(config.concentration, float):
        if config.concentration_warmup_steps and config.initial_concentration is not None:
            start, end = config.initial_concentration, config.concentration
            return LinearSchedule(config.concentration_warmup_steps, start=start, end=end)
        return config.concentration
    learned = layers.SharedConcentration if config.concentration == "shared" else layers.LearnedConcentration
    return learned(initial=config.initial_concentration, minimum=config.minimum_concentration, name="concentration")
