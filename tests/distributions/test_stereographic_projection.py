"""The event-space bijector covers the sphere but for one point, with the right measure; Markov chains find the mean."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tf_vmf.distributions import StereographicProjection, VonMisesFisher


def unit(rng, *shape):
    x = rng.normal(size=shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def directions(rng, dim):
    """Random ones, all axes, and neighbours of the axis that the reflection is built on."""
    near = np.eye(dim)[-1] + 1e-9 * rng.normal(size=(2, dim))
    return np.concatenate(
        [unit(rng, 4, dim), np.eye(dim), -np.eye(dim), near / np.linalg.norm(near, axis=-1, keepdims=True)]
    )


@pytest.mark.parametrize("dim", [2, 3, 10, 300])
def test_it_inverts_itself_all_over_the_sphere(dim, rng):
    mu, x = tf.constant(directions(rng, dim)), tf.constant(unit(rng, 30, 1, dim))
    bijector = StereographicProjection(mu)
    y = bijector.inverse(x)
    assert y.shape[-1] == dim - 1
    # By a point of its own, as bijectors cache what they have mapped.
    np.testing.assert_allclose(bijector.forward(tf.identity(y)), np.broadcast_to(x, (30, len(mu), dim)), atol=1e-12)
    np.testing.assert_allclose(bijector.forward(tf.zeros([dim - 1], tf.float64)), mu, atol=1e-14)
    far = bijector.forward(tf.fill([dim - 1], tf.constant(1e9, tf.float64)))
    np.testing.assert_allclose(far, -mu, atol=1e-8)


@pytest.mark.parametrize("dim", [2, 3, 6])
def test_the_log_determinant_is_that_of_the_jacobian(dim, rng):
    bijector = StereographicProjection(tf.constant(unit(rng, dim)))
    y = tf.constant(rng.normal(size=(5, dim - 1)))
    with tf.GradientTape() as tape:
        tape.watch(y)
        x = bijector.forward(y)
    jacobian = tape.batch_jacobian(x, y).numpy()
    expected = 0.5 * np.linalg.slogdet(np.swapaxes(jacobian, 1, 2) @ jacobian)[1]
    np.testing.assert_allclose(bijector.forward_log_det_jacobian(y, 1), expected, atol=1e-12)
    np.testing.assert_allclose(bijector.inverse_log_det_jacobian(tf.identity(x), 1), -expected, atol=1e-12)


@pytest.mark.parametrize("kappa", [0.0, 2.0, 40.0])
@pytest.mark.parametrize("dim", [2, 3])
def test_densities_integrate_to_one_over_the_euclidean_space(dim, kappa):
    distribution = VonMisesFisher(np.float64([0.6, -0.8, 0.0])[:dim], np.float64(kappa))
    bijector = distribution.experimental_default_event_space_bijector()
    # y = tan(angle / 2), the angle from the mean direction: the substitution makes the integrand smooth and the range finite.
    nodes, weights = np.polynomial.legendre.leggauss(120)
    angle, weights = (nodes + 1) * np.pi / 2, weights * np.pi / 2
    radius, slope = np.tan(angle / 2), 0.5 / np.cos(angle / 2) ** 2
    if dim == 2:
        y, area = np.concatenate([radius, -radius])[:, None], np.tile(weights * slope, 2)
    else:
        turn = np.arange(40) * 2 * np.pi / 40
        y = (radius[:, None, None] * np.stack([np.cos(turn), np.sin(turn)], -1)).reshape(-1, 2)
        area = np.repeat(weights * slope * radius * 2 * np.pi / 40, 40)
    density = tf.exp(distribution.log_prob(bijector.forward(y)) + bijector.forward_log_det_jacobian(y, 1))
    assert np.sum(area * density) == pytest.approx(1, rel=1e-9)


def chain(target, bijector, start, steps, seed):
    kernel = tfp.mcmc.HamiltonianMonteCarlo(
        lambda y: target.log_prob(bijector.forward(y)) + bijector.forward_log_det_jacobian(y, 1), 0.05, 5
    )
    run = tf.function(
        lambda: tfp.mcmc.sample_chain(steps, start, kernel=kernel, num_burnin_steps=100, trace_fn=None, seed=seed),
        autograph=False,
    )
    return bijector.forward(run()).numpy()


@pytest.mark.parametrize("kappa", [30.0, pytest.param(3.0, marks=pytest.mark.slow)])
def test_hamiltonian_monte_carlo_returns_the_mean_direction(kappa):
    mu, chains = np.float32([-0.6, -0.8, 0.0]), 64
    target = VonMisesFisher(mu, kappa)
    bijector = target.experimental_default_event_space_bijector()
    x = chain(target, bijector, tf.random.stateless_normal([chains, 2], (1, 2)), 150, (3, 4))
    # Chains are independent of each other: the error bar is that of their means.
    means = x.mean(axis=0)
    error = means.std(axis=0) / np.sqrt(chains - 1)
    np.testing.assert_array_less(np.abs(means.mean(axis=0) - target.mean()), 4.5 * error)
    assert error.max() < 0.05
    direction = means.mean(axis=0) / np.linalg.norm(means.mean(axis=0))
    np.testing.assert_allclose(direction, mu, atol=0.1)


def test_a_bijector_of_variables_follows_them_and_a_batch_broadcasts():
    mu = tf.Variable([0.0, 0.6, 0.8])
    bijector = VonMisesFisher(mu, 1.0).experimental_default_event_space_bijector()
    mu.assign([0.0, 0.6, -0.8])
    np.testing.assert_allclose(bijector.forward([0.0, 0.0]), mu, atol=1e-7)
    batch = VonMisesFisher(tf.eye(3), [1.0, 2.0, 3.0]).experimental_default_event_space_bijector()
    assert batch.forward(tf.zeros([4, 1, 2])).shape == (4, 3, 3)
    assert batch.experimental_batch_shape() == (3,)
    returned = tf.function(lambda b: b.forward(tf.zeros([2])))(batch)
    np.testing.assert_allclose(returned, np.eye(3), atol=1e-7)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float32])
def test_validate_args_refuses_points_off_the_sphere_and_the_antipode(dtype):
    mu = tf.constant([0.6, 0.0, 0.8], dtype)
    bijector = VonMisesFisher(mu, 1.0, validate_args=True).experimental_default_event_space_bijector()
    assert bijector.forward_event_shape([2]) == (3,)
    assert bijector.inverse_event_shape_tensor([3]).numpy().tolist() == [2]
    bijector.inverse(tf.constant([0.0, 1.0, 0.0], dtype))
    with pytest.raises(tf.errors.InvalidArgumentError, match="must sum to `1`"):
        bijector.inverse(mu + tf.constant([0.1, 0, 0], dtype))
    with pytest.raises(tf.errors.InvalidArgumentError, match="antipode"):
        bijector.inverse(-mu)
