"""The loss is the exact negative log-likelihood, its gradients are those of the formula, and Keras saves it."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tests.refusals import refused
from tf_vmf._errors import ArgumentError
from tf_vmf.losses import VonMisesFisherLoss, mean_direction_and_concentration, von_mises_fisher_loss

mpmath = pytest.importorskip("mpmath")


def exact(y, vector, cosine_weight=1.0, length_penalty=0.0):
    """Loss and gradient of vectors by mpmath: log C = (d/2 - 1) log k - d/2 log 2 pi - log I_(d/2 - 1)(k)."""
    dim = len(y)
    with mpmath.workdps(60):
        y, v = ([mpmath.mpf(float(c)) for c in x] for x in (y, vector))
        norm = mpmath.sqrt(sum(c * c for c in y))
        y = [c / norm for c in y]
        k = mpmath.sqrt(sum(c * c for c in v))
        order = mpmath.mpf(dim) / 2 - 1
        log_bessel = mpmath.log(mpmath.besseli(order, k))
        log_z = mpmath.mpf(dim) / 2 * mpmath.log(2 * mpmath.pi) + log_bessel - order * mpmath.log(k)
        product = sum(a * b for a, b in zip(y, v, strict=True))
        loss = log_z - cosine_weight * product + length_penalty * k
        ratio = mpmath.besseli(order + 1, k) / mpmath.besseli(order, k)
        gradient = [(ratio + length_penalty) * b / k - cosine_weight * a for a, b in zip(y, v, strict=True)]
        return float(loss), np.array([float(g) for g in gradient])


def vectors(dim, kappa, seed=0):
    """A target that is as far from the predicted direction as one drawn from it, and the prediction, in float32."""
    rng = np.random.default_rng(seed)
    mu = rng.normal(size=dim)
    mu /= np.linalg.norm(mu)
    y = mu + min(1.0, 1 / np.sqrt(kappa)) * rng.normal(size=dim)
    return (y / np.linalg.norm(y)).astype(np.float32), (kappa * mu).astype(np.float32)


@pytest.mark.parametrize("weights", [{}, {"cosine_weight": 0.1, "length_penalty": 0.02}])
@pytest.mark.parametrize("dim", [2, 3, 50, 300])
def test_loss_and_gradient_are_exact_in_float32(dim, weights):
    kappas = np.array([1e-3, 0.3, 0.999, 1.001, 10.0, 300.0, 1e4, 1e6])
    y, given = (np.stack(rows) for rows in zip(*(vectors(dim, kappa) for kappa in kappas), strict=True))
    losses, gradients = zip(*(exact(*row, **weights) for row in zip(y, given, strict=True)), strict=True)
    given = tf.constant(given)
    with tf.GradientTape() as tape:
        tape.watch(given)
        found = von_mises_fisher_loss(y, given, **weights)
    scale = np.abs(losses) + dim + (kappas if weights else 1.0)  # what is added up, in float32
    np.testing.assert_array_less(np.abs(found - losses) / scale, 1e-6)
    np.testing.assert_allclose(tape.gradient(found, given), gradients, atol=2e-6)


def test_at_zero_the_loss_is_uniform_and_the_gradient_pulls_towards_the_target():
    y = np.eye(5, dtype=np.float32)
    zero = tf.zeros([5, 5])
    with tf.GradientTape() as tape:
        tape.watch(zero)
        loss = von_mises_fisher_loss(y, zero)
    np.testing.assert_allclose(loss, np.log(8 * np.pi**2 / 3), rtol=1e-6)  # the area of the sphere in five dimensions
    np.testing.assert_allclose(tape.gradient(loss, zero), -y, atol=1e-7)


def test_a_direction_with_a_concentration_is_the_same_law_and_scipys():
    rng = np.random.default_rng(0)
    mu, kappa = rng.normal(size=(6, 4)), np.array([1e-3, 0.5, 2.0, 30.0, 500.0, 1e4])
    y = rng.normal(size=(6, 4))
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    unit = mu / np.linalg.norm(mu, axis=1, keepdims=True)
    expected = [-stats.vonmises_fisher(m, k).logpdf(t) for m, k, t in zip(unit, kappa, y, strict=True)]
    both = np.column_stack([mu, kappa])
    np.testing.assert_allclose(von_mises_fisher_loss(y, both), expected, rtol=1e-9)
    np.testing.assert_allclose(von_mises_fisher_loss(y, unit * kappa[:, None]), expected, rtol=1e-9)
    for prediction in (both, unit * kappa[:, None]):
        found_mu, found_kappa = mean_direction_and_concentration(prediction, 4)
        np.testing.assert_allclose(found_mu, unit, rtol=1e-12)
        np.testing.assert_allclose(found_kappa, kappa, rtol=1e-12)


def test_second_derivatives_are_those_of_differences():
    y = np.array([[0.6, 0.8, 0.0]])
    for vector in ([[0.2, 0.1, -0.3]], [[5.0, -3.0, 2.0]]):
        v = tf.constant(vector, tf.float64)
        with tf.GradientTape() as outer:
            outer.watch(v)
            with tf.GradientTape() as inner:
                inner.watch(v)
                loss = von_mises_fisher_loss(y, v)
            gradient = inner.gradient(loss, v)
        hessian = outer.jacobian(gradient, v)[0, :, 0]
        step = 1e-5
        for axis in range(3):
            ends = [np.array(vector) + sign * step * np.eye(3)[axis] for sign in (1, -1)]
            up, down = (exact(y[0], end[0])[1] for end in ends)
            np.testing.assert_allclose(hessian[:, axis], (up - down) / (2 * step), rtol=1e-6, atol=1e-8)


def test_half_precision_and_graphs_and_xla_give_the_same():
    y, vector = (np.stack(v) for v in zip(*(vectors(20, 50.0, seed) for seed in range(4)), strict=True))
    expected = von_mises_fisher_loss(y, vector)
    for jit in (False, True):
        compiled = tf.function(von_mises_fisher_loss, jit_compile=jit)
        np.testing.assert_allclose(compiled(tf.constant(y), tf.constant(vector)), expected, rtol=1e-5)
    half = von_mises_fisher_loss(y.astype(np.float16), vector.astype(np.float16))
    assert half.dtype == tf.float32
    np.testing.assert_allclose(half, expected, rtol=2e-2)


def test_targets_that_are_no_unit_vectors_are_told():
    with refused("y_true", "2", "unit vectors"):
        VonMisesFisherLoss()([[2.0, 0.0]], [[1.0, 1.0]])
    graph = tf.function(von_mises_fisher_loss)
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected unit vectors"):
        graph(tf.constant([[0.0, 0.0]]), tf.constant([[1.0, 1.0]]))
    xla = tf.function(von_mises_fisher_loss, jit_compile=True)
    loss = xla(tf.constant([[0.0, 0.0], [1.0, 0.0]]), tf.constant([[1.0, 1.0]] * 2))
    np.testing.assert_array_equal(np.isnan(loss), [True, False])
    with pytest.raises(ValueError, match=r"norm \[2\.\]"):
        von_mises_fisher_loss([2.0, 0.0], [1.0, 1.0])


def test_negative_concentrations_are_told():
    wrong = tf.constant([[1.0, 0.0, 3.0], [1.0, 0.0, -2.0]])
    with pytest.raises(ArgumentError, match=r"`y_pred`.* softplus .*concentrations \[-2\.\]"):
        von_mises_fisher_loss([[1.0, 0.0]] * 2, wrong)
    with pytest.raises(tf.errors.InvalidArgumentError, match="softplus"):
        tf.function(von_mises_fisher_loss)([[1.0, 0.0]] * 2, wrong)
    xla = tf.function(von_mises_fisher_loss, jit_compile=True)
    np.testing.assert_array_equal(np.isnan(xla(tf.constant([[1.0, 0.0]] * 2), wrong)), [False, True])
    diverged = von_mises_fisher_loss([[1.0, 0.0]], [[1.0, 0.0, np.nan]])  # that is no negative number
    assert np.isnan(diverged)


@pytest.mark.parametrize(
    ("true", "predicted"),
    [((4, 3), (4, 5)), ((4, 3), (4, 2)), ((4, 1), (4, 1)), ((), ()), ((2,), (2, 3)), ((4, 1, 3), (4, 3))],
)
def test_shapes_that_do_not_fit_are_refused(true, predicted):
    with pytest.raises(ArgumentError) as caught:
        VonMisesFisherLoss().call(tf.ones(true), tf.ones(predicted))
    assert caught.value.name == "y_pred"
    with pytest.raises(ArgumentError):
        mean_direction_and_concentration(tf.ones([2, 7]), 3)


@pytest.mark.parametrize("options", [{"cosine_weight": 0.0}, {"length_penalty": -1.0}, {"cosine_weight": "1"}])
def test_bad_options_are_named(options):
    with pytest.raises(ValueError, match=f"`{next(iter(options))}` of VonMisesFisherLoss"):
        VonMisesFisherLoss(**options)


def test_weights_and_reductions_are_those_of_keras():
    y, vector = (np.stack(v) for v in zip(*(vectors(4, 9.0, seed) for seed in range(6)), strict=True))
    each = von_mises_fisher_loss(y, vector).numpy()
    np.testing.assert_allclose(VonMisesFisherLoss(reduction=None)(y, vector), each, rtol=1e-6)
    weight = np.array([0.0, 1, 2, 0, 1, 3], np.float32)
    expected = np.sum(weight * each) / 6
    np.testing.assert_allclose(VonMisesFisherLoss()(y, vector, sample_weight=weight), expected, rtol=1e-6)
    sequences = VonMisesFisherLoss(reduction=None)(y.reshape(2, 3, 4), vector.reshape(2, 3, 4))
    np.testing.assert_allclose(sequences, each.reshape(2, 3), rtol=1e-6)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The file of a model that was compiled with the loss, and the loss of some data."""
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model = keras.Sequential([keras.Input([3]), keras.layers.Dense(4)])
    model.compile("sgd", loss=VonMisesFisherLoss(cosine_weight=0.5, length_penalty=0.1))
    x, y = some_data()
    model.fit(x, y, verbose=0)
    model.save(path)
    return path, model.evaluate(x, y, verbose=0)


def some_data():
    x = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    return x, np.eye(4, dtype=np.float32)[np.arange(8) % 4]


def test_a_compiled_model_is_saved_with_it(saved):
    path, expected = saved
    model = keras.saving.load_model(path)
    assert model.evaluate(*some_data(), verbose=0) == pytest.approx(expected, abs=1e-6)
    loss = model.loss
    assert (loss.get_config()["cosine_weight"], loss.get_config()["length_penalty"]) == (0.5, 0.1)
    assert keras.saving.get_registered_name(VonMisesFisherLoss) == "tf_vmf>VonMisesFisherLoss"
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.get_config() == loss.get_config()


@pytest.mark.slow  # another process; in the quick suite the file is read in this one
def test_a_saved_model_loads_where_only_keras_and_the_package_are_imported(saved):
    path, expected = saved
    program = f"""
import keras, tf_vmf, numpy as np
model = keras.saving.load_model({str(path)!r})
x = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
loss = model.evaluate(x, np.eye(4, dtype=np.float32)[np.arange(8) % 4], verbose=0)
assert abs(loss - {expected!r}) < 1e-5, loss
"""
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


@pytest.mark.slow
def test_training_by_it_recovers_direction_and_concentration():
    """One free vector under the loss ends at the maximum-likelihood estimate."""
    y = stats.vonmises_fisher(np.eye(4)[1], 12.0).rvs(500, random_state=0)
    vector = tf.Variable(np.full(4, 0.1))
    for _ in range(200):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(von_mises_fisher_loss(y, tf.broadcast_to(vector, [500, 4])))
        vector.assign_sub(20.0 * tape.gradient(loss, vector))
    mu, kappa = stats.vonmises_fisher.fit(y)
    np.testing.assert_allclose(vector, kappa * mu, rtol=1e-4)
