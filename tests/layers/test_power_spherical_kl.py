"""The divergence of the power spherical latent is right at every concentration that its dtype holds."""

import mpmath
import numpy as np
import pytest
import tensorflow as tf

from tf_vmf.layers import PowerSphericalLatent


def exact(kappa, dim):
    with mpmath.workdps(80):
        kappa, half = mpmath.mpf(kappa), mpmath.mpf(dim - 1) / 2
        alpha = half + kappa

        def increment(a):
            return mpmath.loggamma(a + half) - mpmath.loggamma(a)

        slope = mpmath.digamma(alpha + half) - mpmath.digamma(alpha)
        return float(increment(alpha) - increment(half) - kappa * slope)


@pytest.mark.parametrize("dim", [2, 3, 10, 50, 500])
def test_the_divergence_is_exact_from_one_hundredth_to_the_largest_number(dim):
    layer = PowerSphericalLatent(dim, concentration="learned")
    kappa = np.float32([0.01, 0.3, 1, 5, 19, 21, 1e3, 1e6, 1e10, 1e13, 1e16, 1e20, 1e30, 3e38])
    kl = layer.kl_divergence({"mean_direction": tf.one_hot([0] * len(kappa), dim), "concentration": tf.constant(kappa)})
    np.testing.assert_allclose(kl, [exact(float(k), dim) for k in kappa], rtol=3e-7, atol=1e-9)


def test_its_gradient_is_finite_and_right_at_large_concentrations():
    layer = PowerSphericalLatent(7, concentration="learned")
    kappa = tf.constant([0.0, 1e3, 1e6, 1e12, 1e18])
    with tf.GradientTape() as tape:
        tape.watch(kappa)
        kl = layer.kl_divergence({"mean_direction": tf.one_hot([0] * 5, 7), "concentration": kappa})
    gradient = tape.gradient(kl, kappa).numpy()
    assert gradient[0] == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(gradient[1:] * kappa[1:], 3.0, rtol=1e-2)  # (d - 1)/2 log(kappa)
