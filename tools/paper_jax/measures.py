"""The measures in results/paper/ptb.json, from the quantities per sentence of every program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tools.paper_jax.settings import CHOSEN, Program, Setting
from tools.paper_jax.training import CONCENTRATION, KL, MEAN_CODE_NLL, NLL, OTHERS_CODE_NLL

Results = Mapping[str, Any]  # the arrays of a program's file

_ONE_SAMPLE, _IMPORTANCE, _MEAN_CODE = "one-sample bound", "importance-weighted bound", "mean code, not a bound"
# Decoder, what both models are trained on, the models, the figures. The Gaussian by the mean of three with an inputless
# decoder is that of the recipes.
_COMPARISONS = (
    ("standard", "mean_loss", "vmf", "none", _ONE_SAMPLE),
    ("standard", "mean_loss", "gaussian", "none", _ONE_SAMPLE),
    ("standard", "mean_loss", "vmf", "gaussian", _ONE_SAMPLE),
    ("standard", "mean_loss", "vmf", "none", _IMPORTANCE),
    ("standard", "mean_loss", "gaussian", "none", _IMPORTANCE),
    ("standard", "mean_loss", "vmf", "gaussian", _IMPORTANCE),
    ("standard", "mean_code", "vmf", "gaussian", _MEAN_CODE),
    ("inputless", "mean_loss", "vmf", "gaussian", _ONE_SAMPLE),
    ("inputless", "mean_loss", "vmf", "gaussian", _IMPORTANCE),
    ("inputless", "mean_loss", "vmf", "none", _ONE_SAMPLE),
    ("inputless", "mean_loss", "gaussian", "none", _ONE_SAMPLE),
    ("inputless", "mean_code", "vmf", "gaussian", _MEAN_CODE),
    ("inputless", "mean_code", "vmf", "gaussian", _ONE_SAMPLE),
    ("inputless", "mean_code", "vmf", "gaussian", _IMPORTANCE),
)
_OF_THE_BEST = "the best of each on validation"


def measures_of(
    rows: np.ndarray, lengths: np.ndarray, setting: Setting, bounds: np.ndarray | None = None
) -> dict[str, float]:
    """The measures of a model on one split.

    Args:
        rows: Quantities per sentence, shape (5, sentences).
        lengths: Tokens per sentence.
        setting: The model.
        bounds: The importance-weighted bound of log p per sentence, or None.
    """
    rows = rows.astype(np.float64)
    nll, kl = rows[NLL], rows[KL]
    found = {"nll": nll.mean(), "kl": kl.mean(), "perplexity": _perplexity(nll + kl, lengths)}
    found["document_perplexity"] = np.exp(((nll + kl) / lengths).mean())
    if setting.latent != "none":
        mean_code = rows[MEAN_CODE_NLL] + kl
        found["code_gain"] = (rows[OTHERS_CODE_NLL] - nll).mean()
        found |= {"mean_code_nll": mean_code.mean(), "mean_code_perplexity": _perplexity(mean_code, lengths)}
        if setting.latent != "gaussian":
            concentration = rows[CONCENTRATION]
            found |= {"concentration_mean": concentration.mean(), "concentration_deviation": concentration.std()}
        found["kl_deviation"] = kl.std()
    if bounds is not None:
        bounds = bounds.astype(np.float64)
        found |= {"iw_nll": -bounds.mean(), "iw_perplexity": _perplexity(-bounds, lengths)}
    return {name: round(float(value), _digits(name)) for name, value in found.items()}


def models(program: Program, results: Results, lengths: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """The entries of a program's models."""
    found = []
    for index, setting in enumerate(program.settings):
        entry = program.record(setting) | {"best_epoch": int(results["best_epochs"][index])}
        entry["valid"] = measures_of(results["valid"][index], lengths["valid"], setting)
        if setting.is_tested:
            bounds = results.get(f"iw_{index}")
            entry["test"] = measures_of(results["test"][index], lengths["test"], setting, bounds)
        entry["validation_by_epoch"] = [round(float(each), 2) for each in results["history"][: entry["epochs"], index]]
        found.append(entry)
    return found


def differences(
    programs: Sequence[Program], results: Mapping[str, Results], lengths: np.ndarray
) -> list[dict[str, Any]]:
    """Paired differences on test between the models of a table, of the seeds that both have."""
    programs = [program for program in programs if program.name in results]
    found = []
    for decoder, trained_on, first, second, figure in _COMPARISONS:
        sides = [_seeds_of(programs, results, decoder, trained_on, latent) for latent in (first, second)]
        about = {"setting": decoder, "trained_on": trained_on, "first": first, "second": second}
        found += _difference(about, sides, figure, lengths)
    sides = [_seeds_of_chosen(programs, results, setting) for setting in CHOSEN]
    about = {"setting": "inputless", "trained_on": "mean_code", "first": "vmf", "second": "gaussian"}
    for figure in (_MEAN_CODE, _ONE_SAMPLE, _IMPORTANCE):
        found += _difference(about | {"models": _OF_THE_BEST}, sides, figure, lengths)
    return found


Side = Mapping[int, tuple[Setting, np.ndarray, np.ndarray | None]]  # by seed: quantities per sentence, and bounds


def _seeds_of(
    programs: Sequence[Program], results: Mapping[str, Results], decoder: str, trained_on: str, latent: str
) -> Side:
    """The models of several seeds of a latent in the program of a table."""
    name = "inputless_mean_code" if (decoder, trained_on) == ("inputless", "mean_code") else decoder
    found: dict[int, Any] = {}
    for program in programs:
        alike = [
            (index, setting)
            for index, setting in enumerate(program.settings)
            if program.name == name and (setting.latent, setting.trained_on) == (latent, trained_on)
        ]
        for index, setting in alike:
            # Of several settings the first is that of the table.
            if replace(setting, seed=alike[0][1].seed) == alike[0][1]:
                found[setting.seed] = _side(results, program, index)
    return found


def _seeds_of_chosen(programs: Sequence[Program], results: Mapping[str, Results], chosen: Setting) -> Side:
    return {
        setting.seed: _side(results, program, index)
        for program in programs
        for index, setting in enumerate(program.settings)
        if replace(setting, seed=chosen.seed) == chosen
    }


def _side(
    results: Mapping[str, Results], program: Program, index: int
) -> tuple[Setting, np.ndarray, np.ndarray | None]:
    of_program = results[program.name]
    return program.settings[index], of_program["test"][index].astype(np.float64), of_program.get(f"iw_{index}")


def _difference(
    about: Mapping[str, Any], sides: Sequence[Side], figure: str, lengths: np.ndarray
) -> list[dict[str, Any]]:
    """One entry; none where no seed has both."""
    by_side = [
        {seed: losses for seed, each in side.items() if (losses := _losses(each, figure)) is not None} for side in sides
    ]
    seeds = sorted(set(by_side[0]) & set(by_side[1]))
    if not seeds:
        return []
    each = np.stack([by_side[0][seed] - by_side[1][seed] for seed in seeds])
    mean = each.mean(0)
    found = dict(about)
    if "models" in found and len(seeds) < len(sides[0]):
        found["models"] += f", seed {', '.join(map(str, seeds))}"
    return [
        found
        | {
            "figure": figure,
            "nats_per_sentence": round(float(mean.mean()), 4),
            "standard_error": round(float(mean.std(ddof=1) / np.sqrt(mean.size)), 4),
            "per_seed": [round(float(seed), 4) for seed in each.mean(1)],
            "ratio_of_perplexities": round(_perplexity(mean, lengths), 4),
        }
    ]


def _losses(model: tuple[Setting, np.ndarray, np.ndarray | None], figure: str) -> np.ndarray | None:
    """Minus the bound of every sentence, or what stands in its place; without a code all bounds are the likelihood."""
    setting, rows, bounds = model
    if figure == _IMPORTANCE and setting.latent != "none":
        return None if bounds is None else -bounds.astype(np.float64)
    return rows[MEAN_CODE_NLL if figure == _MEAN_CODE else NLL] + rows[KL]


def _perplexity(nats: np.ndarray, lengths: np.ndarray) -> float:
    return float(np.exp(nats.sum() / lengths.sum()))


def _digits(name: str) -> int:
    return 3 if "perplexity" in name or name.startswith("concentration") else 4
