"""The loop over epochs and steps: what `keras.Model.fit` does, from any step and on any number of machines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from signal import SIGINT, Signals
from typing import Any

import keras
import tensorflow as tf

from tf_vmf._checks import failed_check
from tf_vmf.training.interruption import RunInterruptedError, StopSignals
from tf_vmf.training.run_state import RunState
from tf_vmf.training.steps import TrainingSteps, ValidationSteps, learning_rate, not_finite

# Steps between two checks for which the device, or other workers, must be waited for: NaN, signals, the clock.
_STEPS_BETWEEN_CHECKS = 20
_SHOWN_IDS = 20


@dataclass(frozen=True)
class CheckpointTimes:
    """The times of checkpoints within an epoch.

    Attributes:
        steps: Every so many steps of the epoch; None for never.
        seconds: When the last one is so old.
    """

    steps: int | None
    seconds: float

    def limit(self, count: int, steps_into_epoch: int) -> int:
        """The number of the next `count` steps that may be run at once without skipping a checkpoint."""
        return count if self.steps is None else min(count, self.steps - steps_into_epoch % self.steps)

    def is_due(self, steps_into_epoch: int) -> bool:
        """True if a checkpoint is due after so many steps."""
        return self.steps is not None and steps_into_epoch % self.steps == 0


class TrainingLoop:
    """Trains from the step of a run's state until the run is complete.

    Args:
        state: The state of the run.
        callbacks: All callbacks, those of the state first.
        batches_from: Returns the endless training batches from a given step on.
        validation: The validation batches, distributed by the strategy.
        validation_steps: Runs them.
        checkpoint_times: When to save within an epoch.
        steps_per_execution: Steps run on the device without coming back to Python.
        batch_ids: Tells which examples are in the batch of a step.
        signals: What may ask the run to end.
    """

    def __init__(
        self,
        state: RunState,
        callbacks: Sequence[keras.callbacks.Callback],
        batches_from: Callable[[int], tf.data.Dataset],
        validation: Any,
        validation_steps: ValidationSteps,
        checkpoint_times: CheckpointTimes,
        steps_per_execution: int,
        batch_ids: Callable[[int], Sequence[Any]] | None,
        signals: StopSignals,
    ) -> None:
        self._state, self._model, self._workers = state, state.model, state.workers
        self._final_logs = _FinalLogs()
        self._callbacks = keras.callbacks.CallbackList(
            [*callbacks, self._final_logs], model=state.model, epochs=state.epochs, steps=state.steps_per_epoch
        )
        self._batches_from, self._batch_ids = batches_from, batch_ids
        self._validation, self._validation_steps = validation, validation_steps
        self._training_steps = TrainingSteps(state.model)
        self._times = checkpoint_times
        self._steps_per_execution = steps_per_execution
        self._signals = signals
        self._checked_at = state.step
        self._saved_at = time.monotonic()

    def run(self) -> None:
        """Trains.

        Raises:
            FloatingPointError: A term of the loss was not finite.
            ValueError: A check of the model has refused a batch.
            RunInterruptedError: A signal came; the state is saved.
            OSError: A file could not be written.
        """
        self._model.stop_training = False
        self._callbacks.on_train_begin()
        try:
            distribute = self._model.distribute_strategy.experimental_distribute_dataset
            batches = iter(distribute(self._batches_from(self._state.step)))
            while not self._state.is_complete:
                self._run_epoch(batches)
        finally:
            self._callbacks.on_train_end()
        if signal := self._signal_of_any_worker():
            self._leave(signal)

    def _run_epoch(self, batches: Iterator[Any]) -> None:
        state = self._state
        epoch = state.epoch
        if state.steps_into_epoch == 0:
            self._model.reset_metrics()
        self._callbacks.on_epoch_begin(epoch)
        while state.steps_into_epoch < state.steps_per_epoch:
            self._run_steps(batches)
            self._save_or_leave()
        self._check_finite()
        metrics = self._workers.run_collective(state.metric_values)
        logs = self._results()
        logs |= {f"val_{name}": value for name, value in self._validate(metrics).items()}
        logs["learning_rate"] = learning_rate(self._model.optimizer)
        self._callbacks.on_epoch_end(epoch, logs)
        state.end_epoch(self._final_logs.values, stopped_early=self._model.stop_training)
        self._saved_at = time.monotonic()

    def _run_steps(self, batches: Iterator[Any]) -> None:
        state = self._state
        first = state.steps_into_epoch
        count = self._times.limit(min(self._steps_per_execution, state.steps_per_epoch - first), first)
        self._callbacks.on_train_batch_begin(first)
        try:
            logs = self._workers.run_collective(self._training_steps.run, batches, state.step, count)
        except tf.errors.InvalidArgumentError as error:
            problem = failed_check(error)
            if problem is None:
                raise
            last = state.step + count - 1
            where = f"step {last}{self._ids_of(last)}" if count == 1 else f"one of the steps {state.step} to {last}"
            raise ValueError(f"Training stopped in {where}: {problem}") from error
        state.advance(count)
        self._callbacks.on_train_batch_end(first + count - 1, logs)

    def _save_or_leave(self) -> None:
        """Between steps: saves if a checkpoint is due, leaves if a signal has come."""
        state = self._state
        is_check = state.step - self._checked_at >= _STEPS_BETWEEN_CHECKS
        save = self._times.is_due(state.steps_into_epoch)
        signal = 0
        # One process may read its clock after every step. Several have to communicate, at steps that all of them know.
        if is_check or self._workers.count == 1:
            signal = self._signal_of_any_worker()
            save = self._workers.any(time.monotonic() - self._saved_at >= self._times.seconds) or save
        if is_check or save or signal:
            self._checked_at = state.step
            self._check_finite()
        at_end = state.steps_into_epoch == state.steps_per_epoch  # saved after validation
        if signal or (save and not at_end):
            state.save(self._workers.run_collective(state.metric_values))
            self._saved_at = time.monotonic()
        if signal:
            self._leave(signal)

    def _validate(self, metrics: list[Any]) -> dict[str, float]:
        """The results on the validation data; `metrics` are those of the epoch's training steps, to be saved on a signal."""
        self._model.reset_metrics()
        self._callbacks.on_test_begin()
        batches = iter(self._validation)
        while True:
            try:
                self._workers.run_collective(self._validation_steps.run, batches)
            except tf.errors.OutOfRangeError:
                break
            if self._signals.received and self._workers.count == 1:
                # All training steps of the epoch are taken; its validation will begin anew.
                self._state.save(metrics)
                self._leave(self._signals.received)
        results = self._results()
        self._callbacks.on_test_end(results)
        return results

    def _results(self) -> dict[str, float]:
        results = self._workers.run_collective(self._model.get_metrics_result)
        return {name: float(value) for name, value in results.items()}

    def _signal_of_any_worker(self) -> int:
        return int(max(self._workers.gather(self._signals.received)))

    def _leave(self, signal: int) -> None:
        name = "Ctrl-C" if signal == SIGINT else Signals(signal).name
        note = f"Interrupted ({name}): saved at step {self._state.step}. The same command goes on from there."
        raise RunInterruptedError(signal, note)

    def _check_finite(self) -> None:
        found = self._training_steps.first_not_finite()
        if found is None:
            return
        step, terms = found
        raise not_finite(step, terms, self._model.optimizer, self._ids_of(step))

    def _ids_of(self, step: int) -> str:
        """The examples in the batch of a step, for an error; "" where they are not known."""
        if self._batch_ids is None:
            return ""
        names = [str(each) for each in self._batch_ids(step)]
        more = f" and {len(names) - _SHOWN_IDS} more" if len(names) > _SHOWN_IDS else ""
        return f", whose batch holds the training examples {', '.join(names[:_SHOWN_IDS])}{more}"


class _FinalLogs(keras.callbacks.Callback):
    """Last among the callbacks: keeps the logs of an epoch with what the others have added, such as the learning rate."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.values = dict(logs or {})
