"""The model card: what a model is, what it was trained on and how well it does (Mitchell et al., 2019)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from tf_vmf.measures import MEASURES, importance_samples, reported
from tf_vmf.models import VAE, VariationalAutoencoder
from tf_vmf.models.load import Vectorizer
from tf_vmf.serving.endpoint import Endpoint
from tf_vmf.version import __version__

_CORPUS = (
    "corpus",
    "source",
    "split",
    "split_seed",
    "tokenization",
    "tokenizer",
    "tokens_counted",
    "token_counting",
    "train",
    "valid",
    "test",
)

_LICENSE = "the program that made this model is under the Apache License 2.0."
_TEXT_LIMITS = (
    "The model knows the words and the biases of its training text, and no others. Its samples are text of that kind, not "
    f"statements of fact. The terms of the training text hold for what is made from it; {_LICENSE}"
)
_LIMITS = (
    "The model knows what its training data holds, with its biases, and nothing else. The terms of the training data hold for "
    f"what is made from it; {_LICENSE}"
)


def model_card(
    model: VariationalAutoencoder,
    vectorizer: Vectorizer | None,
    endpoints: Mapping[str, Endpoint],
    metrics: Mapping[str, Any] | None = None,
    label_names: Sequence[str] | None = None,
    data: Mapping[str, Any] | None = None,
) -> str:
    """The card in Markdown.

    Args:
        model: The model.
        vectorizer: From text to its input, or None.
        endpoints: What its export serves.
        metrics: The content of a run's `metrics.json`; without it the card says that figures are missing.
        label_names: Names of the labels of a conditional model by their numbers.
        data: What is known of the training data where there are no metrics.

    References:
        M. Mitchell et al. Model Cards for Model Reporting. FAT* 2019.
    """
    latent = "none"
    if model.latent is not None:
        about = model.latent.describe()
        latent = f"{type(model.latent).__name__}, {model.latent.latent_dim} dimensions, {about.spread}"
    lines = [
        f"# {type(model).__name__}",
        "",
        f"- Latent variable: {latent}",
        f"- Parameters: {model.count_params():,}",
        *([] if isinstance(model, VAE) else [f"- Vocabulary: {model.vocabulary_size:,} entries{_hash(vectorizer)}"]),
        f"- Made with tf_vmf {__version__}",
        "",
        "## Data",
        "",
    ]
    protocol = (metrics or {}).get("protocol", {})
    corpus = [f"- {name}: {protocol[name]}" for name in _CORPUS if name in protocol]
    corpus += [f"- {name}: {value}" for name, value in (data or {}).items()]
    lines += corpus or ["Not recorded."]
    lines += ["", "## Figures", ""]
    if metrics:
        lines += _figures(metrics, has_code=model.latent is not None)
        baseline = metrics.get("baseline", {}).get("unigram_perplexity")
        if baseline:
            lines += ["", f"A unigram model has perplexity {MEASURES['perplexity'].format(baseline)} on the test set."]
        chosen = {
            name: protocol[name] for name in ("selection", "importance_samples", "seed", "versions") if name in protocol
        }
        lines += ["", *(f"- {name}: {value}" for name, value in chosen.items())]
    else:
        lines += ["Not recorded."]
    lines += ["", "## Endpoints", "", "| endpoint | inputs | |", "| :--- | :--- | :--- |"]
    for endpoint_name, endpoint in endpoints.items():
        inputs = ", ".join(f"{name}: {spec.dtype.name}{list(spec.shape)}" for name, spec in endpoint.inputs.items())
        description = endpoint.description.replace("|", "\\|")  # a bar would end the table's cell
        lines.append(f"| {endpoint_name} | {inputs} | {description} |")
    if label_names:
        lines += ["", "## Labels", "", "The input `labels` takes these numbers; the service takes the names, too.", ""]
        lines += [f"- {number}: {name}" for number, name in enumerate(label_names)]
    lines += ["", "## Use and limits", "", _LIMITS if isinstance(model, VAE) else _TEXT_LIMITS, ""]
    return "\n".join(lines)


def _figures(metrics: Mapping[str, Any], *, has_code: bool) -> list[str]:
    test, valid = metrics["test"], metrics.get("valid", {})
    lines = ["| | validation | test | |", "| :--- | ---: | ---: | :--- |"]
    for measure in reported(metrics, has_code=has_code):
        name = measure.name
        cells = [measure.format(split[name]) if split.get(name) is not None else "" for split in (valid, test)]
        meaning = measure.describe(samples=importance_samples(metrics), has_code=has_code)
        lines.append(f"| {measure.title()} | {' | '.join(cells)} | {meaning} |")
    if has_code:
        lines += [
            "",
            "Perplexities that are not importance-weighted are bounds from one sample of the code per example (ELBO).",
        ]
    return lines


def _hash(vectorizer: Vectorizer | None) -> str:
    if vectorizer is None:
        return ""
    digest = hashlib.sha256("\n".join(vectorizer.vocabulary).encode()).hexdigest()
    return f", SHA-256 of its lines {digest}; tokenization: {vectorizer.tokenization}"
