"""The report of a document model: everything computed from the model, its corpus and the files of its run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_vmf.analysis import document_sections as sections
from tf_vmf.analysis import run_sections
from tf_vmf.analysis.encodings import encode
from tf_vmf.analysis.report import Headline, Section, write_report
from tf_vmf.data.corpus import BagOfWordsCorpus
from tf_vmf.models.bag_of_words_vae import BagOfWordsVAE

_BATCH_SIZE = 500


def document_report(
    path: str | Path,
    model: BagOfWordsVAE,
    corpus: BagOfWordsCorpus,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]] = (),
    config: Mapping[str, Any] | None = None,
    command: str | None = None,
    *,
    title: str | None = None,
    extra_sections: Sequence[Section] = (),
    seed: int = 0,
) -> None:
    """Writes the HTML report of a trained `BagOfWordsVAE`.

    Args:
        path: The file to write.
        model: The trained model.
        corpus: What it was trained and evaluated on.
        metrics: The content of `metrics.json`: `test`, `baseline`, and where there are `valid`, `training`, `protocol`.
        history: A row an epoch, as in `history.csv`.
        config: The configuration of the run, printed as it is.
        command: The command that repeats the run.
        title: The heading; made from corpus and model if None.
        extra_sections: Further sections, put before the protocol.
        seed: Seed of the projection and of the choice of documents shown.

    Raises:
        ModuleNotFoundError: An optional dependency is missing: pip install 'tf-vmf[demo]'.
    """
    train = encode(model, corpus.train.evaluation_batches(_BATCH_SIZE))
    test = encode(model, corpus.test.evaluation_batches(_BATCH_SIZE))
    parts = [
        sections.results(metrics, corpus.name),
        run_sections.training(history, metrics),
        sections.topic_words(model, corpus, train, seed),
        sections.label_words(model, corpus, train),
        sections.code_map_section(corpus, test, seed),
        sections.neighbours(corpus, train, test, seed),
        sections.path_between_labels(model, corpus, train),
        run_sections.use_of_the_code(model.latent, test, "document"),
        *extra_sections,
        run_sections.protocol(metrics, config or {}, command),
    ]
    write_report(
        path,
        title=title or f"Document model with a {model.latent.describe().posterior} code: {corpus.name}",
        subtitle=f"{corpus.statistics['train']['documents']:,} training, "
        f"{len(corpus.valid):,} validation and {len(corpus.test):,} test documents "
        f"over {len(corpus.vocabulary):,} words",
        summary=_summary(model, corpus, metrics, history),
        headlines=_headlines(metrics),
        sections=[part for part in parts if part is not None],
    )


def _summary(
    model: BagOfWordsVAE, corpus: BagOfWordsCorpus, metrics: Mapping[str, Any], history: Sequence[Mapping[str, Any]]
) -> list[str]:
    epochs = metrics.get("training", {}).get("epochs", len(history))
    test, baseline, train = metrics["test"], metrics["baseline"], corpus.statistics["train"]
    ratio = test["perplexity"] / baseline["unigram_perplexity"]
    return [
        f"A variational autoencoder was trained{f' for {epochs} epochs' if epochs else ''} on {train['documents']:,} documents "
        f"({train['tokens']:,} words) of the corpus {corpus.name!r}. It squeezes each document into a code, "
        f"{model.latent.describe().code('document')}, and predicts the document's words from the code alone.",
        f"On the {len(corpus.test):,} test documents, which it never saw, its perplexity is {test['perplexity']:,.0f}: it is as "
        f"unsure of each word as if it had to choose among that many equally likely ones. A unigram model, which knows only how "
        f"frequent words are, has {baseline['unigram_perplexity']:,.0f}; the model's is {ratio:.2f} of it.",
    ]


def _headlines(metrics: Mapping[str, Any]) -> list[Headline]:
    test, baseline = metrics["test"], metrics["baseline"]
    unigram = baseline["unigram_perplexity"]
    result = [
        Headline(f"{test['perplexity']:,.0f}", "test perplexity", "from the one-sample ELBO; lower is better"),
        Headline(f"{unigram:,.0f}", "unigram perplexity", "the baseline, same words"),
        Headline(f"{test['perplexity'] / unigram:.2f}", "of the baseline", "perplexity ratio"),
    ]
    if test.get("iw_perplexity"):
        result.append(
            Headline(f"{test['iw_perplexity']:,.0f}", "importance-weighted", "a tighter bound on the same perplexity")
        )
    result.append(
        Headline(f"{test['kl']:.1f}", "nats of KL", "what the code of a document carries at most, on average")
    )
    return result
