"""Time and memory of `TopicModel.fit` on a stream of short texts, by the number of texts and of topics.

    python -m benchmarks.topic_streams --texts 10000 100000 1000000 --topics 20 50 200
    python -m benchmarks.topic_streams --texts 10000 30000 --topics 20          # a few minutes

Texts of seven words are drawn from 100 planted topics over 5,000 words, 100 of each topic's own, at Zipf frequencies, and given
batch by batch: no list of them exists. Each fit is a process of its own; peak memory is the process's, imports and pages of mapped
files among it. NMI compares the topics with the planted ones. `--in_memory` gives a list instead.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Iterator
from typing import Any

from benchmarks import timing  # noqa: F401 - one thread, before TensorFlow is imported
from benchmarks.report import table

# isort: split
import numpy as np

_PLANTED, _WORDS, _TOPIC_WORDS, _LENGTH, _OWN = 100, 5000, 100, 7, 0.7
_BATCH = 10_000


def planted(size: int, seed: int = 0) -> Iterator[tuple[list[str], np.ndarray]]:
    """Batches of texts with their topics: a word is the topic's with a probability of .7, else any."""
    rng = np.random.default_rng(seed)
    frequencies = 1 / np.arange(3.0, _WORDS + 3)
    general = np.cumsum(frequencies / frequencies.sum())
    of_topic_words = np.where(np.arange(_WORDS) < _TOPIC_WORDS, frequencies, 0.0)
    own = np.stack([np.cumsum(rng.permutation(of_topic_words)) for _ in range(_PLANTED)])
    own /= own[:, -1:]
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))  # a number would not be part of a word
    names = np.array(["".join(letters[number // 26 ** np.arange(3) % 26]) for number in range(_WORDS)])
    for start in range(0, size, _BATCH):
        topics = rng.integers(_PLANTED, size=min(_BATCH, size - start))
        drawn, of_topic = rng.random((2, len(topics), _LENGTH))
        words = np.searchsorted(general, drawn)
        for topic in range(_PLANTED):
            rows = np.flatnonzero(topics == topic)
            words[rows] = np.where(of_topic[rows] < _OWN, np.searchsorted(own[topic], drawn[rows]), words[rows])
        yield [" ".join(row) for row in names[words.clip(max=_WORDS - 1)]], topics


def measure(size: int, num_topics: int, epochs: int | None, in_memory: bool, results: Any) -> None:
    """One fit in this process."""
    from sklearn.metrics import normalized_mutual_info_score

    from tf_vmf.topics import TopicModel

    labels: list[np.ndarray] = []

    def batches() -> Iterator[list[str]]:
        for texts, topics in planted(size):
            labels.append(topics)
            yield texts

    texts = [text for batch in batches() for text in batch] if in_memory else batches()
    wall, cpu = time.perf_counter(), time.process_time()
    model = TopicModel(num_topics, stop_words="none", epochs=epochs, random_state=0).fit(texts)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    nmi = normalized_mutual_info_score(np.concatenate(labels), model.labels_)
    results.put((f"{size:,}", str(num_topics), f"{cpu:.0f}", f"{wall:.0f}", f"{peak:.2f}", f"{nmi:.3f}"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", nargs="+", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--topics", nargs="+", type=int, default=[20, 50, 200])
    parser.add_argument("--epochs", type=int, default=None)
    parser.add_argument("--in_memory", action="store_true")
    arguments = parser.parse_args()
    rows = []
    context = multiprocessing.get_context("spawn")
    for size in arguments.texts:
        for num_topics in arguments.topics:
            results = context.SimpleQueue()
            work = (size, num_topics, arguments.epochs, arguments.in_memory, results)
            process = context.Process(target=measure, args=work)
            process.start()
            process.join()
            if process.exitcode:
                raise RuntimeError(f"{size} texts and {num_topics} topics failed.")
            rows.append(results.get())
            print(*rows[-1], sep="  ", flush=True)
    print(table(("texts", "topics", "CPU s", "wall s", "peak memory in GB", "NMI"), rows))


if __name__ == "__main__":
    main()
