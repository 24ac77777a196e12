"""Speed of VonMisesFisherMixture: fits of 20 Newsgroups as TF-IDF beside scikit-learn's KMeans, steps beside their products.

python -m benchmarks.mixture --data_dir=../shared/data
"""

import argparse

from benchmarks.report import table
from benchmarks.timing import interleaved, ratio

# isort: split
import statistics
import warnings
from pathlib import Path

import numpy as np
import scipy.sparse
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.metrics import normalized_mutual_info_score
from sklearn.preprocessing import normalize

from tf_vmf.distributions import VonMisesFisherMixture
from tf_vmf.distributions.directions import Directions
from tf_vmf.distributions.expectation_maximization import Components, soft_step

PEER = "scikit-learn KMeans"
COMPONENTS = 20
VOCABULARY = 2000


def load(path: Path) -> tuple[scipy.sparse.csr_matrix, np.ndarray]:
    """TF-IDF rows of a file of lines `label word:count ...`, and the labels, without documents of no word."""
    labels, rows, words, counts = [], [], [], []
    for line in path.read_text().splitlines():
        label, *entries = line.split()
        pairs = [entry.split(":") for entry in entries]
        if pairs:
            rows += [len(labels)] * len(pairs)
            words += [int(word) - 1 for word, _ in pairs]
            counts += [int(count) for _, count in pairs]
            labels.append(int(label))
    X = scipy.sparse.csr_matrix((counts, (rows, words)), shape=(len(labels), VOCABULARY))
    return TfidfTransformer().fit_transform(X), np.array(labels)


def simulate(documents: int = 11_000) -> tuple[scipy.sparse.csr_matrix, np.ndarray]:
    """TF-IDF rows of documents of 60 words in 20 topics, where the corpus is missing."""
    rng = np.random.default_rng(0)
    topics = rng.dirichlet(np.full(VOCABULARY, 0.05), COMPONENTS) / 2 + rng.dirichlet(np.full(VOCABULARY, 0.3)) / 2
    labels = rng.integers(COMPONENTS, size=documents)
    counts = np.concatenate([rng.multinomial(60, topics[part]) for part in np.array_split(labels, 10)])
    return TfidfTransformer().fit_transform(scipy.sparse.csr_matrix(counts)), labels


def report(data_dir: Path, rounds: int = 7) -> str:
    """The table in Markdown."""
    path = data_dir / "20ng" / "train.feat"
    X, labels = load(path) if path.exists() else simulate()
    corpus = "documents of 20 Newsgroups" if path.exists() else "simulated documents"
    seeds = {name: iter(range(-1, rounds)) for name in ("ours", "tied", "hard", "peer")}
    fitted: dict[str, list] = {}

    def candidate(name: str, key: str, make):
        def run():
            with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
                fitted.setdefault(name, []).append(make(max(next(seeds[key]), 0)).fit(X))

        return run

    def mixture(**options):
        return lambda seed: VonMisesFisherMixture(COMPONENTS, random_state=seed, **options)

    candidates = {
        "mixture, soft": candidate("mixture, soft", "ours", mixture()),
        "mixture, soft, one concentration": candidate(
            "mixture, soft, one concentration", "tied", mixture(tied_concentration=True)
        ),
        "mixture, hard": candidate("mixture, hard", "hard", mixture(assignment="hard")),
        PEER: candidate(PEER, "peer", lambda seed: KMeans(COMPONENTS, random_state=seed)),
    }
    seconds = interleaved(candidates, rounds=rounds)
    rows = []
    for name, times in seconds.items():
        models = fitted[name][1:]
        scores = [normalized_mutual_info_score(labels, model.predict(X)) for model in models]
        rows.append(
            [
                name,
                f"{statistics.median(times):.2f}",
                f"{ratio(seconds, name, PEER):.2f}",
                f"{statistics.mean(model.n_iter_ for model in models):.0f}",
                f"{statistics.mean(scores):.3f}",
            ]
        )
    header = ["estimator", "CPU seconds", f"times {PEER}", "steps", "NMI with the labels"]
    return (
        "## Mixtures\n\n"
        f"Fit of {X.shape[0]:,} {corpus} as sparse TF-IDF rows of {X.shape[1]:,} words, {COMPONENTS} "
        f"components, one start, default settings, {rounds} seeds: medians of CPU seconds and of ratios within a round, means of "
        f"steps and of the normalised mutual information.\n\n" + table(header, rows)
    )


def report_steps(rows: int = 30_000, rounds: int = 9) -> str:
    """The table of single steps of EM in Markdown."""
    rng = np.random.default_rng(0)
    lines = []
    for dim, count in [(3, 5), (3, 20), (16, 20), (16, 100), (50, 20), (50, 100), (768, 20), (768, 100)]:
        x = normalize(rng.normal(size=(rows, dim))).astype(np.float32)
        points = Directions(x, owner="benchmark")
        components = Components(np.full(count, 1 / count), x[:count].astype(np.float64), np.full(count, 2.0 * dim))
        directions, shares = x[:count].astype(points.dtype), rng.uniform(size=(rows, count)).astype(points.dtype)

        def step(points=points, components=components):
            soft_step(points, components, np.ones(rows))

        def products(points=points, directions=directions, shares=shares):
            for block in points.blocks(len(directions)):
                of_block = points.X[block].astype(points.dtype, copy=False)
                of_block @ directions.T  # the cosines
                of_block.T @ shares[block]  # the sums

        seconds = interleaved({"step": step, "products": products}, rounds=rounds)
        medians = [f"{1e3 * statistics.median(seconds[name]):.1f}" for name in ("step", "products")]
        lines.append([str(dim), str(count), points.dtype.name, *medians, f"{ratio(seconds, 'step', 'products'):.2f}"])
    header = ["d", "components", "products in", "step, CPU ms", "its two matrix products", "times"]
    return (
        f"## A step of EM\n\n{rows:,} unit rows in float32, soft assignment: medians over {rounds} interleaved rounds. Products "
        "are in float64 up to d = 64.\n\n" + table(header, lines)
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data_dir",
        type=Path,
        default=Path("../shared/data"),
        help="folder of 20ng/train.feat; else documents are simulated",
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds: rough numbers")
    arguments = parser.parse_args()
    print(report(arguments.data_dir, rounds=2 if arguments.quick else 7))
    print(report_steps(rows=5_000, rounds=2) if arguments.quick else report_steps())
