"""Sizes of the tests on the sphere, by simulation, and their power where they have some."""

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import scipy.stats

from tf_vmf._errors import ArgumentError
from tf_vmf.distributions import VonMisesFisher, bingham_test, goodness_of_fit, rayleigh_test, two_sample_test
from tf_vmf.distributions.sphere_tests import _distance
from tf_vmf.math.arrays import inverse_mean_resultant_length


def uniform(rng, *shape):
    x = rng.normal(size=shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def runif_of_r(seed, count):
    """R's `set.seed(seed); runif(count)`: a Mersenne Twister whose state is a linear congruential sequence."""
    words = []
    for _ in range(50 + 1 + 624):
        seed = (69069 * seed + 1) % 2**32
        words.append(seed)
    generator = np.random.RandomState()
    generator.set_state(("MT19937", np.array(words[51:], np.uint32), 624))
    return generator.randint(0, 2**32, size=count, dtype=np.uint32) / 2**32


def test_the_published_example_of_sphunif_is_reproduced():
    # E. Garcia-Portugues and T. Verdebout, R package sphunif, README: set.seed(987202226), 50 points that crowd at the poles.
    theta, phi = np.pi * np.array([[2], [1]]) * runif_of_r(987202226, 100).reshape(2, 50)
    x = np.stack([np.cos(theta) * np.sin(phi), np.sin(theta) * np.sin(phi), np.cos(phi)], axis=1)
    rayleigh = rayleigh_test(x, modified=False)
    assert rayleigh.statistic == pytest.approx(0.52692, abs=5e-6)
    assert rayleigh.p_value == pytest.approx(0.9129, abs=5e-5)
    assert bingham_test(x).statistic == pytest.approx(22.455, abs=5e-4)


@pytest.mark.parametrize("dim", [2, 3, 6])
def test_p_values_of_bingham_are_uniform_for_uniform_points(dim, rng):
    p = bingham_test(uniform(rng, 60, 8_000, dim)).p_value
    for level in (0.1, 0.05):
        # Four standard errors of the share, and an error of the order 1 / n.
        assert np.mean(p < level) == pytest.approx(level, abs=4 * np.sqrt(level / 8_000) + 0.01)


def test_bingham_sees_axes_that_rayleigh_does_not(rng):
    x = uniform(rng, 100, 3) * [1.0, 1.0, 3.0]
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    x = np.concatenate([x, -x])  # the mean is exactly 0
    assert rayleigh_test(x).p_value == pytest.approx(1.0)
    assert bingham_test(x).p_value < 1e-6


def test_bingham_on_the_circle_is_rayleigh_of_the_doubled_angles(rng):
    angle = rng.uniform(0, 2, 30)
    x, doubled = (np.stack([np.cos(a), np.sin(a)], axis=-1) for a in (angle, 2 * angle))
    assert bingham_test(x).statistic == pytest.approx(rayleigh_test(doubled, modified=False).statistic)


@pytest.mark.slow  # sixty tests of 19 simulated samples each
def test_goodness_of_fit_has_the_size_that_it_says(rng):
    model = scipy.stats.vonmises_fisher(np.eye(3)[0], 5.0)
    p = [goodness_of_fit(model.rvs(20, random_state=rng), simulations=19, seed=i).p_value for i in range(60)]
    # P(p <= 0.2) = 0.2 for 19 simulations; four standard errors.
    assert np.mean(np.array(p) <= 0.2) == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / 60))


def test_goodness_of_fit_takes_its_own_law_and_sees_a_mixture(rng):
    model = scipy.stats.vonmises_fisher(np.eye(3)[0], 5.0)
    assert goodness_of_fit(model.rvs(90, random_state=rng)).p_value > 0.05
    two = np.concatenate([model.rvs(60, random_state=rng), -model.rvs(30, random_state=rng)])
    assert goodness_of_fit(two).p_value == pytest.approx(1 / 200)


def colatitude_statistic(x):
    """Fisher and Best's statistic: Kolmogorov's distance of 1 - cosine from an exponential law, modified by Stephens."""
    mean = x.mean(axis=0)
    drop = np.sort(1 - x @ mean / np.linalg.norm(mean))
    law, ranks = -np.expm1(-drop / drop.mean()), np.arange(len(x)) / len(x)
    distance = max((law - ranks).max(), (ranks + 1 / len(x) - law).max())
    return distance, (distance - 0.2 / len(x)) * (np.sqrt(len(x)) + 0.26 + 0.5 / np.sqrt(len(x)))


@pytest.mark.parametrize(
    ("level", "point"),
    [
        (0.05, 1.094),
        pytest.param(0.1, 0.990, marks=pytest.mark.slow),  # 4,000 simulated samples each
        pytest.param(0.01, 1.308, marks=pytest.mark.slow),
    ],
)
def test_p_values_of_goodness_of_fit_are_the_published_critical_points_on_the_sphere(level, point):
    # N. I. Fisher, T. Lewis, B. J. J. Embleton. Statistical Analysis of Spherical Data. 1987. Table A8: colatitudes of concentrated
    # points under a Fisher distribution with estimated parameters. Twenty points, as pairs about their mean, with that statistic.
    share = (np.arange(10) + 0.5) / 10
    around = 2.4 * np.arange(10)

    def sample(flat):
        drop = (flat - (1 - flat) * np.log1p(-share)) / 200.0
        sine = np.sqrt(drop * (2 - drop))
        x = np.stack([1 - drop, sine * np.cos(around), sine * np.sin(around)], axis=1)
        return np.concatenate([x, x * [1, -1, -1]])

    x = sample(scipy.optimize.brentq(lambda flat: colatitude_statistic(sample(flat))[1] - point, 0, 1))
    result = goodness_of_fit(x, simulations=3999)
    assert result.statistic == pytest.approx(colatitude_statistic(x)[0], abs=1e-9)
    # Three standard errors of the simulation, and a tenth for the table, which holds for all n.
    assert result.p_value == pytest.approx(level, abs=3 * np.sqrt(level / 4000) + 0.1 * level)


def test_two_samples_of_one_law_are_told_apart_as_seldom_as_said(rng):
    laws = scipy.stats.vonmises_fisher(np.eye(4)[0], 3.0), scipy.stats.vonmises_fisher(np.eye(4)[1], 3.0)
    p = [
        two_sample_test(
            laws[0].rvs(9, random_state=rng), laws[0].rvs(14, random_state=rng), permutations=19, seed=i
        ).p_value
        for i in range(200)
    ]
    assert np.mean(np.array(p) <= 0.2) == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / 200))
    first, second = (law.rvs(40, random_state=rng) for law in laws)
    result = two_sample_test(first, second)
    assert result.p_value == 1 / 1000

    def log_likelihood(x):
        return scipy.stats.vonmises_fisher(*scipy.stats.vonmises_fisher.fit(x)).logpdf(x).sum()

    ratio = 2 * (log_likelihood(first) + log_likelihood(second) - log_likelihood(np.concatenate([first, second])))
    assert result.statistic == pytest.approx(ratio, rel=1e-5)
    wider = scipy.stats.vonmises_fisher(np.eye(4)[0], 30.0).rvs(40, random_state=rng)
    assert two_sample_test(first, wider).p_value < 0.01  # another concentration alone


def test_bad_arguments_are_named():
    x = np.eye(3)
    for call, name in (
        (lambda: bingham_test(2 * x), "samples"),
        (lambda: goodness_of_fit(x[:, np.newaxis]), "samples"),
        (lambda: two_sample_test(x, np.eye(4)), "second"),
        (lambda: two_sample_test(x[:1], x), "samples"),
        (lambda: two_sample_test(x, x, seed=None), "seed"),
        (lambda: goodness_of_fit(x, seed=1.5), "seed"),
        (lambda: goodness_of_fit(x, seed=-1), "seed"),
    ):
        with pytest.raises(ArgumentError) as error:
            call()
        assert error.value.name == name


def test_seeds_may_be_larger_than_32_bits(rng):
    x = scipy.stats.vonmises_fisher(np.eye(3)[0], 5.0).rvs(20, random_state=rng)
    p = {float(goodness_of_fit(x, simulations=99, seed=seed).p_value) for seed in (0, 2**40, 2**41)}
    assert len(p) > 1


# Samples in degrees, their mean directions as the R package circular prints them, and F and p of the test of Watson and Williams.
PUBLISHED = {
    "Batschelet (1981), section 6.2": (
        (np.repeat([-20, -10, 0], [1, 7, 2]), np.repeat([-10, 0, 10, 20], [3, 3, 3, 1])),
        (-9.000615, 1.988969),
        (8.7329, 0.0085),
    ),
    "Zar (1999), example 27.7": (
        ([94, 65, 45, 52, 38, 47, 73, 82, 90, 40, 87], [77, 70, 61, 45, 50, 35, 48, 65, 36]),
        None,
        (1.61, 0.22),
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_examples_of_two_samples_on_the_circle_are_decided_alike(name):
    degrees, means, (published, p_value) = PUBLISHED[name]
    samples = [np.stack([np.cos(np.deg2rad(each)), np.sin(np.deg2rad(each))], axis=1) for each in degrees]
    sums = [sample.sum(axis=0) for sample in samples]
    if means is not None:
        np.testing.assert_allclose([np.rad2deg(np.arctan2(y, x)) for x, y in sums], means, atol=1e-6)
    # Their statistic compares directions alone, at one concentration, which they read from a table.
    n, lengths, length = sum(map(len, samples)), sum(map(np.linalg.norm, sums)), np.linalg.norm(sum(sums))
    concentration = float(inverse_mean_resultant_length(np.array(lengths / n), 2))
    f = (1 + 3 / (8 * concentration)) * (n - 2) * (lengths - length) / (n - lengths)
    assert f == pytest.approx(published, rel=5e-3)
    assert scipy.stats.f.sf(f, 1, n - 2) == pytest.approx(p_value, abs=2e-3)

    def log_likelihood(points):
        resultant = np.linalg.norm(points.sum(axis=0))
        loss = lambda k: len(points) * np.log(2 * np.pi * scipy.special.i0e(k)) + k * (len(points) - resultant)  # noqa: E731
        return -scipy.optimize.minimize_scalar(loss, bounds=(0, 1e4), method="bounded", options={"xatol": 1e-9}).fun

    found = two_sample_test(*samples)
    gain = sum(map(log_likelihood, samples)) - log_likelihood(np.concatenate(samples))
    assert found.statistic == pytest.approx(2 * gain, rel=1e-9)
    assert (found.p_value < 0.05) == (p_value < 0.05)


def test_the_distance_has_the_published_percentage_points_on_the_sphere():
    """Where points are concentrated, 1 - cosine is exponential, and Stephens's points for an estimated mean hold.

    Fisher, Lewis and Embleton (1987), section 5.3.2 and appendix A8: M = (D - 0.2/n) (sqrt(n) + 0.26 + 0.5/sqrt(n)).
    """
    n, count = 50, 2000
    points = VonMisesFisher(np.array([0.0, 0.0, 1.0]), 50.0).sample((n, count), seed=(1, 2)).numpy()
    distance, _ = _distance(points, 1e8)
    modified = (distance - 0.2 / n) * (np.sqrt(n) + 0.26 + 0.5 / np.sqrt(n))
    for size, point in ((0.15, 0.926), (0.1, 0.990), (0.05, 1.094), (0.025, 1.190), (0.01, 1.308)):
        assert abs(np.mean(modified > point) - size) < 4 * np.sqrt(size * (1 - size) / count), size
