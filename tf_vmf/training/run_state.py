"""What a run has come to: everything it needs to go on as if nothing had happened."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tf_vmf.files import write_atomically, write_csv
from tf_vmf.training.checkpoints import Checkpoints
from tf_vmf.training.workers import Workers


class RunState:
    """The state of a run - weights, optimizer, step, history, running metrics, callbacks - and its checkpoints.

    With batches and noise that are functions of (seed, step), as in this package, the step is the position in the data, and a
    resumed run ends with the numbers of an uninterrupted one. One `tf.train.Checkpoint` holds all of it, so there is no moment
    at which its parts disagree; the weights with the lowest monitored value are kept in a file of their own.

    Args:
        model: A compiled model whose optimizer is built.
        folder: Where checkpoints go.
        steps_per_epoch: Batches in an epoch.
        monitor: The logged figure, lower is better, that decides which weights are the best.
        callbacks: Callbacks whose states are saved: those of their attributes that are numbers, strings, booleans or None, which
            covers Keras's EarlyStopping and ReduceLROnPlateau.
        history_file: If given, a CSV file of all epochs so far, rewritten at the end of each.
        keep: Number of checkpoints kept.
        workers: The processes of the run; the first of them writes.

    Attributes:
        step: Training steps taken.
        history: The figures of every finished epoch.
        seconds: Time spent in training and validation, over all attempts.
        finished: Whether the run needs no more training.
    """

    def __init__(
        self,
        model: keras.Model,
        folder: str | Path,
        steps_per_epoch: int,
        monitor: str = "val_loss",
        callbacks: Sequence[keras.callbacks.Callback] = (),
        history_file: str | Path | None = None,
        keep: int = 3,
        workers: Workers | None = None,
    ) -> None:
        self.model = model
        self.steps_per_epoch = steps_per_epoch
        self.monitor = monitor
        self.callbacks = list(callbacks)
        self.history_file = history_file
        self.workers = workers or Workers(model.distribute_strategy)
        self.step = 0
        self.history: list[dict[str, float]] = []
        self.seconds = 0.0
        self.finished = False
        self._started = time.monotonic()
        self._restored: dict[str, Any] = {}
        self._progress = tf.Variable("", dtype=tf.string, trainable=False)
        objects = tf.train.Checkpoint(model=model, optimizer=model.optimizer, progress=self._progress)
        self.checkpoints = Checkpoints(objects, folder, keep, writes=self.workers.is_chief)
        self._best_file = Path(folder) / "best.weights.h5"

    @property
    def epoch(self) -> int:
        """The number of epochs finished so far, validation included."""
        return len(self.history)

    @property
    def steps_into_epoch(self) -> int:
        """Steps taken in the epoch that is not finished; `steps_per_epoch` if only its validation is missing."""
        return self.step - self.epoch * self.steps_per_epoch

    @property
    def best_epoch(self) -> int:
        """The epoch, counted from 1, with the lowest monitored value."""
        return int(min(self.history, key=lambda row: row[self.monitor])["epoch"])

    def restore(self) -> bool:
        """Restores the newest checkpoint that can be read, if there is any.

        Raises:
            ValueError: There are checkpoints, and none of them can be read; or the workers have read different ones.
        """
        name = self.checkpoints.restore(accept=self._read_progress)
        if len(set(self.workers.gather(self.step if name else -1))) > 1:
            raise ValueError(
                f"The workers of this run found different checkpoints in {self.checkpoints.folder} (here: {name}). "
                "--workdir must be one folder that all machines share."
            )
        return name is not None

    def _read_progress(self) -> None:
        progress = json.loads(self._progress.numpy())
        history, step = progress["history"], progress.get("step", len(progress["history"]) * self.steps_per_epoch)
        if not 0 <= step - len(history) * self.steps_per_epoch <= self.steps_per_epoch:
            raise ValueError(
                f"{len(history)} epochs and {step} steps do not go together at {self.steps_per_epoch} steps an epoch: the corpus "
                "or the batch size has changed"
            )
        self.history, self.step = history, step
        self.seconds = progress["seconds"]
        self.finished = progress["finished"]
        self._restored = {"callbacks": progress["callbacks"], "metrics": progress.get("metrics")}

    def start(self) -> None:
        """To be called after the callbacks' `on_train_begin`, in which they reset themselves."""
        for callback, state in zip(self.callbacks, self._restored.get("callbacks", ()), strict=False):
            for name, value in state.items():
                setattr(callback, name, value)
        self._started = time.monotonic()

    @property
    def has_metrics_to_restore(self) -> bool:
        return self._restored.get("metrics") is not None

    @property
    def lacks_metrics(self) -> bool:
        """Whether the model has not yet made all the metrics that were saved."""
        return len(self._restored["metrics"]) > len(self.model.metrics_variables)

    def restore_metrics(self) -> None:
        """Sets the model's running metrics to what they were in the middle of the epoch that is resumed."""
        for variable, value in zip(self.model.metrics_variables, self._restored.pop("metrics"), strict=True):
            variable.assign(tf.constant(value, variable.dtype, variable.shape))

    def metrics(self) -> list[Any]:
        """The values of the model's running metrics, for `save`."""
        return [tf.convert_to_tensor(variable).numpy().tolist() for variable in self.model.metrics_variables]

    def save(self, metrics: list[Any] | None = None) -> None:
        """Saves a checkpoint; every worker must call it at the same step.

        Args:
            metrics: `metrics()` in the middle of an epoch, None after its end.

        Raises:
            OSError: It could not be written; the ones before are untouched.
        """
        now = time.monotonic()
        self.seconds += now - self._started
        self._started = now
        progress = {
            "history": self.history,
            "step": self.step,
            "seconds": self.seconds,
            "finished": self.finished,
            "callbacks": [_state(callback) for callback in self.callbacks],
            "metrics": metrics,
        }
        self._progress.assign(json.dumps(progress))
        self.workers.guard(self.checkpoints.save, self.epoch, self.steps_into_epoch)

    def end_epoch(self, logs: Mapping[str, float], last: bool) -> None:
        """Records an epoch, keeps its weights if they are the best so far, and saves.

        Raises:
            OSError: A file could not be written; the ones before are untouched.
        """
        row = {"epoch": self.epoch + 1, **{name: float(value) for name, value in logs.items()}}
        best = min((r[self.monitor] for r in self.history), default=float("inf"))
        if row[self.monitor] < best and self.workers.is_chief:
            write_atomically(self._best_file, self.model.save_weights)
        self.history.append(row)
        self.finished = last
        self.save()
        if self.history_file is not None and self.workers.is_chief:
            write_csv(self.history_file, self.history)

    def load_best(self) -> None:
        """Loads the best weights of the run into the model.

        Raises:
            ValueError: Their file is missing or damaged.
        """
        try:
            self.model.load_weights(self._best_file)
        except Exception as error:  # h5py and Keras raise of every kind
            raise ValueError(
                f"The best weights of this run, {self._best_file}, cannot be read: {str(error).splitlines()[0][:200]}. Without "
                "them the run cannot be completed; give --workdir a new folder to train again."
            ) from error


def _state(callback: keras.callbacks.Callback) -> dict[str, Any]:
    simple = (bool, int, float, str, type(None))
    return {name: value for name, value in vars(callback).items() if isinstance(value, simple)}
