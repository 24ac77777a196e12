import numpy as np
import pytest

from tf_vmf.analysis.neighbours import Neighbours, label_precision, nearest_neighbours


def test_neighbours_have_the_largest_scalar_products(rng):
    codes, queries = (
        x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (rng.normal(size=(50, 5)), rng.normal(size=(4, 5)))
    )
    found = nearest_neighbours(codes, queries, k=7)
    scalar_products = queries @ codes.T
    np.testing.assert_array_equal(found.rows, np.argsort(-scalar_products, axis=1)[:, :7])
    np.testing.assert_allclose(found.cosines, -np.sort(-scalar_products, axis=1)[:, :7], atol=1e-12)


def test_without_queries_a_code_is_not_its_own_neighbour():
    codes = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])  # even where another is identical
    found = nearest_neighbours(codes, k=1)
    assert found.rows[:2, 0].tolist() == [1, 0]


def test_the_length_of_a_gaussian_mean_does_not_matter():
    found = nearest_neighbours(np.array([[100.0, 0.0], [0.1, 0.1]]), np.array([[1.0, 0.9]]), k=1)
    assert found.rows.tolist() == [[1]]


def test_label_precision_is_the_share_of_neighbours_with_the_label():
    neighbours = Neighbours(rows=np.array([[0, 1], [2, 0]]), cosines=np.ones((2, 2)))
    assert label_precision(neighbours, np.array([5, 6, 6]), np.array([5, 6])) == 0.5


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="from 1 to 2"):
        nearest_neighbours(np.eye(3), k=3)
    with pytest.raises(ValueError, match=r"\(3, 3\) and \(2, 2\)"):
        nearest_neighbours(np.eye(3), np.eye(2), k=1)
