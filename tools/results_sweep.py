"""Draws docs/concentration.png from results/20ng_concentration.csv, the table of a sweep.

python -m tools.results_sweep
"""

import csv
from pathlib import Path

from matplotlib import rc_context

from tf_vmf.analysis import SweepPoint
from tf_vmf.reports.figures import STYLE
from tf_vmf.reports.sweep_plot import sweep
from tools.results_table import RESULTS, ROOT

TABLE, FIGURE = RESULTS / "20ng_concentration.csv", ROOT / "docs" / "concentration.png"
SETTING = ("concentration", "latent_dim")


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


def main() -> None:
    """Draws the figure of the published table."""
    figure = sweep(read_points(TABLE))
    with rc_context(STYLE):
        figure.savefig(FIGURE, dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
