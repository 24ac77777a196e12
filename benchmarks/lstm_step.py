"""Training speed of the sentence model on sentences of the size of the Penn Treebank's, in tokens a CPU second on one core.

    python -m benchmarks.lstm_step

Sentences are drawn at random, with the treebank's lengths and vocabulary: speed does not depend on what they say. The peers are
a Gaussian code and none in the same model and, where PyTorch is installed, the training step of Xu and Durrett (2018) written
anew, as they wrote it and as one would write it today; all of them get the same batches.
"""

import statistics
from collections.abc import Callable
from pathlib import Path

from benchmarks import pytorch_peers
from benchmarks.report import quick_flag, table
from benchmarks.timing import interleaved, ratio

# isort: split
import keras
import numpy as np

from tf_vmf import data
from tf_vmf.layers import GaussianLatent, LatentLayer, VonMisesFisherLatent
from tf_vmf.models import LSTMVAE
from tf_vmf.text import FIRST_WORD_ID

VOCABULARY_SIZE, WORDS, SENTENCES = 10_000, 21.1, 20_000
LATENTS: dict[str, Callable[[], LatentLayer | None]] = {
    "vMF": lambda: VonMisesFisherLatent(50, concentration=35.0, seed=1),
    "Gaussian": lambda: GaussianLatent(50, seed=1),
    "none": lambda: None,
}
BFLOAT16 = "vMF, bfloat16"
PYTORCH = {"PyTorch, as the original": False, "PyTorch, tuned": True}
PEERS = ["Gaussian", *PYTORCH]


def random_sentences() -> data.Sentences:
    """Sentences with the lengths of the Penn Treebank's (mean 21.1 words, standard deviation 10), words at Zipf frequencies."""
    rng = np.random.default_rng(0)
    lengths = np.clip(np.rint(rng.gamma(4.4, WORDS / 4.4, SENTENCES)), 1, 80).astype(int)
    first = FIRST_WORD_ID
    frequencies = 1 / np.arange(3.0, VOCABULARY_SIZE - first + 3)
    words = rng.choice(np.arange(first, VOCABULARY_SIZE), lengths.sum(), p=frequencies / frequencies.sum())
    return data.Sentences.from_lists(np.split(words, np.cumsum(lengths)[:-1]))


def trainer(
    sentences: data.Sentences, latent: LatentLayer | None, batch_size: int, steps: int, dtype: str = "float32"
) -> Callable[[], object]:
    """A function that takes a training step on each of the first `steps` batches."""
    model = LSTMVAE(VOCABULARY_SIZE, latent, seed=1, dtype=dtype)
    model.compile(keras.optimizers.SGD(0.1, global_clipnorm=0.25))
    batches = sentences.batches(batch_size, seed=0)
    return lambda: model.fit(batches, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)


def rows_of(sentences: data.Sentences, batch_size: int, steps: int, rounds: int) -> list[list[str]]:
    """For every candidate its tokens a CPU second, and its speed in units of each peer's."""
    candidates = {name: trainer(sentences, make(), batch_size, steps) for name, make in LATENTS.items()}
    if _has_bfloat16():
        candidates[BFLOAT16] = trainer(sentences, LATENTS["vMF"](), batch_size, steps, "mixed_bfloat16")
    batches = [batch.numpy() for batch in sentences.batches(batch_size, seed=0).take(steps)]
    if pytorch_peers.available():
        candidates |= {
            name: pytorch_peers.sentence_trainer(batches, VOCABULARY_SIZE, "vmf", tuned=tuned)
            for name, tuned in PYTORCH.items()
        }
    tokens = sum(int(np.count_nonzero(batch)) for batch in batches)
    seconds = interleaved(candidates, rounds)
    return [
        [name, f"{tokens / statistics.median(seconds[name]):,.0f}"]
        + [f"{ratio(seconds, peer, name):.3f}" if peer in candidates else "" for peer in PEERS]
        for name in candidates
    ]


def _has_bfloat16() -> bool:
    """Whether matrix products in bfloat16 are the CPU's own; where they are emulated they are slower than float32."""
    try:
        processor = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in processor or "amx_bf16" in processor


def report(settings: tuple[tuple[int, int], ...] = ((20, 24), (64, 8)), rounds: int = 7) -> str:
    """The tables in Markdown, for batch sizes and steps a round."""
    sentences = random_sentences()
    text = (
        "## Training the sentence model\n\n"
        f"Vocabulary {VOCABULARY_SIZE:,}, embedding 100, LSTM 400, d = 50, dropout 0.5, SGD with the norm clipped; sentences of "
        f"{WORDS + 1:.1f} tokens in batches of similar length. Speeds are ratios within rounds: above 1 is faster than the peer.\n"
    )
    for batch_size, steps in settings:
        text += f"\nBatch {batch_size}:\n\n" + table(
            ["code", "tokens a CPU second", "speed / Gaussian's", "/ PyTorch, original", "/ PyTorch, tuned"],
            rows_of(sentences, batch_size, steps, rounds),
        )
    if not _has_bfloat16():
        text += "\nThis processor has no bfloat16 products, so they are left out.\n"
    if not pytorch_peers.available():
        text += f"\n{pytorch_peers.HINT}\n"
    return text


if __name__ == "__main__":
    print(report(settings=((20, 3),), rounds=2) if quick_flag(__doc__) else report())
