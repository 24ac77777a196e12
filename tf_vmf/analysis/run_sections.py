"""Sections and phrases that the reports of all models share; `noun` is what an example is called, "document" or "sentence"."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tf_vmf.analysis import plots
from tf_vmf.analysis.encodings import Encodings
from tf_vmf.analysis.neighbours import Neighbours, label_precision
from tf_vmf.analysis.report import Block, Code, Image, Row, Section, Table, Text
from tf_vmf.layers.latent_layer import LatentLayer

_MEASURES = (
    ("perplexity", "Perplexity (corpus)", ",.1f", "exp(total (nll + KL) / total {units}). Lower is better."),
    ("document_perplexity", "Perplexity (per {noun})", ",.1f", "exp(mean over {noun}s of nats a {unit})."),
    ("iw_perplexity", "Importance-weighted (corpus)", ",.1f", "From a tighter bound: {samples} samples of the code."),
    ("iw_document_perplexity", "Importance-weighted (per {noun})", ",.1f", "The same, averaged over {noun}s."),
    ("nll", "nll, nats a {noun}", ",.2f", "Surprise at the {units}, given a code drawn for the {noun}."),
    ("kl", "KL, nats a {noun}", ",.2f", "Price of the code: how far it is from the prior that all {noun}s share."),
    ("code_gain", "Code gain, nats a {noun}", ",.2f", "How much worse another {noun}'s code does. 0: codes are ignored."),
    ("mutual_information", "Mutual information, nats", ",.2f", "What a code tells about its {noun}; at most log({noun}s)."),
    ("active_units", "Active units", "d", "Latent dimensions that vary over {noun}s."),
)  # fmt: skip
# Without a latent variable there is no code, and every bound is the likelihood itself.
_MEASURES_WITHOUT_CODE = (
    ("perplexity", "Perplexity (corpus)", ",.1f", "exp(total nll / total {units}). Lower is better."),
    ("document_perplexity", "Perplexity (per {noun})", ",.1f", "exp(mean over {noun}s of nats a {unit})."),
    ("nll", "nll, nats a {noun}", ",.2f", "Surprise at the {units}."),
)


def measures_table(metrics: Mapping[str, Any], noun: str, unit: str = "word", *, has_code: bool = True) -> Table:
    """The figures of test and validation, and what each one means.

    Args:
        metrics: The content of `metrics.json`; what is missing or None is left out.
        noun: What an example is called.
        unit: What perplexity is a figure of: "word", or "token" where more than words count.
        has_code: Whether the model has a latent variable.
    """
    test, valid = metrics["test"], metrics.get("valid", {})
    baseline = metrics.get("baseline", {})
    samples = importance_samples(metrics)
    words = {"noun": noun, "unit": unit, "units": f"{unit}s", "samples": samples}
    rows = []
    for key, name, spec, meaning in _MEASURES if has_code else _MEASURES_WITHOUT_CODE:
        if test.get(key) is not None:
            values = [format(split[key], spec) if split.get(key) is not None else "" for split in (test, valid)]
            rows.append((name.format(**words), *values, meaning.format(**words)))
        unigram = baseline.get(f"unigram_{key}")
        if unigram is not None:
            rows.append(
                (
                    "… of a unigram model",
                    format(unigram, spec),
                    "",
                    f"{unit.title()}s drawn at their training frequencies.",
                )
            )
    return Table(("Measure", "Test", "Validation", "What it says"), rows, numeric=(1, 2), highlight=(0,))


def training(history: Sequence[Mapping[str, Any]], metrics: Mapping[str, Any]) -> Section | None:
    """Curves over epochs."""
    if not history:
        return None
    figure = plots.training_curves(
        history,
        best_epoch=metrics.get("training", {}).get("best_epoch"),
        unigram_perplexity=metrics.get("baseline", {}).get("unigram_perplexity"),
    )
    caption = (
        "Training figures are measured with dropout and while the weights change; validation figures at the end of each epoch. "
        "Validation rising while training falls is overfitting."
    )
    return Section("Training", [Image(figure, caption)])


def label_agreement(neighbours: Neighbours, labels: np.ndarray, query_labels: np.ndarray, noun: str) -> Text:
    """How often neighbours, training examples, have the label of their query, a test example."""
    precision = label_precision(neighbours, labels, query_labels)
    share = np.bincount(labels, minlength=int(query_labels.max()) + 1) / len(labels)
    chance = float(np.mean(share[query_labels]))
    return Text(
        f"Of the {neighbours.rows.shape[1]} nearest training {noun}s of a test {noun}, {precision:.0%} have its label on "
        f"average; {noun}s picked at random would have it in {chance:.1%} of cases."
    )


def use_of_the_code(latent: LatentLayer, test: Encodings, noun: str) -> Section:
    """Variance of each dimension; where it differs by example, the spread of KL or concentration."""
    images: list[Image] = [
        Image(
            plots.active_units(test.codes, scale=latent.coordinate_scale),
            f"How much each dimension of the code varies over test {noun}s. A dimension that does not vary is not used.",
        )
    ]
    learned = test.concentration is not None and np.ptp(test.concentration) > 1e-3
    if learned:
        images.append(
            Image(
                plots.histogram(test.concentration, "concentration", counted=f"{noun}s"),  # type: ignore[arg-type]
                f"Learned concentration of test {noun}s: the larger, the surer the encoder is of the code.",
            )
        )
    blocks: list[Block] = []
    if np.ptp(test.kl) > 1e-3:
        images.append(
            Image(
                plots.histogram(test.kl, "KL, nats", counted=f"{noun}s"),
                f"KL of test {noun}s: short ones can be given cheap codes, long ones rich codes.",
            )
        )
    elif latent.describe().constant_kl:
        blocks.append(
            Text(
                f"The concentration is fixed, so every {noun} pays the same KL, {test.kl.mean():.2f} nats: training "
                f"cannot shrink it, and cannot spare short {noun}s."
            )
        )
    else:
        blocks.append(
            Text(
                f"Nothing fixes the KL, and yet every {noun} has the same, {test.kl.mean():.3f} nats: the encoder is as sure of "
                f"one {noun} as of another, and near 0 it tells the decoder nothing (the code has collapsed)."
            )
        )
    return Section("Use of the code", [*blocks, Row(images)])


def protocol(metrics: Mapping[str, Any], config: Mapping[str, Any], command: str | None) -> Section:
    """How the figures came about, and the command that repeats them."""
    blocks: list[Block] = []
    if command:
        blocks += [Text("This command repeats the run; in a new --workdir it starts from scratch:"), Code(command)]
    rows = _flatten(metrics.get("protocol", {})) + _flatten(metrics.get("training", {}), "training")
    if rows:
        blocks.append(Table(("Protocol", ""), rows))
    if config:
        blocks.append(Table(("Setting", "Value"), _flatten(config), folded="Configuration (config.json)"))
    return Section("Protocol", blocks)


def number(value: float | None, spec: str = ",.0f") -> str:
    """The number, or a dash where there is none."""
    return "–" if value is None else format(value, spec)  # noqa: RUF001


def _flatten(mapping: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows = []
    for key, value in mapping.items():
        name = f"{prefix} {key}".strip().replace("_", " ")
        if isinstance(value, Mapping):
            rows += _flatten(value, name)
        else:
            rows.append((name, value if isinstance(value, str) else json.dumps(value)))
    return rows


def importance_samples(metrics: Mapping[str, Any]) -> str:
    """Number of samples of the importance-weighted bound, in words."""
    samples = metrics.get("protocol", {}).get("importance_samples", "several")
    if not isinstance(samples, Mapping):
        return str(samples)
    if len(set(samples.values())) == 1:
        return str(next(iter(samples.values())))
    return ", ".join(f"{number} ({split})" for split, number in samples.items())
