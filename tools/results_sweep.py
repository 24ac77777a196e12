"""Draws the figures of docs/CONCENTRATION.md: docs/concentration.png and docs/nll_kl.png.

python -m tools.results_sweep    # from results/20ng_concentration.csv, the table of a sweep, and results/paper/ptb.json
"""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tf_vmf.report import SweepPoint
from tf_vmf.report.page.figures import BLUE, GREEN, GREY, ORANGE, STYLE, new_figure
from tf_vmf.report.sweep import sweep
from tools.results_table import RESULTS, ROOT

PAPER = RESULTS / "paper" / "ptb.json"
TABLE = RESULTS / "20ng_concentration.csv"
FIGURE, NLL_KL_FIGURE = ROOT / "docs" / "concentration.png", ROOT / "docs" / "nll_kl.png"
SETTING = ("concentration", "latent_dim")
LEARNED = "learned"

# The optimum lies on the lowest of these lines that the points reach; so many fit between the axes.
_LINES = 12


def read_points(path: Path) -> list[SweepPoint]:
    """The points of a sweep.csv: its first columns are the setting, the others figures."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        SweepPoint(
            {name: row[name] for name in SETTING},
            {name: (float(value),) for name, value in row.items() if name not in SETTING},
        )
        for row in rows
    ]


def paper_points(results: Mapping[str, Any]) -> list[SweepPoint]:
    """The concentrations of the paper's setting that were trained by its protocol: validation figures, seed 0.

    The decoder reads the mean of three samples and the KL of one is charged: NLL + KL is not a bound.

    Args:
        results: The content of results/paper/ptb.json.
    """
    setting = {"setting": "inputless", "trained_on": "mean_code", "latent": "vmf", "latent_dim": 50}
    setting |= {"dropout": 0.5, "epochs": 12, "seed": 0}
    points = []
    for model in results["models"]:
        if all(model.get(name) == value for name, value in setting.items()):
            kappa, valid = model["concentration"], model["valid"]
            figures = {"nll": (valid["mean_code_nll"] - valid["kl"],), "kl": (valid["kl"],)}
            named = LEARNED if isinstance(kappa, str) else f"{kappa:g}"
            points.append(SweepPoint({"concentration": named, "latent_dim": "50"}, figures))
    return points


def nll_against_kl(sweeps: Mapping[str, Sequence[SweepPoint]]) -> Figure:
    """A panel per sweep: validation NLL over KL, a curve per dimension and a point per concentration.

    On a grey line NLL + KL is the same.

    Args:
        sweeps: The points of each sweep, by the title of its panel.
    """
    with rc_context(STYLE):
        figure = new_figure(9.2, 3.9)
        for axes, (title, points) in zip(
            figure.subplots(1, len(sweeps), squeeze=False)[0], sweeps.items(), strict=True
        ):
            _draw(axes, points)
            axes.set_title(title)
            axes.set_xlabel("KL, nats per example")
            axes.set_ylabel("NLL, nats per example")
            axes.legend(loc="upper right")
    return figure


def _draw(axes: Axes, points: Sequence[SweepPoint]) -> None:
    dims = sorted({point.setting["latent_dim"] for point in points}, key=int)
    for dim, colour in zip(dims, (BLUE, ORANGE, GREEN), strict=False):
        members = [point for point in points if point.setting["latent_dim"] == dim]
        members.sort(key=lambda point: point.mean("kl"))
        learned = [point for point in members if point.setting["concentration"] == LEARNED]
        fixed = [point for point in members if point not in learned]
        axes.plot(*_places(fixed), color=colour, lw=1.4, marker="o", ms=4, label=f"d = {dim}")
        if learned:
            label = "learned" if dim == dims[-1] else None
            axes.plot(*_places(learned), "*", color=colour, ms=11, mec="white", label=label)
        if dim == dims[-1]:
            for point, *place in zip(fixed, *_places(fixed), strict=True):
                kappa = point.setting["concentration"]
                axes.annotate(kappa, place, (4, 5), textcoords="offset points", fontsize=7.5, color="#5b6570")
    _lines_of_equal_bound(axes)


def _places(points: Sequence[SweepPoint]) -> tuple[list[float], list[float]]:
    return [point.mean("kl") for point in points], [point.mean("nll") for point in points]


def _lines_of_equal_bound(axes: Axes) -> None:
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    axes.grid(False)
    for step in range(1, _LINES):
        total = left + low + step * (right - left + high - low) / _LINES
        axes.plot([left, right], [total - left, total - right], color=GREY, lw=0.6, alpha=0.5, zorder=0)
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)


def main() -> None:
    """Draws the figures of the published tables."""
    documents, sentences = read_points(TABLE), paper_points(json.loads(PAPER.read_text(encoding="utf-8")))
    panels = {
        "20 Newsgroups, one-sample bound": documents,
        "Penn Treebank, mean of 3: not a bound": sentences,
    }
    with rc_context(STYLE):
        sweep(documents).savefig(FIGURE, dpi=100, metadata={"Software": None})
        nll_against_kl(panels).savefig(NLL_KL_FIGURE, dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
