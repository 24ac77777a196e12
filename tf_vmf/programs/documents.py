"""A run of a document model."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tf_vmf import data, evaluation, files, report
from tf_vmf.models import BagOfWordsVAE
from tf_vmf.programs.components import make_latent, make_optimizer
from tf_vmf.programs.configs import DocumentConfig
from tf_vmf.programs.run import Experiment, Run, run, start
from tf_vmf.report.engine.excerpts import label_name
from tf_vmf.report.engine.topic_view import TopicView
from tf_vmf.topics import TopicModel
from tf_vmf.topics.report import topic_view

_TOPICS = 20  # of the report

_MOST_SHOWN = 100_000  # training documents that the report looks at


def train_documents(
    config: DocumentConfig, workdir: str | Path, *, command: str | None = None, verbose: bool | str = True
) -> Run:
    """Trains a document model in a folder, or resumes it there; measures it and writes the report.

    The folder then holds config.json, history.csv, metrics.json, model.keras, vectorizer.json, report.html, findings.json (the
    data of the report) and checkpoints/.
    The same call again goes on where an interrupted run stopped, and ends with the metrics of an uninterrupted one.

    ```python
    config = tf_vmf.programs.configs.DocumentConfig(corpus="wikipedia", latent_dim=25, epochs=2)
    run = tf_vmf.programs.train_documents(config, "runs/wikipedia")
    run.metrics["test"]["perplexity"]
    run.model.encode(run.vectorizer(["The orbit of the moon"])).mean_direction
    ```

    Args:
        config: The options of the run.
        workdir: The folder of the run; made if missing.
        command: The command to print in the report; None for this call.
        verbose: Whether to print the progress; "json" prints it as JSON objects, one per line.

    Returns:
        The trained model with its vectorizer, metrics and history.

    Raises:
        FloatingPointError: A term of the loss became NaN or infinite.
        LockHeldError: Another process uses the folder.
        RunInterruptedError: SIGINT, SIGTERM or SIGHUP came; the state is saved. It is a SystemExit.
        ValueError: The folder belongs to a run with another configuration, or an option does not fit the corpus.
        FileNotFoundError: A file of the corpus is missing.
        ModuleNotFoundError: The corpus needs a package that is not installed.
    """
    strategy = start(config, workdir)
    corpus = data.load_bag_of_words(**config.loader_arguments())
    experiment = Experiment(
        program="bow_vae",
        config=config,
        corpus=corpus,
        examples={"train": corpus.train, "valid": corpus.valid, "test": corpus.test},
        make_model=lambda num_steps, _: make_model(config, corpus, num_steps),
        unit="document",
        baseline=evaluation.unigram_perplexity(corpus.train_word_counts, corpus.test),
        token_counting="words of the vocabulary; no end-of-document token",
        fingerprints={},
        report=partial(_write_report, corpus),
    )
    call = f"tf_vmf.programs.train_documents(config, {str(workdir)!r})"
    return run(experiment, strategy, workdir, command=command or call, verbose=verbose)


def make_model(config: DocumentConfig, corpus: data.BagOfWordsCorpus, num_steps: int) -> BagOfWordsVAE:
    """The compiled model of a configuration."""
    latent = make_latent(config, config.seed)
    assert latent is not None  # the configuration has refused latent="none"
    model = BagOfWordsVAE(
        len(corpus.vocabulary),
        latent,
        encoder_units=config.encoder_units,
        decoder_units=config.decoder_units,
        activation=config.activation,
        input_transform=config.input_transform,
        input_dropout=config.input_dropout,
        dropout=config.dropout,
        num_samples=config.num_samples,
        sample_reduction=config.sample_reduction,
        seed=config.seed,
    )
    model.set_vocabulary(corpus.vocabulary)
    if config.unigram_bias:
        model.set_unigram_bias(corpus.train_word_counts)
    model.compile(make_optimizer(config, num_steps))
    return model


def _write_report(corpus: data.BagOfWordsCorpus, path: Path, *, model: BagOfWordsVAE, **run: Any) -> None:
    """Writes the report of a run and the findings behind it: its model, metrics, history, config and command."""
    corpus = corpus.with_train_sample(_MOST_SHOWN)
    findings = report.find_documents(corpus=corpus, model=model, topics=_topics(corpus, model), **run)
    files.write_text(path.with_name("findings.json"), findings.to_json())
    report.document_report(path, findings)


def _topics(corpus: data.BagOfWordsCorpus, model: BagOfWordsVAE) -> TopicView | None:
    """The topics that `TopicModel` finds in the training documents; None where codes are no directions."""
    documents = corpus.train
    number = min(_TOPICS, int(np.count_nonzero(np.diff(documents.counts.indptr))))
    if model.latent.describe().metric != "cosine" or number < 2:
        return None
    found = TopicModel.from_document_model(
        model, documents.counts, vocabulary=corpus.vocabulary, num_topics=number, random_state=0
    )
    labels = None if documents.labels is None else [label_name(corpus.label_names, each) for each in documents.labels]
    return topic_view(found, classes=labels, titles=documents.titles, texts=documents.texts, noun="document")
