"""The measures of a model: names, labels, units, which way is good, and a sentence on each.

Reports, model cards, the terminal and the published tables take their words from this one table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

# Mutual information compares so many examples at most; see `tf_vmf.evaluation.mutual_information`.
MUTUAL_INFORMATION_EXAMPLES = 4096
# A dimension whose code varies less than this is not active (Burda et al., 2016).
ACTIVE_VARIANCE = 0.01
# From this share of its ceiling on, an estimate of mutual information says no more than that the ceiling is reached.
_CEILING_SHARE = 0.99


@dataclass(frozen=True)
class Measure:
    """One measure. Texts may hold {example} and {token}: what the examples and tokens of a model are called."""

    name: str  # its key in `metrics.json`; in `history.csv` too, with `val_` in front for the validation data
    label: str  # its name in tables and figures
    short: str  # its name where there is little room
    unit: str  # "nats per {example}", or "" where it has none
    better: Literal["lower", "higher", ""]  # which way is good: "lower", "higher", or "" where neither is
    # one sentence for a reader who has not met the measure. May hold {samples}, the number of importance samples, and {loss}: "NLL
    # + KL", or "NLL" of a model without a code.
    explanation: str
    digits: int = 1  # digits after the point
    needs_code: bool = False  # whether it means something for models with a latent variable only

    def title(self, example: str = "example", token: str = "token") -> str:
        """Label and unit, as "KL, nats per document"."""
        text = f"{self.label}, {self.unit}" if self.unit else self.label
        return text.format(example=example, token=token)

    def describe(
        self, example: str = "example", token: str = "token", *, samples: str = "several", has_code: bool = True
    ) -> str:
        """The explanation, and which way is good."""
        text = self.explanation.format(
            example=example, token=token, samples=samples, loss="NLL + KL" if has_code else "NLL"
        )
        return f"{text} {self.better.title()} is better." if self.better else text

    def format(self, value: float) -> str:
        """The value with its digits, thousands separated by commas."""
        return format(value, f",.{self.digits}f")


MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(
            "perplexity", "Perplexity (corpus)", "ppl", "", "lower",
            "exp({loss} per {token} over the whole corpus): the model is as uncertain about each {token} as if it chose among that "
            "many equally likely ones.",
        ),
        Measure(
            "document_perplexity", "Perplexity (mean per {example})", "mean per {example}", "", "lower",
            "exp(mean over {example}s of ({loss}) per {token}): short and long {example}s count the same.",
        ),
        Measure(
            "iw_perplexity", "Importance-weighted perplexity (corpus)", "IW ppl", "", "lower",
            "Perplexity by a bound that is tighter on average, from {samples} samples of the code per {example}.",
            needs_code=True,
        ),
        Measure(
            "iw_document_perplexity", "Importance-weighted perplexity (mean per {example})", "mean per {example}", "", "lower",
            "The same bound, averaged over {example}s.", needs_code=True,
        ),
        Measure(
            "refined_perplexity", "Refined perplexity (corpus)", "refined ppl", "", "lower",
            "The perplexity with a posterior that gradient steps have fitted to each {example}: without what the encoder loses on "
            "new {example}s.", needs_code=True,
        ),
        Measure(
            "refined_document_perplexity", "Refined perplexity (mean per {example})", "mean per {example}", "", "lower",
            "The same, averaged over {example}s.", needs_code=True,
        ),
        Measure(
            "refined_iw_perplexity", "Refined importance-weighted perplexity (corpus)", "refined IW ppl", "", "lower",
            "The importance-weighted bound with the refined posteriors.", needs_code=True,
        ),
        Measure(
            "refined_iw_document_perplexity", "Refined importance-weighted perplexity (mean per {example})",
            "mean per {example}", "", "lower", "The same, averaged over {example}s.", needs_code=True,
        ),
        Measure(
            "nll", "NLL", "NLL", "nats per {example}", "lower",
            "Negative log-likelihood of the {token}s, given a code drawn for the {example} where the model has one.", 2,
        ),
        Measure(
            "iw_nll", "Importance-weighted NLL + KL", "IW NLL", "nats per {example}", "lower",
            "Negative log-likelihood of the {example}, bounded with {samples} samples of the code.", 2, True,
        ),
        Measure(
            "mean_code_perplexity", "Mean-code perplexity (corpus), not a bound", "mean-code ppl (not a bound)", "", "lower",
            "Not a bound: the decoder reads the mean of several samples of the code while the KL of one is charged. Compare it "
            "with figures of the same protocol only.", needs_code=True,
        ),
        Measure(
            "mean_code_document_perplexity", "Mean-code perplexity (mean per {example}), not a bound",
            "mean per {example} (not a bound)", "", "lower", "The same, averaged over {example}s; not a bound either.",
            needs_code=True,
        ),
        Measure(
            "mean_code_nll", "Mean-code NLL + KL, not a bound", "mean-code NLL (not a bound)", "nats per {example}", "lower",
            "The same in nats; not a bound.", 2, True,
        ),
        Measure(
            "kl", "KL", "KL", "nats per {example}", "",
            "Cost of the code: the divergence of its posterior from the prior. Near 0 the code carries nothing.", 2, True,
        ),
        Measure(
            "code_gain", "Code gain", "code gain", "nats per {example}", "higher",
            "NLL with the code of another {example}, minus NLL with its own. At 0 the decoder ignores the code.", 2, True,
        ),
        Measure(
            "mutual_information", "Mutual information", "MI", "nats", "higher",
            "How much a code tells about which {example} it is the code of. The estimate cannot exceed log(number of {example}s "
            "compared).", 2, True,
        ),
        Measure(
            "active_units", "Active units", "active units", "latent dimensions", "",
            f"Dimensions whose mean code varies over {{example}}s, by a variance above {ACTIVE_VARIANCE}.", 0, True,
        ),
        Measure(
            "loss", "Loss", "loss", "nats per {example}", "lower", "NLL, weighted KL and penalties: what training minimizes.", 2
        ),
        Measure("learning_rate", "Learning rate", "rate", "", "", "Step size of the optimizer.", 6),
    )
}  # fmt: skip

# The measures of a run in the order in which reports, the terminal and model cards list them.
REPORTED = (
    "perplexity",
    "document_perplexity",
    "iw_perplexity",
    "iw_document_perplexity",
    "refined_perplexity",
    "refined_document_perplexity",
    "refined_iw_perplexity",
    "refined_iw_document_perplexity",
    "mean_code_perplexity",
    "mean_code_document_perplexity",
    "nll",
    "kl",
    "code_gain",
    "mutual_information",
    "active_units",
)
# Those by which the settings of a sweep are compared.
COMPARED = ("perplexity", "document_perplexity", "iw_perplexity", "nll", "kl", "code_gain")


def reported(metrics: Mapping[str, Any], *, has_code: bool) -> list[Measure]:
    """The measures that the test data in the content of `metrics.json` have, in their order."""
    measures = [MEASURES[name] for name in REPORTED if metrics["test"].get(name) is not None]
    return [each for each in measures if has_code or not each.needs_code]


def has_code(metrics: Mapping[str, Any]) -> bool:
    """True if the model behind `metrics.json` has a latent variable: without one KL and code gain are exactly 0."""
    test = metrics["test"]
    return bool(test.get("kl", 0.0) or test.get("code_gain", 0.0))


def reads_mean_code(metrics: Mapping[str, Any]) -> bool:
    """True if the model behind `metrics.json` was trained with sample_reduction="mean_code", on a loss that is not a bound."""
    return metrics["test"].get("mean_code_nll") is not None


def importance_samples(metrics: Mapping[str, Any]) -> str:
    """Number of samples of the importance-weighted bound, as text: "100", or "500 (test), 10 (valid)"."""
    samples = metrics.get("protocol", {}).get("importance_samples", "several")
    if not isinstance(samples, Mapping):
        return str(samples)
    if len(set(samples.values())) == 1:
        return str(next(iter(samples.values())))
    return ", ".join(f"{number} ({split})" for split, number in samples.items())


def mutual_information_ceiling(num_examples: int) -> float:
    """log(n) in nats: the largest estimate from n examples, of which `MUTUAL_INFORMATION_EXAMPLES` at most are compared."""
    return math.log(min(num_examples, MUTUAL_INFORMATION_EXAMPLES))


def is_at_ceiling(mutual_information: float, num_examples: int) -> bool:
    """True if an estimate of mutual information is within 1 % of its ceiling: the true value may then be any larger one."""
    ceiling = mutual_information_ceiling(num_examples)
    return ceiling > 0 and mutual_information >= _CEILING_SHARE * ceiling
