"""Cluster unit vectors by a mixture of von Mises-Fisher distributions.

It draws three clusters in 20 dimensions, chooses their number by the Bayesian information criterion and finds them again.

    python examples/movmf_mixture.py
"""

import numpy as np

from tf_vmf.distributions import VonMisesFisherMixture


def draw_clusters(seed: int = 0) -> tuple[np.ndarray, np.ndarray, VonMisesFisherMixture]:
    """Draws 900 points of a known mixture of three clusters in 20 dimensions, with their labels."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(3, 20))
    # A mixture is its parameters: those of a fit are replaced by known ones.
    truth = VonMisesFisherMixture(3, init=directions, random_state=seed).fit(directions)
    truth.weights_ = np.array([0.5, 0.3, 0.2])
    truth.concentrations_ = np.array([30.0, 60.0, 120.0])
    return *truth.sample(900), truth


def choose_number(x: np.ndarray, numbers: range, seed: int = 0) -> dict[int, float]:
    """The Bayesian information criterion for every number of clusters; lower is better."""
    return {n: VonMisesFisherMixture(n, n_init=3, random_state=seed).fit(x).bic(x) for n in numbers}


def main() -> None:
    """Fits the clusters and prints what was found beside what was drawn."""
    x, labels, truth = draw_clusters()
    criterion = choose_number(x, range(1, 6))
    print("clusters: BIC  " + "  ".join(f"{number}: {value:.0f}" for number, value in criterion.items()))
    mixture = VonMisesFisherMixture(min(criterion, key=criterion.get), n_init=3, random_state=0).fit(x)
    print(f"{mixture.n_iter_} steps, mean log density {mixture.score(x):.3f} nats (truth {truth.score(x):.3f})")
    found = mixture.predict(x)
    print("cluster: weight, concentration (drawn with)")
    for k in range(3):
        component = int(np.bincount(found[labels == k]).argmax())
        print(
            f"{k}: {mixture.weights_[component]:.2f}, {mixture.concentrations_[component]:.1f} "
            f"({truth.weights_[k]:.2f}, {truth.concentrations_[k]:.0f})"
        )


if __name__ == "__main__":
    main()
