"""Contexts of the sections of a report: a trained model, its corpus and its run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tf_vmf.data.corpus import BagOfWordsCorpus, SentenceCorpus
from tf_vmf.data.documents import Documents
from tf_vmf.data.sentences import Sentences
from tf_vmf.evaluation.topics import prior_word_probabilities
from tf_vmf.models.bag_of_words_vae import BagOfWordsVAE
from tf_vmf.models.lstm_vae import LSTMVAE
from tf_vmf.report.engine.encodings import Encodings, encode, encode_sentences
from tf_vmf.report.engine.excerpts import Excerpt, document_excerpts
from tf_vmf.report.engine.run import CodeUse, Latent, Run, describe_latent, use_of_code
from tf_vmf.report.engine.topic_view import TopicView

_BATCH_SIZE = 500
# Enough training sentences for neighbors and for a small network, in seconds.
_MOST_TRAIN = 10_000
_LONGEST = 50


@dataclass(frozen=True, eq=False)
class DocumentContext:
    """A trained `BagOfWordsVAE` and what it was trained on.

    Attributes:
        model: The model.
        corpus: Its corpus.
        run: The record of the run.
        topics: Its topics as a page shows them, or None.
        seed: Seed of all that is drawn.
        noun, token: What an example and a token are called.
    """

    model: BagOfWordsVAE
    corpus: BagOfWordsCorpus
    run: Run
    topics: TopicView | None = None
    seed: int = 0
    noun: str = "document"
    token: str = "word"

    @cached_property
    def latent(self) -> Latent:
        """The latent variable."""
        return describe_latent(self.model.latent)

    @cached_property
    def train(self) -> Encodings:
        """Encodings of the training documents."""
        return encode(self.model, self.corpus.train.evaluation_batches(_BATCH_SIZE))

    @cached_property
    def test(self) -> Encodings:
        """Encodings of the test documents."""
        return encode(self.model, self.corpus.test.evaluation_batches(_BATCH_SIZE))

    @cached_property
    def word_probabilities(self) -> np.ndarray:
        """p(w) over the prior, shape (V,)."""
        return prior_word_probabilities(self.model)

    def excerpts(self, documents: Documents, rows: Iterable[int]) -> tuple[Excerpt, ...]:
        """Documents of a split as a reader sees them."""
        return document_excerpts(self.corpus, documents, rows)

    @property
    def code_use(self) -> CodeUse:
        """The use of the latent space by the codes of test documents."""
        return use_of_code(self.test, np.asarray(self.corpus.test.counts.sum(axis=1)).ravel())


@dataclass(frozen=True, eq=False)
class SentenceContext:
    """A trained `LSTMVAE` and what it was trained on; without a latent variable there is no encoding.

    Attributes:
        model: The model.
        corpus: Its corpus.
        run: The record of the run.
        seed: Seed of all that is drawn: sentences shown, samples, swaps.
        noun, token: What an example and a token are called.
    """

    model: LSTMVAE
    corpus: SentenceCorpus
    run: Run
    seed: int = 0
    noun: str = "sentence"
    token: str = "token"

    @cached_property
    def latent(self) -> Latent | None:
        """The latent variable; None of a plain language model."""
        return None if self.model.latent is None else describe_latent(self.model.latent)

    @cached_property
    def setting(self) -> SentenceSetting:
        """The inputs of the model."""
        return SentenceSetting(
            word_dropout=float(self.model.word_dropout),
            reads_label=bool(self.model.num_labels),
            reads_bag_of_words=bool(self.model.bag_of_words_units),
            order_free_encoder=self.model.pooling == "bow",
        )

    @cached_property
    def searched(self) -> Sentences:
        """At most 10,000 training sentences, drawn at random."""
        rows = np.random.default_rng(self.seed).permutation(len(self.corpus.train))[:_MOST_TRAIN]
        return self.corpus.train.take(np.sort(rows))

    @cached_property
    def train(self) -> Encodings:
        """Encodings of `searched`."""
        return encode_sentences(self.model, self.searched)

    @cached_property
    def test(self) -> Encodings:
        """Encodings of the test sentences."""
        return encode_sentences(self.model, self.corpus.test)

    @property
    def max_length(self) -> int:
        """Tokens of a decoded sentence, at most."""
        return int(min(_LONGEST, self.corpus.train.lengths.max(initial=1)))

    @property
    def code_use(self) -> CodeUse:
        """The use of the latent space by the codes of test sentences."""
        return use_of_code(self.test, self.corpus.test.lengths)

    def excerpts(self, sentences: Sentences, rows: Iterable[int]) -> tuple[Excerpt, ...]:
        """Sentences as a reader sees them."""
        names, labels = self.corpus.label_names, sentences.labels
        return tuple(
            Excerpt(
                int(row), "", "" if labels is None else names[labels[row]], self.corpus.to_text(sentences[int(row)])
            )
            for row in rows
        )


@dataclass(frozen=True)
class SentenceSetting:
    """The inputs of a sentence model, as far as they decide what can be said of it."""

    word_dropout: float  # share of the previous words hidden from the decoder: 0 standard, 1 inputless
    reads_label: bool  # whether encoder and decoder are given the label
    reads_bag_of_words: bool  # whether encoder and decoder are given the sentence's bag of words
    # whether the encoder is a bag of words itself, so that codes cannot depend on the order of words
    order_free_encoder: bool

    @property
    def name(self) -> str:
        """The words shown to the decoder, as "standard"."""
        if self.word_dropout == 1.0:
            return "inputless"
        return "standard" if self.word_dropout == 0.0 else f"word dropout {self.word_dropout:g}"

    @property
    def given(self) -> str:
        """The decoder's inputs besides code and words, as "the label and the bag of words", or ""."""
        parts = ["the label"] * self.reads_label + ["the bag of words"] * self.reads_bag_of_words
        return " and ".join(parts)

    @property
    def reads(self) -> str:
        """The condition of a plain language model, with a space in front, or ""."""
        return "" if self.word_dropout == 1.0 else " given the words before"
