"""Cluster unit vectors by a mixture of von Mises-Fisher distributions, fitted by expectation maximisation.

The method of Banerjee et al. (JMLR 6, 2005), with the exact maximum-likelihood concentration in place of their
approximation. Run it: it draws three clusters in 20 dimensions and finds them again.

    python examples/movmf_mixture.py
"""

import numpy as np
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tf_vmf.distributions import VonMisesFisher


def spread_out(x: tf.Tensor, components: int, seed: int) -> tf.Tensor:
    """Picks data points as first mean directions, each with probability proportional to its distance from those picked."""
    rng = np.random.default_rng(seed)
    picked = [int(rng.integers(len(x)))]
    for _ in range(1, components):
        distance = 1 - tf.reduce_max(tf.matmul(x, tf.gather(x, picked), transpose_b=True), axis=1).numpy()
        weight = np.maximum(distance, 0)
        picked.append(int(rng.choice(len(x), p=weight / weight.sum())))
    return tf.gather(x, picked)


def fit_mixture(
    x: tf.Tensor, components: int, seed: int = 0, iterations: int = 200, tolerance: float = 1e-6
) -> tuple[tfd.MixtureSameFamily, list[float]]:
    """Fits a mixture of von Mises-Fisher distributions to unit vectors.

    Args:
        x: Float tensor `(n, d)`, rows of length 1.
        components: Number of clusters.
        seed: Of the initial mean directions.
        iterations: At most so many steps.
        tolerance: Stop when the mean log likelihood (nats) grows by less.

    Returns:
        The mixture, and the mean log likelihood before every step, which never falls.
    """
    mixture = tfd.MixtureSameFamily(
        tfd.Categorical(probs=tf.fill([components], tf.cast(1 / components, x.dtype))),
        VonMisesFisher(spread_out(x, components, seed), tf.fill([components], tf.cast(x.shape[-1], x.dtype))),
    )
    history: list[float] = []
    for _ in range(iterations):
        history.append(float(tf.reduce_mean(mixture.log_prob(x))))
        if len(history) > 1 and history[-1] - history[-2] < tolerance:
            break
        responsibilities = mixture.posterior_marginal(x).probs_parameter()
        mixture = tfd.MixtureSameFamily(
            tfd.Categorical(probs=tf.reduce_mean(responsibilities, axis=0)),
            VonMisesFisher.experimental_fit(x[:, tf.newaxis], weights=responsibilities),
        )
    return mixture, history


def draw_clusters(seed: int = 0) -> tuple[tf.Tensor, np.ndarray, tfd.MixtureSameFamily]:
    """Draws 900 points of a known mixture of three clusters in 20 dimensions, with their labels."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(3, 20))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    truth = tfd.MixtureSameFamily(
        tfd.Categorical(probs=tf.constant([0.5, 0.3, 0.2], tf.float64)),
        VonMisesFisher(tf.constant(directions), tf.constant([30.0, 60.0, 120.0], tf.float64)),
    )
    labels = truth.mixture_distribution.sample(900, seed=(seed, 1)).numpy()
    x = truth.components_distribution.sample(900, seed=(seed, 2)).numpy()[np.arange(900), labels]
    return tf.constant(x), labels, truth


def main() -> None:
    """Fits the clusters and prints what was found beside what was drawn."""
    x, labels, truth = draw_clusters()
    mixture, history = fit_mixture(x, 3)
    found = np.argmax(mixture.posterior_marginal(x).probs_parameter(), axis=1)
    print(f"{len(history) - 1} steps, mean log likelihood {history[0]:.3f} -> {history[-1]:.3f} nats")
    print("cluster: weight, concentration (drawn with)")
    for k in range(3):
        component = int(np.bincount(found[labels == k]).argmax())
        print(
            f"{k}: {mixture.mixture_distribution.probs_parameter()[component]:.2f}, "
            f"{mixture.components_distribution.concentration[component]:.1f} "
            f"({truth.mixture_distribution.probs_parameter()[k]:.2f}, "
            f"{truth.components_distribution.concentration[k]:.0f})"
        )


if __name__ == "__main__":
    main()
