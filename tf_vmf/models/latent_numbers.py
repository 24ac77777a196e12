"""A Keras callback that logs the numbers of a model's latent layer, which no step computes anew."""

from __future__ import annotations

from typing import Any

import keras

from tf_vmf._keras import training_steps
from tf_vmf.layers import LatentLayer


class LatentNumbers(keras.callbacks.Callback):
    """Adds `kl_weight` and a concentration that is a number to the logs of an epoch, as its last training step used them.

    A metric would cost every step a few operations for what one read per epoch tells.
    """

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        del epoch
        latent = getattr(self.model, "latent", None)
        if logs is not None and isinstance(latent, LatentLayer):
            step = max(training_steps(self.model) - 1, 0)
            for name, value in latent.numbers_at(step).items():
                logs.setdefault(name, value)


def with_latent_numbers(callbacks: Any) -> Any:
    """The argument `callbacks` of Keras's `fit` with a `LatentNumbers` first, so that all others see what it logs."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        numbers = LatentNumbers()
        numbers.set_model(callbacks.model)
        callbacks.callbacks.insert(0, numbers)
        return callbacks
    given = callbacks if isinstance(callbacks, (list, tuple)) else [] if callbacks is None else [callbacks]
    return [LatentNumbers(), *given]
