"""Prints table 6 and figure 5 of Xu and Durrett (2018) for finished sentence runs: what their codes hold of words and their order.

    python -m tools.paper_probes runs/A runs/B --corpus=ptb --data_dir=DIR

All figures are mean cosines over test sentences, ± standard error. In "BoW -> code" a network with one hidden layer predicts the
code from the mean embedding, in "code -> BoW" the other way round; in the other columns the code of a sentence is compared with
that of a copy in which every pair of adjacent words, from left to right, is swapped with the chance that is named.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tf_vmf import data, models
from tf_vmf.data import Sentences
from tf_vmf.models import LSTMVAE
from tf_vmf.report.engine.encodings import encode_sentences
from tf_vmf.report.engine.word_order import mean_and_standard_error, mean_embeddings, prediction_distance

CHANCES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
_TRAIN = 10_000  # sentences that the networks are fitted to

Cells = Iterator[tuple[str, float, float]]


def swap_by_chance(words: np.ndarray, chance: float, seed: int | Sequence[int]) -> np.ndarray:
    """A copy of a sentence in which every pair of neighbors, from left to right, has been swapped with the chance."""
    copy = np.array(words)
    for place in np.flatnonzero(np.random.default_rng(seed).random(max(len(copy) - 1, 0)) < chance):
        copy[[place, place + 1]] = copy[[place + 1, place]]
    return copy


def order(model: LSTMVAE, sentences: Sentences, chances: Sequence[float] = CHANCES, *, seed: int = 0) -> Cells:
    """The cells of figure 5, as heading, mean cosine and standard error: one for each chance of a swap."""
    codes = []
    for chance in (0.0, *chances):
        copies = [
            swap_by_chance(words[:-1], chance, [seed, row]) for row, words in enumerate(sentences)
        ]  # without <eos>
        codes.append(encode_sentences(model, Sentences.from_lists(copies)).codes)
    codes = [each / np.maximum(np.linalg.norm(each, axis=-1, keepdims=True), 1e-12) for each in codes]
    for chance, each in zip(chances, codes[1:], strict=True):
        mean, error = mean_and_standard_error(np.sum(each * codes[0], axis=-1))
        yield f"swaps at {chance:g}", float(mean), float(error)


def bags(model: LSTMVAE, train: Sentences, test: Sentences, *, seed: int = 0) -> Cells:
    """The cells of table 6: how well mean embedding and code predict each other."""
    embeddings = np.asarray(model.embedding.embeddings, np.float64)
    bag, test_bag = (mean_embeddings(embeddings, each) for each in (train, test))
    codes, test_codes = (encode_sentences(model, each).codes for each in (train, test))
    for heading, arrays in (
        ("BoW -> code", (bag, codes, test_bag, test_codes)),
        ("code -> BoW", (codes, bag, test_codes, test_bag)),
    ):
        found = prediction_distance(*arrays, seed=seed)
        yield heading, 1.0 - found.distance, found.standard_error


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="folders of finished runs of trainers.lstm_vae")
    parser.add_argument("--corpus", default="ptb", help="the corpus that they were trained on (default: ptb)")
    parser.add_argument("--data_dir", type=Path, required=True, help="the folder of its files")
    options = parser.parse_args(arguments)
    corpus = data.load_sentences(options.corpus, data_dir=options.data_dir).with_train_sample(_TRAIN)
    train, test = corpus.train.without_labels(), corpus.test.without_labels()
    for number, run in enumerate(options.runs):
        model = models.load(run).model
        cells = [*bags(model, train, test), *order(model, test)]
        if not number:
            print(f"| run | {' | '.join(heading for heading, *_ in cells)} |\n|:---|{'---:|' * len(cells)}")
        print(f"| {run.name} | {' | '.join(f'{mean:.3f} ± {error:.3f}' for _, mean, error in cells)} |", flush=True)


if __name__ == "__main__":
    main()
