"""The report of a sweep says no more than its runs show."""

import pytest

from tests.report.engine.sweep_runs import PERPLEXITIES, write_runs
from tests.report.test_page import assert_self_contained
from tf_vmf.report import find_sweep, sweep_points, sweep_report, sweep_table
from tf_vmf.report.sweep import sweep, verdict

CLEAR = {("1", "5", "0"): 90.0, ("1", "5", "1"): 91.0, ("2", "5", "0"): 100.0, ("2", "5", "1"): 101.0}


@pytest.fixture
def runs(tmp_path):
    return write_runs(tmp_path)


def page_of(tmp_path, findings, **options):
    path = tmp_path / "report.html"
    sweep_report(path, findings, **options)
    return assert_self_contained(path.read_text(encoding="utf-8"))


def test_the_table_is_in_order_of_perplexity(runs):
    table = sweep_table(find_sweep(sweep_points(runs)))
    assert [row[:2] for row in table.rows] == [("learned", "5"), ("100", "5"), ("10", "5"), ("10", "25")]
    assert table.rows[1][3] == "102.0 ± 2.8"


def test_one_seed_is_shown_without_deviation(runs):
    table = sweep_table(find_sweep(sweep_points([run for run in runs if run[0]["seed"] == "0"])))
    assert "±" not in " ".join(map(str, table.rows[0]))
    assert table.highlight == ()


def test_a_measure_that_runs_lack_has_no_column(tmp_path):
    points = sweep_points(write_runs(tmp_path))
    assert "IW ppl" in sweep_table(find_sweep(points)).header
    for point in points:
        point.figures.pop("iw_perplexity")
    assert "IW ppl" not in sweep_table(find_sweep(points)).header


def test_the_figure_has_numbers_on_its_axis_and_words_as_lines(runs):
    figure = sweep(sweep_points(runs))
    perplexity = figure.axes[0]
    curve = perplexity.containers[0].lines[0]
    assert curve.get_xdata().tolist() == [10.0, 100.0]
    assert curve.get_ydata().tolist() == [123.0, 102.0]
    flat = [line for line in perplexity.lines if line.get_label() == "concentration learned, latent dim 5"]
    assert set(flat[0].get_ydata()) == {92.0}


def test_values_that_are_all_words_stand_side_by_side(runs):
    renamed = [({"latent": f"kind{setting['concentration']}"}, folder) for setting, folder in runs[::2][:3]]
    axes = sweep(sweep_points(renamed)).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["kind10", "kind100", "kindlearned"]


def test_a_sweep_over_nothing_but_seeds_is_one_point(runs):
    points = sweep_points([({"seed": setting["seed"]}, folder) for setting, folder in runs[:2]])
    assert len(points) == 1
    assert sweep(points).axes[0].containers[0].lines[0].get_ydata().tolist() == [123.0]


def test_the_report_holds_the_command_and_what_failed(runs, tmp_path):
    findings = find_sweep(sweep_points(runs), command="make <tea>", failures=["concentration=x (exit code 1)"])
    text = page_of(tmp_path, findings).text
    assert "make <tea>" in text
    assert "concentration=x (exit code 1)" in text
    assert "concentration of this setting" in text


def test_one_seed_each_names_no_best(tmp_path):
    single = {key: value for key, value in PERPLEXITIES.items() if key[2] == "0"}
    text = page_of(tmp_path, find_sweep(sweep_points(write_runs(tmp_path, single)))).text
    assert "lowest validation perplexity" in text
    assert "one seed: no evidence that it is best" in text
    assert "differences below the spread between seeds mean nothing" in text
    assert "standard error" not in text
    assert "bars" not in text


def test_seeds_that_overlap_leave_the_best_open(runs):
    # 92 and 102, standard deviations 2.8 each: 10 apart with a standard error of 2.8, but 80 to 200 for the third.
    findings = find_sweep(sweep_points([run for run in runs if run[0]["concentration"] == "10"]))
    assert "do not tell which of the two settings is better" in verdict(findings)
    assert "17.0, with a standard error of 60.1" in verdict(findings)  # 140 - 123; sqrt(2 * 60^2 / 2 + 2 * 3^2 / 2)


def test_seeds_that_do_not_overlap_say_so(tmp_path):
    findings = find_sweep(sweep_points(write_runs(tmp_path, CLEAR)))
    assert "the lowest is ahead by more than two standard errors" in verdict(findings)
    text = page_of(tmp_path, findings).text
    assert "mean of 2 seeds; ahead by more than two standard errors" in text
    assert "Dashed" not in text


def test_runs_over_different_tokens_name_no_lowest(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    halves = dict(list(CLEAR.items())[:2]), dict(list(CLEAR.items())[2:])
    runs = write_runs(tmp_path / "a", halves[0]) + write_runs(tmp_path / "b", halves[1], tokens=2000)
    page = page_of(tmp_path, find_sweep(sweep_points(runs)))
    assert "do not compare" in page.text
    assert "lowest" not in page.text


def test_dashed_lines_are_explained_where_there_are_some(runs, tmp_path):
    captions = [image["alt"] for image in page_of(tmp_path, find_sweep(sweep_points(runs))).named("img")]
    assert "Dashed lines: values that are not numbers." in captions[0]
