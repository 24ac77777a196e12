"""Sweeps: what is averaged over what, on which split, and what the report shows."""

import json
import statistics

import pytest

from tf_vmf import analysis
from tf_vmf.analysis import plots

KEYS = ("perplexity", "document_perplexity", "iw_perplexity", "nll", "kl", "code_gain")
# (concentration, latent_dim, seed): validation perplexity
PERPLEXITIES = {
    ("10", "5", "0"): 120.0, ("10", "5", "1"): 126.0, ("100", "5", "0"): 100.0, ("100", "5", "1"): 104.0,
    ("learned", "5", "0"): 90.0, ("learned", "5", "1"): 94.0, ("10", "25", "0"): 80.0, ("10", "25", "1"): 200.0,
}  # fmt: skip


@pytest.fixture
def runs(tmp_path):
    """Folders whose test figures are the opposite of the validation figures."""
    found = []
    for (concentration, dim, seed), perplexity in PERPLEXITIES.items():
        folder = tmp_path / f"{concentration}_{dim}_{seed}"
        folder.mkdir()
        splits = {"valid": perplexity, "test": 1000.0 - perplexity}
        text = json.dumps({split: dict.fromkeys(KEYS, value) for split, value in splits.items()})
        (folder / "metrics.json").write_text(text)
        found.append(({"concentration": concentration, "latent_dim": dim, "seed": seed}, folder))
    return found


def test_seeds_are_averaged_and_settings_are_not(runs):
    points = analysis.sweep_points(runs)
    assert len(points) == 4
    assert all("seed" not in point.setting for point in points)
    by_setting = {tuple(point.setting.values()): point for point in points}
    assert by_setting["10", "5"].mean("perplexity") == 123.0
    assert by_setting["10", "5"].deviation("nll") == pytest.approx(statistics.stdev([120, 126]))


def test_the_best_is_so_on_validation_by_the_mean(runs):
    # (10, 25) has the best single run, and all test figures would choose otherwise.
    assert analysis.best_point(analysis.sweep_points(runs)).setting == {"concentration": "learned", "latent_dim": "5"}


def test_one_seed_has_no_deviation(runs):
    points = analysis.sweep_points([run for run in runs if run[0]["seed"] == "0"])
    assert points[0].deviation("perplexity") == 0.0
    assert "±" not in " ".join(map(str, analysis.sweep_table(points).rows[0]))


def test_the_table_is_in_order_of_perplexity(runs):
    table = analysis.sweep_table(analysis.sweep_points(runs))
    assert [row[:2] for row in table.rows] == [("learned", "5"), ("100", "5"), ("10", "5"), ("10", "25")]
    assert table.rows[1][3] == "102.0 ± 2.8"


def test_an_unfinished_run_is_named(runs, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="empty"):
        analysis.sweep_points([*runs, ({"concentration": "1", "latent_dim": "5"}, tmp_path / "empty")])


def test_the_figure_has_numbers_on_its_axis_and_words_as_lines(runs):
    figure = plots.sweep(analysis.sweep_points(runs))
    perplexity = figure.axes[0]
    curve = perplexity.containers[0].lines[0]
    assert curve.get_xdata().tolist() == [10.0, 100.0]
    assert curve.get_ydata().tolist() == [123.0, 102.0]
    flat = [line for line in perplexity.lines if line.get_label() == "concentration learned, latent dim 5"]
    assert set(flat[0].get_ydata()) == {92.0}


def test_values_that_are_all_words_stand_side_by_side(runs):
    renamed = [({"latent": f"kind{setting['concentration']}"}, folder) for setting, folder in runs[::2][:3]]
    axes = plots.sweep(analysis.sweep_points(renamed)).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["kind10", "kind100", "kindlearned"]


def test_a_sweep_over_nothing_but_seeds_is_one_point(runs):
    points = analysis.sweep_points([({"seed": setting["seed"]}, folder) for setting, folder in runs[:2]])
    assert len(points) == 1
    assert plots.sweep(points).axes[0].containers[0].lines[0].get_ydata().tolist() == [123.0]


def test_the_report_names_the_best_the_command_and_what_failed(runs, tmp_path):
    path = tmp_path / "report.html"
    analysis.sweep_report(
        path, analysis.sweep_points(runs), command="make <tea>", failures=["concentration=x (exit code 1)"]
    )
    page = path.read_text()
    assert "best concentration" in page
    assert "make &lt;tea&gt;" in page
    assert "concentration=x (exit code 1)" in page


def test_a_report_needs_a_run(tmp_path):
    with pytest.raises(ValueError, match="at least one finished run"):
        analysis.sweep_report(tmp_path / "report.html", [])
