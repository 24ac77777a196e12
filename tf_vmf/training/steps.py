"""Training and validation steps as compiled functions, under any strategy; the first loss that is not finite is remembered."""

import math
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

# A perplexity overflows long before the loss is in danger.
_MAY_OVERFLOW = "perplexity"


class TrainingSteps:
    """Runs training steps from an iterator over distributed batches, one or several per call.

    Keras's own function fails under a strategy for several steps per call, and for several machines altogether (Keras 3.15; keras
    issue 20585).

    The first step whose running metrics are not finite is found on the device and remembered there, so that the host need not
    wait for every step to check it.

    Args:
        model: A compiled model.
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
    """Runs test steps under any strategy.

    Args:
        model: A compiled model.
    """

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
