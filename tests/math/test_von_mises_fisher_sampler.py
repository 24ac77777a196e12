"""Samples follow the von Mises-Fisher distribution and their gradients are unbiased, at low variance, in every mode."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tests.math.cosine_oracle import AngleLaw
from tests.parameters import quick
from tf_vmf.math import von_mises_fisher_sample

SEED = (11, 7)


def unit(rng, *shape):
    x = rng.normal(size=shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def moments(dim, kappa):
    """A, A' and A / kappa, from quadrature in the angle."""
    mean = 1 - AngleLaw(dim, kappa).one_minus_mean
    return mean, 1 - mean**2 - (dim - 1) * mean / kappa, mean / kappa


def z_score(values, expected):
    return (np.mean(values) - expected) / (np.std(values) / np.sqrt(len(values)))


@pytest.mark.parametrize("fixed", [True, False], ids=["fixed", "tensor"])
@pytest.mark.parametrize(
    ("dim", "kappa"),
    quick(5, [(2, 0.0), (2, 3.0), (3, 40.0), (7, 9.0), (50, 35.0), (3, 0.5), (4, 2.0), (25, 100.0), (300, 50.0)]),
)
def test_samples_pass_a_kolmogorov_smirnov_test_and_are_symmetric_about_the_mode(dim, kappa, fixed, rng):
    mu = unit(rng, dim)
    x = von_mises_fisher_sample(
        tf.constant(mu, tf.float32), kappa if fixed else tf.constant(kappa), SEED, 40_000
    ).numpy()
    assert x.shape == (40_000, dim)
    np.testing.assert_allclose(np.linalg.norm(x, axis=-1), 1, atol=2e-6)
    cosine = np.clip(x.astype(float) @ mu, -1, 1)
    law = AngleLaw(dim, kappa)
    assert stats.kstest(np.arccos(cosine), law.probability_below).pvalue > 1e-4
    # The tangent direction is uniform: mean 0 and equal second moments along any two orthogonal axes, whatever the cosine.
    axes = np.linalg.qr(np.column_stack([mu, unit(rng, dim), unit(rng, dim)]))[0][:, 1:3]
    tangent = x - cosine[:, None] * mu
    tangent = tangent / np.maximum(np.linalg.norm(tangent, axis=-1, keepdims=True), 1e-12) @ axes[:, : min(2, dim - 1)]
    for axis in range(tangent.shape[1]):
        assert abs(z_score(tangent[:, axis], 0)) < 4.5
        assert abs(z_score(tangent[:, axis] * cosine, 0)) < 4.5
        if dim > 2:
            assert abs(z_score(tangent[:, axis] ** 2, 1 / (dim - 1))) < 4.5


@pytest.mark.parametrize("dim", quick(4, [2, 3, 5, 25, 500, 8, 50]))
@pytest.mark.parametrize("relative_kappa", [0.2, 1.0, 6.0])
def test_gradients_are_unbiased(dim, relative_kappa, rng):
    """Of E[f] with f = c.x and f = (c.x)^2, whose expectations are A c.mu and A/kappa + (1 - d A/kappa) (c.mu)^2."""
    kappa, count = relative_kappa * dim, 20_000 if dim == 500 else 100_000
    mean, variance, spread = moments(dim, kappa)
    mu, c = np.eye(dim)[0], unit(rng, dim)
    e = unit(rng, dim)
    e = (e - e[0] * mu) / np.linalg.norm(e - e[0] * mu)
    direction, kappas = tf.constant(np.tile(mu, (count, 1)), tf.float32), tf.fill([count], float(kappa))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([direction, kappas])
        x = von_mises_fisher_sample(direction, kappas, SEED)
        cosine, linear = x[:, 0], tf.linalg.matvec(x, tf.constant(c, tf.float32))
        quadratic = linear**2
    h = 1e-3 * kappa
    (mean_up, _, spread_up), (mean_down, _, spread_down) = moments(dim, kappa + h), moments(dim, kappa - h)
    quadratic_slope = (spread_up - spread_down - dim * (spread_up - spread_down) * c[0] ** 2) / (2 * h)
    assert (mean_up - mean_down) / (2 * h) == pytest.approx(variance, rel=1e-4)  # the reference agrees with itself
    assert abs(z_score(tape.gradient(cosine, kappas).numpy(), variance)) < 4.5
    assert abs(z_score(tape.gradient(quadratic, kappas).numpy(), quadratic_slope)) < 4.5
    along_e = {name: tape.gradient(f, direction).numpy() @ e for name, f in (("l", linear), ("q", quadratic))}
    assert abs(z_score(along_e["l"], mean * (c @ e))) < 4.5
    assert abs(z_score(along_e["q"], 2 * (1 - dim * spread) * c[0] * (c @ e))) < 4.5


@pytest.mark.slow
@pytest.mark.parametrize("dim", [2, 3, 4, 5, 7, 8, 20, 50])
def test_four_million_samples_give_the_variance_as_the_gradient_in_kappa(dim):
    for kappa in (0.5, 2.0, 8.0, 1.0 * dim, 10.0 * dim):
        gradients = []
        for part in range(20):
            kappas = tf.fill([200_000], kappa)
            with tf.GradientTape() as tape:
                tape.watch(kappas)
                x = von_mises_fisher_sample(tf.one_hot(0, dim), kappas, (part, 3))
                cosine = x[:, 0]
            gradients.append(tape.gradient(cosine, kappas).numpy())
        assert abs(z_score(np.concatenate(gradients).astype(float), moments(dim, kappa)[1])) < 3.5


def householder_gradient(dim, kappa, mu, function, count):
    """Gradients in mu through the reflection that TFP and the s-vae packages use."""
    first = tf.one_hot(0, dim)
    x = von_mises_fisher_sample(first, kappa, SEED, count)
    direction = tf.constant(np.tile(mu, (count, 1)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(direction)
        axis = tf.math.l2_normalize(first - direction, -1)
        value = function(x - 2 * tf.reduce_sum(x * axis, -1, keepdims=True) * axis)
    return tape.gradient(value, direction).numpy()


@pytest.mark.parametrize(
    ("dim", "kappa", "at_most"), [(50, 35.0, 0.25), (50, 80.0, 0.5), (5, 2.0, 0.3), (25, 100.0, 0.9), (200, 100.0, 0.2)]
)
def test_the_mean_direction_gradient_has_less_variance_than_householders(dim, kappa, at_most, rng):
    ratios = []
    for _ in range(6):
        mu, c = unit(rng, dim), tf.constant(unit(rng, dim), tf.float32)

        def function(x, c=c):
            return tf.linalg.matvec(x, c)

        count = 4000
        direction = tf.constant(np.tile(mu, (count, 1)), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(direction)
            value = function(von_mises_fisher_sample(direction, kappa, SEED))
        variance = []
        for gradient in (
            tape.gradient(value, direction).numpy(),
            householder_gradient(dim, kappa, mu, function, count),
        ):
            tangent = gradient - (gradient @ mu)[:, None] * mu
            variance.append(tangent.var(axis=0).sum())
        ratios.append(variance[0] / variance[1])
    print(f"d={dim} kappa={kappa}: variance relative to Householder {np.mean(ratios):.3f}")
    assert np.mean(ratios) < at_most


@pytest.mark.parametrize("dim", [2, 3, 4, 50])
def test_the_sample_is_smooth_in_the_mean_direction_at_every_point(dim, rng):
    # Householder's reflection jumps at mu = e1; here a step of 1e-4 moves samples by a few times as much, everywhere.
    for sign in (1, -1):
        for axis in (0, dim - 1):
            mu = sign * np.eye(dim)[axis]
            turned = mu + 1e-4 * unit(rng, dim)
            turned /= np.linalg.norm(turned)
            x, y = (
                von_mises_fisher_sample(tf.constant(m), tf.constant(5.0, tf.float64), SEED, 1000).numpy()
                for m in (mu, turned)
            )
            assert np.median(np.linalg.norm(x - y, axis=-1)) < 1e-3
            assert np.linalg.norm(x - y, axis=-1).max() < 0.05


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("dim", quick(4, [2, 5, 17, 200_000, 3, 16, 50, 1000]))
def test_extreme_concentrations_give_finite_unit_samples_and_finite_gradients(dim, dtype):
    mu = -tf.one_hot(0, dim, dtype=dtype)
    weights = tf.cast(tf.linspace(-1.0, 1.0, dim), dtype)
    for value in (0.0, 1e-30, 1e-6, 1.0, 1e4, 1e10, np.inf):
        kappa = tf.constant(value, dtype)
        with tf.GradientTape() as tape:
            tape.watch([mu, kappa])
            x = von_mises_fisher_sample(mu, kappa, SEED, 3)
            loss = tf.reduce_sum(x * weights)
        for gradient in tape.gradient(loss, [mu, kappa]):
            assert np.isfinite(gradient).all()
        tolerance = 1e-6 if dtype == tf.float32 else 1e-13
        for samples in (x, von_mises_fisher_sample(mu, value, SEED, 3)):
            np.testing.assert_allclose(np.linalg.norm(samples.numpy().astype(float), axis=-1), 1, atol=tolerance)


def test_zero_concentration_is_uniform_with_the_right_slope(rng):
    count, dim = 100_000, 6
    kappas = tf.zeros([count])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(kappas)
        x = von_mises_fisher_sample(tf.one_hot(2, dim), kappas, SEED)
        cosine = x[:, 2]
    assert all(abs(z_score(x.numpy()[:, i], 0)) < 4.5 for i in range(dim))
    assert abs(z_score(tape.gradient(cosine, kappas).numpy(), 1 / dim)) < 4.5  # A'(0) = 1 / d


def value_and_gradients(mu, kappa, seed):
    with tf.GradientTape() as tape:
        tape.watch([mu, kappa])
        x = von_mises_fisher_sample(mu, kappa, seed)
        loss = tf.reduce_sum(x**3, axis=-1)
    return x, *tape.gradient(loss, [mu, kappa])


@pytest.mark.parametrize("dim", [3, 5, *(pytest.param(dim, marks=pytest.mark.slow) for dim in (2, 20))])
def test_graph_mode_and_vectorized_map_agree_with_eager_mode(dim, rng):
    mu = tf.constant(unit(rng, 6, dim), tf.float32)
    kappa = tf.constant(rng.uniform(0.5, 30, 6), tf.float32)
    seed = tf.constant(SEED)
    eager = value_and_gradients(mu, kappa, seed)
    graph = tf.function(value_and_gradients)(mu, kappa, seed)
    mapped = tf.vectorized_map(lambda row: value_and_gradients(*row, seed), (mu, kappa))
    rows = [
        np.stack(values) for values in zip(*(value_and_gradients(mu[j], kappa[j], seed) for j in range(6)), strict=True)
    ]
    for a, b, c, d in zip(eager, graph, mapped, rows, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)
        np.testing.assert_allclose(c, d, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("dim", [2, 3, 20])
def test_samples_and_gradients_under_xla_have_the_right_expectations(dim, rng):
    # XLA draws other random numbers, so that the comparison is with the distribution.
    kappa, mu = 0.8 * dim, unit(rng, dim)
    direction = tf.constant(np.tile(mu, (50_000, 1)), tf.float32)

    @tf.function(jit_compile=True)
    def cosine_and_gradients(direction, kappas):
        with tf.GradientTape() as tape:
            tape.watch([direction, kappas])
            x = von_mises_fisher_sample(direction, kappas, SEED)
            value = tf.linalg.matvec(x, tf.constant(mu, tf.float32))
        return x, value, *tape.gradient(value, [direction, kappas])

    x, cosine, to_mu, to_kappa = cosine_and_gradients(direction, tf.fill([50_000], kappa))
    mean, variance, _ = moments(dim, kappa)
    np.testing.assert_allclose(tf.norm(x, axis=-1), 1, atol=2e-6)
    assert abs(z_score(cosine.numpy(), mean)) < 4.5
    assert abs(z_score(to_kappa.numpy(), variance)) < 4.5
    # E[mu.x] does not change as mu turns away from a fixed c = mu.
    orthogonal = np.linalg.qr(np.column_stack([mu, unit(rng, dim)]))[0][:, 1]
    assert abs(z_score(to_mu.numpy() @ orthogonal, 0)) < 4.5


@pytest.mark.parametrize("sample_shape", [(), (1,), 1, [1, 1]], ids=str)
def test_the_gradient_of_one_draw_at_a_number_keeps_nothing_but_floats(sample_shape):
    """TensorFlow 2.21 logs "Type inference failed" where one branch of a `tf.cond` keeps an integer and the other one a float."""

    @tf.function
    def draw(mu):
        return von_mises_fisher_sample(mu, 20.0, seed=(1, 2), sample_shape=sample_shape)

    graph = draw.get_concrete_function(tf.TensorSpec([None, 3])).graph
    assert "BroadcastTo" not in {operation.type for operation in graph.get_operations()}
    mu = tf.constant([[0.0, 0.6, 0.8], [1.0, 0.0, 0.0]])
    assert draw(mu).shape == (*tf.reshape(sample_shape, [-1]).numpy().astype(int), 2, 3)
    with tf.GradientTape() as tape:
        tape.watch(mu)
        loss = tf.reduce_sum(draw(mu) ** 3)
    assert tape.gradient(loss, mu).shape == (2, 3)


def test_shapes_broadcast_and_gradients_have_the_shapes_of_their_arguments(rng):
    mu, kappa = tf.constant(unit(rng, 3, 1, 5)), tf.constant(rng.uniform(1, 9, (2,)))
    with tf.GradientTape() as tape:
        tape.watch([mu, kappa])
        x = von_mises_fisher_sample(mu, kappa, SEED, (4, 2))
    assert x.shape == (4, 2, 3, 2, 5)
    assert [g.shape for g in tape.gradient(x, [mu, kappa])] == [mu.shape, kappa.shape]
    assert von_mises_fisher_sample(mu, 2.0, SEED, 7).shape == (7, 3, 1, 5)
    assert von_mises_fisher_sample(mu, 2, SEED, tf.constant([7])).shape == (7, 3, 1, 5)
    dynamic = tf.function(von_mises_fisher_sample, input_signature=None).get_concrete_function(
        tf.TensorSpec([None, 5]), tf.TensorSpec([None]), tf.TensorSpec([2], tf.int32)
    )
    assert dynamic(tf.constant(unit(rng, 3, 5), tf.float32), tf.ones([3]), tf.constant(SEED)).shape == (3, 5)


def test_the_fixed_and_the_tensor_path_draw_the_same_samples(rng):
    for dim in (2, 3, 9, 40):
        mu = tf.constant(unit(rng, dim))
        fixed, tensor = (von_mises_fisher_sample(mu, k, SEED, 100) for k in (7.5, tf.constant(7.5, tf.float64)))
        np.testing.assert_allclose(fixed, tensor, atol=1e-7)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_half_precision_is_computed_in_single(dtype, rng):
    mu = tf.constant(unit(rng, 4, 10), dtype)
    for kappa in (20.0, tf.constant(20.0, dtype)):
        x = von_mises_fisher_sample(mu, kappa, SEED)
        assert x.dtype == dtype
        np.testing.assert_allclose(tf.norm(tf.cast(x, tf.float32), axis=-1), 1, atol=2e-2)


@pytest.mark.parametrize(
    ("mu", "kappa", "error", "message"),
    [
        ([1.0, 0.0], -1.0, ValueError, "`concentration`: expected a number >= 0"),
        ([1.0, 0.0], float("nan"), ValueError, "`concentration`: expected a number >= 0"),
        ([1.0], 1.0, ValueError, "`dim`: expected an int >= 2"),
        (1.0, 1.0, ValueError, "`mean_direction`.*static"),
        ([1, 0], tf.constant([1]), TypeError, "float"),
    ],
)
def test_bad_arguments_are_named(mu, kappa, error, message):
    with pytest.raises(error, match=message):
        von_mises_fisher_sample(mu, kappa, SEED)
