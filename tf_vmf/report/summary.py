"""The results of a run as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tf_vmf.measures import MEASURES, has_code, importance_samples, is_at_ceiling, reads_mean_code, reported
from tf_vmf.report.phrases import unigram_remedies


def summary(
    metrics: Mapping[str, Any],
    *,
    example: str = "example",
    token: str = "token",
    config: Mapping[str, Any] | None = None,
) -> str:
    """Validation and test figures, those of a unigram model, and which figure to quote.

    ```python
    metrics = {"test": {"perplexity": 801.2, "nll": 620.4, "kl": 18.8}}  # the content of metrics.json
    print(tf_vmf.report.summary(metrics))
    ```

    Args:
        metrics: The content of `metrics.json`: `test`, and where there are `valid`, `baseline`, `protocol`.
        example: What an example is called, such as "document".
        token: What a token is called, such as "word".
        config: The content of `config.json`, by which a model that is no better than the unigram model is told what may help.

    Returns:
        Lines of text without a newline at the end.
    """
    test, valid = metrics["test"], metrics.get("valid", {})
    coded = has_code(metrics)
    rows: list[tuple[str, str, str]] = [("", "validation", "test")]
    for measure in reported(metrics, has_code=coded):
        name = measure.name
        cells = [measure.format(split[name]) if split.get(name) is not None else "" for split in (valid, test)]
        rows.append((measure.title(example, token), *cells))  # type: ignore[arg-type]
    unigram = metrics.get("baseline", {}).get("unigram_perplexity")
    if unigram:
        rows.append(("Perplexity of a unigram model", "", MEASURES["perplexity"].format(unigram)))
        rows.append(("Ratio to the unigram model", "", f"{test['perplexity'] / unigram:.3f}"))
    width = max(len(row[0]) for row in rows)
    lines = [f"{label:<{width}}  {valid:>12}  {test:>12}".rstrip() for label, valid, test in rows]
    return "\n".join([*lines, *_notes(metrics, coded, config or {})])


def _notes(metrics: Mapping[str, Any], coded: bool, config: Mapping[str, Any]) -> list[str]:
    test, unigram = metrics["test"], metrics.get("baseline", {}).get("unigram_perplexity")
    notes = []
    if coded:
        notes.append(
            "Quote the test perplexity (corpus), a bound from one sample of the code per example; lower is better."
        )
        if test.get("iw_perplexity") is not None:
            notes.append(
                f"Importance-weighted: another bound (samples: {importance_samples(metrics)}); compare like with like."
            )
        if reads_mean_code(metrics):
            notes.append(
                "The mean-code perplexity is what training minimized and not a bound: never compare it with one."
            )
        information, examples = test.get("mutual_information"), test.get("examples")
        if information is not None and examples and is_at_ceiling(information, examples):
            notes.append(
                "Mutual information is at its ceiling, log(test examples compared): the true value may be larger."
            )
    else:
        notes.append("Quote the test perplexity (corpus); lower is better.")
    if unigram and test["perplexity"] >= unigram:
        notes.append(f"The model is no better than the unigram model. {unigram_remedies(metrics, config)}")
    return notes
