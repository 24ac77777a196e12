"""Fifty training steps whose noise is the same for every example, so that replicas may be compared with one device.

As a program it is one worker of several: python -m tests.training.fifty_steps MODEL OPTIMIZER FOLDER
"""

import csv
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from scipy import sparse

from tf_vmf import data
from tf_vmf.layers import LearnedConcentration, VonMisesFisherLatent
from tf_vmf.models import LSTMVAE, BagOfWordsVAE
from tf_vmf.training import RunState, Workdir, Workers, fit, get_strategy

EPOCHS, STEPS, BATCH = 5, 10, 12
EXAMPLES = (STEPS - 1) * BATCH + 1  # the last batch of an epoch is a single example: replicas are left without any
V, DIM = 30, 4
OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.1, momentum=0.5, global_clipnorm=0.5),
    "adam": lambda: keras.optimizers.Adam(1e-3, global_clipnorm=0.5),
}


class SameNoise(VonMisesFisherLatent):
    """Draws every example's sample with the same seed, whatever its place in the batch and whatever the replica."""

    def sample(self, parameters, seed, sample_shape=()):
        del seed

        def of_one(row):
            one = {name: value[None] for name, value in row.items()}
            return super(SameNoise, self).sample(one, tf.constant([1, 2]), sample_shape)[..., 0, :]

        rows = tf.map_fn(of_one, parameters, fn_output_signature=tf.float32)
        return tf.transpose(rows, [1, 0, 2])


def documents():
    rng = np.random.default_rng(0)
    topics = rng.dirichlet(np.full(V, 0.2), size=3)
    counts = rng.multinomial(15, topics[rng.integers(0, 3, 2 * EXAMPLES)]).astype(np.int32)
    return data.Documents(sparse.csr_matrix(counts[:EXAMPLES])), data.Documents(sparse.csr_matrix(counts[EXAMPLES:]))


def sentences():
    rng = np.random.default_rng(0)
    rows = [rng.integers(3, V, rng.integers(1, 9)).tolist() for _ in range(2 * EXAMPLES)]
    labels = rng.integers(0, 2, 2 * EXAMPLES)
    return (
        data.Sentences.from_lists(rows[:EXAMPLES], labels[:EXAMPLES]),
        data.Sentences.from_lists(rows[EXAMPLES:], labels[EXAMPLES:]),
    )


def bow_vae():
    train, valid = documents()
    latent = SameNoise(DIM, concentration=LearnedConcentration(initial=20.0), norm_penalty=1e-3, seed=1)
    model = BagOfWordsVAE(V, latent, encoder_units=(16, 8), decoder_units=(12,), num_samples=2, dropout=0.0, seed=4)
    return (
        model,
        lambda step: train.batches(BATCH, seed=3, start_step=step),
        valid.evaluation_batches(BATCH),
    )


def lstm_vae():
    train, valid = sentences()
    latent = SameNoise(DIM, concentration=LearnedConcentration(initial=20.0), seed=1)
    options = {
        "num_decoder_layers": 2,
        "tied_embeddings": True,
        "num_labels": 2,
        "label_dim": 3,
        "bag_of_words_units": 4,
    }
    model = LSTMVAE(V, latent, embedding_dim=6, hidden_units=8, dropout=0.0, seed=4, **options)
    return (
        model,
        lambda step: train.batches(BATCH, seed=3, start_step=step),
        valid.evaluation_batches(BATCH),
    )


MODELS = {"bow_vae": bow_vae, "lstm_vae": lstm_vae}


def train(model_name: str, optimizer: str, strategy: tf.distribute.Strategy, folder: Path):
    """The weights after the last step, and the history."""
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model, batches_from, valid = MODELS[model_name]()
        model.compile(OPTIMIZERS[optimizer]())
    keep_last = RunState.load_best
    RunState.load_best = lambda state: None  # the last weights are asked for, not the best
    try:
        state = fit(model, Workdir(folder), batches_from, STEPS, valid, epochs=EPOCHS, verbose=0)
    finally:
        RunState.load_best = keep_last
    assert state.step == EPOCHS * STEPS
    return model.get_weights(), state.history


def read_history(folder: Path) -> list[dict[str, float]]:
    """The history that the workers of a run in `folder` left."""
    with (folder / "run" / "history.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def main() -> None:
    model_name, optimizer, folder = sys.argv[1:]
    strategy = get_strategy("multi_worker")
    weights, _ = train(model_name, optimizer, strategy, Path(folder) / "run")
    index = strategy.cluster_resolver.task_id
    np.savez(Path(folder) / f"weights-{index}.npz", *weights)
    Workers(strategy).wait_for_all()  # one that left before the others would look to them like one that died


if __name__ == "__main__":
    main()
