"""The report of a document model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tf_vmf.measures import MEASURES, importance_samples
from tf_vmf.report import document_sections as sections
from tf_vmf.report import run_sections
from tf_vmf.report.engine.document_findings import DocumentFindings
from tf_vmf.report.page import Headline, Section, write_report
from tf_vmf.report.phrases import beside_unigram, chosen_epoch, code_description, training_length


def document_report(
    path: str | Path, findings: DocumentFindings, *, title: str | None = None, extra_sections: Sequence[Section] = ()
) -> None:
    """Writes the HTML report of a document model.

    ```python
    config = tf_vmf.programs.configs.DocumentConfig(corpus="wikipedia", epochs=2, num_importance_samples=1)
    run = tf_vmf.programs.train_documents(config, "runs/wikipedia")
    corpus = tf_vmf.data.load_bag_of_words("wikipedia")
    findings = tf_vmf.report.engine.find_documents(run.model, corpus, run.metrics, run.history)
    tf_vmf.report.document_report("report.html", findings)
    ```

    Args:
        path: The file to write.
        findings: What `tf_vmf.report.engine.find_documents` returned.
        title: The heading; made from corpus and model if None.
        extra_sections: Further sections, put before the protocol.

    Raises:
        ModuleNotFoundError: jinja2 or matplotlib is not installed: pip install 'tf-vmf[demo]'.
    """
    run = findings.run
    parts = [
        sections.results(findings),
        run_sections.training(run, "document"),
        sections.topics(findings),
        sections.label_words(findings),
        sections.code_map_section(findings),
        sections.neighbours(findings),
        sections.path_between_labels(findings),
        run_sections.use_of_the_code(findings.latent, findings.code_use, "document"),
        sections.axes(findings),
        *extra_sections,
        run_sections.protocol(run),
    ]
    write_report(
        path,
        title=title or f"Document model with a {findings.latent.description.posterior} code: {run.corpus}",
        subtitle=f"{run.train_examples:,} training, {run.valid_examples:,} validation and {run.test_examples:,} test documents "
        f"over {run.vocabulary_size:,} words",
        summary=_summary(findings),
        headlines=_headlines(findings),
        sections=parts,
        findings=findings,
    )


def _summary(findings: DocumentFindings) -> list[str]:
    run = findings.run
    perplexity, unigram = run.metrics["test"]["perplexity"], run.metrics.get("baseline", {}).get("unigram_perplexity")
    result = [
        f"A variational autoencoder was trained{training_length(run)} on {run.train_examples:,} documents "
        f"({run.train_tokens:,} words) of the corpus {run.corpus!r}. It compresses each document to a code and predicts the "
        f"words of the document from the code alone. {code_description(findings.latent, 'document')}{chosen_epoch(run)}",
        f"On the {run.test_examples:,} test documents, which training did not use, its perplexity is {perplexity:,.0f}: it is as "
        "uncertain about each word as if it chose among that many equally likely ones. Lower is better.",
    ]
    if unigram:
        result[-1] += " " + beside_unigram(run, unigram, "document", "word")
    return result


def _headlines(findings: DocumentFindings) -> list[Headline]:
    metrics = findings.run.metrics
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
    topics = findings.topics
    result.append(
        Headline(
            f"{topics.npmi:.2f}", f"mean NPMI of {len(topics.clusters)} topics", "document window; higher is better"
        )
    )
    return result
