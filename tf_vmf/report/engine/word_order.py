"""Codes beyond a bag of words: their sensitivity to word order, and how well a bag of words predicts them.

Both as in section 5 of Xu and Durrett (2018).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.data.sentences import Sentences
from tf_vmf.models.lstm_vae import LSTMVAE
from tf_vmf.models.variational_autoencoder import VariationalAutoencoder
from tf_vmf.report.engine.encodings import encode_sentences, unit_rows
from tf_vmf.text.vocabulary import UNK_ID

# Folded into the seed with a sentence's number: its swaps, its replacement, and the choice of sentences share no draws.
_SWAPS, _REPLACEMENT, _CHOICE = 0, 1, 2
# Fewer sentences than this leave too few to stop on.
_SMALLEST_FOR_EARLY_STOPPING = 100


@dataclass(frozen=True, eq=False)
class WordOrder:
    """Cosines between the code of a sentence and those of changed copies: means over sentences, and their standard errors.

    Attributes:
        num_swaps: 0, 1, ..., n random swaps of adjacent words, shape (n + 1,).
        cosine: Mean cosine after so many swaps, shape (n + 1,); 1 without any.
        standard_error: shape (n + 1,).
        replaced: Mean cosine after one word was replaced by another; the order stays.
        replaced_standard_error: Its standard error.
        other: Mean cosine with another sentence: what nothing in common looks like.
        other_standard_error: Its standard error; nan for one sentence.
        num_sentences: Number of sentences averaged over.
        mean_words: Their mean number of words.
    """

    num_swaps: np.ndarray
    cosine: np.ndarray
    standard_error: np.ndarray
    replaced: float
    replaced_standard_error: float
    other: float
    other_standard_error: float
    num_sentences: int
    mean_words: float


def swap_adjacent(words: np.ndarray, num_swaps: int, seed: int | Sequence[int]) -> np.ndarray:
    """Copies of n >= 2 words after 0, 1, ..., `num_swaps` swaps of adjacent words at random places: (num_swaps + 1, n).

    Places are drawn independently, so that a swap may undo the one before; they are a function of the seed alone.
    """
    words = np.asarray(words)
    if words.ndim != 1 or len(words) < 2:
        raise ArgumentError(
            "words", "ids of at least 2 words, shape (n,)", f"shape {words.shape}", owner="swap_adjacent"
        )
    copies = np.tile(words, (num_swaps + 1, 1))
    for swap, place in enumerate(np.random.default_rng(seed).integers(len(words) - 1, size=num_swaps), start=1):
        copies[swap:, [place, place + 1]] = copies[swap:, [place + 1, place]]
    return copies


def replace_word(words: np.ndarray, candidates: np.ndarray, seed: int | Sequence[int]) -> np.ndarray:
    """A copy of a sentence with the word at a random place replaced by another one."""
    rng = np.random.default_rng(seed)
    copy = np.array(words)
    place = rng.integers(len(copy))
    others = candidates[candidates != copy[place]]
    if not len(others):
        raise ArgumentError("candidates", f"an id other than {copy[place]}", "none", owner="replace_word")
    copy[place] = others[rng.integers(len(others))]
    return copy


def word_order_sensitivity(
    model: VariationalAutoencoder,
    sentences: Sentences,
    *,
    max_swaps: int = 8,
    num_sentences: int = 200,
    min_words: int = 2,
    seed: int = 0,
    batch_size: int = 256,
) -> WordOrder:
    """Cosines between the codes of sentences and of copies with swapped or replaced words.

    Args:
        model: A model with a latent variable that reads token ids.
        sentences: Where sentences are drawn from, without replacement. Words of them, `<unk>` left out, replace words.
        max_swaps: Swaps of adjacent words, at most.
        num_sentences: Sentences to draw; all where there are fewer.
        min_words: Sentences with fewer words are left out; at least 2.
        seed: Sentences, swaps and replacements are a function of it.
        batch_size: Sentences encoded at once.

    Raises:
        ValueError: No sentence is long enough.
    """
    if min_words < 2 or max_swaps < 1:
        name, least, received = ("min_words", 2, min_words) if min_words < 2 else ("max_swaps", 1, max_swaps)
        raise ArgumentError(name, f"a number >= {least}", repr(received), owner="word_order_sensitivity")
    rows = np.flatnonzero(sentences.lengths > min_words)  # lengths count <eos>
    if not len(rows):
        raise ArgumentError("sentences", f"one of at least {min_words} words", "none", owner="word_order_sensitivity")
    rows = np.random.default_rng([seed, _CHOICE]).permutation(rows)[:num_sentences]
    candidates = sentences.tokens[sentences.tokens > UNK_ID]
    copies: list[np.ndarray] = []
    for row in rows:
        words = sentences[int(row)][:-1]
        copies += [*swap_adjacent(words, max_swaps, [seed, _SWAPS, int(row)])]
        copies.append(replace_word(words, candidates, [seed, _REPLACEMENT, int(row)]))
    labels = None if sentences.labels is None else np.repeat(sentences.labels[rows], max_swaps + 2)
    codes = encode_sentences(model, Sentences.from_lists(copies, labels), batch_size).codes  # type: ignore[arg-type]
    codes = unit_rows(codes).reshape(len(rows), max_swaps + 2, -1)
    original = codes[:, 0]
    mean, error = mean_and_standard_error(np.einsum("nkd,nd->nk", codes, original))
    if len(rows) > 1:
        other, other_error = mean_and_standard_error(np.sum(original * np.roll(original, 1, axis=0), axis=-1))
    else:
        other, other_error = np.array(np.nan), np.array(np.nan)
    return WordOrder(
        num_swaps=np.arange(max_swaps + 1),
        cosine=mean[:-1],
        standard_error=error[:-1],
        replaced=float(mean[-1]),
        replaced_standard_error=float(error[-1]),
        other=float(other),
        other_standard_error=float(other_error),
        num_sentences=len(rows),
        mean_words=float(np.mean(sentences.lengths[rows] - 1)),
    )


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
    """Measures how well a small network maps the mean embedding of a sentence to its code; what is left is structure.

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
    unit = unit_rows(test_codes)
    distance, distance_error = mean_and_standard_error(1.0 - np.sum(unit_rows(predicted) * unit, axis=-1))
    constant, constant_error = mean_and_standard_error(1.0 - unit @ unit_rows(mean_code))
    return BeyondBagOfWords(
        float(distance), float(distance_error), float(constant), float(constant_error), len(test_codes)
    )


def mean_and_standard_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the first axis and its standard error, s / sqrt(n); the error is nan for n = 1."""
    values = np.asarray(values, np.float64)
    size = len(values)
    if size == 0:
        raise ArgumentError("values", "at least one row", "none", owner="mean_and_standard_error")
    mean = values.mean(axis=0)
    if size == 1:
        return mean, np.full_like(mean, np.nan)
    return mean, values.std(axis=0, ddof=1) / np.sqrt(size)
