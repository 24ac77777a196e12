"""The methods of a Keras model for any form of data: lists, arrays, data frames, sparse matrices."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from tf_vmf._errors import ArgumentError
from tf_vmf.models import inputs
from tf_vmf.models.latent_numbers import with_latent_numbers


class TakesAnyData(keras.Model):
    """A model whose `fit`, `evaluate`, `predict`, `.._on_batch` and call take x, and y where there is a target, in any form."""

    def _smallest_input(self) -> Any:
        """A batch of one example, with which `export` calls a model that was only trained; None: it must have been called."""
        return None

    def canonical(self, x: Any) -> Any:
        """X in the form that Keras's `fit` takes: see `tf_vmf.models.inputs`. A subclass may check it here."""
        return inputs.canonical(x)

    def to_tensors(self, x: Any) -> Any:
        """One batch in the form in which the methods that are compiled take it: tensors or arrays."""
        return inputs.to_tensors(self.canonical(x))

    def __call__(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(inputs.to_tensors(x), *args, **kwargs)

    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, **kwargs: Any) -> Any:
        """See `keras.Model.train_on_batch`; x as in `fit`."""
        x, y = self._batch(x, y, sample_weight)
        return super().train_on_batch(x, y, sample_weight, **kwargs)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, **kwargs: Any) -> Any:
        """See `keras.Model.test_on_batch`; x as in `fit`."""
        x, y = self._batch(x, y, sample_weight)
        return super().test_on_batch(x, y, sample_weight, **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        """See `keras.Model.predict_on_batch`; x as in `fit`."""
        return super().predict_on_batch(self.to_tensors(x))

    def _batch(self, x: Any, y: Any, sample_weight: Any) -> tuple[Any, Any]:
        x = self.to_tensors(x)
        if y is None:
            return x, None if sample_weight is None else x
        return x, inputs.to_tensors(self._canonical_target(y, x, type(self).__name__))

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """See `keras.Model.fit`."""
        arguments = self._arguments(super().fit, args, kwargs)
        return super().fit(**{**arguments, "callbacks": with_latent_numbers(arguments.get("callbacks"))})

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """See `keras.Model.evaluate`."""
        return super().evaluate(**self._arguments(super().evaluate, args, kwargs))

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """See `keras.Model.predict`."""
        return super().predict(**self._arguments(super().predict, args, kwargs))

    def export(self, *args: Any, **kwargs: Any) -> None:
        """See `keras.Model.export`; `tf_vmf.serving.export` writes more than `predict`."""
        example = self._smallest_input()
        if example is not None:
            self(example)  # Keras refuses a model that was only trained: `train_step` does not call it
        super().export(*args, **kwargs)

    def _arguments(self, method: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by name: x in canonical form, and something for y where Keras would drop weights without one."""
        arguments = inspect.signature(method).bind(*args, **kwargs).arguments
        arguments |= arguments.pop("kwargs", {})  # `evaluate` has private ones
        owner = f"{type(self).__name__}.{method.__name__}"
        if arguments.get("class_weight") is not None:
            received = repr(arguments["class_weight"])
            remedy = "There are no classes; give `sample_weight`, one number per example."
            raise ArgumentError("class_weight", "None", received, remedy, owner=owner)
        arguments["x"] = self.canonical(arguments.get("x"))
        inputs.check_not_empty(arguments["x"], owner)
        if arguments.get("y") is not None:
            arguments["y"] = self._canonical_target(arguments["y"], arguments["x"], owner)
        elif arguments.get("sample_weight") is not None:
            arguments["y"] = arguments["x"]  # Keras would drop the weights
        validation = arguments.get("validation_data")
        if isinstance(validation, (tuple, list)):
            x, *rest = validation
            x = self.canonical(x)
            if rest and rest[0] is not None:
                rest[0] = self._canonical_target(rest[0], x, owner)
            elif len(rest) == 2:
                rest[0] = x
            arguments["validation_data"] = (x, *rest)
        return arguments

    def _canonical_target(self, y: Any, x: Any, owner: str) -> Any:
        """Y as `canonical` does it for x.

        Raises:
            ArgumentError: It is no target but, for instance, labels.
        """
        shape, expected = getattr(y, "shape", np.shape(y)), getattr(x, "shape", None)
        if expected is not None and len(shape) < 2 <= len(expected):
            raise ArgumentError(
                "y",
                "None, or what is to be reconstructed from x, of the rank of x",
                f"shape {tuple(shape)} beside x of shape {tuple(expected)}",
                "Labels are no targets: leave them out.",
                owner=owner,
            )
        return self.canonical(y)
