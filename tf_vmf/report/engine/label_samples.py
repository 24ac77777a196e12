"""What a sentence model writes for each label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tf_vmf.data.corpus import SentenceCorpus
from tf_vmf.models.lstm_vae import LSTMVAE
from tf_vmf.report.engine.distinctive_words import DistinctiveWords, distinctive_words
from tf_vmf.report.engine.encodings import Encodings
from tf_vmf.report.engine.sentence_decoding import conditions, decode, sentence_tensors
from tf_vmf.report.engine.sentence_examples import prior_codes
from tf_vmf.text.tokens import UNK_ID

_MOST_LABELS = 4
_SHOWN, _COUNTED, _WORDS = 5, 1000, 15


@dataclass(frozen=True)
class LabelSamples:
    """Sentences written for one label.

    Attributes:
        label: Its name.
        samples: The first of the sentences.
        words: The words that set all sentences of the label apart, with their log-odds ratios in standard deviations.
        training_words: The same of the training sentences.
        shared_words: How many of `words` are more frequent in training sentences of the label, too.
    """

    label: str
    samples: tuple[str, ...]
    words: tuple[tuple[str, float], ...]
    training_words: tuple[tuple[str, float], ...]
    shared_words: int


@dataclass(frozen=True)
class LabelComparison:
    """Sentences of several labels side by side.

    Attributes:
        labels: The labels compared: the most frequent ones.
        num_samples: Sentences written for each.
    """

    labels: tuple[LabelSamples, ...]
    num_samples: int


def find_label_samples(
    model: LSTMVAE, corpus: SentenceCorpus, test: Encodings | None, seed: int, max_length: int
) -> LabelComparison | None:
    """Sentences for each label, and the words that set them apart; None without labels, or without a way to ask for one.

    A conditional model is given the label, with the same codes from the prior for all labels. Any other model decodes the codes of
    test sentences of the label.
    """
    if corpus.train.labels is None or corpus.test.labels is None or (not model.num_labels and test is None):
        return None
    frequency = np.bincount(corpus.train.labels, minlength=len(corpus.label_names))
    labels = np.sort(np.argsort(-frequency, kind="stable")[:_MOST_LABELS])
    if not model.num_labels:
        labels = labels[np.isin(labels, corpus.test.labels)]
    if len(labels) < 2:
        return None
    drawn = [_samples(model, corpus, test, int(label), seed, max_length) for label in labels]
    size = len(corpus.vocabulary)
    of_token = np.repeat(corpus.train.labels, np.diff(corpus.train.offsets))
    train_counts = [_counts(corpus.train.tokens[of_token == label], size) for label in labels]
    in_samples = distinctive_words(np.stack([_counts(ids, size) for ids in drawn]), _WORDS)
    in_training = distinctive_words(np.stack(train_counts), size)
    return LabelComparison(
        labels=tuple(
            LabelSamples(
                label=corpus.label_names[label],
                samples=tuple(corpus.to_text(row) for row in ids[:_SHOWN]),
                words=_words(corpus, ours),
                training_words=_words(corpus, theirs),
                shared_words=len(set(ours.ids) & set(theirs.ids)),
            )
            for label, ids, ours, theirs in zip(labels, drawn, in_samples, in_training, strict=True)
        ),
        num_samples=len(drawn[0]),
    )


def _samples(
    model: LSTMVAE, corpus: SentenceCorpus, test: Encodings | None, label: int, seed: int, max_length: int
) -> np.ndarray:
    """Drawn token ids, shape (samples, length)."""
    rng = np.random.default_rng([seed, label])
    if not model.num_labels:
        rows = rng.choice(np.flatnonzero(corpus.test.labels == label), _COUNTED)
        given = conditions(model, sentence_tensors(corpus.test.take(rows)))
        return decode(model, test.codes[rows], max_length, sampler="random", seed=seed, **given)  # type: ignore[union-attr]
    # Where a bag of words is asked for: the same sentences' for all labels.
    rows = np.random.default_rng(seed).choice(len(corpus.test), _COUNTED)
    given = conditions(model, sentence_tensors(corpus.test.take(rows)))
    given["labels"] = np.full(_COUNTED, label, np.int32)
    if model.latent is None:
        return np.asarray(model.sample(_COUNTED, seed=seed, max_length=max_length, allow_unknown=False, **given))
    return decode(model, prior_codes(model, _COUNTED, seed), max_length, sampler="random", seed=seed, **given)


def _counts(ids: np.ndarray, vocabulary_size: int) -> np.ndarray:
    counts = np.bincount(np.ravel(ids), minlength=vocabulary_size)
    counts[: UNK_ID + 1] = 0
    return counts


def _words(corpus: SentenceCorpus, found: DistinctiveWords) -> tuple[tuple[str, float], ...]:
    return tuple(
        (corpus.vocabulary[word], score) for word, score in zip(found.ids[:_WORDS], found.scores[:_WORDS], strict=True)
    )
