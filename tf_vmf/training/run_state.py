"""Checkpoints from which a killed run goes on as if nothing had happened."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tf_vmf.training.files import write_atomically, write_csv


class RunState(keras.callbacks.Callback):
    """Saves everything a run needs to go on - weights, optimizer, epoch, history, callbacks' states - at the end of each epoch.

    With batches and noise that are functions of (seed, step), as in this package, a resumed run ends with the numbers of an
    uninterrupted one. One `tf.train.Checkpoint` holds all of it, so there is no moment at which its parts disagree; the weights
    with the lowest monitored value are kept in a file of their own.

    Put it last among the callbacks: then the others' states are saved as they are after the epoch.

    Args:
        model: A compiled model whose optimizer is built.
        folder: Where checkpoints go.
        monitor: The logged figure, lower is better, that decides which weights are the best.
        callbacks: Callbacks whose states are saved: those of their attributes that are numbers, strings, booleans or None, which
            covers Keras's EarlyStopping and ReduceLROnPlateau.
        history_file: If given, a CSV file of all epochs so far, rewritten at the end of each.
        keep: Number of checkpoints kept.
    """

    def __init__(
        self,
        model: keras.Model,
        folder: str | Path,
        monitor: str = "val_loss",
        callbacks: Sequence[keras.callbacks.Callback] = (),
        history_file: str | Path | None = None,
        keep: int = 2,
    ) -> None:
        super().__init__()
        self.folder = Path(folder)
        self.monitor = monitor
        self.callbacks = list(callbacks)
        self.history_file = history_file
        self.history: list[dict[str, float]] = []
        self.seconds = 0.0
        self.finished = False
        self._progress = tf.Variable("", dtype=tf.string, trainable=False)
        self._manager = tf.train.CheckpointManager(
            tf.train.Checkpoint(model=model, optimizer=model.optimizer, progress=self._progress),
            str(self.folder),
            max_to_keep=keep,
            checkpoint_name="epoch",
        )
        self._best_file = self.folder / "best.weights.h5"
        self._restored_states: list[dict[str, Any]] = []

    @property
    def epoch(self) -> int:
        """The number of epochs finished so far."""
        return len(self.history)

    @property
    def best_epoch(self) -> int:
        """The epoch, counted from 1, with the lowest monitored value."""
        return int(min(self.history, key=lambda row: row[self.monitor])["epoch"])

    def restore(self) -> bool:
        """Restores the newest checkpoint, if there is one; call it before `fit(initial_epoch=run_state.epoch)`."""
        if self._manager.latest_checkpoint is None:
            return False
        self._manager.checkpoint.restore(self._manager.latest_checkpoint).assert_consumed()
        progress = json.loads(self._progress.numpy())
        self.history = progress["history"]
        self.seconds = progress["seconds"]
        self.finished = progress["finished"]
        self._restored_states = progress["callbacks"]
        return True

    def load_best(self, model: keras.Model) -> None:
        """Loads the best weights of the run into the model."""
        model.load_weights(self._best_file)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        # Here, because the callbacks before this one have just reset themselves.
        for callback, state in zip(self.callbacks, self._restored_states, strict=False):
            for name, value in state.items():
                setattr(callback, name, value)
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        row = {"epoch": epoch + 1, **{name: float(value) for name, value in (logs or {}).items()}}
        if row[self.monitor] < min((r[self.monitor] for r in self.history), default=float("inf")):
            write_atomically(self._best_file, self.model.save_weights)
        self.history.append(row)
        self.finished = self.model.stop_training or epoch + 1 == self.params["epochs"]
        self._save()

    def _save(self) -> None:
        now = time.monotonic()
        self.seconds += now - self._started
        self._started = now
        progress = {
            "history": self.history,
            "seconds": self.seconds,
            "finished": self.finished,
            "callbacks": [_state(callback) for callback in self.callbacks],
        }
        self._progress.assign(json.dumps(progress))
        self._manager.save(checkpoint_number=self.epoch)
        if self.history_file is not None:
            write_csv(self.history_file, self.history)


def _state(callback: keras.callbacks.Callback) -> dict[str, Any]:
    simple = (bool, int, float, str, type(None))
    return {name: value for name, value in vars(callback).items() if isinstance(value, simple)}
