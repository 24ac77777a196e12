"""The report of a sentence model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from tf_vmf.data.corpus import SentenceCorpus
from tf_vmf.measures import MEASURES, importance_samples
from tf_vmf.models.lstm_vae import LSTMVAE
from tf_vmf.report.context import SentenceContext, SentenceSetting
from tf_vmf.report.engine.run import Latent, Run, describe_run
from tf_vmf.report.page.page import Block, Headline, Headlines, Section, Text, write_report
from tf_vmf.report.phrases import beside_unigram, chosen_epoch, code_description, training_length
from tf_vmf.report.section import Findings, ReportSection, with_registered
from tf_vmf.report.sections.interpolations import Interpolations
from tf_vmf.report.sections.label_samples import LabelSamples
from tf_vmf.report.sections.order_of_words import OrderOfWords
from tf_vmf.report.sections.prior_samples import PriorSamples
from tf_vmf.report.sections.protocol import Protocol
from tf_vmf.report.sections.reconstructions import Reconstructions
from tf_vmf.report.sections.sentence_groups import SentenceGroups
from tf_vmf.report.sections.sentence_map import SentenceMap
from tf_vmf.report.sections.sentence_neighbors import SentenceNeighbors
from tf_vmf.report.sections.sentence_results import SentenceResults
from tf_vmf.report.sections.training import Training
from tf_vmf.report.sections.use_of_code import UseOfCode


@dataclass(frozen=True, eq=False)
class SentenceOverview(ReportSection):
    """What the model is, and its figures in a few numbers.

    Attributes:
        run: The record of the run.
        setting: What the model reads.
        latent: The latent variable; None of a plain language model.
    """

    run: Run
    setting: SentenceSetting
    latent: Latent | None

    @classmethod
    def find(cls, context: SentenceContext) -> Self:
        return cls(replace(context.run, history=()), context.setting, context.latent)

    def render(self) -> Section:
        blocks: list[Block] = [*(Text(paragraph) for paragraph in self.verdict), Headlines(self.headlines)]
        return Section("Details for researchers", blocks)

    @property
    def title(self) -> str:
        if self.latent is None:
            return f"LSTM language model: {self.run.corpus}"
        return f"Sentence model with a {self.latent.description.posterior} code: {self.run.corpus}"

    @property
    def subtitle(self) -> str:
        run = self.run
        return (
            f"{run.train_examples:,} training, {run.valid_examples:,} validation and {run.test_examples:,} test sentences "
            f"over {run.vocabulary_size:,} token types"
        )

    @property
    def summary(self) -> str:
        """What was trained on what."""
        run, latent = self.run, self.latent
        trained = (
            f"was trained{training_length(run)} on {run.train_examples:,} sentences ({run.train_tokens:,} tokens: words and one "
            f"end of sentence each) of the corpus {run.corpus!r}."
        )
        if latent is None:
            return (
                f"A plain LSTM language model {trained} It has no code: it predicts each word from "
                f"{_sources(self.setting, has_code=False)}.{chosen_epoch(run)}"
            )
        return (
            f"A recurrent variational autoencoder {trained} It compresses each sentence to a code and predicts the sentence from "
            f"{_sources(self.setting, has_code=True)}. {code_description(latent, 'sentence')}{chosen_epoch(run)}"
        )

    @property
    def verdict(self) -> list[str]:
        """The perplexity and what it means, and what the code is worth."""
        run = self.run
        test, unigram = run.metrics["test"], run.metrics.get("baseline", {}).get("unigram_perplexity")
        perplexity = (
            f"On the {run.test_examples:,} test sentences, which training did not use, its perplexity is "
            f"{test['perplexity']:,.1f}: it is as uncertain about each token as if it chose among that many equally likely ones. "
            "Lower is better."
        )
        if unigram:
            perplexity += " " + beside_unigram(run, unigram, "sentence", "token")
        if self.latent is None:
            return [perplexity]
        result = [f"{perplexity} The figure is a bound, from one sample of the code per sentence (ELBO)."]
        if test.get("code_gain") is not None:
            result.append(_value_of_the_code(test))
        return result

    @property
    def headlines(self) -> list[Headline]:
        metrics = self.run.metrics
        test = metrics["test"]
        nll = Headline(f"{test['nll']:.1f}", "nats of NLL per sentence", "lower is better")
        if self.latent is None:
            return [nll, Headline(f"{test['perplexity']:,.1f}", "test perplexity", "exact; lower is better")]
        result = [
            Headline(f"{test['perplexity']:,.1f}", "test perplexity", "bound from one sample (ELBO); lower is better"),
            nll,
            Headline(MEASURES["kl"].format(test["kl"]), "nats of KL per sentence", "the cost of a sentence's code"),
        ]
        if test.get("code_gain") is not None:
            gain = MEASURES["code_gain"].format(test["code_gain"])
            result.append(Headline(gain, "nats of code gain", "0 if the decoder ignores the code; higher is better"))
        if test.get("iw_perplexity") is not None:
            samples = importance_samples(metrics)
            result.append(
                Headline(
                    f"{test['iw_perplexity']:,.1f}",
                    "importance-weighted perplexity",
                    f"a different bound, {samples} samples",
                )
            )
        return result


SENTENCE_SECTIONS: tuple[type[ReportSection], ...] = (
    SentenceGroups,
    Reconstructions,
    PriorSamples,
    LabelSamples,
    Interpolations,
    SentenceMap,
    SentenceNeighbors,
    OrderOfWords,
    SentenceOverview,
    SentenceResults,
    Training,
    UseOfCode,
    Protocol,
)


def find_sentences(
    model: LSTMVAE,
    corpus: SentenceCorpus,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]] = (),
    config: Mapping[str, Any] | None = None,
    command: str | None = None,
    *,
    sections: Sequence[type[ReportSection]] | None = None,
    seed: int = 0,
) -> Findings:
    """Finds what the report of a trained `LSTMVAE` says; of a plain language model (latent=None) what makes sense of it.

    ```python
    texts = ["The moon rose early.", "A rocket flew to the moon.", "We ate bread with butter."] * 40
    corpus = tf_vmf.data.load_sentences(texts=texts)
    model = tf_vmf.models.LSTMVAE(len(corpus.vocabulary), tf_vmf.layers.VonMisesFisherLatent(4, concentration=14.0))
    model.compile("adam")
    model.fit(corpus.train.evaluation_batches(32), epochs=2, shuffle=False)
    metrics = {"test": tf_vmf.evaluation.evaluate(model, corpus.test.evaluation_batches(32))}
    findings = tf_vmf.report.find_sentences(model, corpus, metrics)
    tf_vmf.report.sentence_report("report.html", findings)
    ```

    Args:
        model: The trained model.
        corpus: What it was trained and evaluated on.
        metrics: The content of `metrics.json`: `test`, and where there are `valid`, `baseline`, `training`, `protocol`.
        history: A row per epoch, as in `history.csv`.
        config: The configuration of the run.
        command: The command that repeats the run.
        sections: The sections of the report in order; None for those of the package and the registered ones.
        seed: Seed of all that is drawn: sentences shown, samples, swaps.
    """
    has_dropout = bool(model.dropout or model.word_dropout or (model.latent is not None and model.encoder_dropout))
    run = describe_run(corpus, "sentences", metrics, history, config, command, has_dropout=has_dropout)
    if sections is None:
        sections = with_registered("sentence", SENTENCE_SECTIONS)
    return Findings.find(sections, SentenceContext(model, corpus, run, seed))


def sentence_report(path: str | Path, findings: Findings, *, title: str | None = None) -> None:
    """Writes the HTML report of a sentence model.

    ```python
    texts = ["The moon rose early.", "A rocket flew to the moon.", "We ate bread with butter."] * 40
    corpus = tf_vmf.data.load_sentences(texts=texts)
    model = tf_vmf.models.LSTMVAE(len(corpus.vocabulary), tf_vmf.layers.VonMisesFisherLatent(4, concentration=14.0))
    model.compile("adam")
    model.fit(corpus.train.evaluation_batches(32), epochs=2, shuffle=False)
    metrics = {"test": tf_vmf.evaluation.evaluate(model, corpus.test.evaluation_batches(32))}
    findings = tf_vmf.report.find_sentences(model, corpus, metrics)
    tf_vmf.report.sentence_report("report.html", findings)
    ```

    Args:
        path: The file to write.
        findings: What `tf_vmf.report.find_sentences` returned.
        title: The heading; made from corpus and model if None.

    Raises:
        ModuleNotFoundError: jinja2 or matplotlib is not installed.
    """
    overview = findings.get(SentenceOverview)
    write_report(
        path,
        title=title or (overview.title if overview else "Sentence model"),
        subtitle=overview.subtitle if overview else "",
        summary=[overview.summary] if overview else [],
        sections=[record.render() for record in findings.records],
        findings=findings.to_json(),
    )


def _sources(setting: SentenceSetting, *, has_code: bool) -> str:
    """What the decoder predicts a word from, as "the code and the words before"."""
    sources = ["the code"] if has_code else []
    if setting.reads_label:
        sources.append("the label of the sentence")
    if setting.reads_bag_of_words:
        sources.append("the bag of its words")
    inputless = setting.word_dropout == 1.0
    if not inputless:
        sources.append("the words before")
    text = ", ".join(sources[:-1]) + " and " + sources[-1] if len(sources) > 1 else (sources or ["its position"])[0]
    if inputless:
        return f"{text} alone: the decoder is shown no words (inputless)"
    if setting.word_dropout:
        return f"{text}, {setting.word_dropout:.0%} of which were hidden in training"
    return text


def _value_of_the_code(test: Mapping[str, Any]) -> str:
    cost, gain = MEASURES["kl"].format(test["kl"]), MEASURES["code_gain"].format(test["code_gain"])
    text = f"The code costs {cost} nats per sentence (KL). "
    if float(test["code_gain"]) < 0.005:
        return f"{text}Decoding with the code of another sentence does not raise the NLL: the decoder ignores the code."
    if gain == cost:
        beside = "as much as the code costs"
    else:
        beside = "more than the code costs" if test["code_gain"] > test["kl"] else "less than the code costs"
    return f"{text}Decoding with the code of another sentence raises the NLL by {gain} nats (code gain), {beside}."
