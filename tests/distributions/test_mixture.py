"""The mixture is a scikit-learn estimator, maximises the likelihood, and finds what was drawn."""

import csv
import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse
import tensorflow as tf
from scipy import stats
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, normalize
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.conftest import SHARED
from tf_vmf._errors import ArgumentError
from tf_vmf.distributions import SphericalKMeans, VonMisesFisher, VonMisesFisherMixture

HOUSEHOLD = SHARED / "data" / "household" / "household.csv"


def failures_by_design(estimator):
    checks = {}
    if estimator.zero_rows == "error":
        zeros = "feeds rows of zeros, which have no direction and are refused"
        checks = {"check_estimator_sparse_tag": zeros, "check_estimators_dtypes": zeros}
    else:
        classes = "takes an estimator with predict_proba for a classifier, and reads tags of one"
        checks = {"check_estimator_sparse_array": classes, "check_estimator_sparse_matrix": classes}
    if estimator.n_components > 1:
        for kind in ("dense", "sparse"):
            checks[f"check_sample_weight_equivalence_on_{kind}_data"] = "rows are drawn as starts: as for KMeans"
    return checks


@parametrize_with_checks(
    [VonMisesFisherMixture(), *(VonMisesFisherMixture(2, assignment=a, zero_rows="uniform") for a in ("soft", "hard"))],
    expected_failed_checks=failures_by_design,
)
def test_the_estimator_keeps_the_conventions_of_scikit_learn(estimator, check):
    check(estimator)


def drawn(count=3000, dim=6, seed=0):
    """Points of a known mixture, with scipy's sampler."""
    rng = np.random.default_rng(seed)
    mu = np.linalg.qr(rng.normal(size=(dim, 3)))[0].T
    weights, kappa = np.array([0.5, 0.3, 0.2]), np.array([20.0, 60.0, 120.0])
    labels = rng.choice(3, count, p=weights)
    x = np.stack([stats.vonmises_fisher(mu[k], kappa[k]).rvs(1, random_state=rng)[0] for k in labels])
    return x, labels, (weights, mu, kappa)


def log_likelihood(x, weights, mu, kappa):
    parts = [np.log(w) + stats.vonmises_fisher(m, k).logpdf(x) for w, m, k in zip(weights, mu, kappa, strict=True)]
    return np.logaddexp.reduce(parts, axis=0)


@pytest.mark.parametrize("tied", [False, True])
def test_a_simulated_mixture_is_recovered_within_error_bars(tied):
    x, labels, (weights, mu, kappa) = drawn()
    mixture = VonMisesFisherMixture(3, tied_concentration=tied, random_state=1, tol=1e-8, max_iter=500).fit(x)
    order = [int(np.argmax(mixture.mean_directions_ @ m)) for m in mu]
    assert adjusted_rand_score(labels, mixture.predict(x)) > 0.95
    counts = len(x) * weights
    np.testing.assert_array_less(np.abs(mixture.weights_[order] - weights), 4.5 * np.sqrt(weights / len(x)))
    # The mean direction scatters like a normal distribution of variance 1 / (n kappa A) in each of d - 1 directions.
    angle = np.arccos(np.sum(mixture.mean_directions_[order] * mu, axis=1))
    np.testing.assert_array_less(angle, 4.5 * np.sqrt(5 / (counts * kappa)))
    if tied:
        assert np.ptp(mixture.concentrations_) == 0
        assert kappa.min() < mixture.concentrations_[0] < kappa.max()
    else:  # Var(log kappa) = 2 / (n (d - 1)) for large kappa
        error = 4.5 * np.sqrt(2 / (counts * 5))
        np.testing.assert_array_less(np.abs(np.log(mixture.concentrations_[order] / kappa)), error)
        assert mixture.score(x) >= log_likelihood(x, weights, mu, kappa).mean()


def test_densities_and_probabilities_are_scipys():
    x, _, _ = drawn(200)
    mixture = VonMisesFisherMixture(3, random_state=0).fit(x)
    parameters = mixture.weights_, mixture.mean_directions_, mixture.concentrations_
    expected = log_likelihood(x, *parameters)
    np.testing.assert_allclose(mixture.score_samples(x), expected, atol=1e-9)
    assert mixture.score(x) == pytest.approx(expected.mean(), abs=1e-10)
    assert mixture.lower_bound_ == pytest.approx(expected.mean(), abs=1e-10)
    number = 3 * 5 + 3 + 2
    assert mixture.bic(x) == pytest.approx(number * np.log(200) - 2 * expected.sum(), abs=1e-8)
    assert mixture.aic(x) == pytest.approx(2 * number - 2 * expected.sum(), abs=1e-8)
    component = np.log(parameters[0][1]) + stats.vonmises_fisher(parameters[1][1], parameters[2][1]).logpdf(x)
    np.testing.assert_allclose(mixture.predict_proba(x)[:, 1], np.exp(component - expected), atol=1e-9)
    np.testing.assert_allclose(mixture.predict_proba(x).sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(mixture.predict(x), mixture.predict_proba(x).argmax(axis=1))


@pytest.mark.parametrize("scale", [1.0, 100.0])  # within, and far beyond, what exponentials of float64 hold
@pytest.mark.parametrize("dim", [3, 80])
def test_densities_far_from_every_component_are_scipys(dim, scale, rng):
    """Rows opposite to all components, of any length, dense and sparse; many columns are another way through the products."""
    mu = normalize(np.eye(2, dim) + 0.1)
    mixture = VonMisesFisherMixture(2, random_state=0).fit(rng.normal(size=(50, dim)))
    mixture.weights_, mixture.mean_directions_ = np.array([0.3, 0.7]), mu
    mixture.concentrations_ = scale * np.array([8.0, 50.0])
    x = normalize(np.concatenate([-mu, rng.normal(size=(20, dim))]))
    components = [stats.vonmises_fisher(m, k) for m, k in zip(mu, mixture.concentrations_, strict=True)]
    terms = np.log(mixture.weights_) + np.stack([c.logpdf(x) for c in components], axis=1)
    expected = logsumexp(terms, axis=1)
    for rows in (x, 7 * x, scipy.sparse.csr_matrix(x)):
        np.testing.assert_allclose(mixture.score_samples(rows), expected, rtol=1e-11)
        np.testing.assert_allclose(mixture.predict_proba(rows), np.exp(terms - expected[:, np.newaxis]), atol=1e-11)


def test_steps_never_lower_the_likelihood_and_end_at_a_stationary_point():
    x, _, _ = drawn(400)
    bounds = []
    for steps in range(1, 12):
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            bounds.append(
                VonMisesFisherMixture(3, max_iter=steps, tol=0, random_state=3, init="random", concentration_prior=0)
                .fit(x)
                .lower_bound_
            )
    assert np.all(np.diff(bounds) > -1e-12)
    mixture = VonMisesFisherMixture(3, tol=1e-13, max_iter=2000, random_state=3, concentration_prior=0).fit(x)
    assert np.all(np.diff(mixture.lower_bounds_) > -1e-12)
    assert mixture.lower_bounds_[-1] == mixture.lower_bound_
    assert len(mixture.lower_bounds_) == mixture.n_iter_
    responsibilities = mixture.predict_proba(x)
    for k in range(3):  # each component is the weighted maximum-likelihood fit
        fitted = VonMisesFisher.experimental_fit(x, weights=responsibilities[:, k])
        np.testing.assert_allclose(fitted.mean_direction, mixture.mean_directions_[k], atol=1e-5)
        assert float(fitted.concentration) == pytest.approx(mixture.concentrations_[k], rel=1e-5)


def household():
    with HOUSEHOLD.open() as file:
        rows = list(csv.DictReader(file))
    return np.array([[float(row[name]) for name in ("housing", "food", "service")] for row in rows])


@pytest.mark.skipif(not HOUSEHOLD.exists(), reason="the household data are not part of the repository")
def test_the_published_values_of_movmf_on_household_expenditures_are_reproduced():
    """K. Hornik, B. Gruen, JSS 58(10), 2014. Their densities are with respect to the uniform distribution."""
    x = household()
    log_area = np.log(4 * np.pi)
    published = {1: -169.4291, 2: -200.3364, 3: -211.5490}
    for count, bic in published.items():
        options = {"n_init": 10, "tol": 1e-10, "max_iter": 2000, "random_state": 0}
        mixture = VonMisesFisherMixture(count, concentration_prior=0, **options).fit(x)
        assert mixture.bic(x) - 2 * len(x) * log_area == pytest.approx(bic, abs=2e-4)
        order = np.argsort(-mixture.concentrations_)
        if count == 2:
            np.testing.assert_allclose(mixture.weights_[order], [0.47, 0.53], atol=0.005)
            np.testing.assert_allclose(mixture.concentrations_[order], [114.70, 17.96], rtol=3e-4)
        if count == 3:
            np.testing.assert_allclose(mixture.concentrations_[order], [181.21, 83.26, 62.91], rtol=3e-4)


def exact_likelihood(count, **options):
    return VonMisesFisherMixture(count, concentration_prior=0, tol=1e-9, max_iter=5000, **options)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*collapsed to equal points:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.skipif(not HOUSEHOLD.exists(), reason="the household data are not part of the repository")
def test_the_published_maxima_for_four_and_five_components_are_found_and_not_beaten_by_collapsed_ones():
    """The likelihood has many maxima. Theirs is among those of single starts, and the best of twenty starts is as good."""
    x = household()
    log_area = np.log(4 * np.pi)
    for count, bic, init in ((4, -206.9498, "k-means++"), (5, -198.5651, "random")):
        found = [exact_likelihood(count, init=init, random_state=seed).fit(x).bic(x) for seed in range(40)]
        assert min(abs(value - 2 * len(x) * log_area - bic) for value in found) < 2e-3
        mixture = exact_likelihood(count, n_init=40, random_state=0).fit(x)
        assert mixture.bic(x) - 2 * len(x) * log_area < bic + 1e-3
        assert mixture.concentrations_.max() < 1e4  # and no component has collapsed


@pytest.mark.parametrize("assignment", ["soft", "hard"])
@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array", "coo_array", "float32", "list"])
def test_sparse_and_other_inputs_give_what_dense_ones_give(kind, assignment, rng):
    x = rng.poisson(0.4, size=(120, 40)).astype(float)
    x[np.arange(120), rng.integers(40, size=120)] += 1
    mixture = VonMisesFisherMixture(3, assignment=assignment, random_state=0, n_init=2)
    other = {"float32": lambda v: v.astype(np.float32), "list": lambda v: v.tolist()}.get(
        kind, getattr(scipy.sparse, kind, None)
    )(x)
    expected, got = clone(mixture).fit(x), clone(mixture).fit(other)
    np.testing.assert_allclose(got.mean_directions_, expected.mean_directions_, atol=1e-9)
    np.testing.assert_allclose(got.concentrations_, expected.concentrations_, rtol=1e-9)
    np.testing.assert_allclose(got.predict_proba(other), expected.predict_proba(x), atol=1e-9)


def test_thousands_of_dimensions_stay_sparse(rng):
    # A dense copy would take 16 GB.
    values = np.concatenate([rng.uniform(0.5, 1, 1000), rng.uniform(size=9000)])
    columns = np.concatenate([np.zeros(1000, int), rng.integers(1, 2_000_000, 9000)])
    x = scipy.sparse.csr_matrix((values, (np.tile(np.arange(1000), 10), columns)), shape=(1000, 2_000_000))
    mixture = VonMisesFisherMixture(1).fit(x)
    assert np.isfinite(mixture.score(x))
    r = np.linalg.norm(normalize(x).mean(axis=0))
    # A(kappa) = kappa / d (1 + O(1 / d)) while kappa << d; here from the leading term r d / (1 - r^2).
    assert mixture.concentrations_[0] == pytest.approx(r * x.shape[1] / (1 - r**2), rel=1e-5)


def test_hard_assignment_is_spherical_k_means(rng):
    x = normalize(rng.normal(size=(400, 5)) + 2 * np.eye(5)[rng.integers(4, size=400)])
    start = x[[0, 10, 20, 30]]
    mixture = VonMisesFisherMixture(4, assignment="hard", init=start, tol=0, max_iter=300, concentration_prior=0).fit(x)
    # By plain Python.
    centres = start
    for _ in range(300):
        labels = np.argmax(x @ centres.T, axis=1)
        centres = normalize(np.stack([x[labels == k].sum(axis=0) for k in range(4)]))
    np.testing.assert_array_equal(mixture.predict(x), labels)
    np.testing.assert_allclose(mixture.mean_directions_, centres, atol=1e-12)
    np.testing.assert_allclose(mixture.weights_, np.bincount(labels) / 400)
    assert mixture.lower_bound_ == pytest.approx(np.max(x @ centres.T, axis=1).mean(), rel=1e-12)
    for k in range(4):
        _, kappa = stats.vonmises_fisher.fit(x[labels == k])
        assert mixture.concentrations_[k] == pytest.approx(kappa, rel=1e-6)


def test_with_several_starts_hard_assignment_is_as_good_as_k_means_on_well_separated_clusters():
    x, labels, _ = drawn(600)
    mixture = VonMisesFisherMixture(3, assignment="hard", n_init=5, random_state=0).fit(x)
    others = KMeans(3, n_init=5, random_state=0).fit_predict(x)
    assert adjusted_rand_score(labels, mixture.predict(x)) >= adjusted_rand_score(labels, others) - 0.01


def test_weights_count_like_repeated_rows(rng):
    x, _, _ = drawn(150)
    counts = rng.integers(0, 3, 150)
    start = x[:3]
    for assignment in ("soft", "hard"):
        mixture = VonMisesFisherMixture(3, assignment=assignment, init=start, tol=1e-10, max_iter=1000)
        weighted, repeated = (
            clone(mixture).fit(x, sample_weight=counts),
            clone(mixture).fit(np.repeat(x, counts, axis=0)),
        )
        np.testing.assert_allclose(weighted.mean_directions_, repeated.mean_directions_, atol=1e-9)
        np.testing.assert_allclose(weighted.concentrations_, repeated.concentrations_, rtol=1e-8)
        np.testing.assert_allclose(weighted.weights_, repeated.weights_, rtol=1e-9)


def test_samples_are_reproducible_follow_the_mixture_and_lie_on_the_sphere():
    x, _, _ = drawn(1000)
    mixture = VonMisesFisherMixture(3, random_state=0).fit(x)
    points, labels = mixture.sample(5000)
    np.testing.assert_array_equal(points, mixture.sample(5000)[0])
    assert points.shape == (5000, 6)
    assert labels.shape == (5000,)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, rtol=1e-12)
    error = np.sqrt(mixture.weights_ / 5000)
    np.testing.assert_array_less(np.abs(np.bincount(labels) / 5000 - mixture.weights_), 4.5 * error)
    for k in range(3):
        _, kappa = stats.vonmises_fisher.fit(points[labels == k])
        assert kappa == pytest.approx(mixture.concentrations_[k], rel=0.15)
    with pytest.raises(ArgumentError) as caught:
        mixture.sample(0)
    assert caught.value.name == "n_samples"


def test_degenerate_data_give_finite_components_and_a_warning_that_names_them():
    same = np.tile([0.6, 0.8, 0.0], (10, 1))
    with pytest.warns(ConvergenceWarning, match=r"Components 0, 1, 2 collapsed .* rows 0, 1, 2, 3, 4 and 5 more"):
        mixture = VonMisesFisherMixture(3, random_state=0).fit(same)
    for value in (mixture.weights_, mixture.mean_directions_, mixture.concentrations_, mixture.score_samples(same)):
        assert np.isfinite(value).all()
    opposite = VonMisesFisherMixture(1).fit([[1.0, 0.0], [-1.0, 0.0]])
    assert opposite.concentrations_[0] == 0
    one_each = VonMisesFisherMixture(3, init=np.eye(3)).fit(np.eye(3))  # the prior holds them
    np.testing.assert_allclose(one_each.weights_, 1 / 3, rtol=1e-3)
    with pytest.warns(ConvergenceWarning, match="Components 0, 1, 2 collapsed .* rows 0, 1, 2:"):
        VonMisesFisherMixture(3, init=np.eye(3), concentration_prior=0).fit(np.eye(3))
    with pytest.warns(ConvergenceWarning, match="collapsed"):
        hard = VonMisesFisherMixture(2, assignment="hard", init=[[1.0, 0, 0], [0, 0, 1.0]]).fit(same)
    assert np.isfinite(hard.concentrations_).all()
    np.testing.assert_allclose(sorted(hard.weights_), [0, 1])
    assert np.isfinite(hard.score(same))


def test_extreme_dimensions_and_concentrations_are_recovered():
    for dim, kappa in ((3, 1e8), (100_000, 1e6)):
        mu = tf.one_hot(1, dim, dtype=tf.float64)
        x = VonMisesFisher(mu, kappa).sample(60, seed=(1, 2)).numpy()
        mixture = VonMisesFisherMixture(1).fit(x)
        assert mixture.concentrations_[0] == pytest.approx(kappa, rel=4.5 * np.sqrt(2 / (60 * (dim - 1))) + 0.02)


@pytest.mark.parametrize("sparse", [False, True])
def test_rows_of_zeros_and_rows_of_another_length_are_refused_by_number(sparse, rng):
    x = normalize(rng.normal(size=(20, 4)))
    convert = scipy.sparse.csr_matrix if sparse else np.asarray
    fitted = VonMisesFisherMixture(2, random_state=0).fit(convert(x))
    zero, scaled = x.copy(), x.copy()
    zero[[3, 17]] = 0
    scaled[5] *= 2
    for method in (VonMisesFisherMixture(2).fit, fitted.predict, fitted.score_samples):
        with pytest.raises(ArgumentError) as caught:
            method(convert(zero))
        assert (caught.value.name, caught.value.owner) == ("X", "VonMisesFisherMixture")
        assert "rows 3, 17" in caught.value.received
    strict = VonMisesFisherMixture(2, normalize=False, random_state=0)
    with pytest.raises(ArgumentError, match="unit length") as caught:
        strict.fit(convert(scaled))
    assert "row 5, the first of norm 2" in caught.value.received
    np.testing.assert_allclose(strict.fit(convert(x)).concentrations_, fitted.concentrations_, rtol=1e-9)


def test_lengths_do_not_matter_however_small_or_large(rng):
    x = rng.normal(size=(30, 4))
    expected = VonMisesFisherMixture(2, random_state=0).fit(x).concentrations_
    scaled = x * np.array([1e-250, 1.0, 1e250])[np.arange(30) % 3, None]
    np.testing.assert_allclose(
        VonMisesFisherMixture(2, random_state=0).fit(scaled).concentrations_, expected, rtol=1e-9
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_components", 0),
        ("n_components", 2.0),
        ("n_components", True),
        ("n_init", 0),
        ("max_iter", 0),
        ("tol", -1.0),
        ("tol", np.nan),
        ("assignment", "firm"),
        ("init", "kmeans"),
        ("tied_concentration", "False"),
        ("normalize", "False"),
        ("warm_start", "False"),
        ("zero_rows", "drop"),
        ("concentration_prior", -0.1),
        ("concentration_prior", "off"),
    ],
)
def test_bad_parameters_are_named(name, value, rng):
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter"):
        VonMisesFisherMixture(**{name: value}).fit(rng.normal(size=(20, 4)))


@pytest.mark.parametrize(
    ("init", "received"),
    [
        (np.eye(3), "shape (3, 3)"),
        ([[1.0, 0, 0, 0], [0.0, 0, 0, 0]], "row 1 of `init`"),
        ([[1.0, 0, 0, 0], [0.0, 0, 0, np.nan]], "row 1 of `init`"),
        (np.full(20, 2), "shape (20,)"),
        (np.zeros(20, int), "none for 1"),
        (np.zeros(20), "dtype float64"),
        (np.full((20, 2), -1.0), "shape (20, 2)"),
        (np.array([["a"] * 4] * 2), "'a'"),
    ],
)
def test_a_bad_start_is_told_as_a_start(init, received, rng):
    with pytest.raises(ArgumentError) as caught:
        VonMisesFisherMixture(2, init=init).fit(rng.normal(size=(20, 4)))
    assert caught.value.name == "init"
    assert received in caught.value.received


def test_more_components_than_rows_are_refused(rng):
    with pytest.raises(ArgumentError) as caught:
        VonMisesFisherMixture(30).fit(rng.normal(size=(20, 4)))
    assert caught.value.name == "n_components"


@pytest.mark.parametrize("estimator", [VonMisesFisherMixture(3), SphericalKMeans(3)], ids=lambda e: type(e).__name__)
def test_masked_numbers_are_missing_ones(estimator, rng):
    x = rng.normal(size=(30, 4))
    np.testing.assert_array_equal(
        clone(estimator).set_params(random_state=0).fit(np.ma.masked_array(x, np.zeros_like(x))).labels_,
        clone(estimator).set_params(random_state=0).fit(x).labels_,
    )
    with pytest.raises(ArgumentError, match="NaN in rows 3, 17"):
        clone(estimator).fit(np.ma.masked_array(x, np.isin(np.arange(30), [3, 17])[:, np.newaxis] * np.ones(4)))


@pytest.mark.parametrize(
    ("estimator", "name"), [(VonMisesFisherMixture(3), "n_components"), (SphericalKMeans(3), "n_clusters")]
)
def test_batches_do_not_go_on_with_another_number_of_clusters(estimator, name, rng):
    x = rng.normal(size=(30, 4))
    fitted = clone(estimator).partial_fit(x).set_params(**{name: 5})
    with pytest.raises(ArgumentError) as error:
        fitted.partial_fit(x)
    assert error.value.name == name


def test_it_works_in_pipelines_searches_and_pickles(rng):
    x, _, _ = drawn(300)
    pipeline = make_pipeline(FunctionTransformer(lambda v: 3 * v), VonMisesFisherMixture(3, random_state=0)).fit(x)
    labels = pipeline.predict(x)
    search = GridSearchCV(VonMisesFisherMixture(random_state=0), {"n_components": [1, 3]}, cv=3).fit(x)
    assert search.best_params_ == {"n_components": 3}
    mixture = pickle.loads(pickle.dumps(pipeline[-1]))
    np.testing.assert_array_equal(mixture.predict(x), labels)
    np.testing.assert_array_equal(clone(mixture).fit_predict(x), labels)


def test_blocks_of_rows_change_nothing(monkeypatch):
    x, _, _ = drawn(300)
    for assignment in ("soft", "hard"):
        mixture = VonMisesFisherMixture(3, assignment=assignment, random_state=0)
        expected = clone(mixture).fit(x)
        with monkeypatch.context() as patch:
            patch.setattr("tf_vmf.distributions.directions._BLOCK", 50)
            patch.setattr("tf_vmf.distributions.directions._FEWEST", 7)
            got = clone(mixture).fit(x)
            np.testing.assert_allclose(got.score_samples(x), expected.score_samples(x), rtol=1e-9)
            np.testing.assert_array_equal(got.predict(x), expected.predict(x))
