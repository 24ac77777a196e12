"""Training from files on disk: memory and speed with a corpus of 2 GB beside one of 20 MB.

    python -m benchmarks.streaming --folder=DIR     # several GB of disk; about an hour of one core, most of it once
    python -m benchmarks.streaming --quick

Text is generated, prepared as `trainers/prepare.py` does it, and trained on with the sentence model, each time in a process of
its own. Peak memory is the process's, pages of mapped files that are in use among it; speeds are compared within rounds.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import timing  # noqa: F401 - one thread, before TensorFlow is imported
from benchmarks.report import table

# isort: split
import numpy as np

VOCABULARY_SIZE, WORDS = 50_000, 21.1
STEPS, QUICK_STEPS, BATCH = 2000, 40, 32


def generate(path: Path, megabytes: int) -> None:
    """Sentences with the lengths of the Penn Treebank's, words at Zipf frequencies."""
    rng = np.random.default_rng(0)
    words = np.array([f"w{number}" for number in range(VOCABULARY_SIZE)])
    frequencies = 1 / np.arange(3.0, VOCABULARY_SIZE + 3)
    cumulative = np.cumsum(frequencies / frequencies.sum())
    with path.open("w") as file:
        while file.tell() < megabytes * 1_000_000:
            lengths = np.clip(np.rint(rng.gamma(4.4, WORDS / 4.4, 10_000)), 1, 80).astype(int)
            drawn = words[np.searchsorted(cumulative, rng.random(lengths.sum()), side="right").clip(max=len(words) - 1)]
            file.writelines(" ".join(part) + "\n" for part in np.split(drawn, np.cumsum(lengths)[:-1]))


def prepare(folder: Path, megabytes: int) -> float | None:
    """Makes a corpus unless it is there; returns the seconds that preparing took, None if it was there."""
    corpus = folder / f"{megabytes}MB"
    if corpus.exists():
        return None
    from tf_vmf import data

    text = folder / f"{megabytes}MB.txt"
    generate(text, megabytes)
    start = time.process_time()
    data.prepare_sentences(corpus, text, tokenization="whitespace")
    text.unlink()
    return time.process_time() - start


def train(corpus: Path, steps: int, hidden_units: int) -> dict[str, float]:
    """Trains so many steps in this process; returns its peak memory in MB, its CPU and wall seconds and its tokens."""
    import tensorflow as tf

    from tf_vmf import data
    from tf_vmf.layers import VonMisesFisherLatent
    from tf_vmf.models import LSTMVAE, FusedAdam

    loaded = data.load_sentences("prepared", data_dir=corpus)
    examples = loaded.train
    model = LSTMVAE(
        len(loaded.vocabulary), VonMisesFisherLatent(50, concentration=35.0), hidden_units=hidden_units, seed=1
    )
    model.compile(FusedAdam(1e-3))
    tokens = tf.Variable(0, dtype=tf.int64)

    batches = iter(examples.batches(BATCH, seed=0))

    @tf.function(autograph=False)
    def step() -> None:
        batch = next(batches)
        tokens.assign_add(tf.math.count_nonzero(batch))
        model.train_step(batch)

    for _ in range(5):
        step()
    tokens.assign(0)
    start, wall = time.process_time(), time.monotonic()
    for _ in range(steps):
        step()
    seconds, wall = time.process_time() - start, time.monotonic() - wall
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert peak is not None
    return {
        "megabytes": int(peak[1]) / 1000,
        "seconds": seconds,
        "wall": wall,
        "tokens": int(tokens),
        "examples": len(examples),
        "epochs": steps / examples.steps_per_epoch(BATCH),
    }


def in_a_process(corpus: Path, steps: int, hidden_units: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.streaming", "--train", str(corpus), str(steps), str(hidden_units)]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(result.stdout.splitlines()[-1]))


def report(folder: Path, sizes: tuple[int, ...], steps: int, rounds: int) -> str:
    """The table in Markdown; the first size is what the others are compared with."""
    text = (
        "## Training from disk\n\n"
        "Generated sentences of 22 tokens, 10,000 words; prepared with the defaults; the sentence model with LSTM 400 at batch "
        f"{BATCH} for speed, with LSTM 16 and {10 * steps:,} steps for memory. Speeds are tokens per "
        "CPU second, the ratio is that of the same round.\n\n"
    )
    rows = []
    prepared = {size: prepare(folder, size) for size in sizes}
    memory = {size: in_a_process(folder / f"{size}MB", 10 * steps, 16) for size in sizes}
    speeds: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size in sizes:
            figures = in_a_process(folder / f"{size}MB", steps, 400)
            speeds[size].append(figures["tokens"] / figures["seconds"])
    for size in sizes:
        ratio = statistics.median(a / b for a, b in zip(speeds[size], speeds[sizes[0]], strict=True))
        seconds = prepared[size]
        rows.append(
            [
                f"{size:,} MB",
                f"{memory[size]['examples']:,.0f}",
                f"{memory[size]['epochs']:.2f}",
                f"{memory[size]['megabytes']:,.0f}",
                f"{memory[size]['megabytes'] - memory[sizes[0]]['megabytes']:+,.0f}",
                f"{statistics.median(speeds[size]):,.0f}",
                f"{ratio:.3f}",
                "" if seconds is None else f"{size / seconds:.1f}",
            ]
        )
    header = [
        "text",
        "sentences",
        "epochs",
        "peak MB",
        "difference",
        "tokens per second",
        "ratio",
        "prepared, MB per CPU second",
    ]
    return text + table(header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where corpora are kept; a temporary folder by default")
    parser.add_argument("--quick", action="store_true", help="2 MB and 6 MB, few steps")
    parser.add_argument("--train", nargs=3, metavar=("CORPUS", "STEPS", "UNITS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.train:
        corpus, steps, units = arguments.train
        print(json.dumps(train(Path(corpus), int(steps), int(units))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if arguments.quick:
            print(report(folder, (2, 6), QUICK_STEPS, rounds=1))
        else:
            print(report(folder, (20, 2000), STEPS // 10, rounds=5))


if __name__ == "__main__":
    main()
