"""Writes the tables of docs/DIGITS.md and draws docs/digits.png from results/digits.csv.

python -m tools.results_digits
"""

import csv
import re
import statistics
from collections.abc import Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from tf_vmf.files import write_text
from tf_vmf.report.page.figures import BLUE, ORANGE, STYLE, new_figure
from tools.results_table import RESULTS, ROOT

TABLE, PAGE, FIGURE = RESULTS / "digits.csv", ROOT / "docs" / "DIGITS.md", ROOT / "docs" / "digits.png"
NAMES = {
    "gaussian": "Gaussian",
    "sphere": "sphere",
    "spheres_1": "circles S^1",
    "spheres_2": "spheres S^2",
    "spheres_3": "spheres S^3",
    "spheres_4": "spheres S^4",
    "gaussian_mixture": "Gaussian, mixture prior",
    "sphere_mixture": "sphere, mixture prior",
}
# Models are compared with the Gaussian whose prior is of the same kind, fixed or learned.
FIXED, LEARNED = "gaussian", "gaussian_mixture"
Cells = dict[int, dict[str, dict[int, dict[str, float]]]]  # d, latent, seed, figures

_BLOCK = re.compile(r"(<!-- digits: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_COLUMNS = (
    ("valid IW-100", "valid_iw", 2),
    ("**test IW-100**", "test_iw", 2),
    ("ELBO", "test_elbo", 2),
    ("reconstruction", "test_re", 2),
    ("KL", "test_kl", 2),
    ("5-NN accuracy", "test_knn", 3),
)


def read_cells(path: Path) -> Cells:
    """The figures of every cell."""
    cells: Cells = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            figures = {name: float(value) for name, value in row.items() if name != "latent"}
            cells.setdefault(int(row["d"]), {}).setdefault(row["latent"], {})[int(row["seed"])] = figures
    for dim, latents in cells.items():
        seeds = {name: sorted(each) for name, each in latents.items()}
        if len(set(map(tuple, seeds.values()))) > 1:
            raise ValueError(f"{path}: expected the same seeds of all latents at d = {dim}. Received: {seeds}.")
    return dict(sorted(cells.items()))


def baseline_of(name: str) -> str:
    """The Gaussian with which a latent is compared."""
    return LEARNED if name.endswith("_mixture") else FIXED


def best_spherical(latents: dict[str, dict[int, dict[str, float]]], baseline: str = FIXED) -> str:
    """The spherical latent with the best validation bound, mean over seeds."""
    spherical = [name for name in latents if name != baseline and baseline_of(name) == baseline]
    return max(spherical, key=lambda name: statistics.fmean(_values(latents[name], "valid_iw")))


def difference(latents: dict[str, dict[int, dict[str, float]]], name: str, measure: str) -> list[float]:
    """A latent minus the Gaussian, by seed: both have the same split of the images."""
    gaussian = latents[baseline_of(name)]
    return [latents[name][seed][measure] - gaussian[seed][measure] for seed in sorted(gaussian)]


def cells_table(cells: Cells) -> str:
    """A row per latent and dimension: mean ± standard error over seeds."""
    header = ["d", "latent", "ambient dimension", *(title for title, *_ in _COLUMNS)]
    rows = []
    for dim, latents in cells.items():
        for name in NAMES:
            if name not in latents:
                continue
            figures = [_with_error(_values(latents[name], key), digits) for _, key, digits in _COLUMNS]
            rows.append([str(dim), NAMES[name], str(ambient(name, dim)), *figures])
    return _markdown(header, rows)


def comparison_table(cells: Cells) -> str:
    """A row per prior and dimension: the spherical latent that validation chooses, against the Gaussian."""
    header = ["prior", "d", "chosen on validation", "test IW-100 minus Gaussian", "5-NN accuracy minus Gaussian"]
    rows = []
    for prior, baseline in (("fixed", FIXED), ("learned mixture", LEARNED)):
        for dim, latents in cells.items():
            if baseline not in latents:
                continue
            chosen = best_spherical(latents, baseline)
            figures = [("test_iw", 2), ("test_knn", 3)]
            differences = [_with_error(difference(latents, chosen, name), digits, sign="+") for name, digits in figures]
            rows.append([prior, str(dim), NAMES[chosen], *differences])
    return _markdown(header, rows)


def ambient(name: str, dim: int) -> int:
    """Entries of a code of intrinsic dimension `dim`: one more per sphere."""
    if name == baseline_of(name):
        return dim
    size = dim if name in ("sphere", "sphere_mixture") else int(name.rpartition("_")[2])
    return dim - (-dim // size)


def picture(cells: Cells) -> Figure:
    """Test bound and accuracy over d: Gaussian, one sphere, and the spherical latent that validation chooses."""
    with rc_context(STYLE):
        figure = new_figure(9.2, 3.4)
        panels = figure.subplots(1, 2)
        chosen = {dim: best_spherical(latents) for dim, latents in cells.items()}
        lines = (
            ("Gaussian", dict.fromkeys(cells, FIXED), ORANGE, "-", -0.06),
            ("one sphere", dict.fromkeys(cells, "sphere"), BLUE, ":", 0.0),
            ("spherical, chosen on validation", chosen, BLUE, "-", 0.06),
        )
        for panel, measure, title in (
            (panels[0], "test_iw", "test IW-100, nats per image"),
            (panels[1], "test_knn", "5-NN accuracy of codes, test"),
        ):
            for label, names, colour, style, shift in lines:
                values = [_values(cells[dim][names[dim]], measure) for dim in cells]
                panel.errorbar(
                    [place + shift for place in range(len(cells))],
                    [statistics.fmean(each) for each in values],
                    [_error(each) for each in values],
                    color=colour,
                    linestyle=style,
                    marker="o",
                    markersize=4,
                    label=label,
                )
            panel.set_xticks(range(len(cells)), [str(dim) for dim in cells])
            panel.set_xlabel("intrinsic dimension d")
            panel.set_title(title)
        panels[0].legend()
    return figure


def with_tables(text: str, cells: Cells) -> str:
    """`text` with what stands between `<!-- digits: NAME -->` and `<!-- end -->` made anew."""
    tables = {"cells": cells_table, "comparison": comparison_table}
    return _BLOCK.sub(lambda match: f"{match[1]}\n{tables[match[2]](cells)}\n{match[3]}", text)


def _values(seeds: dict[int, dict[str, float]], measure: str) -> list[float]:
    return [seeds[seed][measure] for seed in sorted(seeds)]


def _error(values: Sequence[float]) -> float:
    """The standard error of the mean; 0 of a single value."""
    return statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0


def _with_error(values: Sequence[float], digits: int, sign: str = "") -> str:
    mean = f"{statistics.fmean(values):{sign}.{digits}f}"
    return f"{mean} ± {_error(values):.{digits}f}" if len(values) > 1 else mean


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---:", ":---", *["---:"] * (len(header) - 2)], *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


if __name__ == "__main__":
    found = read_cells(TABLE)
    write_text(PAGE, with_tables(PAGE.read_text(encoding="utf-8"), found))
    with rc_context(STYLE):
        picture(found).savefig(FIGURE, dpi=100, metadata={"Software": None})
