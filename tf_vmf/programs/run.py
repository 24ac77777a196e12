"""The steps of a run: train or resume, measure, write all files."""

from __future__ import annotations

import errno
import math
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tf_vmf import evaluation, files, models, training
from tf_vmf._optional import missing, note_missing
from tf_vmf.data import BagOfWordsCorpus, Examples, SentenceCorpus
from tf_vmf.models import VariationalAutoencoder
from tf_vmf.models.load import hash_of_weights, write_vectorizer
from tf_vmf.programs.components import check_latent
from tf_vmf.programs.configs import DocumentConfig, SentenceConfig
from tf_vmf.programs.configs.training import Budget, TrainingConfig
from tf_vmf.training import RunState, Workdir, Workers
from tf_vmf.version import __version__, checkout_commit

Corpus = BagOfWordsCorpus | SentenceCorpus


@dataclass(frozen=True)
class Experiment:
    """The model-specific parts of a run."""

    program: str  # the name of the program in `trainers/`
    config: TrainingConfig  # the configuration of the run
    corpus: Corpus  # the corpus that the configuration leads to
    examples: Mapping[str, Examples]  # "train", "valid" and "test" as the model reads them
    # makes the compiled model for the number of training steps and whether the run has been started before; called in the
    # strategy's scope, after seeds are set
    make_model: Callable[[int, bool], VariationalAutoencoder]
    unit: str  # what an example is, in the singular
    baseline: Mapping[str, float]  # the content of `metrics["baseline"]`
    token_counting: str  # what counts as a token, for `metrics["protocol"]`
    fingerprints: Mapping[str, str]  # fingerprints of what the run reads besides the corpus
    # writes the report: called with the path, the model, the metrics, the history, the configuration and the command
    report: Callable[..., None]

    @property
    def budget(self) -> Budget:
        """Epochs and batch size."""
        return self.config.budget(self.corpus.statistics["train"][f"{self.unit}s"])

    def configuration(self) -> dict[str, Any]:
        """The content of config.json: all options, and fingerprints of the text and the vocabulary."""
        statistics = self.corpus.statistics
        data = {name: statistics[name] for name in ("vocabulary_sha256", "train", "valid", "test")}
        return {"trainer": self.program, **self.config.as_dict(), "data": {**data, **self.fingerprints}}

    def may_change(self) -> set[str]:
        """The options that may differ when a run is resumed: how long it trains, where files lie, how often it is saved."""
        return {"epochs", *(set(self.config.as_dict()) - set(self.config.identity()))}


@dataclass(frozen=True)
class Run:
    """A run that has ended.

    Attributes:
        model: The trained model, with the weights of the best epoch. On workers but the first it is as training left it.
        vectorizer: The layer from strings (batch,) to the model's input.
        metrics: The content of metrics.json; empty on workers but the first.
        history: The metrics of every epoch.
        workdir: The folder with the files of the run.
    """

    model: VariationalAutoencoder
    vectorizer: keras.layers.Layer
    metrics: dict[str, Any]
    history: list[dict[str, float]]
    workdir: Workdir


def start(config: DocumentConfig | SentenceConfig, workdir: str | Path) -> tf.distribute.Strategy:
    """The strategy of a run; to be called first, as devices cannot be divided once TensorFlow has used them."""
    check_latent(config)
    strategy = training.get_strategy(config.strategy, config.num_devices)
    if Workers(strategy).is_chief:
        Workdir(workdir).check_unlocked()
    return strategy


def run(
    experiment: Experiment, strategy: tf.distribute.Strategy, workdir: str | Path, *, command: str, verbose: bool | str
) -> Run:
    """Trains, or resumes; measures; writes all files of the run. Of several workers all train, and the first does the rest."""
    config = experiment.config
    workers = Workers(strategy)
    if workers.count == 1 and Workdir(workdir).is_read_only and Workdir(workdir).metrics_file.exists():
        return _look_at(experiment, workdir)
    folder = Workdir.open(workdir, experiment.configuration(), may_change=experiment.may_change(), workers=workers)
    with folder as opened:
        if workers.is_chief:
            _announce(experiment, verbose)
            write_vectorizer(opened.vectorizer_file, experiment.corpus.vectorizer())
        keras.config.set_dtype_policy(config.dtype_policy)
        keras.utils.set_random_seed(config.seed)
        budget = experiment.budget
        steps_per_epoch = experiment.examples["train"].steps_per_epoch(budget.batch_size)
        with strategy.scope():
            model = experiment.make_model(budget.epochs * steps_per_epoch, opened.has_started)
        state = _train(experiment, model, opened, steps_per_epoch, verbose)
        metrics: dict[str, Any] = {}
        if workers.is_chief:
            model, metrics = workers.run_collective(_complete, experiment, opened, model, state, command, verbose)
        workers.wait_for_all()  # one that left before the others would look to them like one that died
    return Run(model, experiment.corpus.vectorizer(), metrics, state.history, opened)


def _look_at(experiment: Experiment, workdir: str | Path) -> Run:
    """A complete run in a folder that cannot be written to, as it is."""
    opened = Workdir.look_at(workdir, experiment.configuration(), may_change=experiment.may_change())
    recorded = opened.recorded_config() or {}
    metrics = files.read_metrics(opened.metrics_file)
    if recorded.get("epochs") != experiment.config.epochs or lacks_refined_bounds(experiment.config, metrics):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(opened.path))
    model, history = models.load(opened.model_file).model, files.read_history(opened.history_file)
    return Run(model, experiment.corpus.vectorizer(), metrics, history, opened)


def _announce(experiment: Experiment, verbose: bool | str) -> None:
    """Says what is trained on, and what will be missing in the end."""
    corpus, statistics = experiment.corpus, experiment.corpus.statistics
    if verbose == "json":
        print(
            training.record("start", **{"corpus": corpus.name, "words": len(corpus.vocabulary), **statistics}),
            flush=True,
        )
    lacking = missing("demo", "Reports", "jinja2", "matplotlib", "gensim")
    if verbose == "json" and lacking:
        print(training.record("no report", note=lacking), flush=True)
    if verbose is not True:
        return
    sizes = [f"{statistics[split][f'{experiment.unit}s']:,}" for split in ("train", "valid", "test")]
    print(
        f"{corpus.name}: {' / '.join(sizes)} {experiment.unit}s (train / valid / test), {len(corpus.vocabulary):,} words"
    )
    if lacking:
        print(f"This run will have no report. {lacking}")


def _train(
    experiment: Experiment, model: VariationalAutoencoder, workdir: Workdir, steps_per_epoch: int, verbose: bool | str
) -> RunState:
    config, examples = experiment.config, experiment.examples["train"]
    size, seed = experiment.budget.batch_size, config.seed
    return training.fit(
        model,
        workdir,
        lambda step: examples.batches(size, seed=seed, start_step=step),
        steps_per_epoch,
        experiment.examples["valid"].evaluation_batches(size),
        epochs=experiment.budget.epochs,
        checkpoint_minutes=config.checkpoint_minutes or None,
        **config.arguments_of(training.fit, "epochs", "checkpoint_minutes"),
        batch_ids=lambda step: examples.batch_ids(step, size, seed=seed),
        verbose=verbose if isinstance(verbose, str) else "auto" if verbose else 0,
    )


def _complete(
    experiment: Experiment,
    workdir: Workdir,
    model: VariationalAutoencoder,
    state: RunState,
    command: str,
    verbose: bool | str,
) -> tuple[VariationalAutoencoder, dict[str, Any]]:
    """Measures the trained model and writes model, metrics and report; returns the model and the metrics."""
    workdir.check_there()
    files.write_atomically(workdir.model_file, model.save)
    if isinstance(model.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
        # Measured on this worker alone: what the model computes must not wait for the others.
        model = models.load(workdir.model_file).model
    if workdir.metrics_file.exists():
        metrics = files.read_metrics(workdir.metrics_file)
    else:
        metrics = measure(experiment, model, state, verbose)
        files.write_json(workdir.metrics_file, metrics)
    if lacks_refined_bounds(experiment.config, metrics):
        add_refined_bounds(experiment, model, metrics, verbose)
        files.write_json(workdir.metrics_file, metrics)
    with note_missing("report.html"):
        experiment.report(
            workdir.report_file,
            model=model,
            metrics=metrics,
            history=state.history,
            config=workdir.config,
            command=command,
        )
    return model, metrics


def measure(
    experiment: Experiment, model: VariationalAutoencoder, state: RunState, verbose: bool | str = True
) -> dict[str, Any]:
    """The content of metrics.json."""
    config, samples = experiment.config, _importance_samples(experiment.config)
    measured = _by_split(experiment, partial(evaluation.evaluate, model), verbose)
    statistics = experiment.corpus.statistics
    train = statistics["train"]
    criterion = "nll + KL"
    if config.sample_reduction == "mean_code":
        criterion += f" with the mean of {config.num_samples} samples as the code, not a bound"
    return {
        **measured,
        "baseline": dict(experiment.baseline),
        "training": {
            "epochs": state.epoch,
            "best_epoch": state.best_epoch,
            "batch_size": experiment.budget.batch_size,
            "seconds": round(state.seconds, 3),
            "examples_per_second": round(state.epoch * train[f"{experiment.unit}s"] / state.seconds, 1),
            "tokens_per_second": round(state.epoch * train["tokens"] / state.seconds, 1),
        },
        "protocol": {
            **statistics,
            "token_counting": experiment.token_counting,
            "selection": f"weights of the epoch with the lowest validation {criterion}; the test set is used once, at the end",
            "elbo_samples": 1,
            "importance_samples": samples,
            "seed": config.seed,
            "weights_sha256": hash_of_weights(model),
            "versions": {
                "tf_vmf": __version__,
                **({} if (commit := checkout_commit()) is None else {"commit": commit}),
                "tensorflow": tf.__version__,
                "keras": keras.__version__,
                "python": platform.python_version(),
            },
        },
    }


def lacks_refined_bounds(config: TrainingConfig, metrics: Mapping[str, Any]) -> bool:
    """Whether the configuration asks for bounds of refined posteriors that the metrics do not hold."""
    return config.refine_steps not in (0, metrics["protocol"].get("refine_steps", 0))


def add_refined_bounds(
    experiment: Experiment, model: VariationalAutoencoder, metrics: dict[str, Any], verbose: bool | str = True
) -> None:
    """Puts the bounds of refined posteriors into the content of metrics.json."""
    steps = experiment.config.refine_steps
    refined = _by_split(
        experiment, partial(evaluation.refined_bounds, model, refine_steps=steps), verbose, refine_steps=steps
    )
    for split, figures in refined.items():
        metrics[split].update(figures)
    metrics["protocol"]["refine_steps"] = steps


def _importance_samples(config: TrainingConfig) -> dict[str, int]:
    """Samples of the importance-weighted bound of each split that is measured."""
    test = config.num_importance_samples
    return {"test": test, "valid": config.num_validation_importance_samples or test}


def _by_split(
    experiment: Experiment, evaluate: Callable[..., dict[str, Any]], verbose: bool | str, **shown: Any
) -> dict[str, dict[str, Any]]:
    """The figures that a function of `tf_vmf.evaluation` gives for each split, all of which are finite."""
    measured = {}
    for split, samples in _importance_samples(experiment.config).items():
        if verbose == "json":
            print(training.record("measuring", split=split, importance_samples=samples, **shown), flush=True)
        elif verbose:
            about = "".join(f", {value} {name.replace('_', ' ')}" for name, value in shown.items())
            print(f"measuring the {split} split, {samples} importance samples{about}", flush=True)
        batches = experiment.examples[split].evaluation_batches(experiment.budget.batch_size)
        measured[split] = evaluate(batches, num_importance_samples=samples, seed=experiment.config.seed)
        for name, value in measured[split].items():
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"The evaluation gave {split}.{name} = {value}. history.csv shows when it began."
                )
    return measured
