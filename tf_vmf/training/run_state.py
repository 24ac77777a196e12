"""State of a run, sufficient to resume it exactly."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.files import sha256_of_file, write_atomically, write_csv
from tf_vmf.training.checkpoints import Checkpoints
from tf_vmf.training.strategies import Workers

_HDF5_HEADERS = 8192  # bytes per variable, more than the names and sizes of any take


@dataclass
class Progress:
    """The content of a checkpoint beside the variables of model and optimizer, as JSON."""

    history: list[dict[str, float]] = field(default_factory=list)  # the metrics of every complete epoch
    step: int = 0  # training steps taken
    seconds: float = 0.0  # time spent in training and validation, over all attempts
    stopped_early: bool = False  # whether a callback ended training
    # the learning-rate schedule of the optimizer as Keras serializes it; None for a constant rate
    schedule: dict[str, Any] | None = None
    callbacks: list[dict[str, Any]] = field(default_factory=list)  # the state of each callback
    metrics: list[Any] | None = None  # the values of the model's running metrics within an epoch; None at its end
    best_sha256: str | None = None  # the SHA-256 of the file with the best weights; None in checkpoints of version 0.2


class RunState:
    """The state of a run - weights, optimizer, step, history, running metrics, callbacks - and its checkpoints.

    `RunState.resume` makes one that is ready for the next training step.

    With batches and noise that are functions of (seed, step), as in this package, the step is the position in the data, and a
    resumed run ends with the numbers of an uninterrupted one. One `tf.train.Checkpoint` holds all of it, so its parts never
    disagree; the weights with the lowest monitored value are kept in a file of their own.

    Attributes:
        model, steps_per_epoch, epochs, workers: As given to `resume`.
        callbacks: The callbacks to train with: those given to `resume`, and one that gives them their saved state when training
            begins, at which they reset themselves.
        checkpoints: The checkpoints.
    """

    def __init__(
        self,
        model: keras.Model,
        folder: Path,
        steps_per_epoch: int,
        epochs: int,
        monitor: str,
        callbacks: Sequence[keras.callbacks.Callback],
        history_file: Path | None,
        keep: int,
        workers: Workers,
    ) -> None:
        self.model = model
        self.steps_per_epoch = steps_per_epoch
        self.epochs = epochs
        self.workers = workers
        self._monitor = monitor
        self._stateful_callbacks = list(callbacks)
        self.callbacks = [*callbacks, _RestoreCallbacks(self)]
        self._history_file = history_file
        self._best_file = folder / "best.weights.h5"
        self._progress = Progress()
        self._saved_at = time.monotonic()
        self._variable = tf.Variable("", dtype=tf.string, trainable=False)
        objects = tf.train.Checkpoint(model=model, optimizer=model.optimizer, progress=self._variable)
        self.checkpoints = Checkpoints(objects, folder, keep, writes=workers.is_chief)

    @classmethod
    def resume(
        cls,
        model: keras.Model,
        folder: str | Path,
        steps_per_epoch: int,
        *,
        epochs: int,
        monitor: str = "val_loss",
        callbacks: Sequence[keras.callbacks.Callback] = (),
        history_file: str | Path | None = None,
        keep: int = 3,
        workers: Workers | None = None,
        build_metrics: Callable[[], object] = lambda: None,
    ) -> RunState:
        """Sets model, optimizer and metrics to the newest checkpoint that can be read, if there is one, and returns the state.

        Args:
            model: A compiled model whose optimizer is built.
            folder: Where checkpoints go.
            steps_per_epoch: Batches per epoch.
            epochs: The number of epochs that the run is to have; more than it was begun with if its learning rate permits.
            monitor: The logged figure, lower is better, that decides which weights are the best.
            callbacks: Callbacks whose states are saved: those of their attributes that are numbers, strings, booleans or None,
                which covers Keras's EarlyStopping and ReduceLROnPlateau.
            history_file: If given, a CSV file of all epochs so far, written anew at the end of each.
            keep: Number of checkpoints kept.
            workers: The processes of the run, each of which calls this.
            build_metrics: Makes the model create its metrics, by a step on any batch, where it has not. Keras creates those of
                `compile(metrics=...)` in the first step only.

        Raises:
            ValueError: There are checkpoints, and none of them can be read; the workers have read different ones; the run has
                more than `epochs` epochs; or its learning-rate schedule is another one.
        """
        workers = workers or Workers(model.distribute_strategy)
        state = cls(
            model,
            Path(folder),
            steps_per_epoch,
            epochs,
            monitor,
            callbacks,
            None if history_file is None else Path(history_file),
            keep,
            workers,
        )
        state._restore()
        state._check_epochs()
        if len(state._progress.metrics or ()) > len(model.metrics_variables):
            workers.run_collective(build_metrics)
            state._restore()  # what the step has changed
        state._set_metrics()
        state._saved_at = time.monotonic()
        return state

    @property
    def history(self) -> list[dict[str, float]]:
        """The metrics of every complete epoch."""
        return self._progress.history

    @property
    def step(self) -> int:
        """Training steps taken."""
        return self._progress.step

    @property
    def seconds(self) -> float:
        """Time spent in training and validation, over all attempts."""
        return self._progress.seconds

    @property
    def epoch(self) -> int:
        """The number of complete epochs, validation included."""
        return len(self.history)

    @property
    def steps_into_epoch(self) -> int:
        """Steps taken in the epoch that is not complete; `steps_per_epoch` if only its validation is missing."""
        return self.step - self.epoch * self.steps_per_epoch

    @property
    def is_complete(self) -> bool:
        """True if the run needs no more training: it has all its epochs, or a callback has stopped it."""
        return self._progress.stopped_early or self.epoch >= self.epochs

    @property
    def best_epoch(self) -> int:
        """The epoch, counted from 1, with the lowest monitored value."""
        return int(min(self.history, key=lambda row: row[self._monitor])["epoch"])

    def advance(self, steps: int) -> None:
        """Counts training steps."""
        self._progress.step += steps

    def metric_values(self) -> list[Any]:
        """The values of the model's running metrics, for `save`; a collective under several workers."""
        return [tf.convert_to_tensor(variable).numpy().tolist() for variable in self.model.metrics_variables]

    def save(self, metrics: list[Any] | None = None) -> None:
        """Saves a checkpoint; every worker must call it at the same step.

        Args:
            metrics: `metric_values()` of the training steps of an epoch that is not complete, None at its end.

        Raises:
            OSError: It could not be written; the earlier ones are intact.
        """
        now = time.monotonic()
        self._progress.seconds += now - self._saved_at
        self._saved_at = now
        self._progress.metrics = metrics
        self._progress.schedule = learning_rate_schedule(self.model.optimizer)
        self._progress.callbacks = [_state_of(callback) for callback in self._stateful_callbacks]
        self._variable.assign(json.dumps(asdict(self._progress)))
        self.workers.run_collective(self.checkpoints.save, self.epoch, self.steps_into_epoch)

    def end_epoch(self, logs: Mapping[str, float], *, stopped_early: bool) -> None:
        """Records an epoch, keeps its weights if they are the best so far, and saves.

        Raises:
            OSError: A file could not be written; the earlier ones are intact.
        """
        row = {"epoch": self.epoch + 1, **{name: float(value) for name, value in logs.items()}}
        best = min((r[self._monitor] for r in self.history), default=float("inf"))
        if row[self._monitor] < best and self.workers.is_chief:
            write_atomically(self._best_file, self.model.save_weights, size=_size_of_weights(self.model))
            self._progress.best_sha256 = sha256_of_file(self._best_file)
        self.history.append(row)
        self._progress.stopped_early = stopped_early
        self.save()
        self.write_history()

    def complete_history(self) -> None:
        """Writes the CSV file of all epochs where it lacks some: a kill may come after a checkpoint and before the file."""
        file = self._history_file
        if file is None:
            return
        try:
            lines = len(file.read_text("utf-8").splitlines())
        except (OSError, UnicodeDecodeError):  # missing, or damaged
            lines = 0
        if lines <= len(self.history):
            self.write_history()

    def write_history(self) -> None:
        """Writes the CSV file of all epochs, on the first worker."""
        if self._history_file is not None and self.history and self.workers.is_chief:
            write_csv(self._history_file, self.history)

    def load_best(self) -> None:
        """Loads the best weights of the run into the model.

        Raises:
            ValueError: Their file is missing or damaged.
        """
        try:
            if self._progress.best_sha256 not in (None, sha256_of_file(self._best_file)):
                raise ValueError("it is not what was saved, as its SHA-256 has changed")
            self.model.load_weights(self._best_file)
        except Exception as error:  # h5py and Keras raise of every kind
            raise ValueError(
                f"The best weights of this run, {self._best_file}, cannot be read: {str(error).splitlines()[0][:200]}. Without "
                "them the run cannot be completed; give a new workdir to train again."
            ) from error

    def restore_callbacks(self) -> None:
        """Gives the callbacks their saved state; called by the last of `callbacks` when training begins."""
        for callback, saved in zip(self._stateful_callbacks, self._progress.callbacks, strict=False):
            for name, value in saved.items():
                setattr(callback, name, value)

    def _restore(self) -> None:
        name = self.checkpoints.restore(check=self._read_progress)
        if len(set(self.workers.gather(self.step if name else -1))) > 1:
            raise ValueError(
                f"The workers of this run found different checkpoints in {self.checkpoints.folder} (here: {name}). "
                "Expected a workdir that all machines share."
            )

    def _read_progress(self) -> None:
        progress = Progress(**json.loads(self._variable.numpy()))
        epochs, steps = len(progress.history), progress.step
        if not 0 <= steps - epochs * self.steps_per_epoch <= self.steps_per_epoch:
            raise ValueError(
                f"{epochs} epochs and {steps} steps do not go together at {self.steps_per_epoch} steps per epoch: the corpus "
                "or the batch size has changed"
            )
        self._progress = progress

    def _check_epochs(self) -> None:
        if self.epoch > self.epochs:
            raise ArgumentError(
                "epochs",
                f"at least {self.epoch}, as many as the run in {self.checkpoints.folder.parent} has already",
                f"{self.epochs}",
                "Nothing was changed. Give more epochs, or a new workdir.",
            )
        saved, current = self._progress.schedule, learning_rate_schedule(self.model.optimizer)
        if self.step and not self._progress.stopped_early and saved != current:
            raise ValueError(
                f"The run in {self.checkpoints.folder.parent} cannot go on with another learning rate: "
                f"{describe_schedule(saved)} there, {describe_schedule(current)} here. Under a schedule over all epochs, such as "
                "linear or cosine, another number of epochs would have changed the rates of the steps already taken. Nothing was "
                "changed. Give as many epochs as before, or a new workdir; runs with a constant learning rate can be extended."
            )

    def _set_metrics(self) -> None:
        if self._progress.metrics is not None:
            for variable, value in zip(self.model.metrics_variables, self._progress.metrics, strict=True):
                variable.assign(tf.constant(value, variable.dtype, variable.shape))


class _RestoreCallbacks(keras.callbacks.Callback):
    """Stands after the callbacks whose state it restores, since they reset themselves when training begins."""

    def __init__(self, state: RunState) -> None:
        super().__init__()
        self._state = state

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._state.restore_callbacks()


def _size_of_weights(model: keras.Model) -> int:
    """An upper bound on the bytes of a file of the weights: numbers, and the headers of HDF5."""
    sizes = [int(np.prod(each.shape)) * tf.as_dtype(each.dtype).size for each in model.weights]
    return sum(sizes) + _HDF5_HEADERS * (1 + len(sizes))


def _state_of(callback: keras.callbacks.Callback) -> dict[str, Any]:
    simple = (bool, int, float, str, type(None))
    return {name: value for name, value in vars(callback).items() if isinstance(value, simple)}


def learning_rate_schedule(optimizer: keras.optimizers.Optimizer) -> dict[str, Any] | None:
    """The learning-rate schedule of an optimizer as JSON holds it; None for a rate that is a number."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of a LossScaleOptimizer
    rate = optimizer.get_config()["learning_rate"]
    return json.loads(json.dumps(rate, default=str)) if isinstance(rate, dict) else None


def describe_schedule(schedule: Mapping[str, Any] | None) -> str:
    """A schedule in words: `CosineDecay(initial_learning_rate=0.1, decay_steps=10)`."""
    if schedule is None:
        return "a constant rate"
    arguments = ", ".join(f"{name}={value}" for name, value in schedule["config"].items() if name != "name")
    return f"{schedule['class_name']}({arguments})"
