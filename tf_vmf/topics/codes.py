"""The document model below the topics: its training, and the codes of documents."""

from __future__ import annotations

import math
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy import sparse

from tf_vmf._errors import ArgumentError
from tf_vmf.data.arrays import IN_MEMORY, Store
from tf_vmf.data.documents import Documents
from tf_vmf.layers import LearnedConcentration, VonMisesFisherLatent
from tf_vmf.models import BagOfWordsVAE, FusedAdam
from tf_vmf.training.progress import EpochLines

_EVALUATION_BATCH = 500
# Concentration of the posterior of a latent that has none.
_CERTAIN = 1e6
_DECODED_AT_ONCE = 256
_MOST_COPIED, _MOST_IN_MEMORY = 2**26, 200_000  # counts, and codes
# Concentration of the posterior at the start of training, and its lower bound.
_INITIAL_CONCENTRATION, _MINIMUM_CONCENTRATION = 120.0, 1.0
_INPUT_DROPOUT, _DROPOUT = 0.3, 0.1
# Training length where `epochs` is None.
_STEPS, _FEWEST_EPOCHS, _MOST_EPOCHS = 2000, 10, 200


@dataclass(frozen=True)
class CodeSettings:
    """Architecture and training of the document model."""

    latent_dim: int  # dimension of the codes
    hidden_units: int  # width of the hidden layers of encoder and decoder
    epochs: int | None  # passes over the documents; None for as many as make 2,000 batches, at least 10 and at most 200
    batch_size: int  # documents per training step
    learning_rate: float  # of Adam at the start; it falls to 0 along a cosine

    def num_epochs(self, steps_per_epoch: int) -> int:
        """The number of passes over the documents."""
        if self.epochs is not None:
            return self.epochs
        return min(max(math.ceil(_STEPS / steps_per_epoch), _FEWEST_EPOCHS), _MOST_EPOCHS)


def train(counts: sparse.csr_matrix, settings: CodeSettings, seed: int, verbose: int = 0) -> BagOfWordsVAE:
    """Trains a `BagOfWordsVAE` with a learned concentration on the counts of all documents, none empty."""
    # Whole numbers take half the memory in batches; very many counts may lie in a file, and stay there.
    whole = counts.nnz <= _MOST_COPIED and bool(np.all(counts.data == np.floor(counts.data)))
    documents = Documents(counts.astype(np.int32) if whole else counts)
    batch_size = min(settings.batch_size, len(documents))
    steps = documents.steps_per_epoch(batch_size)
    epochs = settings.num_epochs(steps)
    model = BagOfWordsVAE(
        documents.vocabulary_size,
        _latent(settings.latent_dim, seed),
        encoder_units=(settings.hidden_units,) * 2,
        decoder_units=(settings.hidden_units,),
        input_dropout=_INPUT_DROPOUT,
        dropout=_DROPOUT,
        seed=seed,
    )
    _draw_kernels(model, seed)
    model.set_unigram_bias(np.asarray(counts.sum(axis=0)).ravel())
    schedule = keras.optimizers.schedules.CosineDecay(settings.learning_rate, epochs * steps)
    model.compile(FusedAdam(schedule))
    batches = documents.batches(batch_size, seed=seed)
    shown: list[keras.callbacks.Callback] = [[], [_EpochBar(epochs)], [EpochLines(steps, title="training")]][verbose]
    model.fit(batches, epochs=epochs, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=shown)
    return model


def encode(model: BagOfWordsVAE, counts: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Mean directions of the posterior (n, d), and its concentrations (n,), float32: zeros for documents without a known word.

    A latent that has no concentration is taken for certain. Codes of very many documents lie in a temporary file.
    """
    size, dim = counts.shape[0], model.latent.latent_dim
    store = IN_MEMORY if size <= _MOST_IN_MEMORY else Store(Path(tempfile.gettempdir()))
    directions, concentrations = store.column("float32"), store.column("float32")
    for batch in _batches(counts):
        parameters = model.posterior_parameters(batch)
        known = batch.numpy().any(axis=1)
        directions.extend((parameters["mean_direction"].numpy() * known[:, np.newaxis]).ravel())
        certain = np.full(len(known), _CERTAIN, np.float32)
        concentrations.extend(np.asarray(parameters.get("concentration", certain)) * known)
    return directions.array().reshape(size, dim), concentrations.array()


def log_likelihood_bounds(model: BagOfWordsVAE, counts: sparse.csr_matrix, seed: int = 0) -> np.ndarray:
    """The evidence lower bound of each document with one sample, in nats, shape (n,), float64."""
    parts = [np.zeros(0)]
    for number, batch in enumerate(_batches(counts)):
        parts.append(model.elbo(batch, seed=tf.constant([seed, number])).numpy())
    return np.concatenate(parts).astype(np.float64)


def bound_per_token(model: BagOfWordsVAE, counts: sparse.csr_matrix) -> float:
    """`log_likelihood_bounds` of all documents, per token; an ArgumentError where no document has a word."""
    tokens = float(counts.sum(dtype=np.float64))
    if not tokens:
        raise ArgumentError("X", "a document with a word of the vocabulary", "none")
    return float(log_likelihood_bounds(model, counts).sum() / tokens)


def log_word_probabilities(model: BagOfWordsVAE, codes: np.ndarray) -> np.ndarray:
    """Log p(w|z) of every word at codes (k, d): shape (k, V), float64."""
    parts = [
        model.decode(codes[start : start + _DECODED_AT_ONCE].astype(np.float32)).numpy()
        for start in range(0, len(codes), _DECODED_AT_ONCE)
    ]
    return np.concatenate(parts).astype(np.float64)


def _latent(latent_dim: int, seed: int) -> VonMisesFisherLatent:
    concentration = LearnedConcentration(initial=_INITIAL_CONCENTRATION, minimum=_MINIMUM_CONCENTRATION)
    return VonMisesFisherLatent(latent_dim, concentration=concentration, seed=seed)


def _batches(counts: sparse.csr_matrix) -> Iterator[tf.Tensor]:
    for start in range(0, counts.shape[0], _EVALUATION_BATCH):
        yield tf.constant(counts[start : start + _EVALUATION_BATCH].toarray(), tf.float32)


def _draw_kernels(model: BagOfWordsVAE, seed: int) -> None:
    """Draws the kernels of a new model anew, so that they depend on the seed alone.

    Keras has drawn them with seeds from Python's generator, which other threads may use at the same time.
    """
    seeds = random.Random(seed)
    for variable in model.trainable_variables:
        if len(variable.shape) > 1:
            variable.assign(keras.initializers.GlorotUniform(seeds.randint(1, 10**9))(variable.shape))


class _EpochBar(keras.callbacks.Callback):
    """One progress bar over all epochs."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self._bar = keras.utils.Progbar(epochs, unit_name="epoch", stateful_metrics=["perplexity"])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        self._bar.update(epoch + 1, [("perplexity", float(logs["perplexity"]))] if "perplexity" in logs else None)
