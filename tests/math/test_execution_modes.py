"""Every function of tf_vmf.math in eager mode, graphs, XLA, vectorized_map and half precision."""

import numpy as np
import pytest
import tensorflow as tf

import tf_vmf.math
from tests.parameters import quick

CONCENTRATIONS = [0.0, 1e-7, 1e-3, 0.3, 10.0, 50.0, 1e5, 1e8]

FUNCTIONS = {
    "kl_to_uniform": tf_vmf.math.kl_to_uniform,
    "mean_resultant_length": tf_vmf.math.mean_resultant_length,
    "one_minus_mean_resultant_length": tf_vmf.math.one_minus_mean_resultant_length,
    "mean_resultant_length_derivative": tf_vmf.math.mean_resultant_length_derivative,
    "log_normalizer": tf_vmf.math.log_normalizer,
    "log_hyp0f1": tf_vmf.math.log_hyp0f1,
    "log_prob_at_mode": tf_vmf.math.log_prob_at_mode,
    "kl_von_mises_fisher, first": lambda x, dim: tf_vmf.math.kl_von_mises_fisher(x, 20.0, 0.125, dim),
    "kl_von_mises_fisher, second": lambda x, dim: tf_vmf.math.kl_von_mises_fisher(4.0, x, 0.125, dim),
    "bessel_i_ratio": lambda x, dim: tf_vmf.math.bessel_i_ratio(dim / 2 - 1, x),
    "log_bessel_i": lambda x, dim: tf_vmf.math.log_bessel_i(dim / 2 - 1, x),
    "inverse_mean_resultant_length": tf_vmf.math.inverse_mean_resultant_length,
    "inverse_one_minus_mean_resultant_length": tf_vmf.math.inverse_one_minus_mean_resultant_length,
}


# One of each way through XLA and `vectorized_map`; the others are made of the same parts.
QUICK = ("kl_to_uniform", "log_prob_at_mode", "log_bessel_i")


def _arguments(name: str) -> list[float]:
    """Where the function and its derivatives are finite."""
    if name.startswith("inverse_one_minus"):
        return [1e-6, 1e-3, 0.1, 0.3, 0.5, 0.75, 1.0]
    if name.startswith("inverse"):
        return [0.0, 1e-6, 1e-3, 0.1, 0.5, 0.75, 0.99]
    return CONCENTRATIONS[2:] if name == "log_bessel_i" else CONCENTRATIONS


def _with_derivatives(function, dim):
    """Return x -> (value, first, second derivative)."""

    def derivatives(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                value = function(x, dim)
            first = inner.gradient(value, x)
        return value, first, outer.gradient(first, x)

    return derivatives


@pytest.mark.parametrize(
    ("dim", "dtype", "rtol"), [(4, "float32", 1e-5), pytest.param(50, "float64", 1e-12, marks=pytest.mark.slow)]
)
# The iterations of the inverse functions take XLA longest.
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in FUNCTIONS]
)
def test_two_derivatives_agree_in_all_modes(name, dim, dtype, rtol):
    x = tf.constant(_arguments(name), dtype)
    function = _with_derivatives(FUNCTIONS[name], dim)
    eager = function(x)
    assert all(np.all(np.isfinite(v)) for v in eager)
    modes = {
        "graph": tf.function(function),
        "xla": tf.function(function, jit_compile=True),
        "vectorized_map": lambda x: tf.vectorized_map(function, x),
    }
    for mode, run in modes.items():
        for order, (actual, expected) in enumerate(zip(run(x), eager, strict=True)):
            np.testing.assert_allclose(actual, expected, rtol=rtol, err_msg=f"{mode}, derivative {order}")


@pytest.mark.parametrize("dim", quick(3, [2, 8, 200_000, 3, 50]))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_and_two_derivatives_are_finite_for_concentrations_up_to_1e10(dim, dtype):
    x = tf.constant([0.0, 1e-45, 1e-38, 1e-30, *np.geomspace(1e-20, 1e10, 61)], dtype)
    for name in FUNCTIONS:
        if name.startswith("inverse") or name == "log_bessel_i":
            continue  # not functions of a concentration; infinite at 0
        for value in _with_derivatives(FUNCTIONS[name], dim)(x):
            assert np.all(np.isfinite(value)), name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nan_in_gives_nan_out(name):
    for dtype in ("float32", "float64"):
        value = FUNCTIONS[name](tf.constant([0.75, np.nan], dtype), 5).numpy()
        assert np.isfinite(value[0])
        assert np.isnan(value[1])


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_half_precision_is_computed_in_float32(name, dtype):
    x = tf.constant(_arguments(name)[2:5], dtype)
    function = FUNCTIONS[name]
    single = tf.cast(x, tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, single])
        value, expected = function(x, 20), function(single, 20)
    for actual, reference in ((value, expected), (tape.gradient(value, x), tape.gradient(expected, single))):
        assert actual.dtype == dtype
        np.testing.assert_array_equal(tf.cast(actual, tf.float32), tf.cast(tf.cast(reference, dtype), tf.float32))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_any_shape_static_or_not(name):
    function = FUNCTIONS[name]
    unknown = tf.function(lambda x: function(x, 6), input_signature=[tf.TensorSpec(None, tf.float32)])
    for shape in ((), (0,), (2, 1, 4)):
        x = tf.fill(shape, 0.75)
        assert function(x, 6).shape == shape
        assert unknown(x).shape == shape
