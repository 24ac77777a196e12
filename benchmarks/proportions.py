"""What the proportions of `TopicModel` are worth: reliability of the largest one, and texts of two topics.

python -m benchmarks.proportions --data_dir=DIR --corpora BBC_News M10 SearchSnippets --seed=0

Corpora, and `--vectors`, as in `benchmarks.topics`, their texts fitted as the README has it (counts of 20ng, whose words have no
order); K is the number of classes. A joined text has the sum of the unit vectors of its parts.
Topics are matched to classes one to one, so that most texts agree.
"mixed": of joined texts of two topics, the share in which both topics have at least .15.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.preprocessing import normalize

from benchmarks.topics import read_corpus

_BINS, _PAIRS, _LEAST = 10, 1000, 0.15


def agreement(proportions: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Whether the class of each text is the one matched to its topic, bool (n,)."""
    topics = proportions.argmax(axis=1)
    classes, of_texts = np.unique(labels, return_inverse=True)
    table = np.zeros((proportions.shape[1], len(classes)))
    np.add.at(table, (topics, of_texts), 1)
    matched = table.argmax(axis=1)  # where there are more topics than classes
    rows, columns = linear_sum_assignment(-table)
    matched[rows] = columns
    return np.asarray(matched[topics] == of_texts)


def reliability(largest: np.ndarray, right: np.ndarray) -> list[tuple[float, float, float]]:
    """Per tenth of the largest proportion: the share of texts, their mean proportion and the share that is right."""
    tenth = np.minimum((largest * _BINS).astype(int), _BINS - 1)
    masks = [tenth == position for position in range(_BINS)]
    return [(float(m.mean()), float(largest[m].mean()), float(right[m].mean())) for m in masks if m.any()]


def calibration_error(rows: list[tuple[float, float, float]]) -> float:
    """The expected calibration error: the mean distance of proportion and share that is right."""
    return sum(share * abs(mean - right) for share, mean, right in rows)


def joined_pairs(topics: np.ndarray, seed: int) -> np.ndarray:
    """Pairs of texts of unlike topics, shape (pairs, 2)."""
    pairs = np.random.default_rng(seed).integers(len(topics), size=(4 * _PAIRS, 2))
    return np.asarray(pairs[topics[pairs[:, 0]] != topics[pairs[:, 1]]][:_PAIRS])


def share_of_both(joined: np.ndarray, topics: np.ndarray) -> float:
    """The share of joined texts in which the topics (pairs, 2) of both parts have at least .15."""
    return float((np.take_along_axis(joined, topics, axis=1) >= _LEAST).all(axis=1).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True)
    parser.add_argument("--corpora", nargs="+", required=True)
    parser.add_argument("--vectors", type=Path, help="a folder with the vectors of the texts")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    from tf_vmf.topics import TopicModel

    for name in arguments.corpora:
        corpus = read_corpus(arguments.data_dir / name, arguments.vectors)
        unit = None if corpus.vectors is None else normalize(corpus.vectors)
        num_topics = len(np.unique(corpus.labels))
        texts = None if corpus.sequences is None else np.array([" ".join(words) for words in corpus.sequences], object)
        model = TopicModel(
            num_topics, vocabulary=corpus.vocabulary if texts is None else None, random_state=arguments.seed
        )
        proportions = model.fit_transform(corpus.counts if texts is None else texts, embeddings=unit)
        topics = proportions.argmax(axis=1)
        rows = reliability(proportions.max(axis=1), agreement(proportions, corpus.labels))
        pairs = joined_pairs(topics, arguments.seed)
        first, second = ((corpus.counts if texts is None else texts)[part] for part in pairs.T)
        both = None if unit is None else unit[pairs[:, 0]] + unit[pairs[:, 1]]
        joined = model.transform(first + second if texts is None else first + " " + second, embeddings=both)
        print(
            f"{name}: calibration error {calibration_error(rows):.3f}, mixed {share_of_both(joined, topics[pairs]):.2f}"
        )
        print("| texts | largest proportion | right |\n|--:|--:|--:|")
        for share, mean, right in rows:
            print(f"| {share:.2f} | {mean:.2f} | {right:.2f} |")


if __name__ == "__main__":
    main()
