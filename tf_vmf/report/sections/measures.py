"""The figures of a run and what each one means, shared by the results of all models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tf_vmf.measures import importance_samples, is_at_ceiling, mutual_information_ceiling, reported
from tf_vmf.report.engine.run import Latent
from tf_vmf.report.page.page import Table, Text


def measures_table(
    metrics: Mapping[str, Any], test_examples: int, noun: str, token: str, latent: Latent | None
) -> Table:
    """The figures of test and validation, and what each one means; what is missing is left out."""
    test, valid, baseline = metrics["test"], metrics.get("valid", {}), metrics.get("baseline", {})
    rows = []
    for measure in reported(metrics, has_code=latent is not None):
        name = measure.name
        cells = [measure.format(split[name]) if split.get(name) is not None else "" for split in (test, valid)]
        about = measure.describe(noun, token, samples=importance_samples(metrics), has_code=latent is not None)
        about += _addition(name, test, test_examples, noun, latent)
        rows.append((measure.title(noun, token), *cells, about))
        unigram = baseline.get(f"unigram_{name}")
        if unigram is not None:
            about = f"{token.title()}s drawn at their smoothed training frequencies, whatever the {noun}."
            rows.append(("… of a unigram model", measure.format(unigram), "", about))
    header = ("Measure", "Test", "Validation", "What it says")
    # Rows of a unigram model belong to the ones above them.
    return Table(header, rows, numeric=(1, 2), highlight=(0,), explained=True, sortable=False)


def _addition(name: str, test: Mapping[str, Any], test_examples: int, noun: str, latent: Latent | None) -> str:
    """What is to say of a value of this run."""
    value = test[name]
    if name == "active_units" and latent is not None:
        return f" Here {value} of {latent.latent_dim}."
    if name == "mutual_information":
        examples = test.get("examples", test_examples)
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


def published_vocabulary(published_size: int | None, vocabulary_size: int) -> list[Text]:
    """A warning where published results were obtained over another vocabulary."""
    if published_size is None or published_size == vocabulary_size:
        return []
    return [
        Text(
            f"The published figures are over a vocabulary of {published_size:,}, this run is over one of "
            f"{vocabulary_size:,}: its perplexities do not compare with them."
        )
    ]
