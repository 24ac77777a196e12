"""How much of a code is more than a bag of words (Xu and Durrett, 2018, section 5)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from tf_vmf.data.sentences import Sentences
from tf_vmf.models.lstm_vae import LSTMVAE
from tf_vmf.report.engine.encodings import encode_sentences
from tf_vmf.report.engine.standard_error import mean_and_standard_error

# Fewer sentences than this leave too few to stop on.
_SMALLEST_FOR_EARLY_STOPPING = 100


@dataclass(frozen=True)
class BeyondBagOfWords:
    """1 - cosine between the codes of held-out sentences and their predictions: means over sentences, with standard errors.

    Attributes:
        distance: Of what a small network predicts from the mean embedding; 0: the code is a bag of words.
        standard_error: Its standard error.
        constant_distance: Of the mean code of the training sentences: what a predictor that sees no word leaves.
        constant_standard_error: Its standard error.
        num_sentences: Number of held-out sentences.
    """

    distance: float
    standard_error: float
    constant_distance: float
    constant_standard_error: float
    num_sentences: int

    @property
    def share(self) -> float:
        """The distance as a share of the constant's: what words, out of order, do not explain."""
        return self.distance / self.constant_distance if self.constant_distance > 0 else float("nan")


def beyond_bag_of_words(
    model: LSTMVAE, train: Sentences, test: Sentences, *, hidden_units: int = 256, seed: int = 0
) -> BeyondBagOfWords:
    """How well a small network maps the mean embedding of a sentence to its code; what is left is structure.

    Args:
        model: A model with a latent variable. Its own embeddings are averaged, over the words and `<eos>`.
        train: Sentences to fit the network on.
        test: Sentences to measure it on.
        hidden_units: Units of its single hidden layer.
        seed: Seed of the network.
    """
    embeddings = np.asarray(model.embedding.embeddings, np.float64)
    return prediction_distance(
        mean_embeddings(embeddings, train),
        encode_sentences(model, train).codes,
        mean_embeddings(embeddings, test),
        encode_sentences(model, test).codes,
        hidden_units=hidden_units,
        seed=seed,
    )


def mean_embeddings(embeddings: np.ndarray, sentences: Sentences) -> np.ndarray:
    """The mean embedding of every sentence, `<eos>` included, shape (n, embedding_dim)."""
    sums = np.add.reduceat(embeddings[sentences.tokens], sentences.offsets[:-1], axis=0)
    return sums / sentences.lengths[:, np.newaxis]


def prediction_distance(
    inputs: np.ndarray,
    codes: np.ndarray,
    test_inputs: np.ndarray,
    test_codes: np.ndarray,
    *,
    hidden_units: int = 256,
    seed: int = 0,
) -> BeyondBagOfWords:
    """1 - cosine of codes predicted from `inputs` by a network with one hidden layer, on held-out rows.

    The network (scikit-learn's `MLPRegressor`: ReLU, Adam, squared error, early stopping on a tenth of the rows) sees inputs of
    mean 0 and variance 1 in every column, and codes less their mean, scaled as a whole.

    Args:
        inputs: Rows to fit, shape (n, m).
        codes: Their codes, shape (n, d).
        test_inputs: Rows to measure on, shape (k, m).
        test_codes: Their codes, shape (k, d).
        hidden_units: Units of the hidden layer.
        seed: Seed of the network.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor
    from threadpoolctl import threadpool_limits  # scikit-learn requires it

    center, spread = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 1e-12)
    mean_code = codes.mean(axis=0)
    scale = max(float(np.std(codes - mean_code)), 1e-12)
    network = MLPRegressor(
        hidden_layer_sizes=(hidden_units,),
        early_stopping=len(inputs) >= _SMALLEST_FOR_EARLY_STOPPING,
        n_iter_no_change=10,
        max_iter=100,
        random_state=seed,
    )
    targets = ((codes - mean_code) / scale).astype(np.float32)
    # On matrices this small, threads cost more than they bring, and many times more on a busy machine.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is bounded on purpose
        network.fit(
            ((inputs - center) / spread).astype(np.float32), targets[:, 0] if targets.shape[-1] == 1 else targets
        )
        predicted = network.predict(((test_inputs - center) / spread).astype(np.float32))
    predicted = predicted.reshape(len(test_inputs), -1).astype(np.float64) * scale + mean_code
    distance, distance_error = mean_and_standard_error(1.0 - _cosines(predicted, test_codes))
    constant, constant_error = mean_and_standard_error(1.0 - _cosines(mean_code[np.newaxis], test_codes))
    return BeyondBagOfWords(
        float(distance), float(distance_error), float(constant), float(constant_error), len(test_codes)
    )


def _cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.sum(a * b, axis=-1) / np.maximum(norms, 1e-300)
