"""What every public distribution keeps: variables are read when used, parameters are checked, batches slice, float32 is enough."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability import distributions as tfd

from tf_vmf.distributions import PowerSpherical, UniformNormVonMisesFisher, VonMisesFisher
from tf_vmf.distributions.stereographic_projection import UnitVectors

CLASSES = {
    VonMisesFisher: {},
    PowerSpherical: {},
    UniformNormVonMisesFisher: {"norm_low": 0.5, "norm_width": 1.5},
}
MU = np.array([[0.6, 0.0, 0.8, 0.0], [0.0, 1.0, 0.0, 0.0]], np.float32)
KAPPA = np.array([3.0, 40.0], np.float32)

every_class = pytest.mark.parametrize("cls", CLASSES)


def make(cls, mean_direction=MU, concentration=KAPPA, **kwargs):
    return cls(mean_direction, concentration, **{**CLASSES[cls], **kwargs})


@every_class
def test_variables_are_read_when_used_and_have_gradients(cls):
    numbers = {"mean_direction": MU, "concentration": KAPPA, **CLASSES[cls]}
    variables = {name: tf.Variable(tf.constant(value, tf.float32)) for name, value in numbers.items()}
    distribution = cls(**variables)
    x = make(cls).sample(seed=(1, 2))
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(distribution.log_prob(x)) + tf.reduce_sum(distribution.entropy())
        value += tf.reduce_sum(distribution.sample(seed=(3, 4))[..., 0])
    gradients = tape.gradient(value, list(variables.values()))
    for name, gradient in zip(variables, gradients, strict=True):
        assert gradient is not None, name
        assert np.all(np.isfinite(gradient)), name
    variables["concentration"].assign([7.0, 1.0])
    other = make(cls, concentration=[7.0, 1.0])
    np.testing.assert_allclose(distribution.log_prob(x), other.log_prob(x), rtol=1e-6)
    np.testing.assert_allclose(distribution.sample(seed=(1, 2)), other.sample(seed=(1, 2)), rtol=1e-5, atol=1e-6)


@every_class
@pytest.mark.parametrize(
    "bad",
    [{"mean_direction": [[2.0, 0.0]]}, {"concentration": [-1.0]}, {"norm_low": -1.0}, {"norm_width": -2.0}],
    ids=lambda bad: next(iter(bad)),
)
def test_bad_parameters_are_refused_as_numbers_and_as_variables(cls, bad):
    name, value = next(iter(bad.items()))
    if name not in {"mean_direction", "concentration", *CLASSES[cls]}:
        return
    good = {"mean_direction": [[1.0, 0.0]], "concentration": [1.0], **CLASSES[cls]}
    with pytest.raises(tf.errors.InvalidArgumentError):
        cls(**{**good, **bad}, validate_args=True)
    variable = tf.Variable(tf.constant(good[name], tf.float32))
    distribution = cls(**{**good, name: variable}, validate_args=True)
    distribution.entropy()
    variable.assign(value)
    with pytest.raises(tf.errors.InvalidArgumentError):
        distribution.entropy()


@every_class
def test_entropy_and_mean_are_those_of_simulation(cls):
    distribution = make(cls)
    x = distribution.sample(40_000, seed=(1, 2))
    surprise = -distribution.log_prob(x).numpy()
    np.testing.assert_array_less(
        np.abs(distribution.entropy() - surprise.mean(axis=0)), 5 * surprise.std(axis=0) / np.sqrt(40_000)
    )
    error = np.asarray(x).std(axis=0) / np.sqrt(40_000)
    np.testing.assert_array_less(np.abs(distribution.mean() - np.mean(x, axis=0)), 5 * error + 1e-5)
    assert np.all(distribution.log_prob(distribution.mode()) >= tf.reduce_max(distribution.log_prob(x), axis=0))


@every_class
def test_batches_slice_and_broadcast(cls):
    distribution = make(cls, MU[:, np.newaxis], np.float32([1.0, 2.0, 3.0]))
    assert distribution.batch_shape == (2, 3)
    assert distribution[1, :2].batch_shape == (2,)
    assert distribution.sample(5, seed=(1, 2)).shape == (5, 2, 3, 4)
    assert distribution.entropy().shape == (2, 3)
    assert distribution.mean().shape == (2, 3, 4)
    np.testing.assert_allclose(distribution[1, 2].entropy(), distribution.entropy()[1, 2], rtol=1e-6)


@every_class
def test_it_takes_part_in_joint_distributions_and_graphs(cls):
    joint = tfd.JointDistributionSequential(
        [make(cls), lambda z: tfd.Independent(tfd.Normal(z, tf.ones_like(z)), reinterpreted_batch_ndims=1)]
    )
    z, y = joint.sample(seed=(1, 2))
    assert joint.log_prob([z, y]).shape == (2,)
    compiled = tf.function(lambda d, x: d.log_prob(x))
    np.testing.assert_allclose(compiled(make(cls), z), make(cls).log_prob(z), rtol=1e-5)


@every_class
@pytest.mark.parametrize("kappa", [1e4, 1e6, 1e8])
def test_the_spread_of_concentrated_samples_is_right_in_float32(cls, kappa):
    dim, n = 5, 4_000
    distribution = make(cls, np.eye(dim, dtype=np.float32)[0], np.float32(kappa))
    x = distribution.sample(n, seed=(1, 2)).numpy().astype(np.float64)
    sine = np.linalg.norm(x[:, 1:], axis=-1) / np.linalg.norm(x, axis=-1)
    # Gaussian in the tangent space: kappa |t|^2 is chi-squared with d - 1 degrees of freedom (kappa / 2 for (1 + cos)^kappa).
    scaled = np.square(sine) * kappa * (0.5 if cls is PowerSpherical else 1.0)
    assert scaled.mean() == pytest.approx(dim - 1, abs=5 * np.sqrt(2 * (dim - 1) / n) + 0.01)


@every_class
def test_divergences_from_itself_are_zero(cls):
    divergence = tfd.kl_divergence(make(cls), make(cls))
    np.testing.assert_allclose(divergence, np.zeros(2), atol=1e-6)


@pytest.mark.parametrize("cls", [VonMisesFisher, PowerSpherical])
@pytest.mark.parametrize("dim", [2, 3, 4, 5, 16, 50, 1000])
def test_at_concentration_zero_the_density_is_that_of_the_uniform_distribution(cls, dim):
    mu = np.eye(dim, dtype=np.float32)[0]
    uniform = tfp.distributions.SphericalUniform(dim)
    x = uniform.sample(3, seed=(1, 2))
    for kappa in (0.0, tf.Variable(0.0)):
        np.testing.assert_array_equal(cls(mu, kappa).log_prob(x), uniform.log_prob(x))
    kappa = tf.constant(0.0)
    with tf.GradientTape() as tape:
        tape.watch(kappa)
        value = VonMisesFisher(mu, kappa).log_prob(x)
    np.testing.assert_allclose(tape.gradient(value, kappa), np.sum(x[:, 0]), rtol=1e-4, atol=1e-6)


def test_the_norms_have_the_law_that_they_say():
    distribution = make(UniformNormVonMisesFisher)
    np.testing.assert_array_equal(distribution.mean_direction, MU)
    np.testing.assert_array_equal(distribution.concentration, KAPPA)
    x = distribution.sample(2_000, seed=(1, 2))
    fitted = UniformNormVonMisesFisher.experimental_fit(x)
    np.testing.assert_allclose(fitted.norm_low, [0.5, 0.5], atol=0.01)
    np.testing.assert_allclose(fitted.norm_width, [1.5, 1.5], atol=0.02)
    np.testing.assert_allclose(fitted.concentration, KAPPA, rtol=0.1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="norms between"):
        make(UniformNormVonMisesFisher, validate_args=True).log_prob(3 * MU)


@every_class
def test_it_can_be_made_trainable(cls):
    x = VonMisesFisher(MU[0], 30.0).sample(200, seed=(1, 2))
    x = x * tf.linspace(1.0, 1.5, 200)[:, tf.newaxis] if cls is UniformNormVonMisesFisher else x
    fixed = CLASSES[cls]
    trainable = tfp.experimental.util.make_trainable(cls, batch_and_event_shape=[4], **fixed)
    assert len(trainable.trainable_variables) == 2
    for variable in trainable.trainable_variables:  # a start of its own, which is random
        variable.assign(tf.fill(variable.shape, 0.3))
    assert float(tf.norm(trainable.mean_direction)) == pytest.approx(1.0, rel=1e-5)

    @tf.function
    def descend():
        for _ in tf.range(200):
            with tf.GradientTape() as tape:
                loss = -tf.reduce_mean(trainable.log_prob(x))
            for variable, gradient in zip(
                trainable.trainable_variables, tape.gradient(loss, trainable.trainable_variables), strict=True
            ):
                variable.assign_sub(0.02 * gradient)

    before = float(tf.reduce_mean(trainable.log_prob(x)))
    descend()
    assert float(tf.reduce_mean(trainable.log_prob(x))) > before + 0.05
    assert float(tf.norm(trainable.mean_direction)) == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("dim", [2, 3, 10])
def test_the_bijector_of_mean_directions_goes_both_ways(dim, rng):
    bijector = UnitVectors()
    y = tf.constant(rng.normal(size=(5, dim - 1)))
    x = bijector.forward(y)
    np.testing.assert_allclose(tf.norm(x, axis=-1), np.ones(5), rtol=1e-12)
    np.testing.assert_allclose(bijector.inverse(tf.identity(x)), y, rtol=1e-9)
    assert bijector.forward_event_shape([dim - 1]) == [dim]
    assert bijector.inverse_event_shape([dim]) == [dim - 1]


@every_class
@pytest.mark.parametrize("mean_direction", [MU, MU[0]], ids=["one per row", "one for all"])
def test_covariance_is_that_of_samples_and_variance_its_diagonal(cls, mean_direction):
    distribution = make(cls, mean_direction)
    covariance = distribution.covariance()
    assert covariance.shape == (2, 4, 4)
    size = 40_000
    samples = distribution.sample(size, seed=(5, 6)).numpy().astype(np.float64)
    for row in range(2):
        centered = samples[:, row] - samples[:, row].mean(axis=0)
        products = centered[:, :, np.newaxis] * centered[:, np.newaxis, :]
        error = products.std(axis=0) / np.sqrt(size)
        assert np.all(np.abs(products.mean(axis=0) - covariance[row]) < 5 * error + 1e-6)
    np.testing.assert_allclose(distribution.variance(), tf.linalg.diag_part(covariance), rtol=1e-6)
    np.testing.assert_allclose(distribution.stddev() ** 2, distribution.variance(), rtol=1e-6)


@pytest.mark.parametrize("cls", [VonMisesFisher, PowerSpherical])
def test_the_bijector_of_the_sphere_goes_there_and_back(cls):
    distribution = make(cls)
    x = distribution.sample(3, seed=(7, 8))
    bijector = distribution.experimental_default_event_space_bijector()
    np.testing.assert_allclose(bijector.forward(tf.identity(bijector.inverse(x))), x, atol=1e-6)
