import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial import geometric_slerp

from tests.refusals import refused
from tf_vmf.math import great_circle, straight_line


def test_points_of_the_equator_are_at_equal_angles():
    fractions = np.linspace(0, 1, 7)
    points = great_circle(np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), fractions)
    angle = fractions * np.pi / 2
    np.testing.assert_allclose(points, np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=-1), atol=1e-15)


@pytest.mark.parametrize("dim", [2, 3, 25, 200])
def test_points_divide_the_angle_in_the_given_proportion_and_stay_in_the_plane(rng, dim):
    start, end = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in rng.normal(size=(2, 6, dim)))
    fractions = np.array([0.0, 0.1, 0.5, 0.8, 1.0])
    points = great_circle(start, end, fractions).numpy()
    assert points.shape == (6, 5, dim)
    np.testing.assert_allclose(np.linalg.norm(points, axis=-1), 1.0, atol=1e-14)
    angle = np.arccos(np.sum(start * end, axis=-1))
    np.testing.assert_allclose(np.sum(points * start[:, None], axis=-1), np.cos(angle[:, None] * fractions), atol=1e-12)
    np.testing.assert_allclose(
        np.sum(points * end[:, None], axis=-1), np.cos(angle[:, None] * (1 - fractions)), atol=1e-12
    )
    # Gram-Schmidt: the part of the point outside the span of start and end.
    normal = end - np.sum(end * start, -1, keepdims=True) * start
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    for basis in (start, normal):
        points = points - np.sum(points * basis[:, None], -1, keepdims=True) * basis[:, None]
    np.testing.assert_allclose(points, 0.0, atol=1e-12)


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-8, 1e-4, 3.1415])
def test_tiny_and_nearly_straight_angles_are_accurate(angle):
    end = np.array([np.cos(angle), np.sin(angle)])
    points = great_circle(np.array([1.0, 0.0]), end, np.array([0.25, 0.5])).numpy()
    # Relative to the angle itself, as arccos could not give it; near pi the ends alone fix it to 1e-16 / (pi - angle).
    np.testing.assert_allclose(points[:, 1], np.sin(angle * np.array([0.25, 0.5])), rtol=1e-11, atol=0)


def test_points_are_those_of_scipy(rng):
    start, end = (x / np.linalg.norm(x) for x in rng.normal(size=(2, 9)))
    fractions = np.linspace(0, 1, 6)
    np.testing.assert_allclose(great_circle(start, end, fractions), geometric_slerp(start, end, fractions), atol=1e-14)


def test_opposite_points_are_refused_by_row_and_other_norms_by_name():
    start, end = np.eye(3)[:2], np.array([[0, 0, 1.0], [0, -1.0, 0]])
    with refused("end", "opposite points in rows [1]", remedy="a third point"):
        great_circle(start, end, np.array([0.5]))
    with refused("end", "off by 1", "unit vectors"):
        great_circle(np.array([1.0, 0]), np.array([0, 2.0]), np.array([0.5]))
    with refused("fractions", "shape ()", "shape (k,)"):
        great_circle(np.array([1.0, 0]), np.array([0, 1.0]), np.array(0.5))


def test_in_a_graph_the_points_are_the_same_and_opposite_ones_fail_at_run_time(rng):
    start, end = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in rng.normal(size=(2, 6, 5)))
    graph = tf.function(great_circle)
    fractions = np.linspace(0, 1, 4)
    np.testing.assert_allclose(graph(start, end, fractions), great_circle(start, end, fractions), atol=1e-15)
    with pytest.raises(tf.errors.InvalidArgumentError, match="opposite"):
        graph(start, -start, fractions)


def test_float32_points_end_where_they_should(rng):
    codes = rng.normal(size=(2, 25)).astype(np.float32)
    codes /= np.linalg.norm(codes, axis=-1, keepdims=True)
    points = great_circle(*codes, np.linspace(0, 1, 5))
    assert points.dtype == tf.float32
    np.testing.assert_allclose(points.numpy()[[0, -1]], codes, atol=1e-7)


def test_a_straight_line_divides_the_distance():
    start, end = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[4.0, 8.0], [1.0, 3.0]])
    np.testing.assert_allclose(straight_line(start, end, np.array([0.25])), [[[1.0, 2.0]], [[1.0, 1.5]]])
