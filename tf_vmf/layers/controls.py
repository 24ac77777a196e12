"""What acts on all latent layers of a model: a switch to their deterministic codes, callbacks that set or log their numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import keras

from tf_vmf._checks import check_choice
from tf_vmf._errors import ArgumentError
from tf_vmf._keras import layers_inside, training_steps
from tf_vmf.layers.latent_layer import LatentLayer


@contextmanager
def deterministic(model: keras.layers.Layer) -> Iterator[None]:
    """Within the block every latent layer of the model returns its deterministic code and charges no KL.

    It holds for `predict`, `evaluate`, direct calls and exports of functional, Sequential and subclassed models: an export made
    within the block draws no random numbers. Functions that Keras compiled before or within the block are not reused across it. A
    `tf.function` of your own keeps the behavior that held when it was traced.

    ```python
    inputs = keras.Input((8,))
    z = tf_vmf.layers.VonMisesFisherLatent(3, concentration=20.0)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(8)(z))
    with tf_vmf.layers.deterministic(model):
        reconstructions = model.predict(np.ones((2, 8)))  # the same at each call
    ```

    Args:
        model: A model, or a single layer.

    Raises:
        ValueError: There is no latent layer in it.
    """
    inside = layers_inside(model)
    latents = [layer for layer in inside if isinstance(layer, LatentLayer)]
    if not latents:
        received = f"{model.name!r}, which has none"
        raise ArgumentError("model", "a model with a latent layer", received, owner="deterministic")
    before = [layer.always_deterministic for layer in latents]
    try:
        for layer in latents:
            layer.always_deterministic = True
        _forget_compiled_functions(inside)
        yield
    finally:
        for layer, value in zip(latents, before, strict=True):
            layer.always_deterministic = value
        _forget_compiled_functions(inside)


def _forget_compiled_functions(layers: list[keras.layers.Layer]) -> None:
    """Makes Keras trace its steps again."""
    for layer in layers:
        if isinstance(layer, keras.Model):
            layer.train_function = layer.test_function = layer.predict_function = None


_ATTRIBUTES, _PERIODS = ("kl_weight", "concentration"), ("epoch", "step")


class LatentAnnealing(keras.callbacks.Callback):
    """Sets `kl_weight` or `concentration` of the latent layers of a model before every epoch, or before every training step.

    The value is logged under the name of the attribute, where the model does not log it already. It stays as it is after
    training. A latent layer in a model of your own charges `kl_weight` times its KL in validation too, so that `val_loss` changes
    with the weight; the models of `tf_vmf.models` always charge the whole KL there.

    Args:
        schedule: A function from the epoch, or the number of training steps, both from 0, to a number, such as
            `tf_vmf.layers.LinearSchedule(10)`.
        attribute: "kl_weight" or "concentration". A concentration that is learned cannot be set.
        per: "epoch" or "step". With `compile(steps_per_execution=k)` it is set every k steps.
        layers: Names of the latent layers; None for all that have such a number, those in a `ProductLatent` included.

    Raises:
        ValueError: An argument is none of those; when training begins, the model has no such layer; in training, the schedule
            returns no finite number >= 0.

    Example:
    ```python
    h = keras.Input((8,))
    z = tf_vmf.layers.VonMisesFisherLatent(3, concentration=20.0)(h)
    model = keras.Model(h, keras.layers.Dense(8)(z))
    # Keras averages over the 8 entries, the KL is a sum in nats: weigh them alike.
    model.compile("adam", loss="mse", loss_weights=[8])
    x = np.random.default_rng(0).normal(size=(32, 8))
    warm_up = tf_vmf.layers.LatentAnnealing(tf_vmf.layers.LinearSchedule(10))  # 0, 0.1, ..., 1
    model.fit(x, x, epochs=3, callbacks=[warm_up])
    ```
    """

    def __init__(
        self,
        schedule: Callable[[int], Any],
        *,
        attribute: Literal["kl_weight", "concentration"] = "kl_weight",
        per: Literal["epoch", "step"] = "epoch",
        layers: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        if not callable(schedule):
            expected = "a function from an epoch or a step to a number"
            raise ArgumentError("schedule", expected, repr(schedule), owner="LatentAnnealing")
        if isinstance(layers, str):
            raise ArgumentError("layers", "a list of names, or None", repr(layers), owner="LatentAnnealing")
        self.schedule = schedule
        self.attribute = check_choice("LatentAnnealing", "attribute", attribute, _ATTRIBUTES)
        self.per = check_choice("LatentAnnealing", "per", per, _PERIODS)
        self.layers = None if layers is None else tuple(layers)
        self._found: list[LatentLayer] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        del logs
        latents = [layer for layer in layers_inside(self.model) if isinstance(layer, LatentLayer)]
        if self.layers is None:
            self._found = [layer for layer in latents if self._has_number(layer)]
        else:
            self._found = [layer for layer in latents if layer.name in self.layers]
        missing = set(self.layers or ()) - {layer.name for layer in self._found}
        if missing or not self._found:
            expected = (
                f"latent layers {sorted(missing)}" if missing else f"a latent layer whose {self.attribute} can be set"
            )
            received = f"{self.model.name!r} with {[layer.name for layer in latents]}"
            raise ArgumentError("layers", f"a model with {expected}", received, owner="LatentAnnealing")

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        del logs
        if self.per == "epoch":
            self._set(epoch)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        del batch, logs
        if self.per == "step":
            self._set(training_steps(self.model))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        del epoch
        if logs is not None:
            logs.setdefault(self.attribute, getattr(self._found[0], self.attribute))

    def _has_number(self, layer: LatentLayer) -> bool:
        """True if the layer's attribute can be set (a part of a ProductLatent has no KL weight)."""
        if self.attribute == "kl_weight":
            return layer.reports
        return not isinstance(getattr(layer, self.attribute, layer), keras.layers.Layer)

    def _set(self, position: int) -> None:
        received = self.schedule(position)
        try:
            value = float(keras.ops.convert_to_numpy(received))
        except (TypeError, ValueError):
            value = math.nan
        if not 0.0 <= value < math.inf:
            expected = f"a function that returns a finite number >= 0 for `{self.attribute}`"
            shown, remedy = f"{received!r} for {self.per} {position}", "Does max(value, 0.0) in it help?"
            raise ArgumentError("schedule", expected, shown, remedy, owner="LatentAnnealing")
        for layer in self._found:
            setattr(layer, self.attribute, value)


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
