"""Compares the importance-weighted bounds of two runs on the same validation sentences, with a standard error.

    python -m tools.compare_bounds --corpus=ptb --data_dir=DIR runs/ptb_vmf_standard_seed0 runs/ptb_none_standard_seed0

Differences are paired: both runs are asked about the same examples, so that what makes an example hard for both cancels. On the
validation split, so that the test split stays unused by choices; a model without latent variable needs no samples.
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_vmf import data, models
from tf_vmf.files import write_atomically


def bounds(run: Path, batches: tf.data.Dataset, samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The bound of log p in nats and the number of tokens of every example.

    What was computed is kept in the run's folder, and a call that was interrupted goes on from there, with the same model.
    """
    file = run / f"bounds_{samples}_seed{seed}.npz"
    weights = hashlib.sha256((run / "model.keras").read_bytes()).hexdigest()
    done = {"log_prob": np.empty(0), "tokens": np.empty(0), "weights": np.array(weights)}
    if file.exists():
        with np.load(file) as saved:
            done = dict(saved) if str(saved["weights"]) == weights else done
    model = models.load(run).model
    seen = 0
    for index, x in enumerate(batches):
        tokens = model.token_counts(x).numpy()
        seen += len(tokens)
        if seen <= len(done["tokens"]):
            if not np.array_equal(tokens, done["tokens"][seen - len(tokens) : seen]):
                raise ValueError(f"{file} is of other sentences. Remove it.")
            continue
        log_prob = model.log_likelihood(x, samples, seed=tf.constant([seed, index])).numpy()
        done = {
            "log_prob": np.append(done["log_prob"], log_prob.astype(np.float64)),
            "tokens": np.append(done["tokens"], tokens),
            "weights": done["weights"],
        }
        write_atomically(file, lambda path, done=done: np.savez(path, **done))
    return done["log_prob"][:seen], done["tokens"][:seen]


def report(names: list[str], results: list[tuple[np.ndarray, np.ndarray]], samples: int) -> str:
    """The perplexities and the mean difference in nats an example."""
    lines = []
    for name, (log_prob, tokens) in zip(names, results, strict=True):
        perplexity = np.exp(-log_prob.sum() / tokens.sum())
        lines.append(f"{name}: IW-{samples} perplexity {perplexity:.2f}, {-log_prob.mean():.3f} nats an example")
    difference = results[0][0] - results[1][0]
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    lines.append(
        f"{names[0]} - {names[1]}: log p {difference.mean():+.3f} +- {error:.3f} nats an example "
        f"(standard error over {len(difference):,} examples)"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs=2, type=Path, help="folders of finished runs")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--data_dir")
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    options = {"data_dir": arguments.data_dir} if arguments.data_dir else {}
    corpus = data.load_sentences(arguments.corpus, **options)
    for run in arguments.runs:
        vectorizer = models.load(run).vectorizer
        if vectorizer is None or tuple(vectorizer.vocabulary) != tuple(corpus.vocabulary):
            parser.error(f"{run} was trained over another vocabulary than --corpus={corpus.name} has by default")
    batches = corpus.valid.evaluation_batches(32)
    results = [bounds(run, batches, arguments.samples, arguments.seed) for run in arguments.runs]
    print(report([run.name for run in arguments.runs], results, arguments.samples))


if __name__ == "__main__":
    main()
