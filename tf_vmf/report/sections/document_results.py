"""The figures of a document model, and published ones where there are any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tf_vmf.report.context import DocumentContext
from tf_vmf.report.engine.published import PublishedResult, published_results, published_vocabulary_size
from tf_vmf.report.engine.run import Latent
from tf_vmf.report.page.page import Block, Section, Table, Text
from tf_vmf.report.phrases import number
from tf_vmf.report.section import ReportSection
from tf_vmf.report.sections import measures


@dataclass(frozen=True, eq=False)
class DocumentResults(ReportSection):
    """The figures, what each one means, the unigram baseline and, where there are any, published results.

    Attributes:
        metrics: The content of `metrics.json`.
        test_examples: Test documents.
        vocabulary_size: Words of the model.
        latent: The latent variable.
        published: Published results on the corpus, or ().
        published_vocabulary_size: The vocabulary behind these, or None.
    """

    metrics: Mapping[str, Any]
    test_examples: int
    vocabulary_size: int
    latent: Latent
    published: tuple[PublishedResult, ...]
    published_vocabulary_size: int | None

    @classmethod
    def find(cls, context: DocumentContext) -> Self:
        run = context.run
        published = published_results(run.corpus), published_vocabulary_size(run.corpus)
        return cls(run.metrics, run.test_examples, run.vocabulary_size, context.latent, *published)

    def render(self) -> Section:
        blocks: list[Block] = [
            measures.measures_table(self.metrics, self.test_examples, "document", "word", self.latent),
            measures.which_to_quote(self.latent),
        ]
        if self.published:
            blocks.append(self._published_table())
            blocks += measures.published_vocabulary(self.published_vocabulary_size, self.vocabulary_size)
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
