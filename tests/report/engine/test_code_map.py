import numpy as np
import pytest

from tf_vmf.report.engine.excerpts import Excerpt
from tf_vmf.report.engine.maps import MOST_POINTS, beginning, map_codes


def excerpts(rows):
    return [Excerpt(int(row), f"title {row}", "", f"text {row}") for row in rows]


def test_of_many_codes_a_sample_is_shown_and_the_number_of_all_is_kept(rng):
    codes = rng.normal(size=(MOST_POINTS + 500, 2))
    labels = rng.integers(3, size=len(codes))
    shown = map_codes(codes, excerpts, spherical=False, candidates=np.arange(100, len(codes)), labels=labels)
    assert (len(shown.points), shown.num_examples) == (MOST_POINTS, MOST_POINTS + 400)
    assert shown.rows.min() >= 100
    assert len(set(shown.rows.tolist())) == MOST_POINTS
    np.testing.assert_array_equal(shown.points, codes[shown.rows])
    np.testing.assert_array_equal(shown.labels, labels[shown.rows])
    assert shown.titles[5] == f"title {shown.rows[5]}"


def test_a_single_code_has_no_neighbors():
    shown = map_codes(np.array([[1.0, 0.0]]), excerpts, spherical=True)
    assert shown.neighbors.shape == shown.cosines.shape == (1, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a  b\n c", "a b c"),
        ("x" * 200, "x" * 200),
        ("word " * 60, "word " * 39 + "word …"),
        ("", "Characteristic words: p, q"),
    ],
)
def test_beginnings_have_at_most_200_characters_and_end_with_a_word(text, expected):
    assert beginning(Excerpt(0, "", "", text, ("p", "q"))) == expected
