"""Sentences that a model writes from no other sentence, and for each label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from tf_vmf.data.corpus import SentenceCorpus
from tf_vmf.models.lstm_vae import LSTMVAE
from tf_vmf.report.context import SentenceContext, SentenceSetting
from tf_vmf.report.engine.encodings import Encodings
from tf_vmf.report.engine.sentence_decoding import conditions, decode, prior_codes, sentence_tensors, varied_rows
from tf_vmf.report.engine.words import DistinctiveWords, distinctive_words
from tf_vmf.report.page.page import Block, Section, Table, Text
from tf_vmf.report.section import ReportSection
from tf_vmf.text.vocabulary import UNK_ID

_PRIOR_SAMPLES, _MOST_LABELS = 8, 4
_SHOWN, _COUNTED, _WORDS = 5, 1000, 15


@dataclass(frozen=True)
class PriorSamples(ReportSection):
    """Sentences that are written from no other sentence."""

    greedy: tuple[str, ...]  # decoded greedily from codes of the prior; () of a model without a code
    drawn: tuple[str, ...]  # drawn word by word, from the same codes where there are codes
    given: tuple[str, ...]  # the test sentences whose bags of words the model was given; () where it reads none
    has_code: bool  # whether the model has a code
    reads: str  # what a plain language model conditions on, or ""

    @classmethod
    def find(cls, context: SentenceContext) -> Self | None:
        """None of a model that must be given a label, whose samples are with the labels."""
        model, corpus, seed, max_length = context.model, context.corpus, context.seed, context.max_length
        if model.num_labels:
            return None
        shown = varied_rows(corpus.test, _PRIOR_SAMPLES, seed)
        given = conditions(model, sentence_tensors(corpus.test.take(shown)))
        words_given = tuple(corpus.to_text(corpus.test[row]) for row in shown) if model.bag_of_words_units else ()
        if model.latent is None:
            samples = model.sample(len(shown), seed=seed, max_length=max_length, allow_unknown=False, **given).numpy()
            return cls((), tuple(map(corpus.to_text, samples)), words_given, False, context.setting.reads)
        codes = prior_codes(model, len(shown), seed)
        greedy = decode(model, codes, max_length, **given)
        drawn = decode(model, codes, max_length, sampler="random", seed=seed, **given)
        texts = tuple(map(corpus.to_text, greedy)), tuple(map(corpus.to_text, drawn))
        return cls(*texts, words_given, True, context.setting.reads)

    def render(self) -> Section:
        columns = [("Drawn word by word", self.drawn)]
        if not self.has_code:
            about = f"Sentences drawn from the model: each word from its distribution{self.reads}, never <unk>."
        else:
            columns = [("Decoded greedily", self.greedy), ("Drawn from the same code", self.drawn)]
            about = (
                "Codes drawn from the prior, not those of sentences. On the left the most probable word at each step, on the right "
                "words drawn from their distributions; never <unk>."
            )
        if self.given:
            about += " The model is also given a bag of words: that of a test sentence."
            columns.insert(0, ("Words given", self.given))
        header = tuple(name for name, _ in columns)
        rows = list(zip(*(texts for _, texts in columns), strict=True))
        return Section("Samples" if not self.has_code else "Samples from the prior", [Text(about), Table(header, rows)])


@dataclass(frozen=True)
class SamplesOfLabel:
    """Sentences written for one label."""

    label: str  # its name
    samples: tuple[str, ...]  # the first of the sentences
    # the words that set all sentences of the label apart, with their log-odds ratios in standard deviations
    words: tuple[tuple[str, float], ...]
    training_words: tuple[tuple[str, float], ...]  # the same of the training sentences
    shared_words: int  # how many of `words` are more frequent in training sentences of the label, too


@dataclass(frozen=True)
class LabelSamples(ReportSection):
    """Sentences of several labels side by side, and the words that set the labels apart.

    A conditional model is given the label, with the same codes from the prior for all labels. Any other model decodes the codes of
    test sentences of the label.
    """

    labels: tuple[SamplesOfLabel, ...]  # the labels compared: the most frequent ones
    num_samples: int  # sentences written for each
    setting: SentenceSetting  # what the model reads
    has_code: bool  # whether the model has a code

    @classmethod
    def find(cls, context: SentenceContext) -> Self | None:
        """None without labels, or without a way to ask for one."""
        model, corpus, seed, max_length = context.model, context.corpus, context.seed, context.max_length
        test = None if context.latent is None else context.test
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
        return cls(
            labels=tuple(
                SamplesOfLabel(
                    label=corpus.label_names[label],
                    samples=tuple(corpus.to_text(row) for row in ids[:_SHOWN]),
                    words=_words(corpus, ours),
                    training_words=_words(corpus, theirs),
                    shared_words=len(set(ours.ids) & set(theirs.ids)),
                )
                for label, ids, ours, theirs in zip(labels, drawn, in_samples, in_training, strict=True)
            ),
            num_samples=len(drawn[0]),
            setting=context.setting,
            has_code=test is not None,
        )

    def render(self) -> Section:
        rows = list(zip(*(label.samples for label in self.labels), strict=True))
        blocks: list[Block] = [
            Text(self._how_labels_are_told()),
            Table(tuple(label.label for label in self.labels), rows),
            Text(
                f"The words that set these labels apart most clearly, in {self.num_samples:,} samples per label and in the "
                "training sentences, with their log-odds ratios in standard deviations (Monroe et al., 2008). Among thousands "
                "of words chance alone takes the largest to about 4."
            ),
            Table(
                ("Label", "In the model's samples", "In the training sentences"),
                [(label.label, _scored(label.words), _scored(label.training_words)) for label in self.labels],
            ),
            *self._agreement(),
        ]
        return Section("Samples of each label", blocks)

    def _how_labels_are_told(self) -> str:
        setting = self.setting
        bag = (
            " Its bag of words is that of a test sentence, the same for all labels."
            if setting.reads_bag_of_words
            else ""
        )
        if setting.reads_label and self.has_code:
            return f"The model is given a label. In each row all labels share a code drawn from the prior.{bag}"
        if setting.reads_label:
            return f"The model is given a label and draws each word from its distribution{setting.reads}.{bag}"
        told = "only the code can tell it."
        if setting.reads_bag_of_words:
            told = "only the code and the bag of words, which the model is also given, can tell it."
        return (
            "The model was never shown a label. Sentences are drawn from the codes of test sentences of each label, so that "
            + told
        )

    def _agreement(self) -> list[Text]:
        total = sum(len(label.words) for label in self.labels)
        if not total:
            return [Text("No word is more frequent in the samples of one label than in those of the others.")]
        agreeing = sum(label.shared_words for label in self.labels)
        return [
            Text(
                f"{agreeing} of these {total} words of the samples are more frequent in training sentences of the same label, too; "
                "words that say nothing about labels would be in about half of the cases."
            )
        ]


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


def _scored(words: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{word} {score:.1f}" for word, score in words)
