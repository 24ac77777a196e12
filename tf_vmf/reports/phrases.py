"""Phrases that the reports of all models share."""

from __future__ import annotations

import math

from tf_vmf.analysis.run import Latent, Run


def code_description(latent: Latent, noun: str) -> str:
    """A sentence on what the encoder returns: where codes lie, their distribution and its spread."""
    return f"The encoder gives {latent.description.code(noun)}."


def training_length(run: Run) -> str:
    """How long a run trained, as " for 80 epochs" with a space in front; "" where the run does not say."""
    epochs = run.metrics.get("training", {}).get("epochs", len(run.history))
    if not epochs:
        return ""
    return f" for {epochs} epoch{'s' if epochs > 1 else ''}"


def chosen_epoch(run: Run) -> str:
    """A sentence on the epoch whose weights are used, or ""."""
    training = run.metrics.get("training", {})
    best, epochs = training.get("best_epoch"), training.get("epochs", 0)
    if not best or best == epochs:
        return ""
    return f" The weights are those of epoch {best}, which had the lowest validation loss."


def beside_unigram(perplexity: float, unigram: float, noun: str, token: str) -> str:
    """Two sentences that compare a perplexity with that of the unigram model, and say so where it is no better."""
    text = (
        f"A unigram model, which predicts the same {token} frequencies for every {noun}, has {unigram:,.0f}; the model's "
        f"perplexity is {perplexity / unigram:.2f} of it."
    )
    if perplexity < unigram:
        return text
    return (
        f"{text} That is no better: for prediction this model is of no use. Common causes are a fixed concentration that is "
        f"too high for short {noun}s (learn it instead) and too few epochs."
    )


def number(value: float | None, spec: str = ",.0f") -> str:
    """The number, or a dash where there is none."""
    return "–" if value is None or math.isnan(value) else format(value, spec)  # noqa: RUF001
