"""The report of a document model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from tf_vmf.data.corpus import BagOfWordsCorpus
from tf_vmf.measures import MEASURES, importance_samples
from tf_vmf.models.bag_of_words_vae import BagOfWordsVAE
from tf_vmf.report.context import DocumentContext
from tf_vmf.report.engine.run import Latent, Run, describe_run
from tf_vmf.report.engine.topic_view import TopicView
from tf_vmf.report.page.page import Headline, Headlines, Section, Text, write_report
from tf_vmf.report.phrases import beside_unigram, chosen_epoch, code_description, training_length
from tf_vmf.report.section import Findings, ReportSection, with_registered
from tf_vmf.report.sections.axes import Axes
from tf_vmf.report.sections.document_map import DocumentMap
from tf_vmf.report.sections.document_neighbors import DocumentNeighbors
from tf_vmf.report.sections.document_results import DocumentResults
from tf_vmf.report.sections.label_path import LabelPath
from tf_vmf.report.sections.label_words import LabelWords
from tf_vmf.report.sections.protocol import Protocol
from tf_vmf.report.sections.topics import Topics
from tf_vmf.report.sections.training import Training
from tf_vmf.report.sections.use_of_code import UseOfCode


@dataclass(frozen=True, eq=False)
class DocumentOverview(ReportSection):
    """What the model is, and its figures in a few numbers.

    Attributes:
        run: The record of the run.
        latent: The latent variable.
    """

    run: Run
    latent: Latent

    @classmethod
    def find(cls, context: DocumentContext) -> Self:
        return cls(replace(context.run, history=()), context.latent)

    def render(self) -> Section:
        return Section("Details for researchers", [Text(self.verdict), Headlines(self.headlines)])

    @property
    def title(self) -> str:
        return f"Document model with a {self.latent.description.posterior} code: {self.run.corpus}"

    @property
    def subtitle(self) -> str:
        run = self.run
        return (
            f"{run.train_examples:,} training, {run.valid_examples:,} validation and {run.test_examples:,} test documents "
            f"over {run.vocabulary_size:,} words"
        )

    @property
    def summary(self) -> str:
        """What was trained on what."""
        run = self.run
        return (
            f"A variational autoencoder was trained{training_length(run)} on {run.train_examples:,} documents "
            f"({run.train_tokens:,} words) of the corpus {run.corpus!r}. It compresses each document to a code and predicts the "
            f"words of the document from the code alone. {code_description(self.latent, 'document')}{chosen_epoch(run)}"
        )

    @property
    def verdict(self) -> str:
        """The perplexity and what it means."""
        run = self.run
        perplexity, unigram = (
            run.metrics["test"]["perplexity"],
            run.metrics.get("baseline", {}).get("unigram_perplexity"),
        )
        result = (
            f"On the {run.test_examples:,} test documents, which training did not use, its perplexity is "
            f"{perplexity:,.0f}: it is as "
            "uncertain about each word as if it chose among that many equally likely ones. Lower is better."
        )
        if unigram:
            result += " " + beside_unigram(run, unigram, "document", "word")
        return result

    @property
    def headlines(self) -> list[Headline]:
        metrics = self.run.metrics
        test, unigram = metrics["test"], metrics.get("baseline", {}).get("unigram_perplexity")
        result = [
            Headline(f"{test['perplexity']:,.0f}", "test perplexity", "bound from one sample (ELBO); lower is better")
        ]
        if unigram:
            result.append(Headline(f"{unigram:,.0f}", "unigram perplexity", "the baseline over the same words"))
            result.append(
                Headline(
                    f"{test['perplexity'] / unigram:.2f}",
                    "of the baseline",
                    "perplexity ratio; lower is better, 1 is no better than it",
                )
            )
        if test.get("iw_perplexity"):
            samples = importance_samples(metrics)
            result.append(
                Headline(
                    f"{test['iw_perplexity']:,.0f}",
                    "importance-weighted perplexity",
                    f"a different bound, {samples} samples",
                )
            )
        result.append(
            Headline(MEASURES["kl"].format(test["kl"]), "nats of KL per document", "the cost of a document's code")
        )
        return result


DOCUMENT_SECTIONS: tuple[type[ReportSection], ...] = (
    Topics,
    LabelWords,
    DocumentMap,
    DocumentNeighbors,
    LabelPath,
    DocumentOverview,
    DocumentResults,
    Training,
    UseOfCode,
    Axes,
    Protocol,
)


def find_documents(
    model: BagOfWordsVAE,
    corpus: BagOfWordsCorpus,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]] = (),
    config: Mapping[str, Any] | None = None,
    command: str | None = None,
    *,
    topics: TopicView | None = None,
    sections: Sequence[type[ReportSection]] | None = None,
    seed: int = 0,
) -> Findings:
    """Finds what the report of a trained `BagOfWordsVAE` says.

    ```python
    config = tf_vmf.programs.configs.DocumentConfig(corpus="wikipedia", epochs=2, num_importance_samples=1)
    run = tf_vmf.programs.train_documents(config, "runs/wikipedia")
    corpus = tf_vmf.data.load_bag_of_words("wikipedia")
    findings = tf_vmf.report.find_documents(run.model, corpus, run.metrics, run.history)
    tf_vmf.report.document_report("report.html", findings)
    text = findings.to_json()
    ```

    Args:
        model: The trained model.
        corpus: What it was trained and evaluated on.
        metrics: The content of `metrics.json`: `test`, `baseline`, and where there are `valid`, `training`, `protocol`.
        history: A row per epoch, as in `history.csv`.
        config: The configuration of the run.
        command: The command that repeats the run.
        topics: The topics of the training documents, from `tf_vmf.TopicModel.view`; None for a report without topics.
        sections: The sections of the report in order; None for those of the package and the registered ones.
        seed: Seed of clusters, projection and the choice of documents shown.
    """
    has_dropout = bool(model.dropout or model.input_dropout)
    run = describe_run(corpus, "documents", metrics, history, config, command, has_dropout=has_dropout)
    if sections is None:
        sections = with_registered("document", DOCUMENT_SECTIONS)
    return Findings.find(sections, DocumentContext(model, corpus, run, topics, seed))


def document_report(path: str | Path, findings: Findings, *, title: str | None = None) -> None:
    """Writes the HTML report of a document model.

    ```python
    config = tf_vmf.programs.configs.DocumentConfig(corpus="wikipedia", epochs=2, num_importance_samples=1)
    run = tf_vmf.programs.train_documents(config, "runs/wikipedia")
    corpus = tf_vmf.data.load_bag_of_words("wikipedia")
    findings = tf_vmf.report.find_documents(run.model, corpus, run.metrics, run.history)
    tf_vmf.report.document_report("report.html", findings)
    ```

    Args:
        path: The file to write.
        findings: What `tf_vmf.report.find_documents` returned.
        title: The heading; made from corpus and model if None.

    Raises:
        ModuleNotFoundError: jinja2 or matplotlib is not installed.
    """
    overview = findings.get(DocumentOverview)
    write_report(
        path,
        title=title or (overview.title if overview else "Document model"),
        subtitle=overview.subtitle if overview else "",
        summary=[overview.summary] if overview else [],
        sections=[record.render() for record in findings.records],
        findings=findings.to_json(),
    )
