"""Writes the tables of docs/PAPER.md and docs/PAPER_DETAILS.md, between their markers, and draws docs/paper.png.

All from results/paper/ptb.json.

The table of learned concentrations takes documents, images and standard decoders from the other files of results/.

python -m tools.paper_table
"""

import json
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from tf_vmf.files import write_text
from tf_vmf.report.page.figures import BLUE, GREY, ORANGE, STYLE, new_figure
from tools.learned_table import learned_table
from tools.results_table import RESULTS, ROOT

SOURCE = RESULTS / "paper" / "ptb.json"
PAGES = (ROOT / "docs" / "PAPER.md", ROOT / "docs" / "PAPER_DETAILS.md")
FIGURE = ROOT / "docs" / "paper.png"

_BLOCK = re.compile(r"(<!-- paper: (?P<name>\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_LATENTS = {"none": "none", "gaussian": "Gaussian", "vmf": "vMF", "uniform_norm_vmf": "unif-vMF"}
_LOSSES = {"mean_loss": "bound", "mean_code": "mean of 3 samples (not a bound)"}
_PUBLISHED = {"vMF, paper": 262, "Gaussian, paper": 379}  # inputless, by the mean of three samples
# Title, key, digits.
_COLUMNS = (
    ("one-sample bound", "perplexity", 1),
    ("IW-500 bound", "iw_perplexity", 1),
    ("mean of 3, **not a bound**", "mean_code_perplexity", 1),
    ("NLL", "nll", 1),
    ("KL", "kl", 2),
    ("code gain", "code_gain", 1),
)
Model = Mapping[str, Any]
Group = Sequence[Model]


def groups(models: Sequence[Model]) -> list[Group]:
    """The models that differ in their seed alone, together, in the order of the first of each."""
    found: dict[str, list[Model]] = {}
    for model in models:
        setting = {name: value for name, value in model.items() if not isinstance(value, dict | list)}
        setting = {name: value for name, value in setting.items() if name not in ("seed", "best_epoch")}
        found.setdefault(json.dumps(setting, sort_keys=True), []).append(model)
    return list(found.values())


def main_table(results: Mapping[str, Any]) -> str:
    """The models with several seeds, and unif-vMF with one: both protocols side by side."""
    header = ["decoder", "trained on", "epochs", "code", "seeds", *(title for title, *_ in _COLUMNS)]
    shown = [group for group in groups(results["models"]) if len(group) > 1 or group[0]["latent"] == "uniform_norm_vmf"]
    shown.sort(key=lambda group: (group[0]["setting"] == "inputless", group[0]["trained_on"] == "mean_code"))
    rows = [_row(group, ("setting", "trained_on", "epochs")) for group in shown]
    return _table(header, rows, left=4)


def attempts_table(results: Mapping[str, Any]) -> str:
    """All inputless models that were trained by the paper's protocol, the best on validation first.

    A model that was not chosen on validation may have no figures on test.
    """
    found = [
        group
        for group in groups(results["models"])
        if (group[0]["setting"], group[0]["trained_on"]) == ("inputless", "mean_code")
    ]
    found.sort(key=lambda group: _mean(group, "valid", "mean_code_perplexity"))
    header = ["code", "dropout", "epochs", "validation, mean of 3, **not a bound**", "seeds"]
    rows = []
    for group in found:
        first = group[0]
        valid = f"{_mean(group, 'valid', 'mean_code_perplexity'):.1f}"
        code, seeds, *figures = _row(group, ())
        rows.append([code, f"{first['dropout']:g}", str(first["epochs"]), valid, seeds, *figures])
    return _table([*header, *(title for title, *_ in _COLUMNS)], rows, left=1)


def differences_table(results: Mapping[str, Any]) -> str:
    """Paired differences between models."""
    header = ["decoder", "trained on", "difference", "figure", "nats per sentence", "ratio of perplexities"]
    rows = [
        [
            each["setting"],
            _LOSSES[each["trained_on"]],
            f"{_LATENTS[each['first']]} - {_LATENTS[each['second']]}"
            + (f" ({each['models']})" if "models" in each else ""),
            each["figure"],
            f"{each['nats_per_sentence']:+.2f} ± {each['standard_error']:.2f}",
            f"{each['ratio_of_perplexities']:.3f}",
        ]
        for each in results["differences"]
    ]
    return _table(header, rows, left=4)


TABLES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "main": main_table,
    "attempts": attempts_table,
    "differences": differences_table,
    "learned": learned_table,
}


def with_tables(text: str, results: Mapping[str, Any]) -> str:
    """`text` with what stands between `<!-- paper: NAME -->` and `<!-- end -->` made anew from the results."""
    return _BLOCK.sub(lambda match: match[1] + "\n" + TABLES[match["name"]](results) + "\n" + match[3], text)


def picture(results: Mapping[str, Any]) -> Figure:
    """The inputless models: three figures of the same weights on one line."""
    found = [group for group in groups(results["models"]) if group[0]["setting"] == "inputless"]
    found = [group for group in found if len(group) > 1 or (group[0]["dropout"], group[0]["epochs"]) == (0.5, 12)]
    found = [group for group in found if "test" in group[0]]
    key = {"mean_loss": "perplexity", "mean_code": "mean_code_perplexity"}
    found.sort(
        key=lambda group: (group[0]["trained_on"] == "mean_code", _mean(group, "test", key[group[0]["trained_on"]]))
    )
    with rc_context(STYLE):
        figure = new_figure(9.2, 0.34 * len(found) + 1.7)
        axes = figure.subplots()
        marks = (
            ("perplexity", "one-sample bound", BLUE, "o"),
            ("iw_perplexity", "IW-500 bound", BLUE, "|"),
            ("mean_code_perplexity", "decoder reads the mean of 3 samples: not a bound", ORANGE, "x"),
        )
        for name, label, colour, marker in marks:
            points = [(_mean(group, "test", name), y) for y, group in enumerate(found) if name in group[0]["test"]]
            axes.plot(
                *zip(*points, strict=True), marker, color=colour, label=label, ms=9 if marker == "|" else 6, mew=1.8
            )
        for label, perplexity in _PUBLISHED.items():
            axes.axvline(perplexity, color=GREY, lw=1.0, ls=(0, (4, 3)))
            axes.annotate(f"{label}: {perplexity}", (1.01 * perplexity, -0.8), color="#5b6570", fontsize=8)
        axes.set_yticks(
            range(len(found)),
            [f"{_code(group[0])}, {group[0]['epochs']} epochs on {_short_loss(group[0])}" for group in found],
        )
        axes.set_ylim(len(found) - 0.5, -1.3)
        axes.set_xscale("log")
        axes.set_xlim(240, 1080)
        ticks = [250, 300, 400, 500, 700, 1000]
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.xaxis.set_minor_locator(axes.xaxis.get_minor_locator().__class__(subs=()))
        axes.set_xlabel("test perplexity, inputless decoder")
        axes.legend(loc="upper center", bbox_to_anchor=(0.1, -0.1), ncols=3, frameon=False)
    return figure


def _short_loss(model: Model) -> str:
    return "the bound" if model["trained_on"] == "mean_loss" else "the mean of 3"


def _code(model: Model) -> str:
    if model["latent"] == "none":
        return "none"
    text = f"{_LATENTS[model['latent']]}, d = {model['latent_dim']}"
    concentration = model.get("concentration")
    if concentration is None:
        return text
    return f"{text}, kappa {concentration}" if isinstance(concentration, str) else f"{text}, kappa = {concentration:g}"


def _mean(group: Group, split: str, key: str) -> float:
    return statistics.fmean(model[split][key] for model in group if key in model[split])


def _row(group: Group, first: Sequence[str]) -> list[str]:
    start = [_LOSSES.get(group[0][name], str(group[0][name])) for name in first]
    cells = [_cell_of(group, key, digits) for _, key, digits in _COLUMNS]
    return [*start, _code(group[0]), ", ".join(str(model["seed"]) for model in group), *cells]


def _cell_of(group: Group, key: str, digits: int) -> str:
    """The figure over the seeds that have it, with their number where some have not."""
    values = [model["test"][key] for model in group if key in model.get("test", {})]
    return _cell(values, digits) + (f" ({len(values)} of {len(group)} seeds)" if 0 < len(values) < len(group) else "")


def _cell(values: Sequence[float], digits: int) -> str:
    if not values:
        return ""
    mean = f"{statistics.fmean(values):.{digits}f}"
    return f"{mean} ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else mean


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    aligned = [":---" if column < left else "---:" for column in range(len(header))]
    return "".join("| " + " | ".join(line) + " |\n" for line in (header, aligned, *rows))


def main(pages: Sequence[Path] = PAGES, figure: Path = FIGURE) -> None:
    results = json.loads(SOURCE.read_text(encoding="utf-8"))
    for page in pages:
        write_text(page, with_tables(page.read_text(encoding="utf-8"), results))
    with rc_context(STYLE):
        picture(results).savefig(figure, dpi=100, bbox_inches="tight", metadata={"Software": None})


if __name__ == "__main__":
    main()
