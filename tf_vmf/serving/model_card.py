"""The model card: what a model is, what it was trained on and how well it does (Mitchell et al., 2019)."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from typing import Any

from tf_vmf.models import VariationalAutoencoder
from tf_vmf.models.load import Vectorizer
from tf_vmf.serving.endpoint import Endpoint
from tf_vmf.version import __version__

_FIGURES = {
    "perplexity": "perplexity, one-sample ELBO, corpus",
    "document_perplexity": "perplexity, one-sample ELBO, mean per example",
    "iw_perplexity": "perplexity, importance-weighted, corpus",
    "iw_document_perplexity": "perplexity, importance-weighted, mean per example",
    "nll": "reconstruction, nats an example",
    "kl": "KL, nats an example",
    "code_gain": "gain by the code, nats an example",
    "active_units": "active units",
}
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


def model_card(
    model: VariationalAutoencoder,
    vectorizer: Vectorizer | None,
    endpoints: Mapping[str, Endpoint],
    metrics: Mapping[str, Any] | None = None,
) -> str:
    """The card in Markdown.

    Args:
        model: The model.
        vectorizer: From text to its input, or None.
        endpoints: What its export serves.
        metrics: The content of a run's `metrics.json`; without it the card says that figures are missing.

    References:
        M. Mitchell et al. Model Cards for Model Reporting. FAT* 2019.
    """
    latent = "none" if model.latent is None else f"{type(model.latent).__name__}, {model.latent.latent_dim} dimensions"
    concentration = getattr(model.latent, "concentration", None)
    if concentration is not None:
        latent += f", concentration {concentration}"
    lines = [
        f"# {type(model).__name__}",
        "",
        f"- Latent variable: {latent}",
        f"- Parameters: {model.count_params():,}",
        f"- Vocabulary: {model.vocabulary_size:,} entries{_hash(vectorizer)}",
        f"- Made with tf_vmf {__version__}",
        "",
        "## Data",
        "",
    ]
    protocol = (metrics or {}).get("protocol", {})
    corpus = [f"- {name}: {protocol[name]}" for name in _CORPUS if name in protocol]
    lines += corpus or ["Not recorded."]
    lines += ["", "## Figures", ""]
    if metrics:
        lines += ["| | validation | test |", "| :--- | ---: | ---: |"]
        lines += [
            f"| {label} | {metrics['valid'][name]:,.2f} | {metrics['test'][name]:,.2f} |"
            for name, label in _FIGURES.items()
            if name in metrics["test"]
        ]
        baseline = metrics.get("baseline", {}).get("unigram_perplexity")
        if baseline:
            lines += ["", f"A unigram model has perplexity {baseline:,.2f} on the test set."]
        chosen = {
            name: protocol[name] for name in ("selection", "importance_samples", "seed", "versions") if name in protocol
        }
        lines += ["", *(f"- {name}: {value}" for name, value in chosen.items())]
    else:
        lines += ["Not recorded."]
    lines += ["", "## Endpoints", "", "| endpoint | inputs | |", "| :--- | :--- | :--- |"]
    for name, endpoint in endpoints.items():
        names = inspect.signature(endpoint.function).parameters
        inputs = ", ".join(
            f"{argument}: {spec.dtype.name}{list(spec.shape)}"
            for argument, spec in zip(names, endpoint.signature, strict=False)
        )
        description = endpoint.description.replace("|", "\\|")  # a bar would end the table's cell
        lines.append(f"| {name} | {inputs} | {description} |")
    lines += [
        "",
        "## Use and limits",
        "",
        "The model knows the words and the biases of its training text, and no others. Its samples are text of that kind, not "
        "statements of fact. The terms of the training text hold for what is made from it; the program that made this model is "
        "under the Apache License 2.0.",
        "",
    ]
    return "\n".join(lines)


def _hash(vectorizer: Vectorizer | None) -> str:
    if vectorizer is None:
        return ""
    digest = hashlib.sha256("\n".join(vectorizer.vocabulary).encode()).hexdigest()
    return f", SHA-256 of its lines {digest}; tokenisation: {vectorizer.tokenization}"
