"""Training steps with Adam as one operation a weight, beside Keras's Adam.

python -m benchmarks.adam
"""

import statistics
from collections.abc import Callable

from benchmarks import document_training, lstm_step
from benchmarks.report import quick_flag, table
from benchmarks.timing import interleaved, ratio

# isort: split
import keras

from tf_vmf.layers import VonMisesFisherLatent
from tf_vmf.models import LSTMVAE, FusedAdam

OPTIMIZERS: dict[str, Callable[[], keras.optimizers.Optimizer]] = {
    "FusedAdam": lambda: FusedAdam(1e-3, global_clipnorm=5.0),
    "keras.optimizers.Adam": lambda: keras.optimizers.Adam(1e-3, global_clipnorm=5.0),
}


def document_trainers(steps: int) -> dict[str, Callable[[], object]]:
    """Batches of 200, as in the recipes."""
    sizes = (document_training.DOCUMENTS, document_training.WORDS, document_training.TOKENS)
    documents = document_training.random_documents(*sizes)
    return {
        name: document_training.trainer(documents, VonMisesFisherLatent(50, seed=1), 200, steps, 1, make())
        for name, make in OPTIMIZERS.items()
    }


def sentence_trainers(steps: int) -> dict[str, Callable[[], object]]:
    """The model of the recipes for the Penn Treebank, batches of 32."""
    sentences = lstm_step.random_sentences()

    def trainer(optimizer: keras.optimizers.Optimizer) -> Callable[[], object]:
        latent = VonMisesFisherLatent(8, concentration=14.0, seed=1)
        options = {"tied_embeddings": True, "skip_connection": True, "pooling": "bow", "encoder_activation": "tanh"}
        model = LSTMVAE(lstm_step.VOCABULARY_SIZE, latent, embedding_dim=200, seed=1, **options)
        model.compile(optimizer)
        batches = sentences.batches(32, seed=0)
        return lambda: model.fit(batches, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)

    return {name: trainer(make()) for name, make in OPTIMIZERS.items()}


def report(document_steps: int = 60, sentence_steps: int = 12, rounds: int = 9) -> str:
    """The table in Markdown."""
    rows = []
    for model, candidates, steps in (
        ("documents, batch 200", document_trainers(document_steps), document_steps),
        ("sentences, batch 32", sentence_trainers(sentence_steps), sentence_steps),
    ):
        seconds = interleaved(candidates, rounds)
        fused, stock = candidates
        times = [f"{1e3 * statistics.median(seconds[name]) / steps:.1f}" for name in (fused, stock)]
        rows.append([model, *times, f"{ratio(seconds, stock, fused):.2f}"])
    return (
        "## Adam in one pass\n\n"
        "A whole training step of a model with a vMF code, gradients clipped by their global norm. CPU milliseconds; the ratio "
        "is that within rounds, above 1 is faster than Keras's.\n\n"
    ) + table(["model", *OPTIMIZERS, "speed / Keras's"], rows)


if __name__ == "__main__":
    print(report(6, 2, rounds=2) if quick_flag(__doc__) else report())
