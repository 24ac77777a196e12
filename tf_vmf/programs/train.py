"""Runs of document and sentence models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from tf_vmf import data, evaluation, files, report
from tf_vmf._errors import ArgumentError, MissingPlaceError
from tf_vmf.models import LSTMVAE, BagOfWordsVAE, read_word_vectors
from tf_vmf.programs.components import make_latent, make_optimizer
from tf_vmf.programs.configs import DocumentConfig, SentenceConfig
from tf_vmf.programs.run import Experiment, Run, run, start
from tf_vmf.report.engine.excerpts import label_name
from tf_vmf.report.engine.topic_view import TopicView
from tf_vmf.topics import TopicModel
from tf_vmf.topics.report import topic_view
from tf_vmf.training import Workdir

_TOPICS = 20  # of the report
_MOST_SHOWN = 100_000  # training examples that the report looks at


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

    def write_report(path: Path, **run: Any) -> None:
        shown = corpus.with_train_sample(_MOST_SHOWN)
        findings = report.find_documents(corpus=shown, topics=_topics(shown, run["model"]), **run)
        files.write_text(path.with_name("findings.json"), findings.to_json())
        report.document_report(path, findings)

    experiment = Experiment(
        program="bow_vae",
        config=config,
        corpus=corpus,
        examples={"train": corpus.train, "valid": corpus.valid, "test": corpus.test},
        make_model=lambda num_steps, _: document_model(config, corpus, num_steps),
        unit="document",
        baseline=evaluation.unigram_perplexity(corpus.train_word_counts, corpus.test),
        token_counting="words of the vocabulary; no end-of-document token",
        fingerprints={},
        report=write_report,
    )
    call = f"tf_vmf.programs.train_documents(config, {str(workdir)!r})"
    return run(experiment, strategy, workdir, command=command or call, verbose=verbose)


def document_model(config: DocumentConfig, corpus: data.BagOfWordsCorpus, num_steps: int) -> BagOfWordsVAE:
    """The compiled model of a configuration."""
    latent = make_latent(config, config.seed)
    assert latent is not None  # the configuration has refused latent="none"
    model = BagOfWordsVAE(
        len(corpus.vocabulary),
        latent,
        **config.arguments_of(BagOfWordsVAE, "vocabulary_size", "latent"),
    )
    model.set_vocabulary(corpus.vocabulary)
    if config.unigram_bias:
        model.set_unigram_bias(corpus.train_word_counts)
    model.compile(make_optimizer(config, num_steps))
    return model


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


def train_sentences(
    config: SentenceConfig, workdir: str | Path, *, command: str | None = None, verbose: bool | str = True
) -> Run:
    r"""Trains a sentence model in a folder, or resumes it there; measures it and writes the report.

    ```python
    with open("sentences.txt", "w") as file:
        file.write("The moon rose early.\nA rocket flew to the moon.\nWe ate bread with butter.\n" * 40)
    config = tf_vmf.programs.configs.SentenceConfig(train_files=("sentences.txt",), epochs=2, num_importance_samples=1)
    run = tf_vmf.programs.train_sentences(config, "runs/sentences")
    ```

    Args:
        config: The options of the run.
        workdir: The folder of the run; made if missing.
        command: The command to print in the report; None for this call.
        verbose: Whether to print the progress; "json" prints it as JSON objects, one per line.

    Returns:
        The trained model with its vectorizer, metrics and history.

    Raises:
        As `tf_vmf.programs.train_documents`; ValueError also where the model is to be conditional on labels that are missing.
    """
    strategy = start(config, workdir)
    corpus = data.load_sentences(**config.loader_arguments())
    _check_labels(config, corpus)

    def write_report(path: Path, **run: Any) -> None:
        findings = report.find_sentences(corpus=corpus.with_train_sample(_MOST_SHOWN), **run)
        files.write_text(path.with_name("findings.json"), findings.to_json())
        report.sentence_report(path, findings)

    examples = {"train": corpus.train, "valid": corpus.valid, "test": corpus.test}
    if not config.conditional:
        examples = {split: each.without_labels() for split, each in examples.items()}
    words = corpus.test.bags_of_words(len(corpus.vocabulary))
    experiment = Experiment(
        program="lstm_vae",
        config=config,
        corpus=corpus,
        examples=examples,
        make_model=lambda num_steps, has_started: sentence_model(config, corpus, num_steps, has_started),
        unit="sentence",
        baseline=evaluation.unigram_perplexity(corpus.train_word_counts, words),
        token_counting="words and one <eos> per sentence; padding counts nowhere",
        fingerprints=_embeddings_fingerprint(config, Workdir(workdir)),
        report=write_report,
    )
    call = f"tf_vmf.programs.train_sentences(config, {str(workdir)!r})"
    return run(experiment, strategy, workdir, command=command or call, verbose=verbose)


def sentence_model(config: SentenceConfig, corpus: data.SentenceCorpus, num_steps: int, has_started: bool) -> LSTMVAE:
    """The compiled model of a configuration."""
    latent = make_latent(config, config.seed)
    model = LSTMVAE(
        len(corpus.vocabulary),
        latent,
        skip_connection=config.skip_connection and latent is not None,
        num_labels=len(corpus.label_names) if config.conditional else 0,
        **config.arguments_of(LSTMVAE, "vocabulary_size", "latent", "skip_connection"),
    )
    model.set_vocabulary(corpus.vocabulary)
    model.set_unigram_bias(corpus.train_word_counts)
    if config.initial_embeddings and not has_started:
        found = model.set_embeddings(corpus.vocabulary, read_word_vectors(config.initial_embeddings))
        logging.warning("Initial embeddings: found %d of %d words.", found, len(corpus.vocabulary))
    model.compile(make_optimizer(config, num_steps))
    return model


def _check_labels(config: SentenceConfig, corpus: data.SentenceCorpus) -> None:
    """A conditional model needs training sentences of every label."""
    if not config.conditional:
        return
    if not corpus.label_names:
        raise ArgumentError(
            "conditional",
            "labeled sentences",
            f"corpus {corpus.name!r}, which has no labels",
            "Label files as label=path, or name a label column.",
        )
    untrained = set(range(len(corpus.label_names))) - set(np.unique(np.asarray(corpus.train.labels)))
    if untrained:
        names = ", ".join(corpus.label_names[label] for label in sorted(untrained))
        raise ArgumentError("conditional", "training sentences of every label", f"none labeled {names}")


def _embeddings_fingerprint(config: SentenceConfig, workdir: Workdir) -> dict[str, str]:
    """The fingerprint of the initial embeddings.

    Of a run that has started with this very path it is the recorded one: its embeddings are in the checkpoints, and the file may
    be gone.
    """
    name = "initial_embeddings_sha256"
    if config.initial_embeddings is None:
        return {}
    recorded = workdir.recorded_config()
    if workdir.has_started and recorded is not None and recorded["initial_embeddings"] == config.initial_embeddings:
        return {name: recorded["data"][name]}
    path = Path(config.initial_embeddings)
    file = path / "model.keras" if path.is_dir() else path
    if not file.is_file():
        raise MissingPlaceError(
            "the folder of a run or a file of word vectors", path, "where there is none", name="initial_embeddings"
        )
    return {name: files.sha256_of_file(file)[:16]}
