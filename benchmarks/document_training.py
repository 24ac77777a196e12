"""Training speed of the document model on counts of the size of 20 Newsgroups, in documents a CPU second on one core.

    python -m benchmarks.document_training

The counts are drawn at random, with the number of documents, words and tokens of 20 Newsgroups: speed does not depend on what
they say, and so the benchmark runs where the corpus is not. The peers are a Gaussian code in the same model and, where PyTorch
is installed, the training step of Xu and Durrett (2018) written anew, as they wrote it and as one would write it today.
"""

import statistics
from collections.abc import Callable
from dataclasses import replace

from benchmarks import pytorch_peers
from benchmarks.report import quick_flag, table
from benchmarks.timing import interleaved, ratio

# isort: split
import keras
import numpy as np
from scipy import sparse

from tf_vmf import data
from tf_vmf.layers import GaussianLatent, LatentLayer, PowerSphericalLatent, VonMisesFisherLatent
from tf_vmf.models import BagOfWordsVAE, FusedAdam

DOCUMENTS, WORDS, TOKENS = 10_268, 2_000, 100
LATENTS: dict[str, Callable[[], LatentLayer]] = {
    "Gaussian": lambda: GaussianLatent(50, seed=1),
    "vMF, fixed concentration": lambda: VonMisesFisherLatent(50, concentration=100.0, seed=1),
    "vMF, learned concentration": lambda: VonMisesFisherLatent(50, concentration="learned", seed=1),
    "power spherical": lambda: PowerSphericalLatent(50, concentration=100.0, seed=1),
}
PYTORCH = {"PyTorch, as the original": False, "PyTorch, tuned": True}
TODAY = "batch 200, one sample, Adam"
ORIGINAL = "batch 50, three samples, SGD, clipped"


def random_documents(documents: int, words: int, tokens: int) -> data.Documents:
    """Documents of about `tokens` tokens, words at Zipf frequencies."""
    rng = np.random.default_rng(0)
    frequencies = 1 / np.arange(10, words + 10)
    frequencies /= frequencies.sum()
    counts = rng.poisson(tokens * frequencies, size=(documents, words)).astype(np.int32)
    return data.Documents(sparse.csr_matrix(counts))


def trainer(
    documents: data.Documents,
    latent: LatentLayer,
    batch_size: int,
    steps: int,
    num_samples: int,
    optimizer: keras.optimizers.Optimizer,
    sparse_batches: bool = False,
) -> Callable[[], object]:
    """A function that trains for `steps` steps, from where the last call stopped."""
    model = BagOfWordsVAE(documents.vocabulary_size, latent, input_dropout=0.0, num_samples=num_samples, seed=1)
    model.compile(optimizer)
    batches = replace(documents, sparse=sparse_batches).batches(batch_size, seed=0)
    return lambda: model.fit(batches, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)


def today(documents: data.Documents, steps: int) -> dict[str, Callable[[], object]]:
    """All codes in the setting of the recipes."""
    return {name: trainer(documents, make(), 200, steps, 1, FusedAdam(1e-3)) for name, make in LATENTS.items()}


def as_in_the_original(documents: data.Documents, steps: int) -> dict[str, Callable[[], object]]:
    """All codes, and PyTorch, in the setting of the paper."""
    candidates = {
        name: trainer(documents, make(), 50, steps, 3, keras.optimizers.SGD(1.0, global_clipnorm=1.0))
        for name, make in LATENTS.items()
    }
    if pytorch_peers.available():
        candidates |= {
            name: pytorch_peers.document_trainer(documents.counts, 50, steps, tuned=tuned)
            for name, tuned in PYTORCH.items()
        }
    return candidates


def rows_of(
    candidates: dict[str, Callable[[], object]], documents: int, peers: list[str], rounds: int
) -> list[list[str]]:
    """For every candidate its documents a CPU second, and its speed in units of each peer's."""
    seconds = interleaved(candidates, rounds)
    return [
        [name, f"{documents / statistics.median(seconds[name]):,.0f}"]
        + [f"{ratio(seconds, peer, name):.3f}" if peer in candidates else "" for peer in peers]
        for name in candidates
    ]


def sparse_or_dense(widths: list[int], documents: int, steps: int, rounds: int) -> list[list[str]]:
    """Documents a CPU second with dense and with sparse batches, by size of the vocabulary."""
    rows = []
    for width in widths:
        corpus = random_documents(documents, width, TOKENS)
        seconds = interleaved(
            {
                kind: trainer(
                    corpus,
                    VonMisesFisherLatent(50, seed=1),
                    200,
                    steps,
                    1,
                    FusedAdam(1e-3),
                    sparse_batches=kind == "sparse",
                )
                for kind in ("dense", "sparse")
            },
            rounds,
        )
        speeds = [f"{200 * steps / statistics.median(seconds[kind]):,.0f}" for kind in ("dense", "sparse")]
        rows.append([f"{width:,}", *speeds, f"{ratio(seconds, 'dense', 'sparse'):.2f}"])
    return rows


def report(steps: int = 60, rounds: int = 7, widths: tuple[int, ...] = (2_000, 10_000, 30_000)) -> str:
    """The tables in Markdown."""
    documents = random_documents(DOCUMENTS, WORDS, TOKENS)
    original, tuned = PYTORCH
    text = (
        "## Training the document model\n\n"
        f"{DOCUMENTS:,} documents of about {TOKENS} tokens over {WORDS:,} words, d = 50, hidden layers of 400 units. Speeds are "
        "ratios within rounds: above 1 is faster than the peer.\n\n"
        f"{TODAY}:\n\n"
    )
    text += table(
        ["code", "documents a CPU second", "speed / Gaussian's"],
        rows_of(today(documents, steps), 200 * steps, ["Gaussian"], rounds),
    )
    text += f"\n{ORIGINAL}:\n\n" + table(
        ["code", "documents a CPU second", "speed / Gaussian's", "/ PyTorch, original", "/ PyTorch, tuned"],
        rows_of(as_in_the_original(documents, steps), 50 * steps, ["Gaussian", original, tuned], rounds),
    )
    if not pytorch_peers.available():
        text += f"\n{pytorch_peers.HINT}\n"
    text += "\nDense and sparse batches, fixed concentration, batch 200, by vocabulary:\n\n" + table(
        ["words", "dense", "sparse", "sparse / dense"], sparse_or_dense(list(widths), 2_000, steps // 2, rounds)
    )
    return text


if __name__ == "__main__":
    print(report(steps=10, rounds=2, widths=(2_000,)) if quick_flag(__doc__) else report())
