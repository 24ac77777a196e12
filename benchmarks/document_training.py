"""Training speed of the document model on counts of the size of 20 Newsgroups, in documents a CPU second on one core.

    python -m benchmarks.document_training

The counts are drawn at random, with the number of documents, words and tokens of 20 Newsgroups: speed does not depend on what
they say, and so the benchmark runs where the corpus is not. Fixed and learned vMF, power spherical and Gaussian codes train in
turns, so that their ratios hold on a noisy machine. The second setting is the work that the original PyTorch code of Xu and
Durrett (2018) does a step: batch 50, three samples, SGD, gradients clipped; that code trains 2,240 documents a CPU second
(torch 2.13, on the same kind of machine).
"""

import statistics
from collections.abc import Callable

from benchmarks.timing import interleaved, ratio

# isort: split
import keras
import numpy as np
from scipy import sparse

from tf_vmf import data
from tf_vmf.layers import GaussianLatent, LatentLayer, PowerSphericalLatent, VonMisesFisherLatent
from tf_vmf.models import BagOfWordsVAE

DOCUMENTS, WORDS, TOKENS = 10_268, 2_000, 100
STEPS = 60
LATENTS = {
    "gaussian": lambda: GaussianLatent(50, seed=1),
    "vmf, fixed": lambda: VonMisesFisherLatent(50, concentration=100.0, seed=1),
    "vmf, learned": lambda: VonMisesFisherLatent(50, concentration="learned", seed=1),
    "power spherical": lambda: PowerSphericalLatent(50, concentration=100.0, seed=1),
}
SETTINGS = {
    "batch 200, one sample, Adam": (200, 1, lambda: keras.optimizers.Adam(1e-3)),
    "batch 50, three samples, SGD, clipped": (50, 3, lambda: keras.optimizers.SGD(1.0, global_clipnorm=1.0)),
}


def random_documents() -> data.Documents:
    """Documents of about 100 tokens, words at Zipf frequencies."""
    rng = np.random.default_rng(0)
    frequencies = 1 / np.arange(10, WORDS + 10)
    frequencies /= frequencies.sum()
    counts = rng.poisson(TOKENS * frequencies, size=(DOCUMENTS, WORDS)).astype(np.int32)
    return data.Documents(sparse.csr_matrix(counts))


def trainer(
    documents: data.Documents,
    latent: LatentLayer,
    batch_size: int,
    num_samples: int,
    optimizer: keras.optimizers.Optimizer,
) -> Callable[[], object]:
    """A function that trains for STEPS steps, from where the last call stopped."""
    model = BagOfWordsVAE(WORDS, latent, input_dropout=0.0, num_samples=num_samples, seed=1)
    model.compile(optimizer)
    batches = data.training_batches(documents, batch_size, seed=0)
    return lambda: model.fit(batches, steps_per_epoch=STEPS, epochs=1, shuffle=False, verbose=0)


def main() -> None:
    documents = random_documents()
    for setting, (batch_size, num_samples, make_optimizer) in SETTINGS.items():
        candidates = {
            name: trainer(documents, make(), batch_size, num_samples, make_optimizer())
            for name, make in LATENTS.items()
        }
        seconds = interleaved(candidates)
        print(f"\n{setting}: documents a CPU second, and time in units of the Gaussian's")
        for name in LATENTS:
            speed = STEPS * batch_size / statistics.median(seconds[name])
            print(f"  {name:<16} {speed:>8,.0f}  {ratio(seconds, name, 'gaussian'):.3f}")


if __name__ == "__main__":
    main()
