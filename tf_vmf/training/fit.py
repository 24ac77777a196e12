"""One call that trains a model in a folder, from the start or from where it stopped."""

import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib.util import find_spec
from typing import Any

import keras
import tensorflow as tf

from tf_vmf._checks import check_integer
from tf_vmf.files import remove_leftovers
from tf_vmf.layers.controls import LatentNumbers
from tf_vmf.training.interruption import RunInterruptedError, StopSignals
from tf_vmf.training.loop import TrainingLoop, ValidationSteps
from tf_vmf.training.progress import EpochLines, EpochRecords, record
from tf_vmf.training.run_state import RunState
from tf_vmf.training.strategies import Workers
from tf_vmf.training.workdir import Workdir


def fit(
    model: keras.Model,
    workdir: Workdir,
    batches_from: Callable[[int], tf.data.Dataset],
    steps_per_epoch: int,
    validation_batches: tf.data.Dataset,
    *,
    epochs: int,
    early_stopping_patience: int | None = None,
    learning_rate_patience: int | None = None,
    learning_rate_factor: float = 0.5,
    checkpoint_steps: int | None = None,
    checkpoint_minutes: float | None = 10.0,
    keep_checkpoints: int = 3,
    steps_per_execution: int = 1,
    batch_ids: Callable[[int], Sequence[Any]] | None = None,
    verbose: int | str = "auto",
) -> RunState:
    """Trains until `epochs` or until validation stops improving; the model ends with the weights of the best epoch.

    A checkpoint is saved at the end of each epoch and, within it, every `checkpoint_steps` steps and `checkpoint_minutes`
    minutes. Called again on the folder of an interrupted run, `fit` goes on from the newest one, in the middle of an epoch too.
    On that of a complete run it loads the best weights or, given more epochs, goes on as if the run had been asked for that many
    from the start. A run that early stopping has ended stays as it is: with more epochs it would have stopped there too. A
    learning-rate schedule over all epochs makes more epochs impossible, since the earlier steps would have had other rates.

    On SIGINT (Ctrl-C), SIGTERM and SIGHUP (the terminal is gone) it saves and leaves with exit code 130, 143 or 129; a second
    SIGINT ends the process at once.

    Args:
        model: A compiled, built model that logs `loss`, made in the scope of its strategy. Every worker of a strategy over
            several machines calls this function; the first one writes the files.
        workdir: The folder of the run, shared by all workers. It is locked meanwhile.
        batches_from: Returns the endless training batches from a given step on; see `tf_vmf.data.Examples`.
        steps_per_epoch: Batches per epoch.
        validation_batches: A finite dataset; its `loss` selects the best epoch.
        epochs: Largest number of epochs.
        early_stopping_patience: Stop after so many epochs without improvement; None never stops early.
        learning_rate_patience: Multiply the learning rate by `learning_rate_factor` after so many epochs without improvement.
        learning_rate_factor: In (0, 1).
        checkpoint_steps: Steps between checkpoints within an epoch; None for none.
        checkpoint_minutes: Minutes after which a checkpoint is due; None for none.
        keep_checkpoints: Number of checkpoints kept.
        steps_per_execution: Steps run on the device without coming back to Python; no signal is seen in between.
        batch_ids: Tells which examples are in the batch of a step, to name them where its loss is not finite.
        verbose: 0 prints nothing; 2 a line per epoch; "auto" and 1 also show the running epoch, on a terminal; "json" prints a JSON
            object per epoch.

    Returns:
        The state of the run, with `history`, `epoch` and `seconds`.

    Raises:
        FloatingPointError: A term of the loss became NaN or infinite; the message names it, the step and its examples.
        LockHeldError: Another process trains in this folder; the message names its host and number.
        RunInterruptedError: SIGINT, SIGTERM or SIGHUP came; the state is saved. It is a SystemExit of code 130, 143 or 129.
        WorkerLostError: Another worker died.
        OSError: A file could not be written; the earlier ones are intact.
        ValueError: No checkpoint of the folder can be read, or the run cannot go on with these `epochs`.
    """
    for name, value in (("checkpoint_steps", checkpoint_steps), ("steps_per_execution", steps_per_execution)):
        if value is not None:
            check_integer("fit", name, value, minimum=1)
    workers = Workers(model.distribute_strategy)
    with workdir.lock() if workers.is_chief else nullcontext():
        # No worker begins to write before all are here: what looks like a leftover may be a file that another one is writing.
        workers.wait_for_all()
        if workers.is_chief:
            remove_leftovers(workdir.path)
        validation = model.distribute_strategy.experimental_distribute_dataset(validation_batches)
        validation_steps = ValidationSteps(model)
        state = RunState.resume(
            model,
            workdir.checkpoints,
            steps_per_epoch,
            epochs=epochs,
            callbacks=_schedulers(early_stopping_patience, learning_rate_patience, learning_rate_factor),
            history_file=workdir.history_file,
            keep=keep_checkpoints,
            workers=workers,
            build_metrics=lambda: validation_steps.run(iter(validation)),
        )
        if workers.is_chief:
            workdir.record_config()
            state.complete_history()
        if not state.is_complete:
            if workers.is_chief:
                if state.step == 0 and workdir.metrics_file.exists():
                    warnings.warn(
                        f"{workdir.path} holds the results of a run and none of its checkpoints, from which it would go on: "
                        "training starts anew, and the results move to earlier_results.",
                        stacklevel=2,
                    )
                workdir.set_results_aside()
            seconds = float("inf") if checkpoint_minutes is None else 60 * checkpoint_minutes
            with StopSignals() as signals:
                loop = TrainingLoop(
                    state,
                    [
                        LatentNumbers(),
                        *state.callbacks,
                        *(_observers(workdir, steps_per_epoch, verbose) if workers.is_chief else ()),
                    ],
                    batches_from,
                    validation,
                    validation_steps,
                    checkpoint_steps,
                    seconds,
                    steps_per_execution,
                    batch_ids,
                    signals,
                )
                # As a whole: even setting a metric to zero may communicate with the other workers.
                try:
                    workers.run_collective(loop.run)
                except RunInterruptedError as interrupted:
                    if workers.is_chief:
                        note = interrupted.note
                        print(record("interrupted", note=note) if verbose == "json" else note, flush=True)
                    raise
        workers.run_collective(state.load_best)
    return state


def _schedulers(
    early_stopping_patience: int | None, learning_rate_patience: int | None, learning_rate_factor: float
) -> list[keras.callbacks.Callback]:
    """The callbacks that decide on the course of training, whose state belongs to that of the run."""
    schedulers: list[keras.callbacks.Callback] = []
    if learning_rate_patience is not None:
        schedulers.append(
            keras.callbacks.ReduceLROnPlateau(
                "val_loss", factor=learning_rate_factor, patience=learning_rate_patience, min_delta=0.0, mode="min"
            )
        )
    if early_stopping_patience is not None:
        schedulers.append(keras.callbacks.EarlyStopping("val_loss", patience=early_stopping_patience, mode="min"))
    return schedulers


def _observers(workdir: Workdir, steps_per_epoch: int, verbose: int | str) -> list[keras.callbacks.Callback]:
    """The callbacks that only show what happens."""
    observers: list[keras.callbacks.Callback] = [_FolderWatch(workdir)]
    if find_spec("tensorboard") is not None:
        observers.append(keras.callbacks.TensorBoard(workdir.path / "tensorboard", write_graph=False))
    if verbose == "json":
        observers.append(EpochRecords(steps_per_epoch))
    elif verbose:
        observers.append(EpochLines(steps_per_epoch, in_place=False if verbose == 2 else None))
    return observers


class _FolderWatch(keras.callbacks.Callback):
    """Ends a run whose folder was removed, at the end of an epoch."""

    def __init__(self, workdir: Workdir) -> None:
        super().__init__()
        self._workdir = workdir

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._workdir.check_there()
