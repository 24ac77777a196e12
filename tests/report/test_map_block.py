"""What a map of codes draws: positions, marks and legends."""

import re
from itertools import combinations

import numpy as np
import pytest

from tests.report import findings as made
from tests.report.test_page import TEMPLATES
from tf_vmf.report.page.map import MOST_GROUPS, SHAPES, Map, layout


def map_of(labels, names, **changes):
    number = len(labels)
    shown = made.code_map(
        labels, label_names=names, points=np.random.default_rng(0).normal(size=(number, 2)), **changes
    )
    return Map(shown, "code_map", "caption", "document")


def test_up_to_twenty_labels_have_a_mark_each_and_ten_a_shape_each():
    groups = map_of(np.repeat(np.arange(20), 3), [f"label{i}" for i in range(20)]).legend
    assert [group.name for group in groups] == [f"label{i}" for i in range(20)]
    assert [group.size for group in groups] == [3] * 20
    assert len({(group.shape, group.color) for group in groups}) == 20
    assert len({group.shape for group in groups[:10]}) == 10
    assert all(a.color != b.color for a, b in combinations(groups, 2) if a.shape == b.shape)


def test_of_more_labels_the_twenty_most_frequent_have_marks_and_the_rest_one_of_its_own():
    labels = np.concatenate([np.arange(30), np.repeat(np.arange(5, 25), 4)])
    shown = map_of(labels, [f"label{i}" for i in range(30)])
    groups = shown.legend
    assert [group.name for group in groups] == [*(f"label{i}" for i in range(5, 25)), "10 other labels"]
    assert groups[-1].shape not in SHAPES
    assert len(groups) == MOST_GROUPS + 1
    by_name = {group.name: group for group in groups}
    for label, mark in zip(labels, shown.marks, strict=True):
        group = by_name.get(f"label{label}", groups[-1])
        assert (mark.shape, mark.color) == (group.shape, group.color)


def test_a_map_without_labels_is_drawn_too():
    bare = Map(made.code_map(None), "code_map", "c", "document")
    assert bare.legend == ()
    assert len(bare.marks) == 5


def test_the_sphere_is_drawn_as_two_equal_area_hemispheres(rng):
    points = rng.normal(size=(20000, 3))
    points /= np.linalg.norm(points, axis=-1, keepdims=True)
    positions, disks, names, _ = layout(points, "codes")
    assert len(disks) == len(names) == 2
    counted = 0
    for (x, y, radius), front in zip(disks, (True, False), strict=True):
        inside = (points[:, 2] >= 0) == front
        # Points spread evenly over the hemisphere are even over the disk: the squared radius is uniform, mean 1/2.
        squared = np.sum(((positions[inside] - [x, y]) / radius) ** 2, axis=-1)
        assert squared.max() <= 1.0 + 2e-3  # positions have one digit after the point
        assert squared.mean() == pytest.approx(0.5, abs=5 * np.sqrt(1 / 12 / len(squared)))
        counted += inside.sum()
    assert counted == 20000
    positions, (front, back), *_ = layout(np.array([[0, 0, 1.0], [1, 0, 0], [0.6, 0, -0.8]]), "codes")
    flat = (positions - [front[:2], front[:2], back[:2]]) / front[2]
    # From behind, left and right change sides.
    np.testing.assert_allclose(flat, [[0, 0], [1, 0], [-0.6 / np.sqrt(1.8), 0]], atol=1e-3)


def test_codes_keep_their_proportions_and_up_is_up():
    positions, *_ = layout(np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 1.0]]), "codes")
    origin, right, up = positions
    assert np.linalg.norm(right - origin) == pytest.approx(4 * np.linalg.norm(up - origin), rel=1e-2)
    assert up[1] < origin[1]  # y runs downwards on the page


def luminance(color):
    """Relative luminance as WCAG 2 defines it."""
    digits = color if len(color) == 6 else "".join(2 * digit for digit in color)
    channels = np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_color_of_a_mark_stands_out_from_the_paper(scheme):
    style = (TEMPLATES / "report.css").read_text("utf-8")
    colors = {name: pair for name, *pair in re.findall(r"--(\w[\w-]*): light-dark\(#(\w+), #(\w+)\)", style)}
    for name in ("rest", "bar", "field", *(f"c{i}" for i in range(9))):
        for paper in ("paper", "tint"):
            a, b = luminance(colors[name][scheme]), luminance(colors[paper][scheme])
            # WCAG 2.2, 1.4.11: graphical objects have a contrast of 3.
            assert (max(a, b) + 0.05) / (min(a, b) + 0.05) >= 3.0, (name, paper)
