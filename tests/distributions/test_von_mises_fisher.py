"""The distribution agrees with scipy, TFP and closed forms, and keeps the contract of a TFP distribution."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import special, stats

import tf_vmf
from tests.math.cosine_oracle import AngleLaw
from tests.parameters import quick
from tf_vmf.distributions import VonMisesFisher

tfd = tfp.distributions


def unit(rng, *shape):
    x = rng.normal(size=shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def tensor(x, dtype=tf.float64):
    return tf.constant(x, dtype)


# ---- values against other implementations


@pytest.mark.parametrize(("dim", "kappa"), [(2, 0.3), (3, 7.0), (5, 1.0), (10, 30.0), (50, 100.0)])
def test_log_prob_and_entropy_equal_scipys(dim, kappa, rng):
    mu, x = unit(rng, dim), unit(rng, 20, dim)
    ours, scipys = VonMisesFisher(tensor(mu), tensor(kappa)), stats.vonmises_fisher(mu, kappa)
    np.testing.assert_allclose(ours.log_prob(x), scipys.logpdf(x), rtol=0, atol=1e-11)
    np.testing.assert_allclose(ours.prob(x), scipys.pdf(x), rtol=1e-11)
    np.testing.assert_allclose(ours.entropy(), scipys.entropy(), rtol=1e-12, atol=1e-12)


def exact_log_prob(x, mu, kappa, dim):
    """In extended precision, from the Bessel function itself."""
    import mpmath

    with mpmath.workdps(40):
        order, k = mpmath.mpf(dim) / 2 - 1, mpmath.mpf(kappa)
        log_normalizer = (
            mpmath.mpf(dim) / 2 * mpmath.log(2 * mpmath.pi)
            + mpmath.log(mpmath.besseli(order, k))
            - order * mpmath.log(k)
        )
        return float(
            k * sum(mpmath.mpf(float(a)) * mpmath.mpf(float(b)) for a, b in zip(x, mu, strict=True)) - log_normalizer
        )


@pytest.mark.parametrize(("dtype", "target"), [(np.float32, 2e-5), (np.float64, 1e-11)])
def test_log_prob_is_accurate_up_to_fifty_dimensions_and_concentration_ten_thousand(dtype, target, rng):
    worst = 0.0
    for dim in (2, 3, 8, 20, 50):
        for kappa in (1e-3, 1.0, 30.0, 1e3, 1e4):
            mu = unit(rng, dim)
            x = VonMisesFisher(tensor(mu), tensor(kappa)).sample(5, seed=(1, dim)).numpy()
            # Vectors as the dtype rounds them, brought back to the sphere exactly: only there is the density defined.
            mu_rounded = mu.astype(dtype)
            exact_mu = mu_rounded / np.linalg.norm(mu_rounded.astype(np.longdouble))
            distribution = VonMisesFisher(tf.constant(mu_rounded), tf.constant(kappa, dtype))
            rows = x.astype(dtype)
            for row, log_prob in zip(rows, distribution.log_prob(rows).numpy(), strict=True):
                exact_row = row / np.linalg.norm(row.astype(np.longdouble))
                difference = float(log_prob) - exact_log_prob(exact_row, exact_mu, kappa, dim)
                worst = max(worst, abs(difference))
    print(f"{dtype.__name__}: largest absolute error of log_prob {worst:.1e}")
    assert worst < target


@pytest.mark.parametrize("statistic", ["mean", "mode", "covariance", "entropy"])
def test_statistics_equal_tfps_where_tfp_is_accurate(statistic):
    # In float32, as TFP's covariance fails in float64.
    mu = tf.math.l2_normalize(tf.constant([[1.0, 2.0, 3.0], [-2.0, -3.0, -1.0]]), axis=-1)
    concentration = tf.constant([[0.0], [0.5], [2.0], [40.0]])
    ours, tfps = (getattr(cls(mu, concentration), statistic)() for cls in (VonMisesFisher, tfd.VonMisesFisher))
    assert ours.shape == tfps.shape
    np.testing.assert_allclose(ours, tfps, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("dim", "kappa"), [(2, 1.0), (3, 1e-4), (8, 5.0), (25, 400.0)])
def test_covariance_equals_quadrature(dim, kappa, rng):
    law, mu = AngleLaw(dim, kappa), unit(rng, dim)
    distribution = VonMisesFisher(tensor(mu), tensor(kappa))
    mean = 1 - law.one_minus_mean
    along = 1 - mean**2 - (dim - 1) * mean / kappa
    across = mean / kappa
    outer = np.outer(mu, mu)
    expected = along * outer + across * (np.eye(dim) - outer)
    np.testing.assert_allclose(distribution.covariance(), expected, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(distribution.variance(), np.diag(expected), rtol=1e-7, atol=1e-10)
    assert np.linalg.eigvalsh(distribution.covariance()).min() > 0


def test_covariance_has_its_limits_and_smooth_gradients_there():
    mu = tf.constant([0.6, 0.0, -0.8])
    np.testing.assert_allclose(VonMisesFisher(mu, 0.0).covariance(), np.eye(3) / 3, atol=1e-7)
    large = 1e8
    tangent = np.eye(3) - np.outer(mu, mu)
    np.testing.assert_allclose(VonMisesFisher(mu, large).covariance() * large, tangent, atol=1e-5)
    for value in (0.0, 1e-20, 1e-6, 1e10):
        kappa = tf.constant(value)
        with tf.GradientTape() as tape:
            tape.watch(kappa)
            covariance = VonMisesFisher(mu, kappa).covariance()
        assert np.isfinite(tape.gradient(covariance, kappa))


@pytest.mark.parametrize("dim", [2, 3, 10, 100])
def test_the_density_integrates_to_one(dim):
    # Importance sampling from the uniform distribution would fail here; the cosine reduces it to one dimension.
    for kappa in (0.0, 1.0, 20.0, 500.0):
        t, weights = np.polynomial.legendre.leggauss(200)
        angle = (t + 1) * np.pi / 2
        x = np.zeros((angle.size, dim))
        x[:, 0], x[:, 1] = np.cos(angle), np.sin(angle)
        distribution = VonMisesFisher(tensor(np.eye(dim)[0]), tensor(kappa))
        log_area = np.log(2) + (dim - 1) / 2 * np.log(np.pi) - special.gammaln((dim - 1) / 2)
        ring = np.exp(log_area + distribution.log_prob(x).numpy()) * np.sin(angle) ** (dim - 2)
        assert (weights * ring).sum() * np.pi / 2 == pytest.approx(1, rel=1e-9)


# ---- divergences


def test_divergences_to_uniform_are_those_of_tfp_and_of_quadrature():
    mu = tf.constant([0.0, 1.0, 0.0], tf.float64)
    for kappa in (0.0, 0.5, 3.0, 80.0):
        ours, uniform = VonMisesFisher(mu, tensor(kappa)), tfd.SphericalUniform(3, dtype=tf.float64)
        expected = tfd.kl_divergence(tfd.VonMisesFisher(mu, tensor(kappa)), uniform) if kappa else 0.0
        assert float(tfd.kl_divergence(ours, uniform)) == pytest.approx(float(expected), rel=1e-10, abs=1e-12)
        # log(sinh(kappa) / kappa) in three dimensions.
        reverse = np.log(np.sinh(kappa) / kappa) if kappa else 0.0
        assert float(tfd.kl_divergence(uniform, ours)) == pytest.approx(reverse, rel=1e-12, abs=1e-15)
        assert float(ours.cross_entropy(uniform)) == pytest.approx(np.log(4 * np.pi), rel=1e-12)


@pytest.mark.parametrize("dim", quick(2, [2, 8, 3, 40]))
def test_divergences_between_distributions_equal_their_monte_carlo_estimates(dim, rng):
    first = VonMisesFisher(tensor(unit(rng, dim)), tensor(0.7 * dim))
    second = VonMisesFisher(tensor(unit(rng, dim)), tensor(0.3 * dim))
    power = tfd.PowerSpherical(tensor(unit(rng, dim)), tensor(2.0 * dim))
    uniform = tfd.SphericalUniform(dim, dtype=tf.float64)
    for a, b in ((first, second), (power, first), (first, uniform), (uniform, first)):
        x = a.sample(40_000, seed=(3, 4))
        log_ratio = (a.log_prob(x) - b.log_prob(x)).numpy()
        error = log_ratio.std() / 200
        assert abs(float(tfd.kl_divergence(a, b)) - log_ratio.mean()) < 4.5 * error, (a, b)
        if a is not power:
            assert float(a.cross_entropy(b)) == pytest.approx(float(a.entropy() + tfd.kl_divergence(a, b)), rel=1e-12)


def test_a_distribution_has_no_divergence_from_itself(rng):
    distribution = VonMisesFisher(tensor(unit(rng, 4, 10), tf.float32), tf.constant([0.0, 1.0, 1e3, 1e8]))
    np.testing.assert_array_equal(tfd.kl_divergence(distribution, distribution.copy()), np.zeros(4))


def test_divergences_of_different_dimensions_are_refused():
    three, four = VonMisesFisher([1.0, 0.0, 0.0], 1.0), VonMisesFisher([1.0, 0.0, 0.0, 0.0], 1.0)
    for other in (four, tfd.SphericalUniform(4)):
        with pytest.raises(ValueError, match=r"different dimensions\. Got 3 vs\. 4"):
            tfd.kl_divergence(three, other)


# ---- the cosine


def test_cosine_cdf_and_quantile_are_those_of_the_samples(rng):
    distribution = VonMisesFisher(tensor(unit(rng, 2, 6)), tensor([[1.0], [20.0], [300.0]]))
    x = distribution.sample(20_000, seed=(1, 1))
    cosine = tf.reduce_sum(x * distribution.mean_direction, -1)
    probability = distribution.cosine_cdf(cosine).numpy()
    assert probability.shape == (20_000, 3, 2)
    for i in range(3):
        assert stats.kstest(probability[:, i, 0], "uniform").pvalue > 1e-4
    np.testing.assert_allclose(
        distribution.cosine_quantile(distribution.cosine_cdf(cosine[:50])), cosine[:50], atol=1e-12
    )


# ---- maximum likelihood


@pytest.mark.parametrize(("dim", "kappa"), quick(2, [(3, 50.0), (40, 90.0), (2, 3.0), (10, 8.0)]))
def test_the_fit_is_scipys(dim, kappa, rng):
    x = VonMisesFisher(tensor(unit(rng, dim)), kappa).sample(2000, seed=(5, dim)).numpy()
    fitted = VonMisesFisher.experimental_fit(tensor(x))
    mu, concentration = stats.vonmises_fisher.fit(x)
    np.testing.assert_allclose(fitted.mean_direction, mu, atol=1e-10)
    assert float(fitted.concentration) == pytest.approx(concentration, rel=1e-6)


def test_the_fit_of_a_numpy_array_keeps_its_precision_and_takes_the_arguments_of_tfp(rng):
    x = VonMisesFisher(tensor(unit(rng, 3)), 4.0).sample((20, 5), seed=(5, 6)).numpy()
    fitted = VonMisesFisher.experimental_fit(x, 2)
    assert fitted.dtype == tf.float64
    assert fitted.batch_shape == ()
    assert VonMisesFisher.experimental_fit(x.astype(np.float32)).dtype == tf.float32
    assert VonMisesFisher.experimental_fit(np.eye(3, dtype=int)).dtype == tf.float32


@pytest.mark.parametrize(
    ("samples", "weights"),
    quick(2, [(np.float32, np.float64), (np.float64, np.int64), (np.float32, np.int64), (np.float64, np.float32)]),
)
def test_weights_of_the_fit_may_be_of_another_dtype(samples, weights, rng):
    x = VonMisesFisher(tensor(unit(rng, 3)), 4.0).sample(50, seed=(5, 6)).numpy().astype(samples)
    counts = rng.integers(1, 4, 50)
    fitted = VonMisesFisher.experimental_fit(x, weights=counts.astype(weights))
    assert fitted.dtype == samples
    repeated = VonMisesFisher.experimental_fit(np.repeat(x, counts, axis=0))
    np.testing.assert_allclose(fitted.concentration, repeated.concentration, rtol=1e-4)


@pytest.mark.parametrize(("dim", "kappa"), quick(1, [(10_000, 20_000.0), (3, 0.5), (1000, 3000.0)]))
def test_the_fit_solves_the_likelihood_equation_in_every_dimension(dim, kappa, rng):
    x = VonMisesFisher(tensor(unit(rng, dim)), kappa).sample(300, seed=(5, 6))
    fitted = VonMisesFisher.experimental_fit(x)
    np.testing.assert_allclose(fitted.mean(), tf.reduce_mean(x, 0), atol=1e-12)


def test_weights_count_like_repeated_samples_and_batches_fit_apart(rng):
    x = tensor(unit(rng, 12, 5) + 0.5)
    x = tf.math.l2_normalize(x, -1)
    counts = np.array([1, 0, 3, 2, 1, 1, 0, 4, 1, 2, 1, 1])
    weighted = VonMisesFisher.experimental_fit(x, weights=tensor(counts))
    repeated = VonMisesFisher.experimental_fit(tf.repeat(x, counts, axis=0))
    np.testing.assert_allclose(weighted.concentration, repeated.concentration, rtol=1e-12)
    np.testing.assert_allclose(weighted.mean_direction, repeated.mean_direction, rtol=1e-12)
    responsibilities = tensor(rng.dirichlet([1, 1, 1], 12))
    both = VonMisesFisher.experimental_fit(x[:, None], weights=responsibilities)
    assert both.batch_shape == (3,)
    for k in range(3):
        one = VonMisesFisher.experimental_fit(x, weights=responsibilities[:, k])
        np.testing.assert_allclose(both.concentration[k], one.concentration, rtol=1e-12)


def test_degenerate_samples_fit_finitely():
    same = VonMisesFisher.experimental_fit(tf.constant([[0.6, 0.8], [0.6, 0.8]]))
    assert float(same.concentration) == 2.0**46  # 1 / eps^2
    opposite = VonMisesFisher.experimental_fit(tf.constant([[1.0, 0.0], [-1.0, 0.0]]))
    assert float(opposite.concentration) == 0
    np.testing.assert_allclose(tf.norm(opposite.mean_direction), 1)


# ---- the TFP contract


def test_shapes_broadcast_as_in_tfp():
    mu = tf.math.l2_normalize(tf.constant([[1.0, 1.0], [-2.0, 1.0], [0.0, -1.0]]), axis=-1)
    distribution = VonMisesFisher(mu, [[0], [0.1], [2], [40], [1000]], validate_args=True, allow_nan_stats=False)
    assert distribution.batch_shape == (5, 3)
    assert distribution.event_shape == (2,)
    assert distribution.dtype == tf.float32
    assert distribution.sample(seed=1).shape == (5, 3, 2)
    assert distribution.sample([4, 2], seed=1).shape == (4, 2, 5, 3, 2)
    for name, shape in (("mean", (5, 3, 2)), ("mode", (5, 3, 2)), ("entropy", (5, 3)), ("covariance", (5, 3, 2, 2))):
        assert getattr(distribution, name)().shape == shape
    assert distribution[1:3, 0].batch_shape == (2,)
    assert distribution[..., tf.newaxis].sample(2, seed=1).shape == (2, 5, 3, 1, 2)
    assert distribution.copy(concentration=2.0).batch_shape == (3,)
    assert VonMisesFisher([1.0, 0.0], [1.0, 2.0]).log_prob([0.0, 1.0]).shape == (2,)


def test_means_have_the_right_directions_and_lengths():
    mu = tf.math.l2_normalize(tf.constant([[1.0, 2.0, 3.0], [-2.0, -3.0, -1.0]]), axis=-1)
    distribution = VonMisesFisher(mu, [[0], [0.1], [2], [40], [1000]])
    mean = distribution.sample(20_000, seed=(2, 2)).numpy().mean(axis=0)
    exact = distribution.mean().numpy()
    np.testing.assert_array_equal(exact[0], np.zeros((2, 3)))
    np.testing.assert_allclose(mean, exact, atol=0.02)
    lengths = np.linalg.norm(exact, axis=-1)
    assert np.all(np.diff(lengths, axis=0) > 0)


def test_seeds_reproduce_samples():
    distribution = VonMisesFisher([0.6, 0.8], 1.2)
    for seed in (1, (1, 2), tf.constant([3, 4])):
        tf.random.set_seed(9)
        first = distribution.sample(50, seed=seed)
        tf.random.set_seed(9)
        np.testing.assert_array_equal(first, distribution.sample(50, seed=seed))


def test_the_class_declares_full_reparameterization_and_delivers_it():
    mu, kappa = tf.Variable([0.6, 0.0, 0.8]), tf.Variable(3.0)
    distribution = VonMisesFisher(mu, kappa)
    assert distribution.reparameterization_type == tfd.FULLY_REPARAMETERIZED
    assert len(distribution.trainable_variables) == 2
    with tf.GradientTape(persistent=True) as tape:
        values = [
            distribution.sample(5, seed=1),
            distribution.log_prob([0.0, 1.0, 0.0]),
            distribution.entropy(),
            distribution.variance(),
        ]
    for value in values:
        assert np.isfinite(tape.gradient(value, kappa))
    for value in values[:2]:
        assert np.isfinite(tape.gradient(value, mu)).all()


def test_the_distribution_is_a_composite_tensor_that_crosses_functions():
    distribution = VonMisesFisher(tf.constant([[0.6, 0.8], [1.0, 0.0]]), tf.constant([1.0, 5.0]))
    assert len(tf.nest.flatten(distribution, expand_composites=True)) == 2
    returned = tf.function(lambda d: d.copy(concentration=2 * d.concentration))(distribution)
    assert isinstance(returned, VonMisesFisher)
    np.testing.assert_array_equal(returned.concentration, [2.0, 10.0])
    fixed = tf.function(lambda d: d.sample(3, seed=(1, 2)))(VonMisesFisher([0.6, 0.8], 2.0))
    assert fixed.shape == (3, 2)


def test_methods_compile_and_vectorize():
    mu = tf.math.l2_normalize(tf.constant([[1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0, 0.0]]), axis=-1)
    kappa = tf.constant([2.0, 30.0])
    x = VonMisesFisher(mu, kappa).sample(seed=(1, 2))

    def everything(mu, kappa, x):
        distribution = VonMisesFisher(mu, kappa)
        return (
            distribution.log_prob(x),
            distribution.entropy(),
            distribution.mean(),
            distribution.covariance(),
            tfd.kl_divergence(distribution, VonMisesFisher([1.0, 0.0, 0.0, 0.0], 3.0)),
            distribution.sample(2, seed=(1, 2))[..., 0, 0] * 0,
        )

    expected = everything(mu, kappa, x)
    compiled = tf.function(everything, jit_compile=True)(mu, kappa, x)
    mapped = tf.vectorized_map(lambda row: everything(*row), (mu, kappa, x))
    for a, b, c in zip(expected[:-1], compiled, mapped, strict=False):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(a, c, rtol=1e-5, atol=1e-6)


@pytest.mark.slow  # in the quick suite tests/distributions/test_contract.py
def test_it_composes_with_mixtures_joint_distributions_and_samples():
    mu = tf.math.l2_normalize(tf.constant([[1.0, 2.0, 3.0], [-2.0, -3.0, -1.0]]), axis=-1)
    components = VonMisesFisher(mu, [3.0, 30.0])
    mixture = tfd.MixtureSameFamily(tfd.Categorical(probs=[0.3, 0.7]), components)
    x = mixture.sample(10, seed=1)
    by_hand = np.log(0.3 * components.prob(x[:, None])[:, 0] + 0.7 * components.prob(x[:, None])[:, 1])
    np.testing.assert_allclose(mixture.log_prob(x), by_hand, rtol=1e-5)

    def model():
        kappa = yield tfd.JointDistributionCoroutine.Root(tfd.Gamma(2.0, 1.0))
        yield VonMisesFisher([0.0, 0.0, 1.0], kappa)

    parts = [tfd.Gamma(2.0, 1.0), lambda k: VonMisesFisher([0.0, 0.0, 1.0], k)]
    for joint in (
        tfd.JointDistributionCoroutine(model),
        tfd.JointDistributionSequential(parts),
        tfd.JointDistributionSequentialAutoBatched(parts),
    ):
        kappa, x = joint.sample(4, seed=1)
        by_hand = tfd.Gamma(2.0, 1.0).log_prob(kappa) + VonMisesFisher([0.0, 0.0, 1.0], kappa).log_prob(x)
        np.testing.assert_allclose(joint.log_prob([kappa, x]), by_hand, rtol=1e-5)
    assert tfd.Sample(components, 3).sample(seed=1).shape == (2, 3, 3)
    assert tfd.Independent(components, 1).log_prob(mu).shape == ()
    assert tfd.BatchReshape(components, [2, 1]).sample(seed=1).shape == (2, 1, 3)


def test_parameter_properties_describe_the_parameters():
    properties = VonMisesFisher.parameter_properties()
    assert list(properties) == ["mean_direction", "concentration"]
    assert VonMisesFisher.param_shapes([2, 5])["concentration"].numpy().tolist() == [2]
    positive = properties["concentration"].default_constraining_bijector_fn()(tf.constant([-50.0, 0.0]))
    assert np.all(positive.numpy() > 0)


@pytest.mark.parametrize(
    ("mu", "kappa", "message"),
    [
        ([0.6, 0.8], -1.0, "`concentration` must be non-negative"),
        ([1.0], 0.0, "`mean_direction` may not have scalar event shape"),
        ([1.0, 2.0, 3.0], 1.0, "`mean_direction` must be unit-length"),
    ],
)
def test_validate_args_names_the_bad_parameter(mu, kappa, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        VonMisesFisher(mu, kappa, validate_args=True, allow_nan_stats=False)
    # The same for variables that go bad later.
    good_mu = [1.0] + [0.0] * (len(mu) - 1)
    if len(mu) > 1:
        mu_variable, kappa_variable = tf.Variable(good_mu), tf.Variable(1.0)
        distribution = VonMisesFisher(mu_variable, kappa_variable, validate_args=True)
        distribution.mean()
        mu_variable.assign(mu)
        kappa_variable.assign(kappa)
    else:
        distribution = VonMisesFisher(tf.Variable(mu), kappa, validate_args=True)
    for method in (distribution.mean, tf.function(distribution.mean)):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            method()


def test_validate_args_checks_samples():
    mu = tf.math.l2_normalize(tf.constant([[1.0, 2.0, 3.0], [-2.0, -3.0, -1.0]]), axis=-1)
    distribution = VonMisesFisher(mu, [[0.0], [2.0]], validate_args=True)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Samples must be unit length"):
        distribution.prob([0.5, 0.5, 0.5])
    with pytest.raises(ValueError, match="must have innermost dimension matching"):
        distribution.log_prob([[1.0, 0.0, 0.0, 0.0]])
    unknown = tf.Variable([[1.0, 0.0, 0.0, 0.0]], shape=tf.TensorShape(None))
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have innermost dimension matching"):
        tf.function(lambda: distribution.log_prob(unknown))()


def test_dynamic_batch_shapes_work_and_a_dynamic_dimension_is_refused():
    @tf.function(input_signature=[tf.TensorSpec([None, 3]), tf.TensorSpec(None)])
    def run(mu, kappa):
        distribution = VonMisesFisher(mu, kappa, validate_args=True)
        return distribution.sample(2, seed=(1, 1)), distribution.entropy(), distribution.covariance()

    sample, entropy, covariance = run(tf.eye(3), tf.ones([4, 1]))
    assert sample.shape == (2, 4, 3, 3)
    assert entropy.shape == (4, 3)
    assert covariance.shape == (4, 3, 3, 3)

    @tf.function(input_signature=[tf.TensorSpec([None])])
    def no_dimension(mu):
        return VonMisesFisher(mu, 1.0).entropy()

    with pytest.raises(ValueError, match=r"`mean_direction` of VonMisesFisher.*static"):
        no_dimension(tf.constant([1.0, 0.0]))


def test_an_unknown_name_of_the_package_is_refused():
    with pytest.raises(AttributeError, match="Nothing"):
        _ = tf_vmf.distributions.Nothing
