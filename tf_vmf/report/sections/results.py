"""The figures of a run and what each one means, what its code is worth, and published figures where there are any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tf_vmf.evaluation.bounds import mean_code_perplexity
from tf_vmf.measures import importance_samples, is_at_ceiling, mutual_information_ceiling, reported
from tf_vmf.report.context import DocumentContext, SentenceContext, SentenceSetting
from tf_vmf.report.engine.published import (
    PublishedResult,
    PublishedSentenceResult,
    published_results,
    published_sentence_protocol,
    published_sentence_results,
    published_vocabulary_size,
)
from tf_vmf.report.engine.run import Latent
from tf_vmf.report.page.page import Block, Section, Table, Text
from tf_vmf.report.phrases import number
from tf_vmf.report.section import ReportSection

_BATCH = 64


@dataclass(frozen=True, eq=False)
class DocumentResults(ReportSection):
    """The figures, what each one means, the unigram baseline and, where there are any, published results."""

    metrics: Mapping[str, Any]  # the content of `metrics.json`
    test_examples: int  # test documents
    vocabulary_size: int  # words of the model
    latent: Latent  # the latent variable
    published: tuple[PublishedResult, ...]  # published results on the corpus, or ()
    published_vocabulary_size: int | None  # the vocabulary behind these, or None

    @classmethod
    def find(cls, context: DocumentContext) -> Self:
        run = context.run
        published = published_results(run.corpus), published_vocabulary_size(run.corpus)
        return cls(run.metrics, run.test_examples, run.vocabulary_size, context.latent, *published)

    def render(self) -> Section:
        blocks: list[Block] = [
            _measures_table(self.metrics, self.test_examples, "document", "word", self.latent),
            _which_to_quote(self.latent),
        ]
        if self.published:
            blocks.append(self._published_table())
            blocks += _published_vocabulary(self.published_vocabulary_size, self.vocabulary_size)
            blocks.append(
                Text(
                    "Compare within a column only. On 20 Newsgroups the two conventions differ by up to 170 points. Published "
                    "figures are one-sample bounds: do not compare an importance-weighted figure with them."
                )
            )
        return Section("Results", blocks)

    def _published_table(self) -> Table:
        test, baseline = self.metrics["test"], self.metrics.get("baseline", {})
        selection = str(self.metrics.get("protocol", {}).get("selection", ""))
        rows: list[tuple[str, float | None, float | None, str]] = [
            ("This model, one-sample ELBO", test["perplexity"], test.get("document_perplexity"), selection),
            ("This model, importance-weighted", test.get("iw_perplexity"), test.get("iw_document_perplexity"), ""),
            (
                "Unigram model, this split",
                baseline.get("unigram_perplexity"),
                baseline.get("unigram_document_perplexity"),
                "",
            ),
        ]
        rows = [row for row in rows if row[1] is not None]
        rows += [(row.model, row.perplexity, row.document_perplexity, row.protocol) for row in self.published]
        return Table(
            ("Model", "Corpus", "Mean per document", "Protocol"),
            [(name, number(corpus), number(document), note) for name, corpus, document, note in rows],
            caption="Test perplexity beside published results (lower is better)",
            numeric=(1, 2),
            highlight=(0,),
        )


@dataclass(frozen=True, eq=False)
class SentenceResults(ReportSection):
    """The figures, what each one means, what the code is worth, and published results where there are any."""

    metrics: Mapping[str, Any]  # the content of `metrics.json`
    test_examples: int  # test sentences
    vocabulary_size: int  # token types of the model
    latent: Latent | None  # the latent variable; None of a plain language model
    setting: SentenceSetting  # what the model reads
    published: tuple[PublishedSentenceResult, ...]  # published results on the corpus, or ()
    published_protocol: tuple[str, ...]  # what to know before comparing with these, a paragraph each
    published_vocabulary_size: int | None  # the vocabulary behind these, or None
    # test perplexity where the decoder reads the mean of several samples, which is not a bound: of a model that was trained so, or
    # as the published results, with 3; None where there are none, and of a model without a code
    mean_code_perplexity: float | None

    @classmethod
    def find(cls, context: SentenceContext) -> Self:
        run, published = context.run, published_sentence_results(context.run.corpus)
        mean_code = run.metrics["test"].get("mean_code_perplexity")
        if mean_code is None and published and context.latent is not None:
            batches = context.corpus.test.evaluation_batches(_BATCH)
            mean_code = mean_code_perplexity(context.model, batches, seed=context.seed)
        return cls(
            metrics=run.metrics,
            test_examples=run.test_examples,
            vocabulary_size=run.vocabulary_size,
            latent=context.latent,
            setting=context.setting,
            published=published,
            published_protocol=published_sentence_protocol(run.corpus),
            published_vocabulary_size=published_vocabulary_size(run.corpus),
            mean_code_perplexity=mean_code,
        )

    def render(self) -> Section:
        blocks: list[Block] = [
            _measures_table(self.metrics, self.test_examples, "sentence", "token", self.latent),
            _which_to_quote(self.latent),
        ]
        if self.latent is not None:
            blocks.append(Text(self._reading_the_kl()))
        if self.published:
            blocks.append(self._published_table())
            blocks += _published_vocabulary(self.published_vocabulary_size, self.vocabulary_size)
            blocks += [Text(paragraph) for paragraph in self.published_protocol]
        return Section("Results", blocks)

    def _reading_the_kl(self) -> str:
        assert self.latent is not None
        read = "Read the code gain beside the KL: a KL says that a code was paid for, the gain says that the decoder uses it."
        if self.latent.description.constant_kl:
            return (
                "With a fixed concentration the KL is constant and cannot vanish, but the decoder can still ignore the "
                f"code. {read}"
            )
        return f"A KL near 0 means that the code has collapsed to the prior and carries nothing. {read}"

    def _published_table(self) -> Table:
        test, has_code = self.metrics["test"], self.latent is not None
        setting = self.setting.name
        rows: list[tuple[str, ...]] = [
            (
                "This model, one-sample ELBO" if has_code else "This model",
                setting,
                f"{test['nll'] + test['kl']:.1f}",
                number(test["kl"] if has_code else None, ".1f"),
                f"{test['perplexity']:.1f}",
            )
        ]
        if has_code and test.get("iw_perplexity") is not None:
            rows.append(
                (
                    "This model, importance-weighted",
                    setting,
                    number(test.get("iw_nll"), ".1f"),
                    "",
                    f"{test['iw_perplexity']:.1f}",
                )
            )
        if self.mean_code_perplexity is not None:
            name = "This model, decoder reads the mean of several samples as in the paper's code: not a bound"
            rows.append((name, setting, "", "", f"{self.mean_code_perplexity:.1f}"))
        rows += [
            (
                result.model,
                "inputless" if result.inputless else "standard",
                number(result.negative_elbo),
                number(result.kl, ".1f"),
                result.perplexity,
            )
            for result in self.published
        ]
        return Table(
            ("Model", "Setting", "NLL + KL", "KL", "Perplexity"),
            rows,
            caption="Test figures beside published ones (nats per sentence; lower perplexity is better)",
            numeric=(2, 3, 4),
            highlight=(0,),
        )


def _measures_table(
    metrics: Mapping[str, Any], test_examples: int, noun: str, token: str, latent: Latent | None
) -> Table:
    """The figures of test and validation, and what each one means; what is missing is left out."""
    test, valid, baseline = metrics["test"], metrics.get("valid", {}), metrics.get("baseline", {})
    rows = []
    for measure in reported(metrics, has_code=latent is not None):
        name = measure.name
        cells = [measure.format(split[name]) if split.get(name) is not None else "" for split in (test, valid)]
        about = measure.describe(noun, token, samples=importance_samples(metrics), has_code=latent is not None)
        about += _addition(name, test, test_examples, noun, latent)
        rows.append((measure.title(noun, token), *cells, about))
        unigram = baseline.get(f"unigram_{name}")
        if unigram is not None:
            about = f"{token.title()}s drawn at their smoothed training frequencies, whatever the {noun}."
            rows.append(("… of a unigram model", measure.format(unigram), "", about))
    header = ("Measure", "Test", "Validation", "What it says")
    # Rows of a unigram model belong to the ones above them.
    return Table(header, rows, numeric=(1, 2), highlight=(0,), explained=True, sortable=False)


def _addition(name: str, test: Mapping[str, Any], test_examples: int, noun: str, latent: Latent | None) -> str:
    """A remark on a value of this run, or ""."""
    value = test[name]
    if name == "active_units" and latent is not None:
        return f" Here {value} of {latent.latent_dim}."
    if name == "mutual_information":
        examples = test.get("examples", test_examples)
        if is_at_ceiling(value, examples):
            ceiling = mutual_information_ceiling(examples)
            return f" Here it is at this ceiling, {ceiling:.2f}: codes tell the {noun}s apart, and the true value may be larger."
    return ""


def _which_to_quote(latent: Latent | None) -> Text:
    """Advice on the figure to quote."""
    if latent is None:
        return Text(
            "To quote this model, give the test perplexity (corpus) in the first row. It is exact: there is no code to bound."
        )
    return Text(
        "To quote this model, give the test perplexity (corpus) in the first row and call it a bound from one sample of the code "
        "(ELBO). The exact perplexity is lower on average. An importance-weighted perplexity is a different bound: name it as such "
        "and compare it with no one-sample figure."
    )


def _published_vocabulary(published_size: int | None, vocabulary_size: int) -> list[Text]:
    """A warning where published results were obtained over another vocabulary."""
    if published_size is None or published_size == vocabulary_size:
        return []
    return [
        Text(
            f"The published figures are over a vocabulary of {published_size:,}, this run is over one of "
            f"{vocabulary_size:,}: its perplexities do not compare with them."
        )
    ]
