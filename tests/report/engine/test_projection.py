import numpy as np
import pytest

from tests.report.errors import argument_error
from tf_vmf.report.engine.maps import project


def clusters(rng, dim=20, size=60):
    centers = np.eye(dim)[:3]
    codes = np.repeat(centers, size, axis=0) + 0.1 * rng.normal(size=(3 * size, dim))
    return codes / np.linalg.norm(codes, axis=-1, keepdims=True), np.repeat(np.arange(3), size)


@pytest.mark.parametrize(("dim", "spherical"), [(2, True), (3, True), (2, False)])
def test_codes_that_can_be_drawn_stay_as_they_are(rng, dim, spherical):
    codes = rng.normal(size=(10, dim))
    projection = project(codes, spherical=spherical)
    assert projection.method == "codes"
    np.testing.assert_array_equal(projection.points, codes)


def test_tsne_keeps_groups_together_and_repeats_with_its_seed(rng):
    codes, groups = clusters(rng)
    projection = project(codes, spherical=True, seed=3)
    assert (projection.method, projection.points.shape) == ("tsne", (180, 2))
    distances = np.linalg.norm(projection.points[:, None] - projection.points, axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert np.mean(groups[np.argmin(distances, axis=1)] == groups) > 0.99
    np.testing.assert_array_equal(project(codes, spherical=True, seed=3).points, projection.points)


def test_pca_finds_the_plane_that_holds_the_variance(rng):
    plane = np.linalg.qr(rng.normal(size=(6, 2)))[0]
    coordinates = rng.normal(size=(40, 2)) * [3.0, 1.0]
    points = project(coordinates @ plane.T + 5.0, spherical=False, method="pca").points
    centerd = coordinates - coordinates.mean(axis=0)
    # All distances survive, as nothing lies outside the plane.
    distance = lambda x: np.linalg.norm(x[:, None] - x, axis=-1)  # noqa: E731
    np.testing.assert_allclose(distance(points), distance(centerd), atol=1e-10)


def test_few_or_one_dimensional_codes_are_still_drawn(rng):
    assert project(rng.normal(size=(5, 9)), spherical=False).points.shape == (5, 2)
    assert project(rng.normal(size=(5, 1)), spherical=False).points.shape == (5, 2)


def test_unknown_methods_and_undrawable_codes_are_refused(rng):
    with argument_error("method", "'umap'"):
        project(np.eye(3), spherical=True, method="umap")
    with argument_error("codes", "5 dimensions"):
        project(np.eye(5), spherical=True, method="codes")


@pytest.mark.parametrize("number", [1, 3])
def test_codes_that_coincide_are_one_point(number):
    projection = project(np.full((number, 4), 0.5), spherical=True)
    np.testing.assert_array_equal(projection.points, np.zeros((number, 2)))
