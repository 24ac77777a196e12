"""What the trainers share: configuration, optimizer and latent layer from flags, and the course of a run."""

import json
import math
import platform
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import tensorflow as tf
from absl import app, logging
from absl import flags as absl_flags

from flags import latent as latent_flags
from flags import training as training_flags
from tf_vmf import data, evaluation, files, models, reports, training
from tf_vmf.layers import (
    CyclicalSchedule,
    GaussianLatent,
    LatentLayer,
    LinearSchedule,
    PowerSphericalLatent,
    SigmoidSchedule,
    VonMisesFisherLatent,
)
from tf_vmf.models import VariationalAutoencoder
from tf_vmf.version import __version__

# Flags that say where things are and how often they are saved, not what is computed.
_NOT_CONFIGURATION = {
    *("workdir", "data_dir"),
    *("checkpoint_steps", "checkpoint_minutes", "keep_checkpoints", "steps_per_execution"),
}

_OPTIMIZERS = {"adam": models.FusedAdam, "adamw": models.FusedAdam, "sgd": keras.optimizers.SGD}

# The weight of the KL, for the number of steps after which it is at its end (the sigmoid's: 0.9975 of it).
_KL_SCHEDULES: dict[str, Callable[[int, float], keras.optimizers.schedules.LearningRateSchedule]] = {
    "linear": lambda steps, end: LinearSchedule(steps, end=end),
    "sigmoid": lambda steps, end: SigmoidSchedule(steps / 2, end=end),
    "cyclical": lambda steps, end: CyclicalSchedule(-(-steps // 4), end=end),
}


@dataclass(frozen=True)
class Source:
    """Where training batches come from.

    Attributes:
        batches_from: The endless training batches from a step on.
        steps_per_epoch: Training batches an epoch.
        batch_ids: Tells the examples in the batch of a step.
        check: Reads everything, and raises an error that names what is damaged.
    """

    batches_from: Callable[[int], tf.data.Dataset]
    steps_per_epoch: int
    batch_ids: Callable[[int], Sequence[Any]]
    check: Callable[[], None] = lambda: None


def source(records: data.Records | None, batch_size: int, seed: int, *, sparse: bool = False) -> Source | None:
    """Training batches from disk; None if there are no records."""
    if records is None:
        return None
    return Source(
        batches_from=lambda step: records.batches(batch_size, seed=seed, start_step=step, sparse=sparse),
        steps_per_epoch=records.steps_per_epoch(batch_size),
        batch_ids=lambda step: records.batch_ids(step, batch_size, seed=seed),
        check=records.check,
    )


@dataclass(frozen=True)
class Experiment:
    """What a trainer brings to `run`.

    Attributes:
        trainer: The name of the binary, as in `python -m trainers.<name>`.
        flag_modules: The modules of flags/ that define the run.
        statistics: The corpus's statistics, for the protocol and to tell one corpus from another of the same name.
        make_model: Makes the compiled model for a number of steps an epoch; called in the strategy's scope, after seeds are set.
        source: The training batches.
        evaluation_batches: For "valid" and "test", their batches.
        train_examples, train_tokens: In the training split.
        baseline: The content of `metrics["baseline"]`.
        protocol: What to add to `metrics["protocol"]`.
        vectorizer: From text to the model's input, for those who load the model.
        report: Writes the report: called with the path and the keyword arguments model, metrics, history, config and command.
    """

    trainer: str
    flag_modules: Sequence[ModuleType]
    statistics: Mapping[str, Any]
    make_model: Callable[[int], VariationalAutoencoder]
    source: Source
    evaluation_batches: Mapping[str, tf.data.Dataset]
    train_examples: int
    train_tokens: int
    baseline: Mapping[str, float]
    protocol: Mapping[str, Any]
    vectorizer: keras.layers.Layer
    report: Callable[..., None]


def start(argv: Sequence[str]) -> tf.distribute.Strategy:
    """The strategy that the flags name; to be called first, as devices cannot be divided once TensorFlow has started.

    Raises:
        app.UsageError: There are arguments that are not flags.
    """
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {' '.join(argv[1:])}. Every option is a flag: --name=value.")
    if not absl_flags.FLAGS["verbosity"].present:
        logging.set_verbosity(
            logging.WARNING
        )  # TensorFlow's checkpoints and gensim log a line for every breath they take
    return training.get_strategy(training_flags.STRATEGY.value, training_flags.NUM_DEVICES.value)


def run(experiment: Experiment, strategy: tf.distribute.Strategy) -> None:
    """Trains, or resumes; measures; writes all files of the run; prints a summary.

    Of several workers all train, and the first does the rest.
    """
    workers = training.Workers(strategy)
    if workers.is_chief:
        print(f"corpus: {json.dumps(experiment.statistics)}")
        workdir = training.Workdir(training_flags.WORKDIR.value, configuration(experiment))
        files.write_json(workdir.vectorizer_file, keras.saving.serialize_keras_object(experiment.vectorizer))
    # The others find the first one's configuration, and refuse where theirs is another. Who fails before this is missed here.
    workers.wait_for_all()
    workdir = training.Workdir(training_flags.WORKDIR.value, configuration(experiment))
    keras.config.set_dtype_policy(training_flags.DTYPE_POLICY.value)
    keras.utils.set_random_seed(training_flags.SEED.value)
    with strategy.scope():
        model = experiment.make_model(experiment.source.steps_per_epoch)
    try:
        state = training.fit(
            model,
            workdir,
            experiment.source.batches_from,
            experiment.source.steps_per_epoch,
            experiment.evaluation_batches["valid"],
            epochs=training_flags.EPOCHS.value,
            early_stopping_patience=training_flags.EARLY_STOPPING_PATIENCE.value,
            learning_rate_patience=training_flags.LEARNING_RATE_PATIENCE.value,
            checkpoint_steps=training_flags.CHECKPOINT_STEPS.value,
            checkpoint_minutes=training_flags.CHECKPOINT_MINUTES.value or None,
            keep_checkpoints=training_flags.KEEP_CHECKPOINTS.value,
            steps_per_execution=training_flags.STEPS_PER_EXECUTION.value,
            batch_ids=experiment.source.batch_ids,
            verbose="auto" if sys.stdout.isatty() else 2,
        )
    except (tf.errors.DataLossError, tf.errors.NotFoundError):
        experiment.source.check()  # knows which file it is
        raise
    if workers.is_chief:
        workers.guard(finish, experiment, workdir, model, state)
    workers.wait_for_all()  # one that left before the others would look to them like one that died


def finish(
    experiment: Experiment, workdir: training.Workdir, model: VariationalAutoencoder, state: training.RunState
) -> None:
    """Measures the trained model; writes model, metrics and report; prints a summary."""
    files.write_atomically(workdir.model_file, model.save)
    if isinstance(model.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
        # Measured on this worker alone: what the model computes must not wait for the others.
        model = models.load(workdir.model_file).model
    if workdir.metrics_file.exists():
        metrics = json.loads(workdir.metrics_file.read_text(encoding="utf-8"))
    else:
        metrics = measure(experiment, model, state)
        files.write_json(workdir.metrics_file, metrics)
    print("writing the report")
    experiment.report(
        workdir.report_file,
        model=model,
        metrics=metrics,
        history=state.history,
        config=json.loads(workdir.config_file.read_text(encoding="utf-8")),
        command=shlex.join(["python", "-m", f"trainers.{experiment.trainer}", *sys.argv[1:]]),
    )
    print(reports.summary(metrics))
    print(f"report: {workdir.report_file}")


def has_started() -> bool:
    """Whether the folder of the run holds a checkpoint, so that the weights a model is made with do not count."""
    return any((Path(training_flags.WORKDIR.value) / "checkpoints").glob("*.index"))


def configuration(experiment: Experiment) -> dict[str, Any]:
    """What defines the run: all flags of its modules but folders, and the corpus they led to."""
    names = {
        flag.name
        for module in experiment.flag_modules
        for flag in vars(module).values()
        if isinstance(flag, absl_flags.FlagHolder) and flag.name not in _NOT_CONFIGURATION
    }
    # A changed file or vocabulary is another run, even under the same name.
    corpus = {name: experiment.statistics[name] for name in ("vocabulary_sha256", "train", "valid", "test")}
    flags = {name: absl_flags.FLAGS[name].value for name in sorted(names)}
    return {"trainer": experiment.trainer, **flags, "data": corpus}


def measure(experiment: Experiment, model: VariationalAutoencoder, state: training.RunState) -> dict[str, Any]:
    """The content of metrics.json.

    Raises:
        FloatingPointError: A figure is not finite: JSON holds no NaN, and a report of it misleads.
    """
    samples = {"test": training_flags.NUM_IMPORTANCE_SAMPLES.value}
    samples["valid"] = training_flags.NUM_VALIDATION_IMPORTANCE_SAMPLES.value or samples["test"]
    seed = training_flags.SEED.value
    figures: dict[str, dict[str, Any]] = {}
    for split in ("test", "valid"):
        print(f"measuring the {split} split, {samples[split]} importance samples")
        batches = experiment.evaluation_batches[split]
        figures[split] = evaluation.evaluate(model, batches, num_importance_samples=samples[split], seed=seed)
        for name, value in figures[split].items():
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"The evaluation gave {split}.{name} = {value}. history.csv shows when it began."
                )
    return {
        **figures,
        "baseline": dict(experiment.baseline),
        "training": {
            "epochs": state.epoch,
            "best_epoch": state.best_epoch,
            "seconds": round(state.seconds, 3),
            "examples_per_second": round(state.epoch * experiment.train_examples / state.seconds, 1),
            "tokens_per_second": round(state.epoch * experiment.train_tokens / state.seconds, 1),
        },
        "protocol": {
            **experiment.statistics,
            **experiment.protocol,
            "selection": "weights of the epoch with the lowest validation nll + KL; the test set is used once, at the end",
            "elbo_samples": 1,
            "importance_samples": samples,
            "seed": seed,
            "versions": {
                "tf_vmf": __version__,
                "tensorflow": tf.__version__,
                "keras": keras.__version__,
                "python": platform.python_version(),
            },
        },
    }


def make_optimizer(steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The optimizer that the flags ask for."""
    name, rate = training_flags.OPTIMIZER.value, training_flags.LEARNING_RATE.value
    steps = training_flags.EPOCHS.value * steps_per_epoch
    schedules = {
        "constant": rate,
        "linear": keras.optimizers.schedules.PolynomialDecay(rate, steps, end_learning_rate=0.0),
        "cosine": keras.optimizers.schedules.CosineDecay(rate, steps),
    }
    return _OPTIMIZERS[name](
        schedules[training_flags.LEARNING_RATE_SCHEDULE.value],
        weight_decay=training_flags.WEIGHT_DECAY.value or None,
        global_clipnorm=training_flags.GRADIENT_CLIP_NORM.value,
    )


def make_latent() -> LatentLayer | None:
    """The latent layer that the flags ask for; None for --latent=none."""
    name, dim = latent_flags.LATENT.value, latent_flags.LATENT_DIM.value
    warmup, weight = latent_flags.KL_WARMUP_STEPS.value, latent_flags.KL_WEIGHT.value
    shared: dict[str, Any] = {
        "kl_weight": _KL_SCHEDULES[latent_flags.KL_SCHEDULE.value](warmup, weight) if warmup else weight,
        "seed": training_flags.SEED.value,
        "name": "latent",
    }
    if name == "none":
        return None
    if name == "gaussian":
        return GaussianLatent(dim, **shared)
    concentration = latent_flags.CONCENTRATION.value
    layer = VonMisesFisherLatent if name == "vmf" else PowerSphericalLatent
    return layer(
        dim,
        concentration=concentration if concentration == "learned" else float(concentration),
        minimum_concentration=latent_flags.MINIMUM_CONCENTRATION.value,
        initial_concentration=latent_flags.INITIAL_CONCENTRATION.value,
        norm_penalty=latent_flags.NORM_PENALTY.value,
        **shared,
    )
