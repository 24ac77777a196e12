"""The head of a report, and the section that opens its details: the model, and its figures in a few numbers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from tf_vmf.measures import MEASURES, importance_samples
from tf_vmf.report.context import DocumentContext, SentenceContext, SentenceSetting
from tf_vmf.report.engine.run import Latent, Run
from tf_vmf.report.page.page import Headline, Headlines, Section, Text
from tf_vmf.report.phrases import beside_unigram, chosen_epoch, code_description, training_length
from tf_vmf.report.section import ReportSection


@dataclass(frozen=True, eq=False)
class Overview(ReportSection):
    """The head of a report."""

    run: Run  # the record of the run
    latent: Latent | None  # the latent variable; None of a plain language model
    noun: ClassVar[str]
    token: ClassVar[str]
    counted: ClassVar[str]
    digits: ClassVar[int]

    @property
    @abstractmethod
    def title(self) -> str:
        """The heading of the report."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """A paragraph on the model and its training."""

    @property
    @abstractmethod
    def verdict(self) -> list[str]:
        """The perplexity and what it means, a paragraph each."""

    @property
    @abstractmethod
    def headlines(self) -> list[Headline]:
        """The figures in a few numbers."""

    @property
    def subtitle(self) -> str:
        """The sizes of the splits."""
        run = self.run
        return (
            f"{run.train_examples:,} training, {run.valid_examples:,} validation and {run.test_examples:,} test {self.noun}s "
            f"over {run.vocabulary_size:,} {self.counted}"
        )

    def render(self) -> Section:
        return Section("Details for researchers", [*map(Text, self.verdict), Headlines(self.headlines)])

    def _perplexity(self, value: float) -> str:
        return f"{value:,.{self.digits}f}"

    def _on_test(self) -> str:
        run = self.run
        text = (
            f"On the {run.test_examples:,} test {self.noun}s, which training did not use, its perplexity is "
            f"{self._perplexity(run.metrics['test']['perplexity'])}: it is as uncertain about each {self.token} as if it chose "
            "among that many equally likely ones. Lower is better."
        )
        return f"{text} {beside_unigram(run, self._unigram, self.noun, self.token)}" if self._unigram else text

    @property
    def _unigram(self) -> float | None:
        return self.run.metrics.get("baseline", {}).get("unigram_perplexity")

    def _bound(self) -> Headline:
        value = self._perplexity(self.run.metrics["test"]["perplexity"])
        return Headline(value, "test perplexity", "bound from one sample (ELBO); lower is better")

    def _importance_weighted(self) -> list[Headline]:
        value = self.run.metrics["test"].get("iw_perplexity")
        about = f"a different bound, {importance_samples(self.run.metrics)} samples"
        return [Headline(self._perplexity(value), "importance-weighted perplexity", about)] if value else []

    def _kl(self) -> Headline:
        value = MEASURES["kl"].format(self.run.metrics["test"]["kl"])
        return Headline(value, f"nats of KL per {self.noun}", f"the cost of a {self.noun}'s code")


@dataclass(frozen=True, eq=False)
class DocumentOverview(Overview):
    """The head of the report of a document model."""

    latent: Latent
    noun, token, counted, digits = "document", "word", "words", 0

    @classmethod
    def find(cls, context: DocumentContext) -> Self:
        return cls(replace(context.run, history=()), context.latent)

    @property
    def title(self) -> str:
        return f"Document model with a {self.latent.description.posterior} code: {self.run.corpus}"

    @property
    def summary(self) -> str:
        run = self.run
        return (
            f"A variational autoencoder was trained{training_length(run)} on {run.train_examples:,} documents "
            f"({run.train_tokens:,} words) of the corpus {run.corpus!r}. It compresses each document to a code and predicts the "
            f"words of the document from the code alone. {code_description(self.latent, 'document')}{chosen_epoch(run)}"
        )

    @property
    def verdict(self) -> list[str]:
        return [self._on_test()]

    @property
    def headlines(self) -> list[Headline]:
        result, perplexity = [self._bound()], self.run.metrics["test"]["perplexity"]
        if self._unigram:
            about = "perplexity ratio; lower is better, 1 is no better than it"
            result += [
                Headline(self._perplexity(self._unigram), "unigram perplexity", "the baseline over the same words"),
                Headline(f"{perplexity / self._unigram:.2f}", "of the baseline", about),
            ]
        return [*result, *self._importance_weighted(), self._kl()]


@dataclass(frozen=True, eq=False)
class SentenceOverview(Overview):
    """The head of the report of a sentence model."""

    setting: SentenceSetting  # what the model reads
    noun, token, counted, digits = "sentence", "token", "token types", 1

    @classmethod
    def find(cls, context: SentenceContext) -> Self:
        return cls(replace(context.run, history=()), context.latent, context.setting)

    @property
    def title(self) -> str:
        if self.latent is None:
            return f"LSTM language model: {self.run.corpus}"
        return f"Sentence model with a {self.latent.description.posterior} code: {self.run.corpus}"

    @property
    def summary(self) -> str:
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
        if self.latent is None:
            return [self._on_test()]
        result = [f"{self._on_test()} The figure is a bound, from one sample of the code per sentence (ELBO)."]
        test = self.run.metrics["test"]
        return result if test.get("code_gain") is None else [*result, _value_of_the_code(test)]

    @property
    def headlines(self) -> list[Headline]:
        test = self.run.metrics["test"]
        nll = Headline(f"{test['nll']:.1f}", "nats of NLL per sentence", "lower is better")
        if self.latent is None:
            return [nll, Headline(self._perplexity(test["perplexity"]), "test perplexity", "exact; lower is better")]
        result = [self._bound(), nll, self._kl()]
        if test.get("code_gain") is not None:
            gain = MEASURES["code_gain"].format(test["code_gain"])
            result.append(Headline(gain, "nats of code gain", "0 if the decoder ignores the code; higher is better"))
        return [*result, *self._importance_weighted()]


def _sources(setting: SentenceSetting, *, has_code: bool) -> str:
    """The inputs from which the decoder predicts a word, as "the code and the words before"."""
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
