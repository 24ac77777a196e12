"""Writes results/mean_of_three.md: sentence models by the paper's way of sampling, which gives no bound.

python -m tools.mean_of_three --corpus=ptb --data_dir=DIR runs/ptb_vmf_standard_seed0 ...
"""

import argparse
import math
from pathlib import Path

from benchmarks.report import table
from tf_vmf import data, evaluation, models
from tf_vmf.files import write_text

RESULTS = Path(__file__).parents[1] / "results"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="folders of finished runs")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--data_dir")
    arguments = parser.parse_args()
    options = {"data_dir": arguments.data_dir} if arguments.data_dir else {}
    corpus = data.load_sentences(arguments.corpus, **options)
    rows = []
    for run in arguments.runs:
        model = models.load(run).model
        row = [run.name]
        for sentences in (corpus.valid, corpus.test):
            perplexity = evaluation.mean_code_perplexity(model, sentences.evaluation_batches(32), seed=0)
            nats = math.log(perplexity) * sentences.num_tokens / len(sentences)
            row += [f"{nats:.1f}", f"{perplexity:.1f}"]
        rows.append(row)
    text = (
        "## The mean of three samples\n\n"
        "The decoder reads the mean of three posterior samples, the KL of one is charged: no bound of anything. Seed 0. Made by "
        f"`python -m tools.mean_of_three --corpus={arguments.corpus} --data_dir=DIR RUNS`.\n\n"
    )
    header = ["run", "valid, nats a sentence", "perplexity", "test, nats a sentence", "perplexity"]
    write_text(RESULTS / "mean_of_three.md", text + table(header, rows))


if __name__ == "__main__":
    main()
