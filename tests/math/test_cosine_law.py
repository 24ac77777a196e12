"""The noise-to-cosine map is the quantile function of the cosine, and its rate the implicit derivative in kappa."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import ndtr

from tests.math.cosine_oracle import AngleLaw
from tests.parameters import quick
from tf_vmf.math.cosine_law import cosine_from_normal

DIMS = (2, 3, 4, 5, 6, 7, 8, 10, 16, 25, 50, 100, 300, 1000)


def concentrations(dim):
    return (0.0, 1e-3, 0.3, 1.0, 2.5, 6.0, 10.0, 0.3 * dim, 1.0 * dim, 5.0 * dim, 100.0 * dim, 1e6)


def angles(dim, kappas, z, dtype, fixed=False):
    """For every concentration the angles that the map gives to the noise, the noise as rounded to the dtype, and the rates."""
    noise = tf.constant(z, dtype)
    if fixed:
        results = [cosine_from_normal(noise, kappa, dim) for kappa in kappas]
        sine, cosine = (np.stack([getattr(result, name) for result in results]) for name in ("sine", "cosine"))
        return np.arctan2(sine.astype(float), cosine.astype(float)), noise.numpy().astype(float), None
    result = cosine_from_normal(
        tf.tile(noise[tf.newaxis], [len(kappas), 1]), tf.constant(kappas, dtype)[:, tf.newaxis], dim
    )
    sine, cosine = result.sine.numpy().astype(float), result.cosine.numpy().astype(float)
    return np.arctan2(sine, cosine), noise.numpy().astype(float), result.rate.numpy()


@pytest.mark.parametrize("fixed", [True, False], ids=["fixed", "tensor"])
@pytest.mark.parametrize(
    ("dtype", "target", "wide_target"), quick(1, [("float32", 5e-6, 1e-5), ("float64", 1e-9, 1e-9)])
)
def test_the_largest_cdf_error_is_within_the_target(dtype, target, wide_target, fixed):
    z = np.linspace(-5.9, 5.9, 301)
    worst = {}
    for dim in DIMS:
        of_kappas, noise, _ = angles(dim, concentrations(dim), z, dtype, fixed)
        for kappa, angle in zip(concentrations(dim), of_kappas, strict=True):
            law = AngleLaw(dim, kappa)
            if dim == 2:  # the angle itself is increasing in the noise
                turned = np.abs(angle) < 3.1415  # farther, the two ends of the circle differ by rounding only
                np.testing.assert_array_equal(np.sign(angle[turned]), np.sign(noise[turned]))
                angle, above, below = np.abs(angle), 2 * ndtr(-np.abs(noise)), 1 - 2 * ndtr(-np.abs(noise))
            else:
                above, below = ndtr(noise), ndtr(-noise)
            error = np.where(below < 0.5, law.probability_below(angle) - below, law.probability_above(angle) - above)
            worst[dim] = max(worst.get(dim, 0), np.abs(error).max())
    print(dtype, {dim: f"{error:.1e}" for dim, error in worst.items()})
    assert max(error for dim, error in worst.items() if dim <= 100) < target
    assert max(worst.values()) < wide_target


@pytest.mark.parametrize(("dtype", "target"), quick(1, [("float32", 1e-5), ("float64", 1e-7)]))
def test_the_rate_is_the_implicit_derivative_at_fixed_noise(dtype, target):
    z = np.linspace(-3.9, 3.9, 121) + 1e-3
    worst = {}
    for dim in (2, 3, *DIMS[6:]):
        kappas = concentrations(dim)
        for kappa, angle, rate in zip(kappas, *angles(dim, kappas, z, dtype)[::2], strict=True):
            error = np.abs(rate / AngleLaw(dim, kappa).rate(np.abs(angle)) - 1)
            worst[dim] = max(worst.get(dim, 0), error.max())
    print(dtype, {dim: f"{error:.1e}" for dim, error in worst.items()})
    assert max(worst.values()) < target


@pytest.mark.parametrize("dim", [4, 5, 6, 7])
def test_the_rate_in_few_dimensions_is_good_where_samples_fall(dim):
    z = np.linspace(-3, 3, 61) + 1e-3
    kappas = concentrations(dim)
    for kappa, angle, rate in zip(kappas, *angles(dim, kappas, z, tf.float32)[::2], strict=True):
        np.testing.assert_allclose(rate, AngleLaw(dim, kappa).rate(angle), rtol=2e-5)


@pytest.mark.parametrize("dim", [2, 3, 4, 8, 50, 20_000, 200_000])
def test_extreme_arguments_give_finite_unit_pairs(dim):
    z = tf.constant([-9.0, -6.0, -1.0, 0.0, 1e-30, 2.0, 6.0, 9.0])
    kappas = [0.0, 1e-30, 1e-7, 1.0, 1e5, 1e10, 1e25, np.inf]
    for kappa in kappas:
        cosine, sine, _ = cosine_from_normal(z, kappa, dim)
        np.testing.assert_allclose(np.hypot(cosine, sine), 1, atol=1e-6, err_msg=str(kappa))
    noise = tf.tile(z[tf.newaxis], [len(kappas), 1])
    cosine, sine, rate = cosine_from_normal(noise, tf.constant(kappas)[:, tf.newaxis], dim)
    np.testing.assert_allclose(np.hypot(cosine, sine), 1, atol=1e-6)
    assert np.isfinite(rate).all()
    assert (rate.numpy() >= 0).all()


def test_radii_at_large_concentration_are_not_quantised():
    # 1 - w is 5e-8 of one, below float32 rounding; the sine is not.
    law = cosine_from_normal(tf.linspace(-1.0, 1.0, 1001), 1e9, 50)
    assert len(np.unique(law.sine.numpy())) > 990
