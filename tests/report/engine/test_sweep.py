"""Sweeps: what is averaged over what, on which split, and which differences are clear."""

import math
import statistics

import pytest

from tests.report.engine.sweep_runs import write_runs
from tests.report.errors import argument_error
from tf_vmf.report import SweepPoint, find_sweep, sweep_points


@pytest.fixture
def runs(tmp_path):
    return write_runs(tmp_path)


def point(name, *perplexities, tokens=10):
    return SweepPoint({"x": name}, {"perplexity": perplexities, "tokens": (tokens,) * len(perplexities)})


def test_seeds_are_averaged_and_settings_are_not(runs):
    points = sweep_points(runs)
    assert len(points) == 4
    assert all("seed" not in point.setting for point in points)
    by_setting = {tuple(point.setting.values()): point for point in points}
    assert by_setting["10", "5"].mean("perplexity") == 123.0
    assert by_setting["10", "5"].deviation("nll") == pytest.approx(statistics.stdev([120, 126]))


def test_settings_are_ranked_on_validation_by_the_mean(runs):
    # (10, 25) has the lowest single run, and all test figures would rank otherwise.
    ranked = find_sweep(sweep_points(runs)).ranked
    assert [tuple(point.setting.values()) for point in ranked] == [
        ("learned", "5"), ("100", "5"), ("10", "5"), ("10", "25"),
    ]  # fmt: skip


def test_one_seed_has_no_deviation(runs):
    points = sweep_points([run for run in runs if run[0]["seed"] == "0"])
    assert points[0].deviation("perplexity") == 0.0
    assert points[0].num_seeds == 1


def test_an_unfinished_run_is_named(runs, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="empty"):
        sweep_points([*runs, ({"concentration": "1", "latent_dim": "5"}, tmp_path / "empty")])


def test_the_standard_error_of_a_difference_is_that_of_two_independent_means():
    first, second = [90.0, 94.0, 95.0], [100.0, 104.0]
    found = find_sweep([point("b", *second), point("a", *first)])
    assert found.difference == pytest.approx(statistics.fmean(second) - statistics.fmean(first))
    variance = statistics.variance(first) / 3 + statistics.variance(second) / 2
    assert found.difference_error == pytest.approx(math.sqrt(variance))


@pytest.mark.parametrize(
    ("first", "second", "clear"),
    [
        ((90.0, 91.0), (100.0, 101.0), True),  # 10 apart, standard error 0.7
        ((90.0, 100.0), (96.0, 106.0), False),  # 6 apart, standard error 7
        ((90.0,), (900.0,), False),  # one seed tells no spread
        ((90.0, 91.0), (900.0,), False),
    ],
)
def test_a_setting_is_ahead_only_beyond_the_spread_between_seeds(first, second, clear):
    assert find_sweep([point("a", *first), point("b", *second)]).is_clear is clear


def test_one_setting_is_ahead_of_nothing():
    found = find_sweep([point("a", 1.0, 2.0)])
    assert math.isnan(found.difference)
    assert not found.is_clear


def test_perplexities_over_different_tokens_do_not_compare():
    found = find_sweep([point("a", 90.0, 91.0), point("b", 100.0, 101.0, tokens=11)])
    assert not found.comparable
    assert not found.is_clear


def test_a_sweep_needs_a_finished_run():
    with argument_error("points", "none"):
        find_sweep([])
