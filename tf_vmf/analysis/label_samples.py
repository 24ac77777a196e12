"""The section of a sentence model's report on what it writes for each label."""

from __future__ import annotations

import numpy as np

from tf_vmf.analysis.distinctive_words import DistinctiveWords, distinctive_words
from tf_vmf.analysis.encodings import Encodings
from tf_vmf.analysis.report import Section, Table, Text
from tf_vmf.analysis.sentence_decoding import conditions, decode, sentence_tensors
from tf_vmf.analysis.sentence_sections import prior_codes
from tf_vmf.data.sentences import SentenceCorpus
from tf_vmf.data.special_tokens import UNK_ID
from tf_vmf.models.lstm_vae import LSTMVAE

_MOST_LABELS = 4
_SHOWN, _COUNTED, _WORDS = 5, 1000, 15


def label_samples(
    model: LSTMVAE, corpus: SentenceCorpus, test: Encodings | None, seed: int, max_length: int
) -> Section | None:
    """Sentences for each label, and the words that set them apart; None without labels, or without a way to ask for one.

    A conditional model is given the label, with the same codes from the prior for all labels. Another one is given the codes of
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
    names = [corpus.label_names[label] for label in labels]
    size = len(corpus.vocabulary)
    counts = np.stack([_counts(ids, size) for ids in drawn])
    offsets = corpus.train.offsets
    of_token = np.repeat(corpus.train.labels, np.diff(offsets))
    train_counts = np.stack([_counts(corpus.train.tokens[of_token == label], size) for label in labels])
    ours, theirs = distinctive_words(counts, _WORDS), distinctive_words(train_counts, size)
    words = [(name, _words(corpus, a), _words(corpus, b)) for name, a, b in zip(names, ours, theirs, strict=True)]
    shown = sum(len(found.ids) for found in ours)
    agreeing = sum(len(set(a.ids) & set(b.ids)) for a, b in zip(ours, theirs, strict=True))
    if model.num_labels and model.latent is not None:
        how = "The model is given a label. In each row all labels share a code drawn from the prior."
    elif model.num_labels:
        how = "The model is given a label and draws each word given the words before."
    else:
        how = (
            "The model was never shown a label: sentences are drawn from the codes of test sentences of each label, so that only "
            "the code can tell it."
        )
    return Section(
        "Samples of each label",
        [
            Text(how),
            Table(names, [[corpus.to_text(ids[i]) for ids in drawn] for i in range(min(_SHOWN, len(drawn[0])))]),
            Text(
                f"The words that set the labels apart most clearly, in {len(drawn[0])} samples a label and in the training "
                "sentences, by log-odds ratio in standard deviations (Monroe et al., 2008)."
            ),
            Table(("Label", "In the model's samples", "In the training sentences"), words),
            Text(
                f"{agreeing} of the {shown} words of the samples are more frequent in training sentences of the same label, too."
            ),
        ],
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


def _words(corpus: SentenceCorpus, found: DistinctiveWords) -> str:
    return ", ".join(
        f"{corpus.vocabulary[word]} {score:.1f}"
        for word, score in zip(found.ids[:_WORDS], found.scores[:_WORDS], strict=True)
    )
