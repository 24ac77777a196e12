"""The fit refuses what is no sample of the sphere, in every mode, and keeps its cap in every dtype."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from tensorflow.python.framework import op_callbacks

from tests.parameters import quick
from tf_vmf._errors import ArgumentError
from tf_vmf.distributions import VonMisesFisher

MU = np.array([0.6, 0.0, 0.8])


def samples(count=60):
    return stats.vonmises_fisher(MU, 20.5).rvs(count, random_state=np.random.default_rng(3))


def spoiled(kind):
    """Samples with a fault: the rows, and the index of the first bad one."""
    x = samples()
    if kind == "scaled":
        return 2 * x, 0
    if kind == "slightly scaled":
        return 1.001 * x, 0
    x[7] = {"zero row": 0.0, "nan": np.nan, "infinite": np.inf}[kind]
    return x, 7


FAULTS = ["scaled", "slightly scaled", "zero row", "nan", "infinite"]


@pytest.mark.parametrize("validate_args", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", FAULTS)
def test_samples_off_the_sphere_are_refused_with_their_row(kind, dtype, validate_args):
    x, row = spoiled(kind)
    with pytest.raises(ArgumentError) as error:
        VonMisesFisher.experimental_fit(x.astype(dtype), validate_args=validate_args)
    assert error.value.name == "samples"
    assert f"at index ({row},)" in error.value.received


def test_in_graph_mode_they_give_nan_or_an_error_under_validate_args():
    @tf.function
    def fit(x, validate_args):
        fitted = VonMisesFisher.experimental_fit(x, validate_args=validate_args)
        return fitted.mean_direction, fitted.concentration

    for kind in FAULTS:
        x = tf.constant(spoiled(kind)[0], tf.float32)
        for value in fit(x, False):
            assert np.isnan(value).all()
        with pytest.raises(tf.errors.InvalidArgumentError, match="unit length"):
            fit(x, True)


@pytest.mark.slow
def test_compiled_they_give_nan():
    fit = tf.function(lambda x: VonMisesFisher.experimental_fit(x).concentration, jit_compile=True)
    for kind in FAULTS:
        assert np.isnan(fit(tf.constant(spoiled(kind)[0], tf.float32)))


def test_only_the_batch_member_with_the_fault_is_nan_in_graph_mode():
    x = np.stack([samples(), spoiled("nan")[0]], axis=1)
    fitted = tf.function(lambda x: VonMisesFisher.experimental_fit(x).concentration)(tf.constant(x))
    _, expected = stats.vonmises_fisher.fit(x[:, 0])
    assert float(fitted[0]) == pytest.approx(expected, rel=1e-6)
    assert np.isnan(fitted[1])


def test_rows_in_many_dimensions_that_were_not_normalised_are_refused(rng):
    with pytest.raises(ArgumentError, match="norm 1 to within 1e-05"):
        VonMisesFisher.experimental_fit(rng.normal(size=(20, 300)).astype(np.float32))


def test_a_norm_that_is_nearly_1_is_told_by_its_distance_from_1():
    with pytest.raises(ArgumentError) as error:
        VonMisesFisher.experimental_fit((1 + 2.3e-5) * samples())
    assert "norm 1 + 2.3e-05 at" in error.value.received


@pytest.mark.parametrize(
    ("weights", "received"),
    [
        (np.where(np.arange(60) == 4, -1.0, 1.0), "-1.0 at index (4,)"),
        (np.where(np.arange(60) == 5, np.nan, 1.0), "nan at index (5,)"),
        (np.zeros(60), "shape (60,)"),
    ],
)
def test_weights_that_are_none_are_refused(weights, received):
    with pytest.raises(ArgumentError) as error:
        VonMisesFisher.experimental_fit(samples(), weights=weights)
    assert (error.value.name, error.value.received) == ("weights", received)
    fit = tf.function(lambda x, w: VonMisesFisher.experimental_fit(x, weights=w).concentration)
    assert np.isnan(fit(tf.constant(samples(), tf.float32), tf.constant(weights, tf.float32)))


def test_an_empty_sample_is_refused():
    with pytest.raises(ArgumentError, match="sum to zero"):
        VonMisesFisher.experimental_fit(np.zeros((0, 3)))


@pytest.mark.parametrize("kind", quick(1, ["nan", "zero row"]))
def test_rows_of_weight_zero_may_hold_anything(kind):
    x, row = spoiled(kind)
    fitted = VonMisesFisher.experimental_fit(x, weights=np.arange(len(x)) != row)
    mu, concentration = stats.vonmises_fisher.fit(np.delete(x, row, axis=0))
    np.testing.assert_allclose(fitted.mean_direction, mu, atol=1e-10)
    assert float(fitted.concentration) == pytest.approx(concentration, rel=1e-6)


@pytest.mark.parametrize(
    ("dtype", "cap"), [(tf.float16, 65504.0), (tf.bfloat16, 2.0**14), (tf.float32, 2.0**46), (tf.float64, 1e18)]
)
def test_identical_samples_reach_the_cap_of_every_dtype_and_never_exceed_it(dtype, cap):
    fitted = VonMisesFisher.experimental_fit(tf.constant([[0.0, 1.0], [0.0, 1.0]], dtype), validate_args=True)
    assert fitted.dtype == dtype
    assert float(fitted.concentration) == cap


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_half_precision_fits_what_its_rounded_samples_say(dtype):
    x = tf.cast(samples(500), dtype)
    fitted = VonMisesFisher.experimental_fit(x)
    wide = tf.math.l2_normalize(tf.cast(x, tf.float64), axis=-1)
    mu, concentration = stats.vonmises_fisher.fit(wide.numpy())
    np.testing.assert_allclose(tf.cast(fitted.mean_direction, tf.float64), mu, atol=1e-2)
    assert float(fitted.concentration) == pytest.approx(concentration, rel=1e-2)


def test_points_within_half_an_arc_second_have_their_concentration(rng):
    # Gaussian in the tangent plane, of variance 1 / kappa: 1 / kappa is half the mean square distance from the mean.
    tangent = rng.normal(size=(400, 2)) / np.sqrt(1.7e11)
    x = np.concatenate([tangent, np.sqrt(1 - np.square(tangent).sum(axis=1, keepdims=True))], axis=1)
    expected = 2 / np.square(tangent - tangent.mean(axis=0)).sum(axis=1).mean()
    assert float(VonMisesFisher.experimental_fit(x).concentration) == pytest.approx(expected, rel=1e-4)


def test_a_conjugate_prior_counts_as_samples():
    x = samples(5)
    both = np.concatenate([x, np.eye(3), np.eye(3)])
    expected = VonMisesFisher.experimental_fit(both)
    fitted = VonMisesFisher.experimental_fit(x, prior_count=6.0, prior_mean=np.full(3, 1 / 3))
    np.testing.assert_allclose(fitted.mean_direction, expected.mean_direction, rtol=1e-12)
    np.testing.assert_allclose(fitted.concentration, expected.concentration, rtol=1e-12)
    one = VonMisesFisher.experimental_fit(x[:1], prior_count=1.0)  # A(kappa) = 1/2; coth(kappa) - 1/kappa on the sphere
    kappa = float(one.concentration)
    assert 1 / np.tanh(kappa) - 1 / kappa == pytest.approx(0.5, rel=1e-12)
    for bad in ({"prior_count": -1.0}, {"prior_count": 1.0, "prior_mean": [1.0, 0.0, 0.0]}, {"prior_mean": [0.1]}):
        with pytest.raises(ValueError, match="`prior_mean`" if "prior_mean" in bad else "`prior_count`"):
            VonMisesFisher.experimental_fit(x, **bad)


def test_a_fit_outside_a_graph_takes_few_operations():
    """An iteration of TensorFlow's operations, thousands of them, takes a hundred times as long as one of NumPy's."""
    x = VonMisesFisher([0.0, 0.6, 0.8], 5.0).sample(50, seed=(1, 2))
    operations = []

    def count(op_type, *_, **__):
        operations.append(op_type)

    op_callbacks.add_op_callback(count)
    try:
        fit = VonMisesFisher.experimental_fit(x)
    finally:
        op_callbacks.remove_op_callback(count)
    assert 10 < len(operations) < 300
    length = np.linalg.norm(np.mean(x, axis=0))
    kappa = float(fit.concentration)
    assert 1 / np.tanh(kappa) - 1 / kappa == pytest.approx(length, rel=1e-5)
