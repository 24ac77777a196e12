"""The loop over epochs and steps: `keras.Model.fit` from any step and on any number of machines."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from signal import SIGINT, Signals
from typing import Any

import keras
import tensorflow as tf

from tf_vmf._checks import failed_check
from tf_vmf.training.interruption import RunInterruptedError, StopSignals
from tf_vmf.training.run_state import RunState

# A perplexity overflows long before the loss is in danger.
_MAY_OVERFLOW = "perplexity"


class TrainingSteps:
    """Runs training steps from an iterator over distributed batches, one or several per call.

    Keras's own function fails under a strategy for several steps per call, and for several machines altogether (Keras 3.15; keras
    issue 20585).

    The first step whose running metrics are not finite is found on the device and remembered there, so that the host need not
    wait for every step to check it.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._strategy = model.distribute_strategy
        self._names: list[str] = []
        self._first_not_finite: tf.Tensor = tf.constant([-1, 0], tf.int64)  # step, and the bad terms as bits
        jit = bool(model.jit_compile) and self._strategy.num_replicas_in_sync == 1
        self._step = tf.function(self._one, reduce_retracing=True, jit_compile=jit, autograph=False)
        self._run_one = tf.function(self._single, reduce_retracing=True, autograph=False)
        self._run_many = tf.function(self._several, reduce_retracing=True, autograph=False)

    def run(self, iterator: Iterator[Any], step: int, count: int = 1) -> dict[str, tf.Tensor]:
        """Takes the steps `step`, ..., `step + count - 1`; returns the logs of the last.

        Logs are means over replicas of their running means: near enough for a progress bar.
        """
        if count == 1:
            logs, self._first_not_finite = self._run_one(iterator, tf.constant(step, tf.int64), self._first_not_finite)
        else:
            first, last = tf.constant(step, tf.int64), tf.constant(step + count, tf.int64)
            logs, self._first_not_finite = self._run_many(iterator, first, last, self._first_not_finite)
        return dict(zip(self._names, tf.unstack(logs), strict=True))

    def first_not_finite(self) -> tuple[int, list[str]] | None:
        """The first step, from 0, after which a metric was not finite, and the names of those metrics; None if there is none."""
        step, bits = (int(each) for each in self._first_not_finite.numpy())
        return None if step < 0 else (step, [name for i, name in enumerate(self._names) if bits >> i & 1])

    def _one(self, data: Any) -> tf.Tensor:
        """One step on all replicas; the logs as one vector, so that one reduction does for all of them."""

        @tf.autograph.experimental.do_not_convert
        def on_replica(batch: Any) -> tf.Tensor:
            logs = self._model.train_step(batch)
            self._names = list(logs)
            return tf.stack([tf.cast(value, tf.float32) for value in logs.values()])

        return self._strategy.reduce("MEAN", self._strategy.run(on_replica, args=(data,)), axis=None)

    def _watched(self, data: Any, step: tf.Tensor, first_not_finite: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        logs = self._step(data)
        bits = tf.constant([0 if _MAY_OVERFLOW in name else 1 << i for i, name in enumerate(self._names)], tf.int64)
        bad = tf.reduce_sum(tf.where(tf.math.is_finite(logs), tf.zeros_like(bits), bits))
        is_first = tf.logical_and(first_not_finite[0] < 0, bad > 0)
        return logs, tf.where(is_first, tf.stack([step, bad]), first_not_finite)

    def _single(self, iterator: Any, step: tf.Tensor, first_not_finite: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._watched(next(iterator), step, first_not_finite)

    def _several(
        self, iterator: Any, step: tf.Tensor, end: tf.Tensor, first_not_finite: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        logs, first_not_finite = self._watched(next(iterator), step, first_not_finite)

        def body(step: tf.Tensor, _: tf.Tensor, first_not_finite: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            return step + 1, *self._watched(next(iterator), step, first_not_finite)

        _, logs, first_not_finite = tf.while_loop(
            lambda step, *_: step < end, body, (step + 1, logs, first_not_finite), parallel_iterations=1
        )
        return logs, first_not_finite


class ValidationSteps:
    """Runs test steps under any strategy."""

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._strategy = model.distribute_strategy
        self._function = tf.function(self._run, reduce_retracing=True, autograph=False)

    def run(self, iterator: Iterator[Any]) -> None:
        """One step; raises `tf.errors.OutOfRangeError` where there are no more batches."""
        self._function(iterator)

    def _run(self, iterator: Any) -> None:
        @tf.autograph.experimental.do_not_convert
        def on_replica(batch: Any) -> None:
            self._model.test_step(batch)

        self._strategy.run(on_replica, args=(next(iterator),))


def learning_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """The learning rate of the next step; under a strategy it is no number but one for every replica."""
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def not_finite(
    step: int, terms: list[str], optimizer: keras.optimizers.Optimizer, batch_ids: str
) -> FloatingPointError:
    """The error for a training step after which `terms` were NaN or infinite."""
    rate = learning_rate(optimizer)
    parts = [name for name in terms if name != "loss"] or terms
    return FloatingPointError(
        f"Training stopped: {', '.join(parts)} {'was' if len(parts) == 1 else 'were'} not finite in step {step}"
        f"{batch_ids} (learning rate {rate if math.isfinite(rate) else float('nan'):.3g}). If this batch is sound, the gradient of "
        "the step before overflowed: lower the optimizer's `learning_rate`, or clip its gradient by `global_clipnorm` (flags "
        "--learning_rate and --gradient_clip_norm of the trainers). The last checkpoint is from before."
    )


# Steps between two checks for which the device, or other workers, must be waited for: NaN, signals, the clock.
_STEPS_BETWEEN_CHECKS = 20
_SHOWN_IDS = 20


class TrainingLoop:
    """Trains from the step of a run's state until the run is complete; see `fit` for the arguments that it shares.

    `callbacks` are all callbacks, those of the state first; `validation` the batches, distributed by the strategy.
    """

    def __init__(
        self,
        state: RunState,
        callbacks: Sequence[keras.callbacks.Callback],
        batches_from: Callable[[int], tf.data.Dataset],
        validation: Any,
        validation_steps: ValidationSteps,
        checkpoint_steps: int | None,
        checkpoint_seconds: float,
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
        self._checkpoint_steps, self._checkpoint_seconds = checkpoint_steps, checkpoint_seconds
        self._steps_per_execution = steps_per_execution
        self._signals = signals
        self._checked_at = state.step
        self._saved_at = time.monotonic()

    def run(self) -> None:
        """Trains; raises what `fit` does, and a ValueError where a check of the model has refused a batch."""
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
        count = min(self._steps_per_execution, state.steps_per_epoch - first)
        if self._checkpoint_steps is not None:
            count = min(count, self._checkpoint_steps - first % self._checkpoint_steps)
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
        save = self._checkpoint_steps is not None and state.steps_into_epoch % self._checkpoint_steps == 0
        signal = 0
        # One process may read its clock after every step. Several have to communicate, at steps that all of them know.
        if is_check or self._workers.count == 1:
            signal = self._signal_of_any_worker()
            save = self._workers.any(time.monotonic() - self._saved_at >= self._checkpoint_seconds) or save
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
