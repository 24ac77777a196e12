"""Counters that training keeps beside the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf


class NotRematerialized:
    """Mixin of layers that `keras.RematScope` leaves alone: a call counts, or has arguments by name, which it takes in no graph."""

    def rematerialized_call(self, layer_call: Any, *args: Any, **kwargs: Any) -> Any:
        """The call itself."""
        del args, kwargs
        return layer_call


class TrainingState(NotRematerialized):
    """Mixin of layers and models that count calls or steps. To be inherited before the Keras class.

    Counters are state of training as an optimizer's are: files of Keras (`.keras`, `.weights.h5`) and `tf.train.Checkpoint` hold
    them, so that training goes on where it stopped; `get_weights` and `set_weights`, which move what is learned from one model to
    another, do not.
    """

    def add_counter(self, name: str, shape: tuple[int, ...] = ()) -> None:
        """Adds a variable of zeros, int64, that every replica keeps for itself.

        An assignment that waits for the others in the middle of the forward pass would make Keras collect the losses of one
        replica as those of another. (`add_weight` knows no synchronization.)
        """
        if "_counters" not in vars(self):
            self._counters = _Counters()
        self._counters.by_name[name] = keras.Variable(
            "zeros",
            shape=shape,
            dtype="int64",
            trainable=False,
            aggregation="only_first_replica",
            synchronization="on_read",
            name=name,
        )

    def counter(self, name: str) -> keras.Variable:
        """The counter of a name; an AttributeError where the layer is not built."""
        found = self._by_name().get(name)
        if found is None:
            raise AttributeError(f"{type(self).__name__} has no counter {name!r} yet.")
        return found

    def own_state(self) -> list[keras.Variable]:
        """All variables of this object that are neither weights nor metrics."""
        return list(self._by_name().values())

    @property
    def variables(self) -> list[keras.Variable]:
        """All variables of the object; `weights` holds those that are learned."""
        return [*super().variables, *self.own_state()]  # type: ignore[misc]

    def save_own_variables(self, store: Any) -> None:
        """Saves weights and counters."""
        super().save_own_variables(store)  # type: ignore[misc]
        for name, counter in self._by_name().items():
            store[name] = np.asarray(tf.convert_to_tensor(counter))

    def load_own_variables(self, store: Any) -> None:
        """Loads weights and counters; a counter that the file lacks stays as it is."""
        saved = {name: store[name] for name in store.keys()}  # noqa: SIM118  (no mapping)
        if not saved.keys() - _numbers(saved):
            saved = _from_version_0_2(saved, len(self._trainable_variables) + len(self._non_trainable_variables))  # type: ignore[attr-defined]
        super().load_own_variables({name: saved[name] for name in _numbers(saved)})  # type: ignore[misc]
        for name, counter in self._by_name().items():
            if name in saved:
                counter.assign(np.asarray(saved[name]))

    def _by_name(self) -> Mapping[str, keras.Variable]:
        return self._counters.by_name if "_counters" in vars(self) else {}


class _Counters(tf.Module):
    """Holds counters where Keras, which takes every variable in an attribute of a layer for a weight, does not look."""

    def __init__(self) -> None:
        super().__init__()
        self.by_name: dict[str, keras.Variable] = {}


def _numbers(saved: Mapping[str, Any]) -> set[str]:
    """The names under which Keras saves weights: "0", "1" and so on."""
    return {name for name in saved if name.isdigit()}


def _from_version_0_2(saved: Mapping[str, Any], num_weights: int) -> dict[str, Any]:
    """The content of a layer's file of version 0.2, in the layout of today.

    Version 0.2 kept settings and counters among the weights, one after the other: where it had them `concentration` (a float64
    scalar) and `schedule_step` (an int64 scalar), then `noise_step` (int64, shape (2,)) and `kl_weight` (a float64 scalar). The
    settings come from the configuration.
    """
    values = [saved[str(i)] for i in range(len(saved))]
    kinds = [(str(np.asarray(value).dtype), np.asarray(value).shape) for value in values]
    if len(values) == num_weights or ("int64", (2,)) not in kinds:
        return dict(saved)
    noise = kinds.index(("int64", (2,)))
    counters = {"noise_step": values[noise]}
    first = noise
    if first and kinds[first - 1] == ("int64", ()):
        first -= 1
        counters["schedule_step"] = values[first]
    if first and kinds[first - 1] == ("float64", ()):
        first -= 1
    weights = [*values[:first], *values[noise + 2 :]]
    return {**{str(i): value for i, value in enumerate(weights)}, **counters}
