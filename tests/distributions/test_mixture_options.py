"""Priors, starts, going on, weights of zero, rows of zeros and large data: what the mixture does around EM."""

import copy
import pickle
import subprocess
import sys
import tracemalloc
import warnings

import numpy as np
import pytest
import scipy.sparse
from scipy import stats
from scipy.optimize import brentq
from scipy.special import ive
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import normalize

from tests.distributions.test_mixture import HOUSEHOLD, drawn, household
from tf_vmf import VonMisesFisherMixture
from tf_vmf._errors import ArgumentError


def inverse_mean_length(length, dim):
    """By scipy's Bessel functions and a root finder."""
    return brentq(lambda k: ive(dim / 2, k) / ive(dim / 2 - 1, k) - length, 1e-6, 1e6, xtol=1e-10)


@pytest.mark.parametrize("prior", [0, 0.5, 3.0])
def test_the_prior_is_that_of_movmf(prior):
    x, _, _ = drawn(200)
    mixture = VonMisesFisherMixture(3, concentration_prior=prior, tol=1e-12, max_iter=3000, random_state=0).fit(x)
    share = mixture.predict_proba(x)
    for k in range(3):
        length = np.linalg.norm(share[:, k] @ x) / (share[:, k].sum() + prior)
        assert mixture.concentrations_[k] == pytest.approx(inverse_mean_length(length, 6), rel=1e-5)


def test_the_prior_of_a_common_concentration_counts_once():
    x, _, _ = drawn(200)
    options = {"tol": 1e-12, "max_iter": 3000, "random_state": 0}
    mixture = VonMisesFisherMixture(3, concentration_prior=2.0, tied_concentration=True, **options).fit(x)
    lengths = np.linalg.norm(mixture.predict_proba(x).T @ x, axis=1)
    expected = inverse_mean_length(lengths.sum() / (200 + 2.0), 6)
    np.testing.assert_allclose(mixture.concentrations_, expected, rtol=1e-5)


@pytest.mark.skipif(not HOUSEHOLD.exists(), reason="the household data are not part of the repository")
def test_the_criterion_finds_the_published_number_of_components_and_is_not_drawn_to_collapsed_ones():
    x = household()
    found = {k: VonMisesFisherMixture(k, n_init=5, random_state=0, max_iter=500).fit(x).bic(x) for k in range(1, 15)}
    assert min(found, key=found.get) == 3
    assert found[3] - 2 * len(x) * np.log(4 * np.pi) == pytest.approx(-211.5490, abs=0.02)
    with pytest.warns(ConvergenceWarning, match="collapsed to equal points"):
        without = VonMisesFisherMixture(10, random_state=0, concentration_prior=0, max_iter=500).fit(x)
    assert without.bic(x) < found[3]  # which is why there is a prior


def test_few_points_in_many_dimensions_have_the_number_of_components_that_they_were_drawn_with():
    rng = np.random.default_rng(0)
    centers = normalize(rng.normal(size=(10, 768)))
    x = np.repeat(centers, 10, axis=0) + 0.03 * rng.normal(size=(100, 768))
    found = {k: VonMisesFisherMixture(k, n_init=3, random_state=0).fit(x).bic(x) for k in (1, 5, 10, 15, 30, 60)}
    assert min(found, key=found.get) == 10


@pytest.mark.parametrize("assignment", ["soft", "hard"])
@pytest.mark.parametrize("seed", range(5))
def test_a_repeated_point_among_others_does_not_take_an_unbounded_density(seed, assignment):
    rng = np.random.default_rng(seed)
    x = normalize(rng.normal(size=(100, 3)))
    x = np.concatenate([x, np.repeat(x[:1], 20, axis=0)])
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        mixture = VonMisesFisherMixture(5, assignment=assignment, random_state=seed).fit(x)
        exact = VonMisesFisherMixture(5, assignment=assignment, random_state=seed, concentration_prior=0)
    assert mixture.concentrations_.max() < 1e5
    if assignment == "soft":
        with pytest.warns(ConvergenceWarning, match=r"collapsed to equal points, rows .*0.*100"):
            exact.fit(x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_concentrations_beyond_the_old_cap_are_those_of_the_points(dtype):
    # Half an arc second, about 2.4e-6: kappa = 1 / s^2 with the spread s in each of the two tangent directions.
    rng = np.random.default_rng(0)
    spread = 2.4e-6
    tangents = spread * rng.normal(size=(2, 400, 2))
    first = np.column_stack([np.ones(400), tangents[0]])
    second = np.column_stack([tangents[1, :, :1], -np.ones(400), tangents[1, :, 1:]])
    # Rows of float32 are rounded near 0 alone, where they are fine enough.
    x = np.concatenate([first, second]).astype(dtype)
    mixture = VonMisesFisherMixture(2, random_state=0).fit(x)
    for k, t in ((mixture.predict(x[:1])[0], tangents[0]), (mixture.predict(x[400:401])[0], tangents[1])):
        expected = 2 * 400 / np.sum((t - t.mean(axis=0)) ** 2)
        assert mixture.concentrations_[k] == pytest.approx(expected, rel=1e-3)


def test_starts_from_labels_posteriors_directions_and_callables_lead_to_the_same_place():
    x, labels, (_, mu, _) = drawn(600)
    options = {"tol": 1e-10, "max_iter": 1000, "concentration_prior": 0}
    expected = VonMisesFisherMixture(3, init=mu, **options).fit(x)
    partly = np.where(np.arange(600) % 2, labels, -1)
    for init in (
        labels,
        labels.tolist(),
        partly,
        np.eye(3)[labels],
        0.8 * np.eye(3)[labels] + 0.1,
        scipy.sparse.csr_matrix(np.eye(3)[labels]),
        lambda X, count, random_state: mu,
        lambda X, count, random_state: labels,
    ):
        found = VonMisesFisherMixture(3, init=init, **options).fit(x)
        np.testing.assert_allclose(found.mean_directions_, expected.mean_directions_, atol=1e-4)
        np.testing.assert_allclose(found.concentrations_, expected.concentrations_, rtol=1e-3)


def test_every_start_runs_once_and_can_be_watched(capsys):
    x, labels, _ = drawn(300)
    calls = []

    def init(X, count, random_state):
        calls.append(count)
        return X[random_state.choice(len(X), count, replace=False)]

    VonMisesFisherMixture(3, init=init, n_init=4, random_state=0, verbose=1).fit(x)
    assert calls == [3] * 4
    assert len(capsys.readouterr().out.splitlines()) == 4
    mixture = VonMisesFisherMixture(3, random_state=0, verbose=2).fit(x)
    assert len(capsys.readouterr().out.splitlines()) == mixture.n_iter_ + 1
    with pytest.warns(RuntimeWarning, match="one is run instead of n_init=5"):
        VonMisesFisherMixture(3, init=labels, n_init=5).fit(x)


def test_a_warm_start_goes_on():
    x, _, _ = drawn(400)
    whole = VonMisesFisherMixture(3, random_state=0, tol=0, max_iter=20)
    parts = VonMisesFisherMixture(3, random_state=0, tol=0, max_iter=10, warm_start=True)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        whole.fit(x)
        parts.fit(x).fit(x)
    np.testing.assert_allclose(parts.mean_directions_, whole.mean_directions_, atol=1e-12)
    np.testing.assert_allclose(parts.concentrations_, whole.concentrations_, rtol=1e-10)
    with pytest.raises(ArgumentError) as caught:
        parts.set_params(n_components=4).fit(x)
    assert caught.value.name == "n_components"


@pytest.mark.parametrize("assignment", ["soft", "hard"])
def test_batches_lead_to_where_all_rows_lead(assignment):
    x, labels, _ = drawn(6000)
    whole = VonMisesFisherMixture(3, assignment=assignment, random_state=0, n_init=3).fit(x)
    online = VonMisesFisherMixture(3, assignment=assignment, random_state=0, n_init=3)
    for batch in np.array_split(x, 30):
        assert online.partial_fit(batch) is online
    assert len(online.labels_) == 200
    order = [int(np.argmax(online.mean_directions_ @ m)) for m in whole.mean_directions_]
    assert np.sum(online.mean_directions_[order] * whole.mean_directions_, axis=1).min() > 0.999
    np.testing.assert_allclose(online.weights_[order], whole.weights_, atol=0.03)
    np.testing.assert_allclose(online.concentrations_[order], whole.concentrations_, rtol=0.1)
    assert adjusted_rand_score(labels, online.predict(x)) > 0.95


def test_batches_forget_what_is_long_ago():
    first, _, _ = drawn(600)
    mixture = VonMisesFisherMixture(1).partial_fit(first)
    later = stats.vonmises_fisher(np.eye(6)[0], 50.0).rvs(600 * 40, random_state=0)
    for batch in np.array_split(later, 40):
        mixture.partial_fit(batch)
    assert mixture.mean_directions_[0, 0] > 0.99


def test_a_warm_start_takes_another_prior():
    x, _, _ = drawn(200)
    mixture = VonMisesFisherMixture(2, random_state=0, warm_start=True, concentration_prior=0.5).fit(x)
    mixture.set_params(concentration_prior="auto").fit(x)
    assert mixture.converged_


@pytest.mark.parametrize(("rows", "dim", "dtype"), [(100_000, 3, np.float64), (5000, 100, np.float32)])
def test_many_equal_rows_are_told_from_a_cluster(rows, dim, dtype, rng):
    x = np.tile(rng.normal(size=(1, dim)), (rows, 1)).astype(dtype)
    with pytest.warns(ConvergenceWarning, match="Component 0 collapsed to equal points"):
        VonMisesFisherMixture(1).fit(x)


def test_a_score_of_rows_without_a_direction_is_refused():
    x, _, _ = drawn(50)
    mixture = VonMisesFisherMixture(2, random_state=0, zero_rows="uniform").fit(x)
    for method in (mixture.score, mixture.bic, mixture.aic, mixture.icl):
        with pytest.raises(ArgumentError) as caught:
            method(np.zeros((3, 6)))
        assert caught.value.received == "only rows of zeros"


def test_labels_are_those_of_predict_and_icl_adds_the_entropy():
    x, _, _ = drawn(400)
    mixture = VonMisesFisherMixture(3, random_state=0).fit(x)
    np.testing.assert_array_equal(mixture.labels_, mixture.predict(x))
    share = mixture.predict_proba(x)
    assert mixture.icl(x) == pytest.approx(mixture.bic(x) + 2 * stats.entropy(share, axis=1).sum(), rel=1e-10)
    hard = VonMisesFisherMixture(3, assignment="hard", random_state=0).fit(x)
    assert hard.icl(x) == hard.bic(x)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("assignment", ["soft", "hard"])
def test_rows_of_zeros_can_count_as_any_direction(assignment, sparse):
    x, _, _ = drawn(300)
    start = x[:3]
    with_zeros = np.insert(x, [0, 10, 300], 0.0, axis=0)
    zero = np.flatnonzero(~with_zeros.any(axis=1))
    convert = scipy.sparse.csr_matrix if sparse else np.asarray
    mixture = VonMisesFisherMixture(3, assignment=assignment, init=start)
    expected = clone(mixture).fit(x)
    found = clone(mixture).set_params(zero_rows="uniform").fit(convert(with_zeros))
    np.testing.assert_allclose(found.mean_directions_, expected.mean_directions_, atol=1e-12)
    np.testing.assert_allclose(found.weights_, expected.weights_, rtol=1e-12)
    np.testing.assert_allclose(found.predict_proba(convert(with_zeros))[zero], np.tile(found.weights_, (3, 1)))
    np.testing.assert_array_equal(found.predict(convert(with_zeros))[zero], np.argmax(found.weights_))
    area = 2 * np.pi**3 / 2  # of the unit sphere in six dimensions, pi^3
    np.testing.assert_allclose(found.score_samples(convert(with_zeros))[zero], -np.log(area), rtol=1e-12)
    assert found.bic(convert(with_zeros)) == pytest.approx(expected.bic(x), rel=1e-10)
    assert found.score(convert(with_zeros)) == pytest.approx(expected.score(x), rel=1e-10)


@pytest.mark.parametrize("sparse", [False, True])
def test_rows_of_weight_zero_may_hold_anything(sparse):
    x, _, _ = drawn(200)
    weight = np.ones(200)
    weight[[3, 50, 90]] = 0
    bad = x.copy()
    bad[3], bad[50, 0], bad[90] = 0, np.nan, np.inf
    convert = scipy.sparse.csr_matrix if sparse else np.asarray
    mixture = VonMisesFisherMixture(3, init=x[:3])
    expected = clone(mixture).fit(x[weight > 0])
    given = convert(bad)
    before = given.copy()
    found = clone(mixture).fit(given, sample_weight=weight)
    np.testing.assert_allclose(found.mean_directions_, expected.mean_directions_, atol=1e-12)
    np.testing.assert_array_equal(found.labels_[[3, 50, 90]], -1)
    np.testing.assert_array_equal(np.asarray(before.data), np.asarray(given.data))  # the caller's matrix is as it was
    with pytest.raises(ArgumentError) as caught:
        clone(mixture).fit(given)
    assert caught.value.received == "NaN in rows 50, 90"
    with pytest.raises(ArgumentError) as caught:
        clone(mixture).fit(x, sample_weight=np.zeros(200))
    assert caught.value.name == "sample_weight"


def test_weights_of_any_size_and_duplicate_entries_are_counted():
    x, _, _ = drawn(200)
    options = {"init": x[:3], "concentration_prior": 0}
    expected = VonMisesFisherMixture(3, **options).fit(x)
    for size in (1e-300, 1e300):
        found = VonMisesFisherMixture(3, **options).fit(x, sample_weight=np.full(200, size))
        np.testing.assert_allclose(found.concentrations_, expected.concentrations_, rtol=1e-9)
    rows, columns = np.indices(x.shape).reshape(2, -1)
    twice = scipy.sparse.csr_matrix(
        (
            np.tile(x.ravel() / 2, 2),
            np.tile(columns, 2)[np.argsort(np.tile(rows, 2), kind="stable")],
            np.arange(201) * 12,
        ),
        shape=x.shape,
    )
    twice.data = np.repeat(x / 2, 2, axis=0).ravel()
    twice.indices = np.tile(np.arange(6), 400).astype(twice.indices.dtype)
    assert not twice.has_canonical_format
    found = VonMisesFisherMixture(3, **options).fit(twice)
    np.testing.assert_allclose(found.concentrations_, expected.concentrations_, rtol=1e-9)
    assert twice.nnz == 2400


def test_float32_stays_float32_without_a_copy_of_the_rows():
    rng = np.random.default_rng(0)
    centers = normalize(rng.normal(size=(20, 256)))
    x = (centers[rng.integers(20, size=20_000)] + 0.1 * rng.normal(size=(20_000, 256))).astype(np.float32)
    mixture = VonMisesFisherMixture(20, random_state=0, max_iter=3, tol=1)
    tracemalloc.start()
    mixture.fit(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    mixture.predict(x)
    of_predict = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.0 * x.nbytes  # beside X itself: less than one copy
    assert of_predict < 0.5 * x.nbytes
    assert mixture.predict_proba(x[:5]).dtype == np.float32
    double = clone(mixture).fit(x.astype(np.float64))
    np.testing.assert_allclose(mixture.concentrations_, double.concentrations_, rtol=1e-3)
    np.testing.assert_allclose(mixture.score(x), double.score(x), rtol=1e-5)


def test_memory_maps_data_frames_and_small_types_are_read(tmp_path):
    pandas = pytest.importorskip("pandas")
    x, _, _ = drawn(200)
    mixture = VonMisesFisherMixture(3, init=x[:3])
    expected = clone(mixture).fit(x)
    np.save(tmp_path / "x.npy", x)
    mapped = clone(mixture).fit(np.load(tmp_path / "x.npy", mmap_mode="r"))
    np.testing.assert_array_equal(mapped.labels_, expected.labels_)
    frame = pandas.DataFrame(x, columns=list("abcdef"))
    framed = clone(mixture).fit(frame)
    assert framed.feature_names_in_.tolist() == list("abcdef")
    with pytest.raises(ValueError, match="feature names"):
        framed.predict(frame[list("fedcba")])
    for kind in (np.float16, np.int8):
        small = np.round(100 * x).astype(kind)
        np.testing.assert_array_equal(
            clone(mixture).fit(small).labels_, clone(mixture).fit(small.astype(np.float64)).labels_
        )


def test_it_serves_as_the_cluster_model_of_bertopic():
    """BERTopic's `_cluster_embeddings`: fit, labels_, then predict of new embeddings, after a copy of the model."""

    class Topics:
        def __init__(self, hdbscan_model):
            self.hdbscan_model = pickle.loads(pickle.dumps(copy.deepcopy(hdbscan_model)))

        def fit_transform(self, embeddings, y=None):
            try:
                self.hdbscan_model.fit(embeddings, y=y)
            except TypeError:
                self.hdbscan_model.fit(embeddings)
            labels = self.hdbscan_model.labels_
            if hasattr(self.hdbscan_model, "probabilities_"):
                raise AssertionError("BERTopic would take these for hdbscan's")
            return labels.tolist()

        def transform(self, embeddings):
            return self.hdbscan_model.predict(embeddings)

    x, labels, _ = drawn(300)
    for model in (
        VonMisesFisherMixture(3, random_state=0),
        VonMisesFisherMixture(3, random_state=0, assignment="hard"),
    ):
        topics = Topics(model)
        found = topics.fit_transform(x.astype(np.float32))
        assert all(isinstance(label, int) for label in found)
        assert adjusted_rand_score(labels, found) > 0.9
        np.testing.assert_array_equal(topics.transform(x.astype(np.float32)), found)


def test_neither_estimator_imports_tensorflow():
    program = """
import sys, numpy, tf_vmf
x = numpy.random.default_rng(0).normal(size=(30, 4))
tf_vmf.VonMisesFisherMixture(2, random_state=0).fit(x).bic(x)
tf_vmf.SphericalKMeans(2, random_state=0).fit(x).transform(x)
assert not {"tensorflow", "keras", "tensorflow_probability"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
