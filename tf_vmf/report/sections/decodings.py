"""Sentences decoded from codes of test sentences, and from codes between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import tensorflow as tf

from tf_vmf.data.corpus import SentenceCorpus
from tf_vmf.models.lstm_vae import LSTMVAE
from tf_vmf.report.context import SentenceContext
from tf_vmf.report.engine.encodings import Encodings
from tf_vmf.report.engine.sentence_decoding import (
    conditions,
    decode,
    interpolate_sentences,
    sentence_tensors,
    varied_rows,
)
from tf_vmf.report.page.page import Block, Section, Table, Text
from tf_vmf.report.section import ReportSection
from tf_vmf.text.vocabulary import UNK_ID

_EXAMPLES, _OVERLAP_SENTENCES = 8, 200
_PATHS, _PATH_POINTS = 3, 5


@dataclass(frozen=True)
class Reconstruction:
    """A test sentence and what is decoded greedily from its code."""

    sentence: str  # the sentence
    decoded: str  # the decoded sentence
    nll: float  # NLL of the sentence itself given its code, in nats
    tokens: int  # its tokens, <eos> included


@dataclass(frozen=True)
class WordOverlap:
    """The share of a test sentence's distinct words in what is decoded from a code: means over sentences."""

    own: float  # from the sentence's own code
    other: float  # from the code of another sentence; label and bag of words, where the model reads them, stay the sentence's own
    num_sentences: int  # sentences averaged over


@dataclass(frozen=True)
class Reconstructions(ReportSection):
    """Test sentences, what is decoded greedily from their codes, and their NLL."""

    reconstructions: tuple[Reconstruction, ...]  # some test sentences with what their codes decode to
    overlap: WordOverlap | None  # how many of their words come back; None of a single sentence
    given: str  # what the decoder is given besides code and words, or ""

    @classmethod
    def find(cls, context: SentenceContext) -> Self | None:
        if context.latent is None:
            return None
        asked = (context.model, context.corpus, context.test, context.seed, context.max_length)
        return cls(_find_reconstructions(*asked), find_overlap(*asked), context.setting.given)

    def render(self) -> Section:
        given = self.given
        beside = f" The decoder is also given {given} of the sentence." if given else ""
        blocks: list[Block] = [
            Text(
                "Test sentences are encoded to their code (the center of their posterior), and a sentence is decoded from it "
                f"greedily: the most probable word at each step, never <unk>.{beside} The NLL is that of the test sentence "
                "itself, given its code."
            ),
            Table(
                ("Sentence", "Decoded from its code", "NLL, nats", "per token"),
                [
                    (row.sentence, row.decoded, f"{row.nll:.1f}", f"{row.nll / row.tokens:.2f}")
                    for row in self.reconstructions
                ],
                numeric=(2, 3),
            ),
        ]
        overlap = self.overlap
        if overlap is not None:
            same = f" In both cases the decoder is given {given} of the sentence itself." if given else ""
            blocks.append(
                Text(
                    f"Of the distinct words of {overlap.num_sentences} test sentences, {overlap.own:.1%} are in the sentence "
                    f"decoded from its own code, {overlap.other:.1%} in the sentence decoded from the code of another.{same} The "
                    "difference is what the code tells about words; 0 would be nothing."
                )
            )
        return Section("Reconstructions", blocks)


@dataclass(frozen=True)
class Interpolation:
    """Sentences decoded greedily between the codes of two test sentences."""

    start: str  # the first sentence
    end: str  # the second one
    fractions: tuple[float, ...]  # where on the way, 0 to 1
    decoded: tuple[str, ...]  # the sentence decoded there


@dataclass(frozen=True)
class Interpolations(ReportSection):
    """Sentences decoded greedily between the codes of two test sentences."""

    interpolations: tuple[Interpolation, ...]  # the ways
    way: str  # what they follow, as "great circle"
    given: str  # what the decoder is given besides code and words, or ""

    @classmethod
    def find(cls, context: SentenceContext) -> Self | None:
        """None where there are fewer than two sentences."""
        if context.latent is None:
            return None
        corpus = context.corpus
        rows = varied_rows(corpus.test, 2 * _PATHS, context.seed + 1)
        fractions = tuple(float(fraction) for fraction in np.linspace(0, 1, _PATH_POINTS))
        found = []
        for first, second in zip(rows[::2], rows[1::2], strict=False):
            ends = corpus.test.take(np.array([first, second]))
            decoded = interpolate_sentences(context.model, ends, _PATH_POINTS, max_length=context.max_length)
            start, end = (corpus.to_text(corpus.test[row]) for row in (first, second))
            found.append(Interpolation(start, end, fractions, tuple(map(corpus.to_text, decoded))))
        if not found:
            return None
        return cls(tuple(found), context.latent.description.path, context.setting.given)

    def render(self) -> Section:
        given = self.given
        beside = f" The decoder is given {given} of the first sentence all the way." if given else ""
        blocks: list[Block] = [
            Text(
                f"Codes at equal distances on the {self.way} between those of two test sentences, decoded greedily.{beside} In a "
                "good latent space every point decodes to a sentence that differs a little from the one before."
            )
        ]
        for found in self.interpolations:
            rows = [
                ("From", found.start),
                *((f"{fraction:.0%}", text) for fraction, text in zip(found.fractions, found.decoded, strict=True)),
                ("To", found.end),
            ]
            blocks.append(Table(("Way", "Sentence"), rows, highlight=(0, len(rows) - 1), sortable=False))
        return Section("Interpolation", blocks)


def _find_reconstructions(
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
    """The shares of words of test sentences that come back from their own code and from another's; None of a single sentence."""
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


def _overlap(sentence: np.ndarray, decoded: np.ndarray) -> float:
    words = set(sentence[sentence > UNK_ID].tolist())
    return len(words & set(decoded.tolist())) / len(words) if words else 0.0
