import numpy as np
import pytest

from tests.report.errors import argument_error
from tf_vmf.report.engine.neighbors import Neighbors, label_agreement, label_precision, nearest_neighbors


def test_neighbors_have_the_largest_scalar_products(rng):
    codes, queries = (
        x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (rng.normal(size=(50, 5)), rng.normal(size=(4, 5)))
    )
    found = nearest_neighbors(codes, queries, k=7)
    scalar_products = queries @ codes.T
    np.testing.assert_array_equal(found.rows, np.argsort(-scalar_products, axis=1)[:, :7])
    np.testing.assert_allclose(found.cosines, -np.sort(-scalar_products, axis=1)[:, :7], atol=1e-12)


def test_without_queries_a_code_is_not_its_own_neighbor():
    codes = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])  # even where another is identical
    found = nearest_neighbors(codes, k=1)
    assert found.rows[:2, 0].tolist() == [1, 0]


def test_the_length_of_a_gaussian_mean_does_not_matter():
    found = nearest_neighbors(np.array([[100.0, 0.0], [0.1, 0.1]]), np.array([[1.0, 0.9]]), k=1)
    assert found.rows.tolist() == [[1]]


def test_label_precision_is_the_share_of_neighbors_with_the_label():
    neighbors = Neighbors(rows=np.array([[0, 1], [2, 0]]), cosines=np.ones((2, 2)))
    assert label_precision(neighbors, np.array([5, 6, 6]), np.array([5, 6])) == 0.5


def test_wrong_arguments_are_named():
    with argument_error("k", "3"):
        nearest_neighbors(np.eye(3), k=3)
    with argument_error("queries", "shape (2, 2)"):
        nearest_neighbors(np.eye(3), np.eye(2), k=1)


@pytest.mark.parametrize("queries", [True, False])
def test_blocks_find_what_scikit_learn_finds_at_once(rng, monkeypatch, queries):
    from sklearn.neighbors import NearestNeighbors

    monkeypatch.setattr("tf_vmf.report.engine.neighbors._BLOCK_COSINES", 7 * 90)  # 7 queries at a time
    codes, asked = rng.normal(size=(90, 6)), rng.normal(size=(50, 6)) if queries else None
    found = nearest_neighbors(codes, asked, k=5)
    search = NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute").fit(codes)
    distances, rows = search.kneighbors(asked)
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_allclose(found.cosines, 1.0 - distances, atol=1e-12)


def test_all_codes_may_be_asked_for_and_none_searched_for(rng):
    codes = rng.normal(size=(4, 3))
    assert np.sort(nearest_neighbors(codes, codes, k=4).rows).tolist() == [[0, 1, 2, 3]] * 4
    assert nearest_neighbors(codes, np.zeros((0, 3)), k=2).rows.shape == (0, 2)


def test_agreement_stands_beside_that_of_random_examples():
    # Three of four examples have label 0: at random a query of label 0 agrees in 3/4 of cases, one of label 1 in 1/4.
    neighbors = Neighbors(rows=np.array([[0, 3], [3, 1]]), cosines=np.ones((2, 2)))
    found = label_agreement(neighbors, np.array([0, 0, 0, 1]), np.array([0, 1]))
    assert (found.precision, found.chance, found.k) == (0.5, 0.5, 2)
    # A label that no searched example has is never agreed on.
    assert label_agreement(neighbors, np.array([0, 0, 0, 1]), np.array([2, 2])).chance == 0.0
