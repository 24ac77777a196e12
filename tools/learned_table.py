"""The table of learned concentrations in docs/PAPER_DETAILS.md: documents, sentences and images, from the results of each.

`python -m tools.paper_table` writes it.
"""

import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.results_digits import read_cells
from tools.results_table import RESULTS, ROOT, read_runs

LEARNED_STANDARD = "ptb-learned_vmf_standard"  # its recipe

Row = tuple[str, str, str, Sequence[int], Sequence[float] | None, Sequence[float], Sequence[float] | None]


def learned_rows(results: Mapping[str, Any], folder: Path = RESULTS) -> list[Row]:
    """For each kind of data: what it is, start, lower bound, seeds; and per seed the mean kappa (if known), KL and code gain.

    Args:
        results: The content of results/paper/ptb.json.
        folder: Where the other results are.
    """
    rows = [_trained("documents, 20 Newsgroups, d = 50", folder, "20ng", "20ng_vmf_learned")]
    for start, bound, trained, loss, dim in (
        ("50", "15", "trained on the bound", "mean_loss", 16),
        ("100", "15", "trained by the mean of three", "mean_code", 50),
        ("200", "15", "trained by the mean of three", "mean_code", 50),
        ("200", "30", "trained by the mean of three", "mean_code", 100),
    ):
        rows.append(_inputless(f"sentences, inputless, d = {dim}, {trained}", start, bound, results, loss, dim))
    if LEARNED_STANDARD in read_runs(folder, "ptb-learned"):
        name = "sentences, standard, d = 8, 2 epochs"
        rows.append(_trained(name, folder, "ptb-learned", LEARNED_STANDARD))
    for dim, latents in read_cells(folder / "digits.csv").items():
        sphere = latents["sphere"]
        kl = [sphere[seed]["test_kl"] for seed in sorted(sphere)]
        start = 5 * (dim + 1)  # examples.digits_table.sphere
        rows.append((f"images, sphere S^{dim}", f"{start}", f"{0.01 * start:g}", sorted(sphere), None, kl, None))
    return rows


def learned_table(results: Mapping[str, Any], folder: Path = RESULTS) -> str:
    """A Markdown table of `learned_rows`: mean ± standard deviation over seeds."""
    header = ["data", "start", "lower bound", "seeds", "kappa at the end", "KL", "code gain"]
    lines = [header, [":---", *["---:"] * (len(header) - 1)]]
    for name, start, bound, seeds, kappa, kl, gain in learned_rows(results, folder):
        figures = [_cell(kappa, 1), _cell(kl, 2), _cell(gain, 1)]
        lines.append([name, start, bound, ", ".join(map(str, seeds)), *figures])
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _trained(name: str, folder: Path, corpus: str, recipe: str) -> Row:
    runs = read_runs(folder, corpus)[recipe]
    flags = (ROOT / "recipes" / f"{recipe}.flags").read_text(encoding="utf-8")
    start, bound = (
        re.findall(rf"^--{flag}=(\S+)$", flags, re.MULTILINE)[0]
        for flag in ("initial_concentration", "minimum_concentration")
    )
    kl, gain = ([runs[seed]["test"][key] for seed in sorted(runs)] for key in ("kl", "code_gain"))
    return name, start, bound, sorted(runs), None, kl, gain


def _inputless(name: str, start: str, bound: str, results: Mapping[str, Any], loss: str, dim: int) -> Row:
    wanted = {
        "latent": "vmf",
        "trained_on": loss,
        "latent_dim": dim,
        "concentration": f"learned from {start}, at least {bound}",
    }
    found = [model for model in results["models"] if all(model.get(key) == value for key, value in wanted.items())]
    found = [model for model in found if "test" in model]  # the others were not chosen on validation
    found.sort(key=lambda model: model["seed"])
    kappa, kl, gain = ([model["test"][key] for model in found] for key in ("concentration_mean", "kl", "code_gain"))
    return name, start, bound, [model["seed"] for model in found], kappa, kl, gain


def _cell(values: Sequence[float] | None, digits: int) -> str:
    if values is None:
        return ""
    mean = f"{statistics.fmean(values):.{digits}f}"
    return f"{mean} ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else mean
