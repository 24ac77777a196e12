"""The report of a sentence model: everything computed from the model, its corpus and the files of its run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_vmf.analysis import run_sections
from tf_vmf.analysis import sentence_sections as sections
from tf_vmf.analysis.encodings import encode_sentences
from tf_vmf.analysis.label_samples import label_samples
from tf_vmf.analysis.report import Headline, Section, write_report
from tf_vmf.data.corpus import SentenceCorpus
from tf_vmf.models.lstm_vae import LSTMVAE

# Enough for neighbours and for the small network, in seconds.
_MOST_TRAIN = 10_000
_LONGEST = 50


def sentence_report(
    path: str | Path,
    model: LSTMVAE,
    corpus: SentenceCorpus,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]] = (),
    config: Mapping[str, Any] | None = None,
    command: str | None = None,
    *,
    title: str | None = None,
    extra_sections: Sequence[Section] = (),
    seed: int = 0,
) -> None:
    """Writes the HTML report of a trained `LSTMVAE`; of a plain language model (latent=None) what makes sense of it.

    Args:
        path: The file to write.
        model: The trained model.
        corpus: What it was trained and evaluated on.
        metrics: The content of `metrics.json`: `test`, and where there are `valid`, `baseline`, `training`, `protocol`.
        history: A row an epoch, as in `history.csv`.
        config: The configuration of the run, printed as it is.
        command: The command that repeats the run.
        title: The heading; made from corpus and model if None.
        extra_sections: Further sections, put before the protocol.
        seed: Seed of all that is drawn: sentences shown, samples, swaps.

    Raises:
        ModuleNotFoundError: An optional dependency is missing: pip install 'tf-vmf[demo]'.
    """
    parts = [
        sections.results(model, metrics, corpus, seed),
        run_sections.training(history, metrics),
        *_generated(model, corpus, seed),
        *extra_sections,
        run_sections.protocol(metrics, config or {}, command),
    ]
    name = (
        "LSTM language model"
        if model.latent is None
        else f"Sentence model with a {model.latent.describe().posterior} code"
    )
    write_report(
        path,
        title=title or f"{name}: {corpus.name}",
        subtitle=f"{corpus.statistics['train']['sentences']:,} training, "
        f"{len(corpus.valid):,} validation and {len(corpus.test):,} test sentences "
        f"over {len(corpus.vocabulary):,} token types",
        summary=_summary(model, corpus, metrics, history),
        headlines=_headlines(model, metrics),
        sections=[part for part in parts if part is not None],
    )


def _generated(model: LSTMVAE, corpus: SentenceCorpus, seed: int) -> list[Section | None]:
    """The sections that need the model to encode or to write."""
    length = int(min(_LONGEST, corpus.train.lengths.max(initial=1)))
    if model.latent is None:
        return [
            sections.prior_samples(model, corpus, seed, length),
            label_samples(model, corpus, None, seed, length),
        ]
    rows = np.random.default_rng(seed).permutation(len(corpus.train))[:_MOST_TRAIN]
    searched = corpus.train.take(np.sort(rows))
    train, test = encode_sentences(model, searched), encode_sentences(model, corpus.test)
    return [
        sections.reconstructions(model, corpus, test, seed, length),
        sections.prior_samples(model, corpus, seed, length),
        label_samples(model, corpus, test, seed, length),
        sections.interpolations(model, corpus, test, seed, length),
        sections.neighbours(model, corpus, searched, train, test, seed),
        sections.word_order(model, corpus, searched, seed),
        run_sections.use_of_the_code(model.latent, test, "sentence"),
    ]


def _summary(
    model: LSTMVAE, corpus: SentenceCorpus, metrics: Mapping[str, Any], history: Sequence[Mapping[str, Any]]
) -> list[str]:
    epochs = metrics.get("training", {}).get("epochs", len(history))
    train = corpus.statistics["train"]
    trained = (
        f"was trained{f' for {epochs} epochs' if epochs else ''} on {train['sentences']:,} sentences "
        f"({train['tokens']:,} tokens: words and one end of sentence each) of the corpus {corpus.name!r}."
    )
    test = metrics["test"]
    unsure = (
        f"On the {len(corpus.test):,} test sentences, which it never saw, its perplexity is {test['perplexity']:,.1f}: it is as "
        "unsure of each token as if it had to choose among that many equally likely ones."
    )
    if model.latent is None:
        return [
            f"A plain LSTM language model {trained} It has no code: it predicts each word from the words before.",
            unsure,
        ]
    reads = {
        0.0: "from the code and the words before",
        1.0: "from the code alone: its decoder is shown no words (inputless)",
    }.get(
        model.word_dropout,
        f"from the code and the words before, {model.word_dropout:.0%} of which were hidden in training",
    )
    result = [
        f"A recurrent variational autoencoder {trained} It squeezes each sentence into a code, "
        f"{model.latent.describe().code('sentence')}, and predicts the sentence {reads}.",
        f"{unsure} The figure is a bound, from one sample of the code a sentence (ELBO).",
    ]
    gain = test.get("code_gain")
    if gain is not None:
        verdict = "more than it costs" if gain > test["kl"] else "less than it costs"
        result.append(
            f"The code costs {test['kl']:.2f} nats a sentence (KL). With another sentence's code the sentence is {gain:.2f} nats "
            f"less likely (code gain): {verdict}."
        )
    return result


def _headlines(model: LSTMVAE, metrics: Mapping[str, Any]) -> list[Headline]:
    test = metrics["test"]
    nll = Headline(f"{test['nll']:.1f}", "nats of nll", "surprise at a test sentence; lower is better")
    if model.latent is None:
        return [nll, Headline(f"{test['perplexity']:,.1f}", "test perplexity", "exact; lower is better")]
    result = [nll, Headline(f"{test['kl']:.2f}", "nats of KL", "the price of a sentence's code")]
    if test.get("code_gain") is not None:
        result.append(Headline(f"{test['code_gain']:.2f}", "nats of code gain", "what the code is worth; 0 if ignored"))
    result.append(Headline(f"{test['perplexity']:,.1f}", "ELBO perplexity", "test, from one sample; lower is better"))
    if test.get("iw_perplexity") is not None:
        samples = run_sections.importance_samples(metrics)
        result.append(
            Headline(f"{test['iw_perplexity']:,.1f}", "importance-weighted", f"a tighter bound, {samples} samples")
        )
    return result
