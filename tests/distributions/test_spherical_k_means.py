"""Spherical k-means finds clusters of directions, in scikit-learn's words."""

import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, normalize
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.distributions.test_mixture import drawn
from tf_vmf import SphericalKMeans, VonMisesFisherMixture
from tf_vmf._errors import ArgumentError


def failures_of_k_means(_):
    why = "rows are drawn as starts: scikit-learn expects the same of KMeans"
    return {f"check_sample_weight_equivalence_on_{kind}_data": why for kind in ("dense", "sparse")}


@pytest.mark.filterwarnings("ignore:Number of distinct clusters:sklearn.exceptions.ConvergenceWarning")  # KMeans, too
@parametrize_with_checks([SphericalKMeans()], expected_failed_checks=failures_of_k_means)
def test_it_keeps_the_conventions_of_scikit_learn_as_k_means_does(estimator, check):
    check(estimator)


def lloyd(x, centers, steps):
    """By plain NumPy."""
    for _ in range(steps):
        labels = np.argmax(x @ centers.T, axis=1)
        centers = normalize(np.stack([x[labels == k].sum(axis=0) for k in range(len(centers))]))
    return centers, np.argmax(x @ centers.T, axis=1)


@pytest.mark.parametrize("kind", ["dense", "sparse", "float32", "small blocks"])
def test_it_is_lloyds_iteration_on_the_sphere(kind, rng, monkeypatch):
    x = normalize(rng.normal(size=(400, 5)) + 2 * np.eye(5)[rng.integers(4, size=400)])
    start = x[[0, 10, 20, 30]]
    centers, labels = lloyd(x, start, 300)
    given = {"sparse": scipy.sparse.csr_matrix, "float32": np.float32}.get(kind, np.asarray)(x * 7)
    if kind == "small blocks":
        monkeypatch.setattr("tf_vmf.distributions.directions._MOST", 13)
    kmeans = SphericalKMeans(4, init=start, tol=0).fit(given)
    np.testing.assert_array_equal(kmeans.labels_, labels)
    np.testing.assert_allclose(kmeans.cluster_centers_, centers, atol=1e-6)
    assert kmeans.inertia_ == pytest.approx(np.sum((x - centers[labels]) ** 2), rel=1e-6)
    assert kmeans.score(given) == pytest.approx(-kmeans.inertia_, rel=1e-6)
    distances = np.linalg.norm(x[:, None] - centers, axis=2)
    np.testing.assert_allclose(kmeans.transform(given), distances, atol=1e-5)
    assert kmeans.cluster_centers_.dtype == kmeans.transform(given).dtype == given.dtype


def test_hard_assignment_of_the_mixture_is_the_same():
    x, _, _ = drawn(500)
    kmeans = SphericalKMeans(5, random_state=0, tol=0).fit(x)
    mixture = VonMisesFisherMixture(5, assignment="hard", random_state=0, tol=0, max_iter=300).fit(x)
    np.testing.assert_array_equal(kmeans.labels_, mixture.labels_)
    np.testing.assert_allclose(kmeans.cluster_centers_, mixture.mean_directions_, atol=1e-14)
    assert kmeans.inertia_ == pytest.approx(2 * 500 * (1 - mixture.lower_bound_), rel=1e-10)


def test_clusters_are_as_good_as_those_of_k_means():
    x, labels, _ = drawn(2000)
    kmeans = SphericalKMeans(3, n_init=3, random_state=0).fit(x)
    others = KMeans(3, n_init=3, random_state=0).fit_predict(x)
    assert adjusted_rand_score(labels, kmeans.labels_) >= adjusted_rand_score(labels, others) - 0.01


def test_an_empty_cluster_takes_the_farthest_point():
    x = np.array([[1.0, 0.01], [1.0, 0.0], [1.0, -0.01], [0.9, 0.8]])
    kmeans = SphericalKMeans(2, init=[[1.0, 0.0], [-1.0, 0.0]]).fit(x)
    np.testing.assert_array_equal(kmeans.labels_, [0, 0, 0, 1])


def test_fewer_distinct_rows_than_clusters_are_told():
    x = np.repeat(np.eye(3)[:2], 5, axis=0)
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(2\) found smaller than n_clusters \(3\)"):
        kmeans = SphericalKMeans(3, random_state=0).fit(x)
    assert kmeans.inertia_ == 0
    one = SphericalKMeans(1).fit(x[:1])
    np.testing.assert_allclose(one.cluster_centers_, x[:1])


@pytest.mark.parametrize("sparse", [False, True])
def test_batches_find_the_clusters_too(sparse):
    x, labels, _ = drawn(6000)
    given = scipy.sparse.csr_matrix(x) if sparse else x
    whole = SphericalKMeans(3, n_init=3, random_state=0).fit(x)
    batches = SphericalKMeans(3, n_init=3, batch_size=256, random_state=0).fit(given)
    assert batches.n_steps_ == 24 * batches.n_iter_
    online = SphericalKMeans(3, random_state=0)
    for part in np.array_split(np.arange(6000), 30):
        online.partial_fit(given[part])
    assert (online.n_steps_, len(online.labels_)) == (30, 200)
    for found in (batches, online):
        cosines = (found.cluster_centers_ @ whole.cluster_centers_.T).max(axis=0)
        assert cosines.min() > 0.999
        assert adjusted_rand_score(labels, found.predict(x)) > 0.9
        np.testing.assert_allclose(np.linalg.norm(found.cluster_centers_, axis=1), 1)


def test_a_partial_fit_center_is_the_direction_of_the_mean_of_its_points():
    """With one cluster and well-nigh constant length of the mean: counts add up as in scikit-learn's MiniBatchKMeans."""
    x = normalize([[1.0, 0.1], [1.0, -0.1], [1.0, 0.3]])
    kmeans = SphericalKMeans(1).partial_fit(x[:2]).partial_fit(x[2:])
    expected = 2 * np.array([1.0, 0.0]) + x[2]
    np.testing.assert_allclose(kmeans.cluster_centers_[0], expected / np.linalg.norm(expected), atol=1e-12)


def test_rows_of_zeros_have_no_weight_and_belong_to_the_largest_cluster():
    x, _, _ = drawn(300)
    with_zeros = np.insert(x, [0, 300], 0.0, axis=0)
    kmeans = SphericalKMeans(3, init=x[:3]).fit(with_zeros)
    expected = SphericalKMeans(3, init=x[:3]).fit(x)
    np.testing.assert_allclose(kmeans.cluster_centers_, expected.cluster_centers_, atol=1e-14)
    largest = np.argmax(np.bincount(expected.labels_))
    np.testing.assert_array_equal(kmeans.labels_[[0, 301]], largest)
    np.testing.assert_array_equal(kmeans.predict(np.zeros((2, 6))), largest)
    np.testing.assert_allclose(kmeans.transform(np.zeros((1, 6))), np.sqrt(2))
    assert kmeans.inertia_ == pytest.approx(expected.inertia_, rel=1e-12)
    with pytest.raises(ArgumentError) as caught:
        SphericalKMeans(3, zero_rows="error").fit(with_zeros)
    assert "rows 0, 301" in caught.value.received


def test_weights_count_like_repeated_rows(rng):
    x, _, _ = drawn(150)
    counts = rng.integers(0, 3, 150)
    kmeans = SphericalKMeans(3, init=x[:3], tol=0)
    weighted, repeated = (
        clone(kmeans).fit(x, sample_weight=counts),
        clone(kmeans).fit(np.repeat(x, counts, axis=0)),
    )
    np.testing.assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, atol=1e-12)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-10)


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_clusters", 0), ("n_init", "many"), ("tol", -1), ("batch_size", 0), ("zero_rows", "no"), ("init", "far")],
)
def test_bad_parameters_are_named(name, value, rng):
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter"):
        SphericalKMeans(**{name: value}).fit(rng.normal(size=(20, 4)))


def test_pipelines_searches_pickles_and_data_frames(rng):
    pandas = pytest.importorskip("pandas")
    x, _, _ = drawn(300)
    pipeline = make_pipeline(Normalizer(), SphericalKMeans(3, random_state=0)).set_output(transform="pandas").fit(x)
    frame = pipeline.transform(x)
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == ["sphericalkmeans0", "sphericalkmeans1", "sphericalkmeans2"]
    again = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(again.predict(x), pipeline.predict(x))
    np.testing.assert_array_equal(clone(pipeline).fit_predict(x), pipeline.predict(x))
    search = GridSearchCV(SphericalKMeans(random_state=0), {"n_clusters": [1, 3]}, cv=3).fit(x)
    assert search.best_params_ == {"n_clusters": 3}


def test_one_step_that_is_not_enough_is_told(rng):
    x = rng.normal(size=(500, 10))
    with pytest.warns(ConvergenceWarning, match="max_iter=1"):
        SphericalKMeans(20, max_iter=1, random_state=0).fit(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SphericalKMeans(20, random_state=0).fit(x)
