"""Trains a bag-of-words VAE: a document model with a von Mises-Fisher, Gaussian or power spherical latent variable.

Offline, on the Wikipedia articles that the gensim package carries:

    python -m trainers.bow_vae --flagfile=recipes/wikipedia_vmf.flags --workdir=runs/wikipedia

On 20 Newsgroups (Miao's .feat files in DIR), or on your own text, one document a line:

    python -m trainers.bow_vae --flagfile=recipes/20ng_vmf_learned.flags --data_dir=DIR --workdir=runs/20ng
    python -m trainers.bow_vae --train_files=reviews.txt --workdir=runs/reviews

The folder --workdir then holds config.json, history.csv, metrics.json, model.keras, report.html and checkpoints/. The same
command again resumes an interrupted run. --corpus: wikipedia or 20ng.
"""

import json
import shlex
import sys
from collections.abc import Sequence
from typing import Any

import keras
from absl import app, logging

from flags import corpus as corpus_flags
from flags import document_model as model_flags
from flags import latent as latent_flags
from flags import training as training_flags
from tf_vmf import data, evaluation, training
from tf_vmf.models import BagOfWordsVAE
from trainers import experiment


def load_corpus() -> data.BagOfWordsCorpus:
    """The corpus that the flags name."""
    return data.load_bag_of_words(
        corpus_flags.CORPUS.value,
        data_dir=corpus_flags.DATA_DIR.value,
        train_files=corpus_flags.TRAIN_FILES.value or None,
        valid_files=corpus_flags.VALID_FILES.value or None,
        test_files=corpus_flags.TEST_FILES.value or None,
        vocab_file=corpus_flags.VOCAB_FILE.value,
        vocabulary_size=corpus_flags.VOCABULARY_SIZE.value,
        min_count=corpus_flags.MIN_COUNT.value,
        stop_words=corpus_flags.STOP_WORDS.value,
        tokenization=corpus_flags.TOKENIZATION.value,
        seed=corpus_flags.SPLIT_SEED.value,
    )


def make_model(corpus: data.BagOfWordsCorpus) -> BagOfWordsVAE:
    """The compiled model that the flags describe.

    Raises:
        ValueError: --latent=none.
    """
    latent = experiment.make_latent()
    if latent is None:
        raise ValueError(
            "--latent=none: a document model without a latent variable is a unigram model, which every run reports as its "
            "baseline. Expected one of: vmf, gaussian, power_spherical."
        )
    model = BagOfWordsVAE(
        len(corpus.vocabulary),
        latent,
        encoder_units=[int(units) for units in model_flags.ENCODER_UNITS.value],
        decoder_units=[int(units) for units in model_flags.DECODER_UNITS.value],
        activation=model_flags.ACTIVATION.value,
        input_transform=model_flags.INPUT_TRANSFORM.value,
        input_dropout=model_flags.INPUT_DROPOUT.value,
        dropout=model_flags.DROPOUT.value,
        num_samples=model_flags.NUM_SAMPLES.value,
        seed=training_flags.SEED.value,
    )
    if model_flags.UNIGRAM_BIAS.value:
        model.set_unigram_bias(corpus.train.counts.sum(axis=0).A1)
    model.compile(experiment.make_optimizer())
    return model


def compute_metrics(
    model: BagOfWordsVAE, corpus: data.BagOfWordsCorpus, run_state: training.RunState, sparse: bool
) -> dict[str, Any]:
    """The content of metrics.json."""
    samples, seed = training_flags.NUM_IMPORTANCE_SAMPLES.value, training_flags.SEED.value
    figures = {
        split: evaluation.evaluate(
            model,
            data.evaluation_batches(getattr(corpus, split), training_flags.BATCH_SIZE.value, sparse=sparse),
            num_importance_samples=samples,
            seed=seed,
        )
        for split in ("valid", "test")
    }
    epochs, seconds = run_state.epoch, run_state.seconds
    metrics = {
        "test": figures["test"],
        "valid": figures["valid"],
        "baseline": evaluation.unigram_perplexity(corpus.train, corpus.test),
        "training": {
            "epochs": epochs,
            "best_epoch": run_state.best_epoch,
            "seconds": round(seconds, 3),
            "examples_per_second": round(epochs * len(corpus.train) / seconds, 1),
            "tokens_per_second": round(epochs * corpus.train.num_tokens / seconds, 1),
        },
        "protocol": {
            **corpus.statistics,
            "token_counting": "words of the vocabulary; no end-of-document token",
            "selection": "weights of the epoch with the lowest validation nll + KL; the test set is used once, at the end",
            "elbo_samples": 1,
            "importance_samples": samples,
            "seed": seed,
            "versions": experiment.versions(),
        },
    }
    experiment.check_finite(metrics)
    return metrics


def main(argv: Sequence[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {' '.join(argv[1:])}. Every option is a flag: --name=value.")
    strategy = training.get_strategy(training_flags.STRATEGY.value, training_flags.NUM_DEVICES.value)
    corpus = load_corpus()
    statistics = corpus.statistics
    logging.info("Corpus: %s", json.dumps(statistics))
    config = experiment.configuration(corpus_flags, latent_flags, model_flags, training_flags)
    # A changed file or vocabulary is another run, even under the same name.
    config["trainer"] = "bow_vae"
    config["data"] = {"vocabulary_sha256": statistics["vocabulary_sha256"], "train": statistics["train"]}
    workdir = training.Workdir(training_flags.WORKDIR.value, config)

    keras.utils.set_random_seed(training_flags.SEED.value)
    with strategy.scope():
        model = make_model(corpus)
    batch_size, sparse = training_flags.BATCH_SIZE.value, data.prefer_sparse(corpus.train)
    run_state = training.fit(
        model,
        workdir,
        lambda step: data.training_batches(
            corpus.train, batch_size, seed=training_flags.SEED.value, start_step=step, sparse=sparse
        ),
        data.steps_per_epoch(corpus.train, batch_size),
        data.evaluation_batches(corpus.valid, batch_size, sparse=sparse),
        epochs=training_flags.EPOCHS.value,
        early_stopping_patience=training_flags.EARLY_STOPPING_PATIENCE.value,
        learning_rate_patience=training_flags.LEARNING_RATE_PATIENCE.value,
    )
    training.write_atomically(workdir.model_file, model.save)
    if workdir.metrics_file.exists():
        metrics = json.loads(workdir.metrics_file.read_text(encoding="utf-8"))
    else:
        metrics = compute_metrics(model, corpus, run_state, sparse)
        training.write_json(workdir.metrics_file, metrics)
    write_report(workdir, model, corpus, metrics, run_state)
    print(summary(metrics, workdir))


def write_report(
    workdir: training.Workdir,
    model: BagOfWordsVAE,
    corpus: data.BagOfWordsCorpus,
    metrics: dict[str, Any],
    run_state: training.RunState,
) -> None:
    """Writes report.html."""
    from tf_vmf import analysis

    analysis.document_report(
        workdir.report_file,
        model=model,
        corpus=corpus,
        metrics=metrics,
        history=run_state.history,
        config=json.loads(workdir.config_file.read_text(encoding="utf-8")),
        command=shlex.join(["python", "-m", "trainers.bow_vae", *sys.argv[1:]]),
    )


def summary(metrics: dict[str, Any], workdir: training.Workdir) -> str:
    """What the terminal shows at the end."""
    unigram = metrics["baseline"]["unigram_perplexity"]
    return experiment.summary(
        metrics,
        [
            f"unigram model: {unigram:,.2f} corpus perplexity on the test set; this model has "
            f"{metrics['test']['perplexity'] / unigram:.3f} of it",
            f"report: {workdir.report_file}",
        ],
    )


if __name__ == "__main__":
    app.run(main)
