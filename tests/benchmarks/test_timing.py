"""The instruments of the benchmarks, on runs whose cost is known."""

import time

import pytest

from benchmarks.report import table
from benchmarks.timing import interleaved, ratio


def burn(seconds):
    def run():
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass

    return run


def test_a_run_of_twice_the_cpu_time_has_ratio_two():
    seconds = interleaved({"one": burn(0.02), "two": burn(0.04)}, rounds=3)
    assert ratio(seconds, "two", "one") == pytest.approx(2.0, rel=0.2)


def test_candidates_take_turns_and_warm_up_rounds_do_not_count():
    calls = []
    seconds = interleaved({name: (lambda name=name: calls.append(name)) for name in "ab"}, rounds=2, warmup=1)
    assert calls == ["a", "b"] * 3
    assert [len(each) for each in seconds.values()] == [2, 2]


def test_a_ratio_is_taken_within_rounds_so_that_a_slow_round_cancels():
    assert ratio({"own": [1.0, 10.0, 1.1], "peer": [2.0, 20.0, 2.2]}, "own", "peer") == pytest.approx(0.5)


def test_a_table_is_markdown_with_numbers_to_the_right():
    assert table(["d", "ms"], [["5", "1.0"]]) == "| d | ms |\n| :--- | ---: |\n| 5 | 1.0 |\n"
