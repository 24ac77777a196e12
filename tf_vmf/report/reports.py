"""The reports of document and sentence models: lists of sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_vmf.data.corpus import BagOfWordsCorpus, SentenceCorpus
from tf_vmf.models.bag_of_words_vae import BagOfWordsVAE
from tf_vmf.models.lstm_vae import LSTMVAE
from tf_vmf.report.context import DocumentContext, SentenceContext
from tf_vmf.report.engine.run import describe_run
from tf_vmf.report.engine.topic_view import TopicView
from tf_vmf.report.page.page import write_report
from tf_vmf.report.section import Findings, ReportSection, with_registered
from tf_vmf.report.sections.axes import Axes
from tf_vmf.report.sections.decodings import Interpolations, Reconstructions
from tf_vmf.report.sections.labels import LabelPath, LabelWords
from tf_vmf.report.sections.maps import DocumentMap, SentenceMap
from tf_vmf.report.sections.neighbors import DocumentNeighbors, SentenceNeighbors
from tf_vmf.report.sections.order_of_words import OrderOfWords
from tf_vmf.report.sections.overview import DocumentOverview, Overview, SentenceOverview
from tf_vmf.report.sections.results import DocumentResults, SentenceResults
from tf_vmf.report.sections.samples import LabelSamples, PriorSamples
from tf_vmf.report.sections.sentence_groups import SentenceGroups
from tf_vmf.report.sections.topics import Topics
from tf_vmf.report.sections.training import Protocol, Training
from tf_vmf.report.sections.use_of_code import UseOfCode

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
        topics: The topics of the training documents, from `tf_vmf.topics.report.topic_view`; None for a report without topics.
        sections: The sections of the report in order; None for those of the package and the registered ones.
        seed: Seed of clusters, projection and the choice of documents shown.
    """
    has_dropout = bool(model.dropout or model.input_dropout)
    run = describe_run(corpus, "documents", metrics, history, config, command, has_dropout=has_dropout)
    chosen = with_registered("document", DOCUMENT_SECTIONS) if sections is None else sections
    return Findings.find(chosen, DocumentContext(model, corpus, run, topics, seed))


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
    _write(path, findings, findings.get(DocumentOverview), title or "", "Document model")


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
    chosen = with_registered("sentence", SENTENCE_SECTIONS) if sections is None else sections
    return Findings.find(chosen, SentenceContext(model, corpus, run, seed))


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
    _write(path, findings, findings.get(SentenceOverview), title or "", "Sentence model")


def _write(path: str | Path, findings: Findings, overview: Overview | None, title: str, kind: str) -> None:
    write_report(
        path,
        title=title or (overview.title if overview else kind),
        subtitle=overview.subtitle if overview else "",
        summary=[overview.summary] if overview else [],
        sections=[record.render() for record in findings.records],
        findings=findings.to_json(),
    )
