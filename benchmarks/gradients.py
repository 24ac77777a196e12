"""Bias and variance of the gradients of samples, against rejection sampling with a Householder reflection.

    python -m benchmarks.gradients

The loss is a fixed random linear function of the sample, `c.x` with `c` a unit vector, whose expectation `A(kappa) c.mu` has known
gradients: `A'(kappa) c.mu` in kappa and `A(kappa) (I - mu mu^T) c` in the mean direction, along the sphere. The peers:

- TensorFlow Probability's `VonMisesFisher`: rejection (Ulrich 1984, Wood 1994) and reflection; its gradient in kappa goes through
  the accepted proposal alone and leaves out the derivative of the acceptance (d != 3), the gradient in the mean direction
  through the reflection.
- Householder reflection with the exact radius: this package's law of the cosine, TFP's and the s-vae's way (Davidson et al. 2018)
  of turning it onto the mean direction. It differs from this package in the gradient of the mean direction alone.
"""

import benchmarks.timing  # noqa: F401  one thread, before TensorFlow starts
from benchmarks.report import quick_flag, table

# isort: split
from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tf_vmf import math as vmf_math
from tf_vmf.distributions import VonMisesFisher

# One function a sampler and setting is on purpose.
tf.get_logger().setLevel("ERROR")

SETTINGS = ((3, 10.0), (5, 2.0), (10, 100.0), (25, 25.0), (25, 100.0), (50, 35.0), (50, 80.0), (200, 100.0))
BATCH = 2**15


def householder(mean_direction: tf.Tensor, kappa: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Samples around the first axis with this package's radius, reflected onto the mean direction."""
    dim = mean_direction.shape[-1]
    first = tf.one_hot(0, dim) + tf.zeros_like(mean_direction)
    around_first = VonMisesFisher(first, kappa).sample(seed=seed)
    normal = tf.math.l2_normalize(first - mean_direction, axis=-1)
    return around_first - 2 * normal * tf.reduce_sum(normal * around_first, axis=-1, keepdims=True)


SAMPLERS: dict[str, Callable] = {
    "this package": lambda mean, kappa, seed: VonMisesFisher(mean, kappa).sample(seed=seed),
    "exact radius, Householder": householder,
    "TFP": lambda mean, kappa, seed: tfp.distributions.VonMisesFisher(mean, kappa).sample(seed=seed),
}


class Moments:
    """Running sums of the gradients of one sampler."""

    def __init__(self) -> None:
        self.number, self.kappa, self.kappa_squared, self.mean, self.mean_squared = 0, 0.0, 0.0, 0.0, 0.0

    def add(self, kappa_gradient: np.ndarray, tangent_gradient: np.ndarray) -> None:
        kappa_gradient, tangent_gradient = kappa_gradient.astype(np.float64), tangent_gradient.astype(np.float64)
        self.number += len(kappa_gradient)
        self.kappa += kappa_gradient.sum()
        self.kappa_squared += (kappa_gradient**2).sum()
        self.mean = self.mean + tangent_gradient.sum(axis=0)
        self.mean_squared += (tangent_gradient**2).sum()

    def kappa_bias(self, exact: float) -> tuple[float, float]:
        """Mean minus `exact`, relative to it, and the standard error of that."""
        mean = self.kappa / self.number
        deviation = np.sqrt(self.kappa_squared / self.number - mean**2)
        return (mean - exact) / abs(exact), deviation / np.sqrt(self.number) / abs(exact)

    def kappa_variance(self) -> float:
        return self.kappa_squared / self.number - (self.kappa / self.number) ** 2

    def direction_variance(self) -> float:
        """Trace of the covariance of the gradient in the mean direction."""
        return self.mean_squared / self.number - float(np.sum((self.mean / self.number) ** 2))

    def direction_bias(self, exact: np.ndarray) -> float:
        """Distance of the mean from `exact`, in units of what its own noise makes of it."""
        return float(np.linalg.norm(self.mean / self.number - exact) / np.sqrt(self.direction_variance() / self.number))


def measure(dim: int, kappa: float, batches: int) -> tuple[dict[str, Moments], float, np.ndarray]:
    """Moments of every sampler, with the exact gradients in kappa and (along the sphere) in the mean direction."""
    rng = np.random.default_rng(dim)
    mean = rng.standard_normal(dim)
    mean /= np.linalg.norm(mean)
    # 45 degrees from the mean direction: both gradients count.
    across = rng.standard_normal(dim)
    across -= mean * (across @ mean)
    c = (mean + across / np.linalg.norm(across)) / np.sqrt(2)
    slope = vmf_math.mean_resultant_length_derivative(tf.constant(kappa, tf.float64), dim).numpy()
    length = vmf_math.mean_resultant_length(tf.constant(kappa, tf.float64), dim).numpy()
    means = tf.constant(np.broadcast_to(mean, (BATCH, dim)), tf.float32)
    kappas, loss_vector = tf.fill([BATCH], tf.constant(kappa, tf.float32)), tf.constant(c, tf.float32)
    moments = {}
    for name, sample in SAMPLERS.items():

        @tf.function
        def gradients(seed: tf.Tensor, sample: Callable = sample) -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch([kappas, means])
                x = sample(means, kappas, seed)
                loss = tf.linalg.matvec(x, loss_vector)
            in_kappa, in_mean = tape.gradient(loss, [kappas, means])
            return [in_kappa, in_mean - means * tf.reduce_sum(means * in_mean, axis=-1, keepdims=True)]

        moments[name] = Moments()
        for i in range(batches):
            moments[name].add(*(g.numpy() for g in gradients(tf.constant([dim, i], tf.int32))))
    return moments, float(slope * (c @ mean)), length * (c - mean * (c @ mean))


def report(settings: tuple[tuple[int, float], ...] = SETTINGS, batches: int = 12) -> str:
    """The table in Markdown."""
    rows = []
    for dim, kappa in settings:
        moments, in_kappa, in_mean = measure(dim, kappa, batches)
        own, peer, other = (moments[name] for name in SAMPLERS)
        row = [f"{dim}, {kappa:g}"]
        for of in (own, other):
            bias, error = of.kappa_bias(in_kappa)
            row.append(f"{bias:+.2%} ± {error:.2%}")
        row.append(f"{own.kappa_variance() / other.kappa_variance():.2f}")
        row += [f"{of.direction_bias(in_mean):.1f}" for of in (own, peer, other)]
        row += [f"{own.direction_variance() / of.direction_variance():.3f}" for of in (peer, other)]
        rows.append(row)
    header = ["d, kappa", "kappa: bias", "TFP", "variance / TFP", "mu: bias", "Householder", "TFP"]
    header += ["variance / Householder", "/ TFP"]
    return (
        f"## Gradients of samples\n\nOf c.x, c a unit vector 45 degrees from the mean direction, over {batches * BATCH:,} samples "
        "in float32. In kappa: relative bias against the exact A'(kappa) c.mu, ± one standard error. In the mean direction, "
        "along the sphere: distance of the mean gradient from the exact one in standard errors (about 1 if unbiased), and the "
        "variance (trace of the covariance) of this package in units of the peer's. Householder: the same radius, turned by a "
        "reflection, as the s-vae does.\n\n" + table(header, rows)
    )


if __name__ == "__main__":
    print(report(settings=((5, 2.0), (50, 35.0)), batches=2) if quick_flag(__doc__) else report())
