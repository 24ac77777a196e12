"""Everything that the report of a sentence model says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tf_vmf.data.corpus import SentenceCorpus
from tf_vmf.data.sentences import Sentences
from tf_vmf.evaluation.bounds import mean_code_perplexity
from tf_vmf.models.lstm_vae import LSTMVAE
from tf_vmf.report.engine import sentence_examples
from tf_vmf.report.engine.beyond_bag_of_words import BeyondBagOfWords, beyond_bag_of_words
from tf_vmf.report.engine.clusters import nearest_centre
from tf_vmf.report.engine.code_map import CodeMap, map_codes
from tf_vmf.report.engine.encodings import Encodings, encode_sentences
from tf_vmf.report.engine.excerpts import Excerpt, Neighbour, NeighbourList
from tf_vmf.report.engine.label_samples import LabelComparison, find_label_samples
from tf_vmf.report.engine.neighbours import LabelAgreement, label_agreement, nearest_neighbours
from tf_vmf.report.engine.published import (
    PublishedSentenceResult,
    published_sentence_protocol,
    published_sentence_results,
    published_vocabulary_size,
)
from tf_vmf.report.engine.run import CodeUse, Latent, Run, describe_latent, describe_run, use_of_code
from tf_vmf.report.engine.sentence_examples import Interpolation, PriorSamples, Reconstruction, WordOverlap
from tf_vmf.report.engine.sentence_groups import SentenceGroups, find_groups
from tf_vmf.report.engine.word_order import WordOrder, word_order_sensitivity
from tf_vmf.text.tokens import UNK_ID

# Enough for neighbours and for the small network, in seconds.
_MOST_TRAIN = 10_000
_LONGEST = 50
_BATCH = 64
_QUERIES, _SHOWN_NEIGHBOURS, _COUNTED_NEIGHBOURS = 5, 4, 5
# In sentences this long a swap changes little else than the order.
_WORDS_TO_SWAP = 8


@dataclass(frozen=True)
class SentenceSetting:
    """What a sentence model reads, as far as it decides what can be said of it.

    Attributes:
        word_dropout: Share of the previous words hidden from the decoder: 0 standard, 1 inputless.
        reads_label: Whether encoder and decoder are given the label.
        reads_bag_of_words: Whether encoder and decoder are given the sentence's bag of words.
        order_free_encoder: Whether the encoder is a bag of words itself, so that codes cannot depend on the order of words.
    """

    word_dropout: float
    reads_label: bool
    reads_bag_of_words: bool
    order_free_encoder: bool


@dataclass(frozen=True, eq=False)
class SentenceCodes:
    """What was found about the codes of a sentence model.

    Attributes:
        reconstructions: Some test sentences with what their codes decode to.
        overlap: How many of their words come back; None of a single sentence.
        interpolations: Sentences between pairs of test sentences.
        num_searched: Training sentences among which neighbours are searched.
        neighbours: Some test sentences with their nearest training sentences.
        label_agreement: How often neighbours share a label; None without labels.
        word_order: How codes change with the order of words; None where no test sentence has two words.
        beyond_bag_of_words: How well a bag of words predicts the codes.
        use: How codes use the latent space.
        groups: Clusters of the training sentences that were searched.
        code_map: Test sentences as points, each with the group whose centre is nearest.
    """

    reconstructions: tuple[Reconstruction, ...]
    overlap: WordOverlap | None
    interpolations: tuple[Interpolation, ...]
    num_searched: int
    neighbours: tuple[NeighbourList, ...]
    label_agreement: LabelAgreement | None
    word_order: WordOrder | None
    beyond_bag_of_words: BeyondBagOfWords
    use: CodeUse
    groups: SentenceGroups
    code_map: CodeMap


@dataclass(frozen=True, eq=False)
class SentenceFindings:
    """What was found about a trained sentence model; `tf_vmf.report.sentence_report` renders it.

    Attributes:
        run: The record of the run.
        setting: What the model reads.
        latent: The latent variable; None of a plain language model.
        published: Published results on the corpus, or ().
        published_protocol: What to know before comparing with these, a paragraph each.
        published_vocabulary_size: The vocabulary behind these, or None.
        mean_code_perplexity: Test perplexity where the decoder reads the mean of several samples, which is not a bound: of a model
            that was trained so, or as the published results, with 3; None where there are none, and of a model without a code.
        prior_samples: Sentences written from the prior; None of a model that must be given a label.
        label_samples: Sentences of each label, or None.
        codes: What was found about the codes; None of a plain language model.
    """

    run: Run
    setting: SentenceSetting
    latent: Latent | None
    published: tuple[PublishedSentenceResult, ...]
    published_protocol: tuple[str, ...]
    published_vocabulary_size: int | None
    mean_code_perplexity: float | None
    prior_samples: PriorSamples | None
    label_samples: LabelComparison | None
    codes: SentenceCodes | None


def find_sentences(
    model: LSTMVAE,
    corpus: SentenceCorpus,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]] = (),
    config: Mapping[str, Any] | None = None,
    command: str | None = None,
    *,
    seed: int = 0,
) -> SentenceFindings:
    """Analyses a trained `LSTMVAE`; of a plain language model (latent=None) what makes sense of it.

    ```python
    texts = ["The moon rose early.", "A rocket flew to the moon.", "We ate bread with butter."] * 40
    corpus = tf_vmf.data.load_sentences(texts=texts)
    model = tf_vmf.models.LSTMVAE(len(corpus.vocabulary), tf_vmf.layers.VonMisesFisherLatent(4, concentration=14.0))
    model.compile("adam")
    model.fit(corpus.train.evaluation_batches(32), epochs=2, shuffle=False)
    metrics = {"test": tf_vmf.evaluation.evaluate(model, corpus.test.evaluation_batches(32))}
    findings = tf_vmf.report.engine.find_sentences(model, corpus, metrics)
    tf_vmf.report.sentence_report("report.html", findings)
    ```

    Args:
        model: The trained model.
        corpus: What it was trained and evaluated on.
        metrics: The content of `metrics.json`: `test`, and where there are `valid`, `baseline`, `training`, `protocol`.
        history: A row per epoch, as in `history.csv`.
        config: The configuration of the run.
        command: The command that repeats the run.
        seed: Seed of all that is drawn: sentences shown, samples, swaps.
    """
    length = int(min(_LONGEST, corpus.train.lengths.max(initial=1)))
    published = published_sentence_results(corpus.name)
    has_dropout = bool(model.dropout or model.word_dropout or (model.latent is not None and model.encoder_dropout))
    test = None if model.latent is None else encode_sentences(model, corpus.test)
    mean_code = metrics["test"].get("mean_code_perplexity")
    if mean_code is None and published and test is not None:
        mean_code = mean_code_perplexity(model, corpus.test.evaluation_batches(_BATCH), seed=seed)
    return SentenceFindings(
        run=describe_run(corpus, "sentences", metrics, history, config, command, has_dropout=has_dropout),
        setting=SentenceSetting(
            word_dropout=float(model.word_dropout),
            reads_label=bool(model.num_labels),
            reads_bag_of_words=bool(model.bag_of_words_units),
            order_free_encoder=model.pooling == "bow",
        ),
        latent=None if test is None else describe_latent(model.latent),
        published=published,
        published_protocol=published_sentence_protocol(corpus.name),
        published_vocabulary_size=published_vocabulary_size(corpus.name),
        mean_code_perplexity=mean_code,
        prior_samples=sentence_examples.find_prior_samples(model, corpus, seed, length),
        label_samples=find_label_samples(model, corpus, test, seed, length),
        codes=None if test is None else _find_codes(model, corpus, test, seed, length),
    )


def _find_codes(model: LSTMVAE, corpus: SentenceCorpus, test: Encodings, seed: int, max_length: int) -> SentenceCodes:
    rows = np.random.default_rng(seed).permutation(len(corpus.train))[:_MOST_TRAIN]
    searched = corpus.train.take(np.sort(rows))
    train = encode_sentences(model, searched)
    groups = find_groups(searched, train, corpus.vocabulary, lambda row: _excerpt(corpus, searched, row), seed=seed)
    agreement = None
    if searched.labels is not None and corpus.test.labels is not None:
        found = nearest_neighbours(train.codes, test.codes, min(_COUNTED_NEIGHBOURS, len(searched)))
        agreement = label_agreement(found, searched.labels, corpus.test.labels)
    return SentenceCodes(
        reconstructions=sentence_examples.find_reconstructions(model, corpus, test, seed, max_length),
        overlap=sentence_examples.find_overlap(model, corpus, test, seed, max_length),
        interpolations=sentence_examples.find_interpolations(model, corpus, seed, max_length),
        num_searched=len(searched),
        neighbours=_find_neighbours(corpus, searched, train, test, seed),
        label_agreement=agreement,
        word_order=_find_word_order(model, corpus, seed),
        beyond_bag_of_words=beyond_bag_of_words(model, searched, corpus.test, seed=seed),
        use=use_of_code(test, corpus.test.lengths),
        groups=groups,
        code_map=map_codes(
            test.codes,
            lambda rows: [_excerpt(corpus, corpus.test, row) for row in rows],
            spherical=test.spherical,
            labels=corpus.test.labels,
            label_names=corpus.label_names,
            topics=nearest_centre(test.codes, groups.centres),
            topic_names=[f"{group.number}. {group.name}" for group in groups.clusters],
            seed=seed,
        ),
    )


def _find_neighbours(
    corpus: SentenceCorpus, searched: Sentences, train: Encodings, test: Encodings, seed: int
) -> tuple[NeighbourList, ...]:
    queries = sentence_examples.varied_rows(corpus.test, _QUERIES, seed + 2)
    found = nearest_neighbours(train.codes, test.codes[queries], min(_SHOWN_NEIGHBOURS, len(searched)))
    labels, test_labels = searched.labels, corpus.test.labels
    return tuple(
        NeighbourList(
            query=_excerpt(corpus, corpus.test, query),
            found=tuple(
                Neighbour(
                    _excerpt(corpus, searched, row),
                    float(cosine),
                    None if labels is None or test_labels is None else bool(labels[row] == test_labels[query]),
                )
                for row, cosine in zip(found.rows[place], found.cosines[place], strict=True)
            ),
        )
        for place, query in enumerate(queries)
    )


def _find_word_order(model: LSTMVAE, corpus: SentenceCorpus, seed: int) -> WordOrder | None:
    words = corpus.test.lengths - 1
    min_words = _WORDS_TO_SWAP if np.sum(words >= _WORDS_TO_SWAP) >= 20 else 2
    if not np.any(words >= min_words) or len(np.unique(corpus.test.tokens[corpus.test.tokens > UNK_ID])) < 2:
        return None
    return word_order_sensitivity(model, corpus.test, min_words=min_words, seed=seed)


def _excerpt(corpus: SentenceCorpus, sentences: Sentences, row: int) -> Excerpt:
    label = "" if sentences.labels is None else corpus.label_names[sentences.labels[row]]
    return Excerpt(row=int(row), title="", label=label, text=corpus.to_text(sentences[int(row)]))
