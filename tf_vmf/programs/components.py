"""Optimizer, latent layer and the weight of the KL from a configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import keras

from tf_vmf import layers
from tf_vmf._errors import ArgumentError
from tf_vmf.layers import CyclicalSchedule, LinearSchedule, SigmoidSchedule
from tf_vmf.models import FusedAdam
from tf_vmf.programs.configs.latent import LatentConfig
from tf_vmf.programs.configs.training import TrainingConfig

_OPTIMIZERS = {"adam": FusedAdam, "adamw": FusedAdam, "sgd": keras.optimizers.SGD}

Schedule: TypeAlias = keras.optimizers.schedules.LearningRateSchedule

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
        ValueError: `latent` is not the name of a registered latent layer, or has no learned prior and is asked for one.
    """
    if config.latent == "none" and config.prior == "fixed":
        return None
    if config.latent != "none" and config.latent not in layers.latent_names():
        names = ", ".join([*layers.latent_names(), "none"])
        raise ArgumentError("latent", f"one of {names}", repr(config.latent))
    return layers.make_latent(
        config.latent,
        config.latent_dim,
        {
            "concentration": _concentration(config),
            "norm_penalty": config.norm_penalty,
            "norm_max": config.norm_max,
            "norm_width": config.norm_width,
            "part_dim": config.part_dim,
            **_prior(config),
        },
        kl_weight=kl_weight(config),
        seed=seed,
        name="latent",
    )


def _prior(config: LatentConfig) -> dict[str, layers.LearnedPrior]:
    if config.prior == "fixed":
        return {}
    mixture = None if config.latent == "none" else layers.mixture_prior_of(config.latent)
    if mixture is None:
        raise ArgumentError("prior", f"'fixed' with latent={config.latent!r}", repr(config.prior))
    return {"prior": mixture(config.prior_components, name="prior")}


def _concentration(
    config: LatentConfig,
) -> float | Schedule | layers.LearnedConcentration | layers.SharedConcentration:
    if isinstance(config.concentration, float):
        if config.concentration_warmup_steps and config.initial_concentration is not None:
            start, end = config.initial_concentration, config.concentration
            return LinearSchedule(config.concentration_warmup_steps, start=start, end=end)
        return config.concentration
    learned = layers.SharedConcentration if config.concentration == "shared" else layers.LearnedConcentration
    return learned(initial=config.initial_concentration, minimum=config.minimum_concentration, name="concentration")
