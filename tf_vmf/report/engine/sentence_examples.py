"""What a sentence model writes: reconstructions, samples from the prior and sentences between two others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tf_vmf.data.corpus import SentenceCorpus
from tf_vmf.data.sentences import Sentences
from tf_vmf.models.lstm_vae import LSTMVAE
from tf_vmf.report.engine.encodings import Encodings
from tf_vmf.report.engine.sentence_decoding import conditions, decode, interpolate_sentences, sentence_tensors
from tf_vmf.text.tokens import UNK_ID

_EXAMPLES, _PRIOR_SAMPLES, _PATHS, _PATH_POINTS = 8, 8, 3, 5
_OVERLAP_SENTENCES = 200


@dataclass(frozen=True)
class Reconstruction:
    """A test sentence and what is decoded greedily from its code.

    Attributes:
        sentence: The sentence.
        decoded: The decoded sentence.
        nll: NLL of the sentence itself given its code, in nats.
        tokens: Its tokens, <eos> included.
    """

    sentence: str
    decoded: str
    nll: float
    tokens: int


@dataclass(frozen=True)
class WordOverlap:
    """The share of a test sentence's distinct words in what is decoded from a code: means over sentences.

    Attributes:
        own: From the sentence's own code.
        other: From the code of another sentence; label and bag of words, where the model reads them, stay the sentence's own.
        num_sentences: Sentences averaged over.
    """

    own: float
    other: float
    num_sentences: int


@dataclass(frozen=True)
class PriorSamples:
    """Sentences that are written from no other sentence.

    Attributes:
        greedy: Decoded greedily from codes of the prior; () of a model without a code.
        drawn: Drawn word by word, from the same codes where there are codes.
        given: The test sentences whose bags of words the model was given; () where it reads none.
    """

    greedy: tuple[str, ...]
    drawn: tuple[str, ...]
    given: tuple[str, ...]


@dataclass(frozen=True)
class Interpolation:
    """Sentences decoded greedily between the codes of two test sentences.

    Attributes:
        start, end: The two sentences.
        fractions: Where on the way, 0 to 1.
        decoded: The sentence decoded there.
    """

    start: str
    end: str
    fractions: tuple[float, ...]
    decoded: tuple[str, ...]


def find_reconstructions(
    model: LSTMVAE, corpus: SentenceCorpus, test: Encodings, seed: int, max_length: int
) -> tuple[Reconstruction, ...]:
    """Some test sentences with the sentences decoded from their codes."""
    shown = varied_rows(corpus.test, _EXAMPLES, seed)
    x = sentence_tensors(corpus.test.take(shown))
    log_prob = model.reconstruction_log_prob(x, tf.constant(test.codes[np.newaxis, shown], tf.float32))[0].numpy()
    decoded = decode(model, test.codes[shown], max_length, **conditions(model, x))
    return tuple(
        Reconstruction(
            corpus.to_text(corpus.test[row]), corpus.to_text(ids), float(-nats), int(corpus.test.lengths[row])
        )
        for row, ids, nats in zip(shown, decoded, log_prob, strict=True)
    )


def find_overlap(
    model: LSTMVAE, corpus: SentenceCorpus, test: Encodings, seed: int, max_length: int
) -> WordOverlap | None:
    """How many words of test sentences come back from their own code and from another's; None of a single sentence."""
    rows = np.random.default_rng(seed).permutation(len(corpus.test))[:_OVERLAP_SENTENCES]
    if len(rows) < 2:
        return None
    sentences = corpus.test.take(rows)
    given = conditions(model, sentence_tensors(sentences))
    own = decode(model, test.codes[rows], max_length, **given)
    others = np.roll(rows, 1)
    # Without conditions a code decodes to the same sentence whoever asks.
    other = decode(model, test.codes[others], max_length, **given) if given else np.roll(own, 1, axis=0)
    return WordOverlap(
        own=float(np.mean([_overlap(sentences[i], own[i]) for i in range(len(rows))])),
        other=float(np.mean([_overlap(sentences[i], other[i]) for i in range(len(rows))])),
        num_sentences=len(rows),
    )


def find_prior_samples(model: LSTMVAE, corpus: SentenceCorpus, seed: int, max_length: int) -> PriorSamples | None:
    """Sentences from the prior; None of a model that must be given a label, whose samples are with the labels."""
    if model.num_labels:
        return None
    shown = varied_rows(corpus.test, _PRIOR_SAMPLES, seed)
    given = conditions(model, sentence_tensors(corpus.test.take(shown)))
    words_given = tuple(corpus.to_text(corpus.test[row]) for row in shown) if model.bag_of_words_units else ()
    if model.latent is None:
        samples = model.sample(len(shown), seed=seed, max_length=max_length, allow_unknown=False, **given).numpy()
        return PriorSamples((), _texts(corpus, samples), words_given)
    codes = prior_codes(model, len(shown), seed)
    greedy = decode(model, codes, max_length, **given)
    drawn = decode(model, codes, max_length, sampler="random", seed=seed, **given)
    return PriorSamples(_texts(corpus, greedy), _texts(corpus, drawn), words_given)


def find_interpolations(
    model: LSTMVAE, corpus: SentenceCorpus, seed: int, max_length: int
) -> tuple[Interpolation, ...]:
    """Ways between pairs of test sentences; () where there are fewer than two sentences."""
    rows = varied_rows(corpus.test, 2 * _PATHS, seed + 1)
    fractions = tuple(float(fraction) for fraction in np.linspace(0, 1, _PATH_POINTS))
    found = []
    for first, second in zip(rows[::2], rows[1::2], strict=False):
        ends = corpus.test.take(np.array([first, second]))
        decoded = interpolate_sentences(model, ends, _PATH_POINTS, max_length=max_length)
        start, end = (corpus.to_text(corpus.test[row]) for row in (first, second))
        found.append(Interpolation(start, end, fractions, _texts(corpus, decoded)))
    return tuple(found)


def prior_codes(model: LSTMVAE, number: int, seed: int) -> np.ndarray:
    """Codes drawn from the prior, shape (number, latent_dim)."""
    return np.asarray(model.latent.prior().sample(number, seed=tf.constant([seed, 0])))


def varied_rows(sentences: Sentences, number: int, seed: int) -> np.ndarray:
    """Sentences of middling length, in random order and, where there are labels, of different ones in turn."""
    low = np.quantile(sentences.lengths, 0.2, method="lower")
    high = np.quantile(sentences.lengths, 0.8, method="higher")
    order = np.random.default_rng([seed, number]).permutation(len(sentences))
    order = order[(sentences.lengths[order] >= low) & (sentences.lengths[order] <= high)]
    if sentences.labels is not None:
        turns = np.zeros(len(order), int)
        for label in np.unique(sentences.labels[order]):
            mask = sentences.labels[order] == label
            turns[mask] = np.arange(mask.sum())
        order = order[np.argsort(turns, kind="stable")]
    return order[:number]


def _texts(corpus: SentenceCorpus, rows: np.ndarray) -> tuple[str, ...]:
    return tuple(corpus.to_text(ids) for ids in rows)


def _overlap(sentence: np.ndarray, decoded: np.ndarray) -> float:
    words = set(sentence[sentence > UNK_ID].tolist())
    return len(words & set(decoded.tolist())) / len(words) if words else 0.0
