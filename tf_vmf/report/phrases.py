"""Phrases that the reports of all models share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tf_vmf.measures import has_code
from tf_vmf.report.engine.excerpts import Excerpt
from tf_vmf.report.engine.maps import CodeMap
from tf_vmf.report.engine.neighbors import LabelAgreement
from tf_vmf.report.engine.run import Latent, Run
from tf_vmf.report.page.page import Passage, Text

# A code of so few dimensions suits very little text: on 300 search snippets it has 1.00 of the unigram model's perplexity, the
# default of 20 dimensions 1.29.
_FEW_DIMENSIONS = 10
_SNIPPET = 260


def code_description(latent: Latent, noun: str) -> str:
    """A sentence on what the encoder returns: where codes lie, their distribution and its spread."""
    return f"The encoder gives {latent.description.code(noun)}."


def training_length(run: Run) -> str:
    """The length of a run, as " for 80 epochs" with a space in front; "" where the run does not say."""
    epochs = run.metrics.get("training", {}).get("epochs")
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


def beside_unigram(run: Run, unigram: float, noun: str, token: str) -> str:
    """Two sentences that compare the perplexity with that of the unigram model; if it is no better, why and what may help."""
    test = run.metrics["test"]
    text = (
        f"A unigram model, which predicts the same {token} frequencies for every {noun}, has {unigram:,.0f}; the model's "
        f"perplexity is {test['perplexity'] / unigram:.2f} of it."
    )
    if test["perplexity"] < unigram:
        return text
    cost = ""
    if has_code(run.metrics):
        cost = (
            f" Beside the unigram model it saves fewer nats per {noun} than the {test['kl']:.1f} that its code costs."
        )
    remedies = unigram_remedies(run.metrics, run.config)
    return f"{text} That is no better: for prediction this model is of no use.{cost} {remedies}"


def unigram_remedies(metrics: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Suggests, in one sentence, how to beat the unigram baseline, given the run's settings."""
    training, latent, remedies = metrics.get("training", {}), config.get("latent"), []
    if latent not in ("gaussian", "none") and isinstance(config.get("concentration"), int | float):
        remedies.append("a concentration that is learned (concentration=learned), as short texts want a low one")
    if latent != "none" and config.get("latent_dim", 0) > _FEW_DIMENSIONS:
        remedies.append(f"a code of fewer dimensions (latent_dim={_FEW_DIMENSIONS})")
    if training and training.get("best_epoch") == training.get("epochs"):
        remedies.append("more epochs, as the last one was the best")
    return f"What may help: {'; '.join([*remedies, 'more training text'])}."


def number(value: float | None, spec: str = ",.0f") -> str:
    """The number, or a dash where there is none."""
    return "–" if value is None or math.isnan(value) else format(value, spec)  # noqa: RUF001


def map_caption(found: CodeMap, noun: str) -> str:
    """The caption of a map: its points, and what its distances mean."""
    shown = f"{len(found.points):,} {noun}s"
    if len(found.points) < found.num_examples:
        shown = f"{shown}, drawn at random from {found.num_examples:,}"
    how = {
        "tsne": "t-SNE keeps close codes close; distances between far groups and the extent of a group mean nothing.",
        "pca": "The two directions in which the codes vary most.",
        "codes": "The codes themselves, not projected"
        + ("." if found.points.shape[-1] == 2 else ": two hemispheres in an equal-area map."),
    }[found.method]
    if len(found.points) > 1 and not np.ptp(found.points, axis=0).any():
        how = "All codes coincide."
    marks = "" if found.labels is None else " The legend tells what a mark stands for."
    return f"Codes of {shown}.{marks} {how}"


def agreement_text(agreement: LabelAgreement, noun: str) -> Text:
    """A sentence on the share of nearest training examples that have the label of their test example."""
    verdict = "" if agreement.precision > agreement.chance else " Here it is no better than chance."
    return Text(
        f"Of the {agreement.k} nearest training {noun}s of a test {noun}, {agreement.precision:.0%} have its label on average. Of "
        f"{noun}s picked at random {agreement.chance:.1%} would; 100% is the best value.{verdict} To quote this figure, give the "
        "number of neighbors and the value of chance with it."
    )


def passage(excerpt: Excerpt, score: str = "", *, same: bool = False) -> Passage:
    """An excerpt as the page shows it."""
    heading = " · ".join(dict.fromkeys(part for part in (excerpt.title, excerpt.label) if part))
    text = _shortened(excerpt.text) if excerpt.text else ""
    if excerpt.words:
        text = "Characteristic words: " + ", ".join(excerpt.words)
    return Passage(heading or f"Document {excerpt.row}", text, score, same)


def _shortened(text: str) -> str:
    """The beginning of a text, which may itself have been cut off inside a word."""
    complete = len(text) <= _SNIPPET and text.rstrip().endswith((".", "!", "?", '"', ")"))
    if complete or " " not in text:
        return text
    return text[:_SNIPPET].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"
