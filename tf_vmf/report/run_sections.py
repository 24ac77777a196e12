"""Sections that the reports of all models share; `noun` is what an example is called, "document" or "sentence"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tf_vmf.measures import (
    ACTIVE_VARIANCE,
    importance_samples,
    is_at_ceiling,
    mutual_information_ceiling,
    reads_mean_code,
    reported,
)
from tf_vmf.report import plots
from tf_vmf.report.engine.neighbours import LabelAgreement
from tf_vmf.report.engine.run import CodeUse, Latent, Run
from tf_vmf.report.page import Block, Code, Image, Row, Section, Table, Text

# A mean KL below this, in nats, is no code at all.
_COLLAPSED = 0.05


def measures_table(run: Run, noun: str, token: str, latent: Latent | None) -> Table:
    """The figures of test and validation, and what each one means; what is missing is left out."""
    metrics = run.metrics
    test, valid, baseline = metrics["test"], metrics.get("valid", {}), metrics.get("baseline", {})
    rows = []
    for measure in reported(metrics, has_code=latent is not None):
        name = measure.name
        cells = [measure.format(split[name]) if split.get(name) is not None else "" for split in (test, valid)]
        about = measure.describe(noun, token, samples=importance_samples(metrics), has_code=latent is not None)
        rows.append((measure.title(noun, token), *cells, about + _addition(name, test[name], run, noun, latent)))
        unigram = baseline.get(f"unigram_{name}")
        if unigram is not None:
            about = f"{token.title()}s drawn at their smoothed training frequencies, whatever the {noun}."
            rows.append(("… of a unigram model", measure.format(unigram), "", about))
    header = ("Measure", "Test", "Validation", "What it says")
    # Rows of a unigram model belong to the ones above them.
    return Table(header, rows, numeric=(1, 2), highlight=(0,), explained=True, sortable=False)


def _addition(name: str, value: float, run: Run, noun: str, latent: Latent | None) -> str:
    """What is to say of a value of this run."""
    if name == "active_units" and latent is not None:
        return f" Here {value} of {latent.latent_dim}."
    if name == "mutual_information":
        examples = run.metrics["test"].get("examples", run.test_examples)
        if is_at_ceiling(value, examples):
            ceiling = mutual_information_ceiling(examples)
            return f" Here it is at this ceiling, {ceiling:.2f}: codes tell the {noun}s apart, and the true value may be larger."
    return ""


def which_to_quote(latent: Latent | None) -> Text:
    """Which of the figures to quote."""
    if latent is None:
        return Text(
            "To quote this model, give the test perplexity (corpus) in the first row. It is exact: there is no code to bound."
        )
    return Text(
        "To quote this model, give the test perplexity (corpus) in the first row and call it a bound from one sample of the code "
        "(ELBO). The exact perplexity is lower on average. An importance-weighted perplexity is a different bound: name it as such "
        "and compare it with no one-sample figure."
    )


def published_vocabulary(published_size: int | None, run: Run) -> list[Text]:
    """A warning where published results were obtained over another vocabulary."""
    if published_size is None or published_size == run.vocabulary_size:
        return []
    return [
        Text(
            f"The published figures are over a vocabulary of {published_size:,}, this run is over one of "
            f"{run.vocabulary_size:,}: its perplexities do not compare with them."
        )
    ]


def training(run: Run, noun: str) -> Section | None:
    """Curves over epochs."""
    if not run.history:
        return None
    figure = plots.training_curves(
        run.history,
        best_epoch=run.metrics.get("training", {}).get("best_epoch"),
        unigram_perplexity=run.metrics.get("baseline", {}).get("unigram_perplexity"),
        example=noun,
    )
    dropout = "with dropout and " if run.has_dropout else ""
    caption = (
        f"Training figures are measured {dropout}while the weights change, validation figures at the end of each epoch. Where "
        "validation rises while training falls, the model overfits."
    )
    if reads_mean_code(run.metrics):
        caption += (
            " The loss is not a bound: the decoder reads the mean of several samples, and the KL of one is charged."
        )
    return Section("Training", [Image(figure, caption)])


def label_agreement(agreement: LabelAgreement, noun: str) -> Text:
    """How often neighbours, training examples, have the label of their query, a test example."""
    verdict = "" if agreement.precision > agreement.chance else " Here it is no better than chance."
    return Text(
        f"Of the {agreement.k} nearest training {noun}s of a test {noun}, {agreement.precision:.0%} have its label on average. Of "
        f"{noun}s picked at random {agreement.chance:.1%} would; 100% is the best value.{verdict} To quote this figure, give the "
        "number of neighbours and the value of chance with it."
    )


def use_of_the_code(latent: Latent, use: CodeUse, noun: str) -> Section:
    """Variance of each dimension; where they differ by example, the spread of KL and concentration."""
    learned = latent.description.prior
    relative = (
        f" The prior of this run is a {learned}; variances are relative to the fixed prior that it replaces."
        if learned
        else ""
    )
    images = [
        Image(
            plots.active_units(use.variances, reference="in the fixed prior" if learned else "in the prior"),
            f"How much each dimension of the code varies over test {noun}s. {use.active_units} of {latent.latent_dim} dimensions "
            f"are active: they vary by more than {ACTIVE_VARIANCE}. None would mean that the code has collapsed.{relative}",
        )
    ]
    if use.concentration is not None:
        images.append(
            Image(
                plots.histogram(use.concentration, "concentration", counted=f"{noun}s"),
                f"Learned concentration of test {noun}s. Higher means that the encoder is more certain of the code.",
            )
        )
    if not use.constant_kl:
        images.append(
            Image(
                plots.histogram(use.kl, "KL, nats", counted=f"{noun}s"),
                f"KL of test {noun}s, the cost of their codes.{_length(use, noun)}",
            )
        )
    blocks: list[Block] = [Text(_constant_kl(latent, use, noun))] if use.constant_kl else []
    return Section("Use of the code", [*blocks, Row(images)])


def _length(use: CodeUse, noun: str) -> str:
    correlation = use.length_correlation
    if abs(correlation) >= 0.2:
        more, less = ("Longer", "shorter") if correlation > 0 else ("Shorter", "longer")
        return f" {more} {noun}s tend to cost more than {less} ones (rank correlation with length: {correlation:.2f})."
    return ""


def _constant_kl(latent: Latent, use: CodeUse, noun: str) -> str:
    mean = float(use.kl.mean())
    if latent.description.constant_kl:
        return (
            f"The concentration is fixed, so every {noun} costs the same KL, {mean:.2f} nats. Training cannot reduce it, not for "
            f"short {noun}s either."
        )
    if latent.description.shared_spread and mean >= _COLLAPSED:
        return f"One concentration was learned for all {noun}s together, so every {noun} costs the same KL, {mean:.2f} nats."
    if mean < _COLLAPSED:
        return (
            f"Every {noun} has the same KL, {mean:.3f} nats, although the uncertainty is learned: the code has collapsed to the "
            f"prior and tells the decoder next to nothing."
        )
    return (
        f"Every {noun} has the same KL, {mean:.3f} nats, although the uncertainty is learned: the encoder is equally certain of "
        f"every {noun}. It may have reached the smallest or largest uncertainty that the model allows."
    )


def protocol(run: Run) -> Section:
    """How the figures came about, and the command that repeats them."""
    blocks: list[Block] = []
    if run.command:
        blocks += [
            Text("This command repeats the run. With a new --workdir it starts from scratch."),
            Code(run.command),
        ]
    rows = _flatten(run.metrics.get("protocol", {})) + _flatten(run.metrics.get("training", {}), "training")
    if rows:
        blocks.append(Table(("Protocol", "Value"), rows))
    if run.config:
        blocks.append(Table(("Setting", "Value"), _flatten(run.config), folded="Configuration (config.json)"))
    return Section("Protocol", blocks)


def _flatten(mapping: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows = []
    for key, value in mapping.items():
        name = f"{prefix} {key}".strip().replace("_", " ")
        if isinstance(value, Mapping):
            rows += _flatten(value, name)
        else:
            rows.append((name, value if isinstance(value, str) else json.dumps(value)))
    return rows
