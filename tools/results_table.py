"""Writes the tables of published results from the metrics of the runs behind them.

    python -m tools.results_table              # results/*.json -> the tables in docs/RESULTS.md, between their markers
    python -m tools.results_table runs/*_seed* # first copies metrics.json and history.csv of these finished runs to results/
    python -m tools.results_table runs/*_seed* --keep_weights=DIR    # and the whole folders of the runs to DIR

With the folder of a run its command, with another --refine_steps say, adds measures to it without training anew.
A run's folder is named after its recipe and its seed: `20ng_vmf_seed0` for recipes/20ng_vmf.flags and --seed=0.
"""

import argparse
import json
import re
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tf_vmf.files import write_text
from tf_vmf.measures import MEASURES

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"
PAGE = ROOT / "docs" / "RESULTS.md"

_NAME = re.compile(r"(?P<recipe>(?P<corpus>[^_]+)_.+)_seed(?P<seed>\d+)")
_BLOCK = re.compile(r"(<!-- results: (?P<corpus>\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
# Heading ({short}: of the measure, {k}: importance samples), split or part of metrics.json, key, digits, unit.
_COLUMNS = (
    ("valid {short}", "valid", "perplexity", 1, 1),
    ("**test {short}**", "test", "perplexity", 1, 1),
    ("{short}", "test", "document_perplexity", 1, 1),
    ("IW-{k} ppl", "test", "iw_perplexity", 1, 1),
    ("{short}", "test", "iw_document_perplexity", 1, 1),
    ("{short}", "test", "refined_perplexity", 1, 1),
    ("{short}", "test", "refined_document_perplexity", 1, 1),
    ("{short}", "test", "refined_iw_perplexity", 1, 1),
    ("{short}", "test", "refined_iw_document_perplexity", 1, 1),
    ("{short}", "test", "mean_code_perplexity", 1, 1),
    ("{short}", "test", "nll", 1, 1),
    ("{short}", "test", "kl", 2, 1),
    ("{short}", "test", "code_gain", 1, 1),
    ("minutes", "training", "seconds", 1, 60),
)
Runs = dict[str, dict[int, dict[str, Any]]]  # recipe, seed, metrics
KEEP_WEIGHTS = "folder outside the checkout for copies of the runs with their weights"


def collect(folders: Sequence[Path], results: Path, keep_weights: Path | None = None) -> None:
    """Copies `metrics.json` and `history.csv` of finished runs to `results/<recipe>_seed<n>.json` and `.csv`.

    Args:
        folders: The folders of the runs.
        results: Where the copies go.
        keep_weights: A folder, outside the checkout, for copies of the folders themselves, in the place of earlier ones.
    """
    if keep_weights is not None and ROOT in (keep_weights.resolve(), *keep_weights.resolve().parents):
        raise ValueError(
            f"--keep_weights: expected a folder outside {ROOT}, as weights are not its to carry. Received: {keep_weights}."
        )
    for folder in folders:
        _parts(folder.name)
        if keep_weights is not None:
            kept = keep_weights / folder.name
            if kept.resolve() != folder.resolve():
                shutil.rmtree(kept, ignore_errors=True)
                shutil.copytree(folder, kept, ignore=shutil.ignore_patterns("*.lock", "earlier_results"))
        for name in ("metrics.json", "history.csv"):
            text = (folder / name).read_text(encoding="utf-8")
            write_text((results / folder.name).with_suffix(Path(name).suffix), text)


def read_runs(results: Path, corpus: str) -> Runs:
    """The metrics of every published run on a corpus, by recipe and seed."""
    runs: Runs = {}
    for path in sorted(results.glob("*.json")):
        name = _parts(path.stem)
        if name["corpus"] == corpus:
            metrics = json.loads(path.read_text(encoding="utf-8"))
            runs.setdefault(name["recipe"], {})[int(name["seed"])] = metrics
    return runs


def results_table(runs: Runs) -> str:
    """A Markdown table of mean ± standard deviation over seeds, a recipe per row, the best on validation first."""
    if not runs:
        return "No runs yet.\n"
    every = [metrics for seeds in runs.values() for metrics in seeds.values()]
    samples = sorted({metrics["protocol"]["importance_samples"]["test"] for metrics in every})
    # What some models do not have, as the mean code, has no column.
    columns = [each for each in _COLUMNS if all(each[2] in metrics[each[1]] for metrics in every)]
    header = ["recipe", "seeds"] + [_heading(title, key, "/".join(map(str, samples))) for title, _, key, *_ in columns]
    rows = []
    for recipe, seeds in runs.items():
        row = [f"[{recipe}](../recipes/{recipe}.flags)", ", ".join(map(str, sorted(seeds)))]
        for _, part, key, digits, unit in columns:
            row.append(_mean_and_deviation([metrics[part][key] / unit for metrics in seeds.values()], digits))
        rows.append((statistics.fmean(metrics["valid"]["perplexity"] for metrics in seeds.values()), row))
    lines = [header, [":---"] + ["---:"] * (len(header) - 1), *(row for _, row in sorted(rows))]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def with_tables(text: str, results: Path) -> str:
    """`text` with what stands between `<!-- results: CORPUS -->` and `<!-- end -->` made anew from the results."""

    def block(match: re.Match[str]) -> str:
        return match[1] + "\n" + results_table(read_runs(results, match["corpus"])) + "\n" + match[3]

    return _BLOCK.sub(block, text)


def _heading(title: str, key: str, samples: str) -> str:
    short = MEASURES[key].short.format(example="example") if key in MEASURES else key
    return title.format(short=short, k=samples)


def _parts(name: str) -> re.Match[str]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"Name of a run: expected <corpus>_<model>_seed<n>, as 20ng_vmf_seed0. Received: {name!r}.")
    return match


def _mean_and_deviation(values: Sequence[float], digits: int) -> str:
    mean = f"{statistics.fmean(values):,.{digits}f}"
    return f"{mean} ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else mean


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", help="folders of finished runs to publish first")
    parser.add_argument("--keep_weights", type=Path, help=KEEP_WEIGHTS)
    options = parser.parse_args(arguments)
    collect(options.folders, RESULTS, options.keep_weights)
    write_text(PAGE, with_tables(PAGE.read_text(encoding="utf-8"), RESULTS))


if __name__ == "__main__":
    main()
