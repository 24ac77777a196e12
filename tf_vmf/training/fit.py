"""One call that trains a model in a folder, from the start or from where it stopped."""

import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import keras
import tensorflow as tf

from tf_vmf.files import remove_leftovers
from tf_vmf.training.preemption import PreemptedError, Preemption
from tf_vmf.training.run_state import RunState
from tf_vmf.training.steps import TrainingSteps, ValidationSteps, learning_rate, not_finite
from tf_vmf.training.workdir import Workdir
from tf_vmf.training.workers import Workers

# Steps between two looks at what a device would have to be waited for, or other workers asked: NaN, SIGTERM, the clock.
_LOOK_EVERY = 20
_SHOWN_IDS = 20


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
    minutes. Called again on the folder of an interrupted run it goes on from the newest one, in the middle of an epoch too; on
    that of a finished run it only loads the best weights. On SIGTERM it saves and leaves with exit code 0.

    Args:
        model: A compiled, built model that logs `loss`, made in the scope of its strategy. Every worker of a strategy over
            several machines calls this function; the first one writes the files.
        workdir: The folder of the run, shared by all workers.
        batches_from: Returns the endless training batches from a given step on; see `tf_vmf.data.Examples`.
        steps_per_epoch: Batches in an epoch.
        validation_batches: A finite dataset; its `loss` selects the best epoch.
        epochs: Largest number of epochs.
        early_stopping_patience: Stop after so many epochs without improvement; None never stops early.
        learning_rate_patience: Multiply the learning rate by `learning_rate_factor` after so many epochs without improvement.
        learning_rate_factor: In (0, 1).
        checkpoint_steps: Steps between checkpoints within an epoch; None for none.
        checkpoint_minutes: Minutes after which a checkpoint is due; None for none.
        keep_checkpoints: Number of checkpoints kept.
        steps_per_execution: Steps run on the device without coming back to Python; the host looks at nothing in between.
        batch_ids: Tells which examples are in the batch of a step, to name them where its loss is not finite.
        verbose: As in `keras.Model.fit`.

    Returns:
        The state of the run, with `history`, `epoch` and `seconds`.

    Raises:
        FloatingPointError: A term of the loss became NaN or infinite; the message names it, the step and its examples.
        PreemptedError: SIGTERM came; the state is saved. It is a SystemExit of code 0.
        WorkerLostError: Another worker died.
        OSError: A file could not be written; those from before are untouched.
        ValueError: No checkpoint of the folder can be read.
    """
    for name, value in (("checkpoint_steps", checkpoint_steps), ("steps_per_execution", steps_per_execution)):
        if value is not None and value < 1:
            raise ValueError(f"Argument `{name}` of fit: expected a number >= 1. Received: {name}={value!r}.")
    workers = Workers(model.distribute_strategy)
    workers.wait_for_all()  # until then what looks like a leftover may be a file that another worker is writing
    if workers.is_chief:
        remove_leftovers(workdir.path)
    schedulers: list[keras.callbacks.Callback] = []
    if learning_rate_patience is not None:
        schedulers.append(
            keras.callbacks.ReduceLROnPlateau(
                "val_loss", factor=learning_rate_factor, patience=learning_rate_patience, min_delta=0.0, mode="min"
            )
        )
    if early_stopping_patience is not None:
        schedulers.append(keras.callbacks.EarlyStopping("val_loss", patience=early_stopping_patience, mode="min"))
    state = RunState(
        model,
        workdir.checkpoints,
        steps_per_epoch,
        callbacks=schedulers,
        history_file=workdir.history_file,
        keep=keep_checkpoints,
        workers=workers,
    )
    state.restore()
    if not state.finished:
        callbacks = keras.callbacks.CallbackList(
            [*schedulers, *(_tensorboard(workdir) if workers.is_chief else ()), (logs := _EpochLogs())],
            add_progbar=bool(verbose) and workers.is_chief,
            verbose=1 if verbose == "auto" else verbose,
            epochs=epochs,
            steps=steps_per_epoch,
            model=model,
        )
        course = _Course(
            state, callbacks, logs, batches_from, validation_batches, checkpoint_steps, checkpoint_minutes, batch_ids
        )
        with Preemption() as preemption:
            # As a whole: even setting a metric to zero may have to ask the other workers.
            workers.guard(course.run, epochs, steps_per_execution, preemption)
    workers.guard(state.load_best)
    return state


class _Course:
    """The loop over epochs and steps; what `keras.Model.fit` does, from any step and on any number of machines."""

    def __init__(
        self,
        state: RunState,
        callbacks: keras.callbacks.CallbackList,
        epoch_logs: "_EpochLogs",
        batches_from: Callable[[int], tf.data.Dataset],
        validation_batches: tf.data.Dataset,
        checkpoint_steps: int | None,
        checkpoint_minutes: float | None,
        batch_ids: Callable[[int], Sequence[Any]] | None,
    ) -> None:
        self.state, self.model, self.workers = state, state.model, state.workers
        self.callbacks, self.epoch_logs = callbacks, epoch_logs
        self.batches_from = batches_from
        self.strategy = self.model.distribute_strategy
        self.validation = self.strategy.experimental_distribute_dataset(validation_batches)
        self.training_steps, self.validation_steps = TrainingSteps(self.model), ValidationSteps(self.model)
        self.checkpoint_steps = checkpoint_steps
        self.checkpoint_seconds = float("inf") if checkpoint_minutes is None else 60 * checkpoint_minutes
        self.batch_ids = batch_ids

    def run(self, epochs: int, steps_per_execution: int, preemption: Preemption) -> None:
        state, model, callbacks = self.state, self.model, self.callbacks
        model.stop_training = False
        callbacks.on_train_begin()
        state.start()
        self.saved_at, self.looked_at = time.monotonic(), state.step
        iterator = iter(self.strategy.experimental_distribute_dataset(self.batches_from(state.step)))
        for epoch in range(state.epoch, epochs):
            if state.has_metrics_to_restore:
                self._restore_metrics()
            else:
                model.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            while state.steps_into_epoch < state.steps_per_epoch:
                place = state.steps_into_epoch
                count = min(steps_per_execution, state.steps_per_epoch - place)
                if self.checkpoint_steps is not None:
                    count = min(count, self.checkpoint_steps - place % self.checkpoint_steps)
                callbacks.on_train_batch_begin(place)
                logs = self.workers.guard(self.training_steps.run, iterator, state.step, count)
                state.step += count
                callbacks.on_train_batch_end(place + count - 1, logs)
                self._look(preemption)
            self._check_finite()
            metrics = self.workers.guard(state.metrics)
            results = _numbers(self.workers.guard(model.get_metrics_result))
            validation = self._validate(preemption, metrics)
            results |= {f"val_{name}": value for name, value in validation.items()}
            results["learning_rate"] = learning_rate(model.optimizer)
            callbacks.on_epoch_end(epoch, results)
            state.end_epoch(self.epoch_logs.values, last=model.stop_training or epoch + 1 == epochs)
            self.saved_at = time.monotonic()
            if model.stop_training:
                break
        callbacks.on_train_end()

    def _look(self, preemption: Preemption) -> None:
        """Between steps: saves if a checkpoint is due, leaves if asked to."""
        state = self.state
        place = state.steps_into_epoch
        due = self.checkpoint_steps is not None and place % self.checkpoint_steps == 0
        # One process may look at its clock at every step; several have to meet, at steps that all of them know.
        if self.workers.count == 1:
            late, leave = time.monotonic() - self.saved_at >= self.checkpoint_seconds, preemption.requested
        elif state.step - self.looked_at >= _LOOK_EVERY:
            late = self.workers.any(time.monotonic() - self.saved_at >= self.checkpoint_seconds)
            leave = self.workers.any(preemption.requested)
        else:
            late = leave = False
        if state.step - self.looked_at >= _LOOK_EVERY or due or late or leave:
            self.looked_at = state.step
            self._check_finite()
        if leave or ((due or late) and place < state.steps_per_epoch):
            state.save(self.workers.guard(state.metrics))
            self.saved_at = time.monotonic()
        if leave:
            self._leave()

    def _leave(self) -> None:
        note = f"Asked to end (SIGTERM): saved at step {self.state.step}. The same command goes on from there."
        if self.workers.is_chief:
            print(note, flush=True)
        raise PreemptedError(note)

    def _check_finite(self) -> None:
        bad = self.training_steps.first_bad()
        if bad is None:
            return
        step, terms = bad
        ids = ""
        if self.batch_ids is not None:
            found = [str(each) for each in self.batch_ids(step)]
            more = f" and {len(found) - _SHOWN_IDS} more" if len(found) > _SHOWN_IDS else ""
            ids = f", whose batch holds the training examples {', '.join(found[:_SHOWN_IDS])}{more}"
        raise not_finite(step, terms, self.model.optimizer, ids)

    def _validate(self, preemption: Preemption, metrics: list[Any]) -> dict[str, float]:
        self.model.reset_metrics()
        self.callbacks.on_test_begin()
        iterator = iter(self.validation)
        while True:
            try:
                self.workers.guard(self.validation_steps.run, iterator)
            except tf.errors.OutOfRangeError:
                break
            if preemption.requested and self.workers.count == 1:
                # All steps of the epoch are taken, its validation begins anew.
                self.state.save(metrics)
                self._leave()
        results = _numbers(self.workers.guard(self.model.get_metrics_result))
        self.callbacks.on_test_end(results)
        return results

    def _restore_metrics(self) -> None:
        if self.state.lacks_metrics:
            # Those of `compile(metrics=...)` come into being in the first batch; what that changes is read again.
            self.validation_steps.run(iter(self.validation))
            self.state.restore()
        self.state.restore_metrics()


class _EpochLogs(keras.callbacks.Callback):
    """Last among the callbacks: sees what the others have added to the figures of an epoch, such as the learning rate."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.values = dict(logs or {})


def _numbers(results: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in results.items()}


def _tensorboard(workdir: Workdir) -> list[Any]:
    if find_spec("tensorboard") is None:
        return []
    return [keras.callbacks.TensorBoard(workdir.path / "tensorboard", write_graph=False)]
