"""Speed and memory of SphericalKMeans, and of the mixture, on dense rows against KMeans of scikit-learn and faiss on the same rows.

faiss is measured where `faiss-cpu` is installed.

python -m benchmarks.spherical_kmeans                                       # 100,000 x 768, 100 clusters
python -m benchmarks.spherical_kmeans --rows=20000 --columns=384 --clusters=50
"""

import argparse

from benchmarks.report import table
from benchmarks.timing import interleaved, ratio

# isort: split
import importlib.util
import statistics
import tracemalloc
import warnings
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

import tf_vmf

PEER = "scikit-learn KMeans"
STEPS = 10


def simulate(rows: int, columns: int, clusters: int) -> np.ndarray:
    """Unit rows in float32 around random directions, as an encoder gives them."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(clusters, columns)).astype(np.float32)
    x = centers[rng.integers(clusters, size=rows)]
    x += 1.5 * rng.normal(size=x.shape).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x


class Faiss:
    """faiss's spherical k-means with the interface of scikit-learn; its training and its index are in float32, too."""

    n_iter_ = STEPS

    def __init__(self, start: np.ndarray) -> None:
        self.start = start

    def fit(self, x: np.ndarray) -> None:
        """Trains on all rows, which faiss would sample by default."""
        import faiss

        count, columns = self.start.shape
        self._kmeans = faiss.Kmeans(columns, count, niter=STEPS, spherical=True, max_points_per_centroid=len(x))
        self._kmeans.train(x, init_centroids=self.start)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The nearest center of every row."""
        return self._kmeans.index.search(x, 1)[1][:, 0]


def report(rows: int, columns: int, clusters: int, rounds: int) -> str:
    """The table in Markdown."""
    x = simulate(rows, columns, clusters)
    # The same start for all, too poor to converge in so few steps.
    start = x[:clusters].copy()
    mixture = {"n_components": clusters, "init": start, "tol": 0, "max_iter": STEPS}
    estimators: dict[str, Any] = {
        "SphericalKMeans": tf_vmf.SphericalKMeans(clusters, init=start, tol=0, max_iter=STEPS),
        "mixture, hard": tf_vmf.VonMisesFisherMixture(assignment="hard", **mixture),
        "mixture, soft, one concentration": tf_vmf.VonMisesFisherMixture(tied_concentration=True, **mixture),
        PEER: KMeans(clusters, init=start, n_init=1, tol=0, max_iter=STEPS),
    }
    if importlib.util.find_spec("faiss"):
        estimators["faiss Kmeans, spherical"] = Faiss(start)

    def fit(name: str) -> None:
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            estimators[name].fit(x)

    fits = interleaved({name: lambda name=name: fit(name) for name in estimators}, rounds=rounds)
    predictions = interleaved(
        {name: lambda name=name: estimators[name].predict(x) for name in estimators}, rounds=rounds
    )
    lines = []
    for name, estimator in estimators.items():
        tracemalloc.start()
        fit(name)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        lines.append(
            [
                name,
                f"{statistics.median(fits[name]) / estimator.n_iter_:.2f}",
                f"{ratio(fits, name, PEER) * estimators[PEER].n_iter_ / estimator.n_iter_:.2f}",
                f"{statistics.median(predictions[name]):.2f}",
                f"{ratio(predictions, name, PEER):.2f}",
                "" if isinstance(estimator, Faiss) else f"{1 + peak / x.nbytes:.2f}",
            ]
        )
    header = ["estimator", "CPU s per step", f"times {PEER}", "predict, CPU s", f"times {PEER}", "peak memory / X"]
    return (
        "## Spherical k-means\n\n"
        f"{rows:,} unit rows of {columns} float32 numbers, {clusters} clusters, {STEPS} steps from one start, one interleaved run "
        f"of {rounds} rounds: medians, ratios within a round. Peak memory as NumPy allocates it, X included, without faiss's.\n\n"
        + table(header, lines)
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=768)
    parser.add_argument("--clusters", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="10,000 rows and two rounds: rough numbers")
    arguments = parser.parse_args()
    number = 10_000 if arguments.quick else arguments.rows
    print(report(number, arguments.columns, arguments.clusters, rounds=2 if arguments.quick else 5))
