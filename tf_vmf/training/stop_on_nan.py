"""Stops a run whose loss is no longer a number."""

import math
from typing import Any

import keras


class StopOnNaN(keras.callbacks.Callback):
    """Raises as soon as a logged figure is NaN or infinite, before the epoch's checkpoint could be overwritten.

    Running means stay NaN once they are, so it is enough to look every few batches, and a GPU is not made to wait at each.

    Args:
        every: Number of batches between two looks; the end of an epoch is always one.

    Raises:
        FloatingPointError: From `fit`; names the terms that are not finite, the step and the learning rate.
    """

    def __init__(self, every: int = 20) -> None:
        super().__init__()
        self.every = every

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if (batch + 1) % self.every == 0:
            self._check(logs or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._check(logs or {})

    def _check(self, logs: dict[str, Any]) -> None:
        values = {name: float(value) for name, value in logs.items()}
        # A perplexity overflows long before the loss is in danger.
        bad = [name for name, value in values.items() if not math.isfinite(value) and "perplexity" not in name]
        if bad:
            optimizer = self.model.optimizer
            raise FloatingPointError(
                f"Training stopped at or shortly before step {int(optimizer.iterations)}: not finite: "
                f"{', '.join(f'{name}={values[name]}' for name in bad)} (learning rate {float(optimizer.learning_rate):.3g}). "
                "The last checkpoint is from before. Lower --learning_rate or set --gradient_clip_norm."
            )
