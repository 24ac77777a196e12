import math

import numpy as np
import pytest

from tests.report.errors import argument_error
from tf_vmf.report.engine import distinctive_words


def test_the_score_is_the_log_odds_ratio_in_standard_deviations():
    # Words of frequencies 40/100 and 60/100 overall; prior of 10 tokens: 4 and 6.
    counts = np.array([[30, 20], [10, 40]])
    (first, second) = distinctive_words(counts, prior_tokens=10.0)
    delta = math.log(34 / 26) - math.log(14 / 46)
    assert first.ids == (0,)
    assert first.scores[0] == pytest.approx(delta / math.sqrt(1 / 34 + 1 / 14))
    assert second.ids == (1,)
    assert second.scores[0] == pytest.approx(delta / math.sqrt(1 / 26 + 1 / 46))


def test_a_word_seen_once_ranks_below_one_seen_often():
    counts = np.array([[1, 60, 100, 0], [0, 20, 100, 0]])
    first = distinctive_words(counts)[0]
    assert first.ids[0] == 1
    assert 3 not in first.ids


def test_scores_are_those_of_a_standard_normal_where_groups_do_not_differ():
    rng = np.random.default_rng(0)
    counts = rng.poisson(200.0, size=(2, 2000))
    scores = np.concatenate([found.scores for found in distinctive_words(counts, 2000)])
    # The positive scores of two groups are the absolute values of one sample: half normal. The prior shrinks them by
    # pseudo-counts of 500 / 2000 tokens a word, 0.1 %.
    assert len(scores) == pytest.approx(2000, abs=5)
    assert np.sqrt(np.mean(scores**2)) == pytest.approx(1.0, abs=4 / math.sqrt(2 * 2000))


def test_words_of_one_group_alone_and_empty_groups_are_no_obstacle():
    assert [found.ids for found in distinctive_words(np.array([[5, 0], [0, 0]]))] == [(), ()]
    assert [found.ids for found in distinctive_words(np.zeros((3, 4)))] == [(), (), ()]
    with argument_error("counts", "shape (1, 3)"):
        distinctive_words(np.ones((1, 3)))


def test_each_of_three_groups_gets_its_own_word():
    counts = 20 + 80 * np.eye(3, 5, dtype=int)
    assert [found.ids[0] for found in distinctive_words(counts, 1)] == [0, 1, 2]
