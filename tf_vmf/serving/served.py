"""An export whose endpoints are called with what JSON holds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2

from tf_vmf._checks import failed_check
from tf_vmf._errors import ArgumentError, MissingPlaceError
from tf_vmf.serving.json_tensors import BINARY, LABELS_INPUT, label_ids, read_labels, to_json, to_tensor
from tf_vmf.serving.requests import Limits, RequestError

DEFAULT_SIGNATURE = "serving_default"
_TOKEN = re.compile(r"\w+|[^\w\s]")
_REPEATING = ("num_points", "num_words", "num_neighbors", "max_length")  # scalars that lengthen the answer to a row


class Served:
    """An export whose endpoints are called with what JSON holds.

    ```python
    texts = ["A rocket flew to the moon.", "Bread with butter."] * 50
    tf_vmf.TopicModel(num_topics=2, min_df=1, epochs=1).fit(texts).export("exports/1")
    served = tf_vmf.serving.Served("exports/1")
    served.predict({"instances": ["The orbit of the moon"]})["predictions"][0]["mean_direction"]
    ```

    Args:
        path: The folder of an export.
        limits: What one request may ask for.

    Attributes:
        signatures: The functions of the endpoints, by name.
        inputs: The inputs of every endpoint: specifications by name.
        labels: Names of the labels by number, None where the export holds none.
        version: The name of the folder where it is a number, as TensorFlow Serving reads it; 1 otherwise.

    Raises:
        FileNotFoundError: There is no SavedModel at the path.
    """

    def __init__(self, path: str | Path, limits: Limits | None = None) -> None:
        path = Path(path)
        if not (path / "saved_model.pb").is_file():
            raise MissingPlaceError(
                "the folder of an export, made by `python -m trainers.export`",
                path,
                "which holds no saved_model.pb",
                name="path",
                owner="Served",
            )
        self.path = path
        self.limits = limits or Limits()
        self.labels = read_labels(path)
        folder = path.resolve().name
        self.version = int(folder) if folder.isdecimal() and folder.isascii() else 1
        try:
            self._loaded = tf.saved_model.load(str(path))
            self.signatures: dict[str, Any] = dict(self._loaded.signatures)
        except Exception as error:  # TensorFlow's reader of damaged files raises of every kind
            told = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            raise ArgumentError(
                "path", "an export that can be read", f"{path}: {told}", "Export the model again.", owner="Served"
            ) from error
        self.inputs = {name: dict(f.structured_input_signature[1]) for name, f in self.signatures.items()}
        tokens = self.inputs.get("score", {}).get("tokens")
        self._reads_sequences = tokens is not None and tokens.dtype.is_integer and tokens.shape.rank == 2

    def describe(self) -> dict[str, Any]:
        """Every signature's inputs and outputs, as the protocol buffer `SignatureDef` is written in JSON."""
        saved = saved_model_pb2.SavedModel.FromString((self.path / "saved_model.pb").read_bytes())
        return {
            name: json_format.MessageToDict(
                definition, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )
            for name, definition in sorted(saved.meta_graphs[0].signature_def.items())
            if name in self.signatures
        }

    def warm_up(self) -> None:
        """Calls the default endpoint once where it takes text alone: the first call of a function takes longest."""
        specs = self.inputs.get(DEFAULT_SIGNATURE, {})
        if specs and all(spec.dtype == tf.string for spec in specs.values()):
            self.predict({"inputs": {name: [""] for name in specs}})

    def example_request(self) -> dict[str, Any] | None:
        """A request that the default endpoint answers, for people to copy; None where it does not take text."""
        specs = self.inputs.get(DEFAULT_SIGNATURE, {})
        if set(specs) == {"texts"}:
            return {"instances": ["The orbit of the moon"]}
        if set(specs) == {"texts", LABELS_INPUT}:
            label: str | int = self.labels[0] if self.labels else 0
            return {"instances": [{"texts": "The orbit of the moon", LABELS_INPUT: label}]}
        return None

    def signature_of(self, request: Any) -> str:
        """The name of the endpoint that a request is for.

        Raises:
            RequestError: It is no JSON object, or there is no such endpoint.
        """
        if not isinstance(request, Mapping):
            raise RequestError("Expected a JSON object with `instances` or `inputs`.")
        name = request.get("signature_name", "") or DEFAULT_SIGNATURE
        if not isinstance(name, str) or name not in self.signatures:
            raise RequestError(
                f"Unknown signature_name {name!r}. Expected one of: {', '.join(sorted(self.signatures))}."
            )
        return name

    def predict(self, request: Any) -> dict[str, Any]:
        """Answers one request of TensorFlow Serving's predict interface.

        Args:
            request: {"signature_name": ..., "instances": [...]} (rows: each a value, or a mapping of inputs, which are then given
                a first dimension) or {"signature_name": ..., "inputs": ...} (columns: whole tensors by name). Strings may be
                {"b64": ...}; labels may be names where the export holds them.

        Returns:
            {"predictions": [...]} for rows, {"outputs": ...} for columns.

        Raises:
            RequestError: The request is wrong; the message says how.
        """
        name = self.signature_of(request)
        if ("instances" in request) == ("inputs" in request):
            raise RequestError("Expected either `instances` (rows) or `inputs` (columns).")
        by_rows = "instances" in request
        columns = self._columns(name, request["instances"]) if by_rows else self._named(name, request["inputs"])
        outputs = self._call(name, columns)
        if by_rows:
            return {"predictions": _rows(name, outputs, len(request["instances"]))}
        values = {key: to_json(key, value) for key, value in outputs.items()}
        return {"outputs": values if len(values) > 1 else next(iter(values.values()))}

    def _columns(self, name: str, instances: Any) -> dict[str, Any]:
        """Columns from rows."""
        specs = self.inputs[name]
        scalars = [key for key, spec in specs.items() if spec.shape.rank == 0]
        if scalars:
            raise RequestError(
                f"Signature {name!r} has the scalar inputs {', '.join(sorted(scalars))}, which rows cannot hold: give `inputs`, "
                "not `instances`."
            )
        if not isinstance(instances, list) or not instances:
            raise RequestError("Expected `instances` to be a list of at least one row.")
        if all(isinstance(row, Mapping) and set(row) != {BINARY} for row in instances):
            if any(set(row) != set(specs) for row in instances):
                raise RequestError(f"Every row of `instances` must have exactly the inputs {', '.join(sorted(specs))}.")
            return {key: [row[key] for row in instances] for key in specs}
        return self._named(name, instances)

    def _named(self, name: str, inputs: Any) -> dict[str, Any]:
        """Columns by name from columns, or from the one column of an endpoint with one input."""
        specs = self.inputs[name]
        if not isinstance(inputs, Mapping) or set(inputs) == {BINARY}:
            if len(specs) != 1:
                raise RequestError(f"Signature {name!r} has the inputs {', '.join(sorted(specs))}: give them by name.")
            return {next(iter(specs)): inputs}
        if set(inputs) != set(specs):
            raise RequestError(
                f"Signature {name!r} expects the inputs {', '.join(sorted(specs))}. "
                f"Received: {', '.join(sorted(map(repr, inputs)))[:500]}."
            )
        return dict(inputs)

    def _call(self, name: str, columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
        specs = self.inputs[name]
        columns = {
            key: label_ids(value, self.labels) if key == LABELS_INPUT else value for key, value in columns.items()
        }
        tensors = {key: to_tensor(key, value, specs[key], self.limits) for key, value in columns.items()}
        self._check_size(name, tensors)
        try:
            return {key: value.numpy() for key, value in self.signatures[name](**tensors).items()}
        except tf.errors.InvalidArgumentError as error:
            raise RequestError(_reason(error)) from error
        except tf.errors.CancelledError as error:
            raise RequestError("The request was given up.", 503) from error
        except tf.errors.ResourceExhaustedError as error:
            raise RequestError(
                "The request needs more memory than there is: send fewer or shorter examples.", 413
            ) from error

    def _check_size(self, name: str, tensors: Mapping[str, tf.Tensor]) -> None:
        """Refuses what would take minutes or gigabytes, before it is computed."""
        scalars = {
            key: int(value) for key, value in tensors.items() if value.shape.rank == 0 and value.dtype.is_integer
        }
        rows = max((int(value.shape[0]) for value in tensors.values() if value.shape.rank), default=1)
        sizes = {**scalars, "rows": rows, **self._tokens(name, tensors)}
        for factors, largest in self.limits.products.items():
            if all(factor in sizes for factor in factors):
                product = math.prod(sizes[factor] for factor in factors)
                if product > largest:
                    raise RequestError(
                        f"Expected {' times '.join(factors)} to be at most {largest:,}. Received: {product:,}.", 413
                    )
        if sizes.get("length", 0) > self.limits.length:
            raise RequestError(
                f"Expected at most {self.limits.length:,} tokens per text. Received: about {sizes['length']:,}.", 413
            )
        shapes = [each.shape for each in self.signatures[name].structured_outputs.values()]
        repeats = math.prod(max(scalars[key], 1) for key in _REPEATING if key in scalars)
        numbers = sum(_size(shape, max(scalars.get("n", rows), 1), repeats) for shape in shapes)
        if numbers > self.limits.answer_numbers:
            raise RequestError(
                f"The answer would hold up to {numbers:,} numbers. Expected at most {self.limits.answer_numbers:,}: ask for "
                "less in one request.",
                413,
            )

    def _tokens(self, name: str, tensors: Mapping[str, tf.Tensor]) -> dict[str, int]:
        """About how many tokens the model of sequences behind the export reads: the longest, and all with their padding.

        Rows are padded to the longest one, so that one long text among many makes all of them long.
        """
        if not self._reads_sequences:
            return {}
        length = rows = 0
        for key, spec in self.inputs[name].items():
            if spec.dtype == tf.string and spec.shape.rank == 1:
                texts = tensors[key].numpy()
                rows = max(rows, len(texts))
                length = max([length, *(len(_TOKEN.findall(text.decode("utf-8", "replace"))) + 1 for text in texts)])
            elif spec.dtype.is_integer and spec.shape.rank == 2:
                rows, length = max(rows, int(tensors[key].shape[0])), max(length, int(tensors[key].shape[1]))
        return {"length": length, "tokens": rows * length} if rows else {}


def _size(shape: tf.TensorShape, rows: int, repeats: int) -> int:
    """An upper bound on the size of an output: rows along the first dimension, `repeats` along the other unknown ones together."""
    if not shape.rank:
        return 1
    first, *others = shape
    return (first or rows) * math.prod(n for n in others if n) * (repeats if None in others else 1)


def _rows(name: str, outputs: Mapping[str, np.ndarray], number: int) -> list[Any]:
    if any(value.ndim == 0 or len(value) != number for value in outputs.values()):
        raise RequestError(f"Signature {name!r} does not answer row by row: give `inputs`, not `instances`.")
    columns = {key: to_json(key, value) for key, value in outputs.items()}
    if len(columns) == 1:
        return next(iter(columns.values()))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _reason(error: tf.errors.InvalidArgumentError) -> str:
    """The reason of the endpoint, without the trace of the graph."""
    problem = failed_check(error)
    if problem is None:
        problem = error.message.partition("\n\t [[")[0].strip().rpartition("\n")[2]
    return problem[:500] or "The endpoint refused the request."
