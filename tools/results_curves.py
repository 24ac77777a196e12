"""Draws docs/ptb_curves.png: validation perplexity and KL of the published runs on the Penn Treebank, epoch by epoch.

python -m tools.results_curves       # from results/ptb_*.csv
"""

import csv
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from tf_vmf.measures import MEASURES
from tf_vmf.report.page.figures import BLUE, GREY, ORANGE, STYLE, new_figure
from tools.results_table import RESULTS, ROOT

FIGURE = ROOT / "docs" / "ptb_curves.png"
SETTINGS = ("standard", "inputless")
LATENTS = {"none": ("no code", GREY), "gaussian": ("Gaussian", ORANGE), "vmf": ("vMF", BLUE)}
PANELS = {f"val_{name}": MEASURES[name].title("sentence") for name in ("perplexity", "kl")}


def read_history(path: Path) -> dict[str, list[float]]:
    """The columns of a history.csv."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def curves(results: Path) -> Figure:
    """A column a setting, a row a measure, a line a seed of a latent."""
    with rc_context(STYLE):
        figure = new_figure(9.2, 5.6)
        panels = figure.subplots(len(PANELS), len(SETTINGS), squeeze=False)
        for column, setting in enumerate(SETTINGS):
            for latent, (label, colour) in LATENTS.items():
                for seed, path in enumerate(sorted(results.glob(f"ptb_{latent}_{setting}_seed*.csv"))):
                    history = read_history(path)
                    for row, measure in enumerate(PANELS):
                        name = None if seed else label
                        panels[row, column].plot(history["epoch"], history[measure], color=colour, label=name)
            panels[0, column].set_title(f"{setting}: validation {PANELS['val_perplexity']}")
            panels[1, column].set_title(f"{setting}: validation {PANELS['val_kl']}")
            panels[1, column].set_xlabel("epoch")
            panels[1, column].set_ylim(bottom=0)
            for row in range(len(PANELS)):
                panels[row, column].xaxis.get_major_locator().set_params(integer=True)
        panels[0, 0].legend()
    return figure


def main() -> None:
    """Draws the figure of the published runs."""
    with rc_context(STYLE):
        curves(RESULTS).savefig(FIGURE, dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
