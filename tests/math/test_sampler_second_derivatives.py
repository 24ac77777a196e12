"""Gradients of von Mises-Fisher samples can be differentiated again, and their expectations are those of the moments."""

import numpy as np
import pytest
import tensorflow as tf

from tests.math.cosine_oracle import AngleLaw
from tests.parameters import quick
from tf_vmf.math import von_mises_fisher_sample

SEED = (5, 23)


def moments(dim, kappa):
    """A and S = A / kappa, from quadrature in the angle: E[c.x] = A c.mu, E[(c.x)^2] = S + (1 - d S) (c.mu)^2."""
    mean = 1 - AngleLaw(dim, kappa).one_minus_mean
    return np.array([mean, mean / kappa])


def with_derivatives(dim, kappa):
    """The moments, and their first and second derivatives in kappa, by differences of fourth order."""
    h = 0.02 * kappa
    below2, below, middle, above, above2 = (moments(dim, kappa + step * h) for step in (-2, -1, 0, 1, 2))
    first = (below2 - 8 * below + 8 * above - above2) / (12 * h)
    second = (-below2 + 16 * below - 30 * middle + 16 * above - above2) / (12 * h * h)
    return middle, first, second


def frame(dim):
    """A mean direction, a tangent direction, and a third vector that is neither."""
    rng = np.random.default_rng(dim)
    q = np.linalg.qr(rng.normal(size=(dim, 2)))[0].T
    c = rng.normal(size=dim)
    return q[0], q[1], c / np.linalg.norm(c)


def expected_second_derivatives(dim, kappa):
    """Of E[c.x] and E[(c.x)^2] in (kappa, kappa), (angle, kappa) and (angle, angle), where mu turns towards e by the angle."""
    mu, e, c = frame(dim)
    (a, s), (a1, s1), (a2, s2) = with_derivatives(dim, kappa)
    m, t = c @ mu, c @ e
    linear = a2 * m, a1 * t, -a * m
    quadratic = s2 * (1 - dim * m**2), -2 * dim * s1 * m * t, 2 * (1 - dim * s) * (t**2 - m**2)
    return np.array([linear, quadratic])


def estimates(dim, kappa, count, dtype=tf.float32):
    """The same by differentiating samples twice: an array (2, 3, count)."""
    mu, e, c = (tf.constant(v, dtype) for v in frame(dim))
    angle, kappas = tf.zeros([count], dtype), tf.broadcast_to(tf.cast(kappa, dtype), [count])
    with tf.GradientTape(persistent=True) as outer:
        outer.watch([angle, kappas])
        with tf.GradientTape(persistent=True) as inner:
            inner.watch([angle, kappas])
            direction = tf.cos(angle)[:, None] * mu + tf.sin(angle)[:, None] * e
            projection = tf.linalg.matvec(von_mises_fisher_sample(direction, kappas, SEED), c)
            functions = projection, projection**2
        first = [(inner.gradient(f, angle), inner.gradient(f, kappas)) for f in functions]
    return np.array(
        [
            [outer.gradient(in_kappa, kappas), outer.gradient(in_angle, kappas), outer.gradient(in_angle, angle)]
            for in_angle, in_kappa in first
        ]
    )


@pytest.mark.parametrize(
    ("dim", "relative_kappa"),
    quick(
        5,
        [
            (dim, (5.0, 0.3, 1.0)[(place + shift) % 3])
            for shift in range(3)
            for place, dim in enumerate((2, 3, 4, 7, 25))
        ],
    ),
)
def test_second_derivatives_of_expectations_are_unbiased(dim, relative_kappa):
    kappa, count = relative_kappa * dim, 40_000
    values, expected = estimates(dim, kappa, count), expected_second_derivatives(dim, kappa)
    assert np.isfinite(values).all()
    error = values.std(axis=-1) / np.sqrt(count)
    np.testing.assert_array_less(np.abs(values.mean(axis=-1) - expected), 4.5 * error)


def test_the_mixed_derivative_does_not_depend_on_the_order():
    dim, kappa, count = 5, 4.0, 40_000
    mu, e, c = (tf.constant(v, tf.float32) for v in frame(dim))
    angle, kappas = tf.zeros([count]), tf.fill([count], kappa)
    with tf.GradientTape() as outer:
        outer.watch(angle)
        with tf.GradientTape() as inner:
            inner.watch(kappas)
            direction = tf.cos(angle)[:, None] * mu + tf.sin(angle)[:, None] * e
            projection = tf.linalg.matvec(von_mises_fisher_sample(direction, kappas, SEED), c)
        in_kappa = inner.gradient(projection, kappas)
    values = outer.gradient(in_kappa, angle).numpy()
    expected = expected_second_derivatives(dim, kappa)[0, 1]
    assert abs(values.mean() - expected) < 4.5 * values.std() / np.sqrt(count)


@pytest.mark.parametrize("dim", [2, 3, 20])
def test_forward_mode_gives_the_gradients_of_reverse_mode(dim):
    mu, e, c = (tf.constant(v, tf.float32) for v in frame(dim))
    kappa = tf.constant(3.0)

    def mean(mu, kappa):
        return tf.reduce_mean(tf.linalg.matvec(von_mises_fisher_sample(mu, kappa, SEED, 50), c) ** 2)

    with tf.GradientTape() as tape:
        tape.watch([mu, kappa])
        value = mean(mu, kappa)
    to_mu, to_kappa = tape.gradient(value, [mu, kappa])
    with tf.autodiff.ForwardAccumulator((mu, kappa), (e, tf.constant(0.7))) as forward:
        value = mean(mu, kappa)
    expected = tf.tensordot(to_mu, e, 1) + 0.7 * to_kappa
    assert float(forward.jvp(value)) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize(
    ("dim", "jit_compile"),
    quick(1, [(3, True), (3, False), *((d, jit) for d in (2, 20) for jit in (False, True))]),
)
def test_forward_mode_inside_a_function_is_unbiased(dim, jit_compile):
    mu, e, c = (tf.constant(v, tf.float32) for v in frame(dim))
    count, kappa = 20_000, 3.0

    @tf.function(jit_compile=jit_compile)
    def derivatives(kappas, seed):
        jvps = []
        for tangents in ((e, tf.zeros_like(kappas)), (tf.zeros_like(e), tf.ones_like(kappas))):
            with tf.autodiff.ForwardAccumulator((mu, kappas), tangents) as forward:
                linear = tf.linalg.matvec(von_mises_fisher_sample(mu, kappas, seed), c)
            jvps.append(forward.jvp(linear))
        return jvps

    (a, _), (a1, _), _ = with_derivatives(dim, kappa)
    mean_direction, tangent, other = frame(dim)
    expected = a * (other @ tangent), a1 * (other @ mean_direction)
    for values, exact in zip(derivatives(tf.fill([count], kappa), tf.constant(SEED)), expected, strict=True):
        assert abs(np.mean(values) - exact) < 4.5 * np.std(values) / np.sqrt(count)


def test_a_hessian_vector_product_by_forward_over_reverse_equals_reverse_over_reverse():
    mu, e, c = (tf.constant(v, tf.float32) for v in frame(6))
    kappa = tf.constant(8.0)

    def gradient(mu, kappa):
        with tf.GradientTape() as tape:
            tape.watch([mu, kappa])
            x = von_mises_fisher_sample(mu, kappa, SEED, 20)
            value = tf.reduce_mean(tf.linalg.matvec(x, c) ** 3)
        return tape.gradient(value, [mu, kappa])

    direction = (e, tf.constant(0.4))
    with tf.autodiff.ForwardAccumulator((mu, kappa), direction) as forward:
        first = gradient(mu, kappa)
    with tf.GradientTape() as tape:
        tape.watch([mu, kappa])
        to_mu, to_kappa = gradient(mu, kappa)
        # The estimator's Hessian is symmetric in expectation only: rows are compared, so the product is with the output.
        total = tf.tensordot(to_mu, e, 1) + 0.4 * to_kappa
    by_reverse = tape.gradient(total, [mu, kappa])
    by_forward = forward.jvp(first)
    quadratic_forms = [float(tf.tensordot(a[0], e, 1) + 0.4 * a[1]) for a in (by_forward, by_reverse)]
    assert quadratic_forms[0] == pytest.approx(quadratic_forms[1], rel=1e-4)


@pytest.mark.parametrize("dim", quick(2, [2, 50, 3, 8]))
def test_second_derivatives_are_finite_at_the_ends_of_the_range(dim):
    kappas = np.repeat([0.0, 1e-6, 1e4, 1e8], 200)
    finite = np.isfinite(estimates(dim, kappas, kappas.size))
    assert finite.all(), kappas[~finite.all(axis=(0, 1))]


def test_third_derivatives_in_the_concentration_are_refused():
    kappa = tf.constant(3.0)
    with tf.GradientTape() as third:
        third.watch(kappa)
        with tf.GradientTape() as second:
            second.watch(kappa)
            with tf.GradientTape() as first:
                first.watch(kappa)
                x = von_mises_fisher_sample(tf.one_hot(0, 3), kappa, SEED)
            gradient = first.gradient(x, kappa)
        again = second.gradient(gradient, kappa)
    with pytest.raises(LookupError, match="first and second derivatives in the concentration"):
        third.gradient(again, kappa)
