"""The figures of a sentence model, what its code is worth, and published figures where there are any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tf_vmf.evaluation.bounds import mean_code_perplexity
from tf_vmf.report.context import SentenceContext, SentenceSetting
from tf_vmf.report.engine.published import (
    PublishedSentenceResult,
    published_sentence_protocol,
    published_sentence_results,
    published_vocabulary_size,
)
from tf_vmf.report.engine.run import Latent
from tf_vmf.report.page.page import Block, Section, Table, Text
from tf_vmf.report.phrases import number
from tf_vmf.report.section import ReportSection
from tf_vmf.report.sections import measures

_BATCH = 64


@dataclass(frozen=True, eq=False)
class SentenceResults(ReportSection):
    """The figures, what each one means, what the code is worth, and published results where there are any.

    Attributes:
        metrics: The content of `metrics.json`.
        test_examples: Test sentences.
        vocabulary_size: Token types of the model.
        latent: The latent variable; None of a plain language model.
        setting: What the model reads.
        published: Published results on the corpus, or ().
        published_protocol: What to know before comparing with these, a paragraph each.
        published_vocabulary_size: The vocabulary behind these, or None.
        mean_code_perplexity: Test perplexity where the decoder reads the mean of several samples, which is not a bound: of a model
            that was trained so, or as the published results, with 3; None where there are none, and of a model without a code.
    """

    metrics: Mapping[str, Any]
    test_examples: int
    vocabulary_size: int
    latent: Latent | None
    setting: SentenceSetting
    published: tuple[PublishedSentenceResult, ...]
    published_protocol: tuple[str, ...]
    published_vocabulary_size: int | None
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
            measures.measures_table(self.metrics, self.test_examples, "sentence", "token", self.latent),
            measures.which_to_quote(self.latent),
        ]
        if self.latent is not None:
            blocks.append(Text(self._reading_the_kl()))
        if self.published:
            blocks.append(self._published_table())
            blocks += measures.published_vocabulary(self.published_vocabulary_size, self.vocabulary_size)
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
