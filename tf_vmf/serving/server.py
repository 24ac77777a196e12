"""An HTTP service over an export, with the REST interface of TensorFlow Serving."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf._optional import optional
from tf_vmf.version import __version__

_DEFAULT_SIGNATURE = "serving_default"


class RequestError(ValueError):
    """A request that cannot be answered.

    Attributes:
        status: The HTTP status code.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Limits:
    """What one request may ask for.

    Attributes:
        body_bytes: Size of the request's body.
        text_bytes: Size of one string.
        examples: Rows of every input.
        numbers: The largest value of scalar inputs, by name.
    """

    body_bytes: int = 4 * 2**20
    text_bytes: int = 2**18
    examples: int = 1024
    numbers: Mapping[str, int] = field(
        default_factory=lambda: {
            "n": 1024,
            "num_samples": 1000,
            "num_points": 100,
            "num_words": 1000,
            "max_length": 500,
            "document_length": 100_000,
        }
    )


class Served:
    """An export whose endpoints are called with what JSON holds.

    Args:
        path: The folder of an export.
        limits: What one request may ask for.

    Raises:
        FileNotFoundError: There is no SavedModel at the path.
    """

    def __init__(self, path: str | Path, limits: Limits | None = None) -> None:
        if not (Path(path) / "saved_model.pb").is_file():
            raise FileNotFoundError(
                f"Argument `path`: expected the folder of an export, made by `python -m trainers.export`. Received: {path}, which "
                "holds no saved_model.pb."
            )
        self.limits = limits or Limits()
        self._loaded = tf.saved_model.load(str(path))
        self.signatures: dict[str, Any] = dict(self._loaded.signatures)
        self.inputs = {name: dict(f.structured_input_signature[1]) for name, f in self.signatures.items()}

    def describe(self) -> dict[str, Any]:
        """Every signature's inputs and outputs: dtype and shape by name, -1 for any size."""

        def specs(tensors: Mapping[str, Any]) -> dict[str, Any]:
            return {
                name: {"dtype": spec.dtype.name, "shape": [-1 if n is None else n for n in spec.shape]}
                for name, spec in sorted(tensors.items())
            }

        return {
            name: {"inputs": specs(self.inputs[name]), "outputs": specs(function.structured_outputs)}
            for name, function in sorted(self.signatures.items())
        }

    def predict(self, request: Any) -> dict[str, Any]:
        """Answers one request of TensorFlow Serving's predict interface.

        Args:
            request: {"signature_name": ..., "instances": [...]} (rows: each a value, or a mapping of inputs, which are then given
                a first dimension) or {"signature_name": ..., "inputs": ...} (columns: whole tensors by name). Strings may be
                {"b64": ...}.

        Returns:
            {"predictions": [...]} for rows, {"outputs": ...} for columns.

        Raises:
            RequestError: The request is wrong; the message says how.
        """
        if not isinstance(request, Mapping):
            raise RequestError("Expected a JSON object with `instances` or `inputs`.")
        name = request.get("signature_name", _DEFAULT_SIGNATURE)
        if name not in self.signatures:
            raise RequestError(
                f"Unknown signature_name {name!r}. Expected one of: {', '.join(sorted(self.signatures))}."
            )
        if ("instances" in request) == ("inputs" in request):
            raise RequestError("Expected either `instances` (rows) or `inputs` (columns).")
        by_rows = "instances" in request
        columns = self._columns(name, request["instances"]) if by_rows else self._named(name, request["inputs"])
        outputs = self._call(name, columns)
        if by_rows:
            return {"predictions": _rows(outputs)}
        values = {key: _to_json(value) for key, value in outputs.items()}
        return {"outputs": values if len(values) > 1 else next(iter(values.values()))}

    def _columns(self, name: str, instances: Any) -> dict[str, Any]:
        specs = self.inputs[name]
        scalars = [key for key, spec in specs.items() if spec.shape.rank == 0]
        if scalars:
            raise RequestError(
                f"Signature {name!r} has the scalar inputs {', '.join(sorted(scalars))}, which rows cannot hold: give `inputs`, "
                "not `instances`."
            )
        if not isinstance(instances, list) or not instances:
            raise RequestError("Expected `instances` to be a list of at least one row.")
        if all(isinstance(row, Mapping) and set(row) != {"b64"} for row in instances):
            if any(set(row) != set(specs) for row in instances):
                raise RequestError(f"Every row of `instances` must have exactly the inputs {', '.join(sorted(specs))}.")
            return {key: [row[key] for row in instances] for key in specs}
        return self._named(name, instances)

    def _named(self, name: str, inputs: Any) -> dict[str, Any]:
        specs = self.inputs[name]
        if not isinstance(inputs, Mapping) or set(inputs) == {"b64"}:
            if len(specs) != 1:
                raise RequestError(f"Signature {name!r} has the inputs {', '.join(sorted(specs))}: give them by name.")
            return {next(iter(specs)): inputs}
        if set(inputs) != set(specs):
            raise RequestError(
                f"Signature {name!r} expects the inputs {', '.join(sorted(specs))}. "
                f"Received: {', '.join(sorted(map(str, inputs)))}."
            )
        return dict(inputs)

    def _call(self, name: str, columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
        specs = self.inputs[name]
        tensors = {key: self._tensor(key, value, specs[key]) for key, value in columns.items()}
        try:
            return {key: value.numpy() for key, value in self.signatures[name](**tensors).items()}
        except tf.errors.InvalidArgumentError as error:
            raise RequestError(_reason(error)) from error
        except tf.errors.ResourceExhaustedError as error:
            raise RequestError(
                "The request needs more memory than there is: send fewer or shorter examples.", 413
            ) from error

    def _tensor(self, name: str, value: Any, spec: tf.TensorSpec) -> tf.Tensor:
        limits = self.limits
        expected = (
            f"Input {name!r}: expected {spec.dtype.name} of shape {[-1 if n is None else n for n in spec.shape]}."
        )
        array = _strings(value, expected, limits) if spec.dtype == tf.string else _numbers(value, spec, expected)
        if array.ndim != spec.shape.rank or not spec.shape.is_compatible_with(array.shape):
            raise RequestError(f"{expected} Received: shape {list(array.shape)}.")
        if array.ndim and not 1 <= len(array) <= limits.examples:
            raise RequestError(f"Input {name!r}: expected 1 to {limits.examples} rows. Received: {len(array)}.", 413)
        largest = limits.numbers.get(name)
        if array.ndim == 0 and largest is not None and array > largest:
            raise RequestError(f"Input {name!r}: expected at most {largest}. Received: {array}.")
        if spec.dtype == tf.string:
            return tf.constant(array.tolist(), tf.string, array.shape)
        return tf.constant(array, spec.dtype)


def make_app(served: Served, name: str = "model") -> Any:
    """A FastAPI application that answers as TensorFlow Serving does, with /health, /docs and /openapi.json besides.

    POST /v1/models/NAME:predict, GET /v1/models/NAME, GET /v1/models/NAME/metadata. Errors are {"error": message} with status
    400, 404 or 413.

    Args:
        served: The export.
        name: NAME above.

    Raises:
        ModuleNotFoundError: FastAPI is not installed.
    """
    with optional("serve", "HTTP services"):
        import fastapi
        from fastapi.concurrency import run_in_threadpool
        from fastapi.responses import JSONResponse
        from starlette.exceptions import HTTPException

    app = fastapi.FastAPI(title=f"tf_vmf: {name}", version=__version__)
    model = f"/v1/models/{name}"

    @app.get("/health")
    def health() -> dict[str, str]:
        """Whether the service answers."""
        return {"status": "ok"}

    @app.get(model)
    def status() -> dict[str, Any]:
        """State of the model, as TensorFlow Serving reports it."""
        version = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        return {"model_version_status": [version]}

    @app.get(f"{model}/metadata")
    def metadata() -> dict[str, Any]:
        """Inputs and outputs of every signature."""
        return {"model_spec": {"name": name}, "metadata": {"signature_def": served.describe()}}

    async def refuse(request: fastapi.Request, error: HTTPException) -> JSONResponse:
        """Paths and methods that there are not, in the format of all other errors."""
        del request
        return JSONResponse(
            {"error": f"{error.detail}. Expected one of the paths in /docs."}, error.status_code, error.headers
        )

    app.add_exception_handler(HTTPException, refuse)  # type: ignore[arg-type]

    async def predict(request: fastapi.Request) -> JSONResponse:
        """Calls a signature: {"signature_name": ..., "instances": [...]} or {"signature_name": ..., "inputs": {...}}."""
        try:
            body = await _body(request, served.limits.body_bytes)
            return JSONResponse(await run_in_threadpool(_answer, served, body))
        except RequestError as error:
            return JSONResponse({"error": str(error)}, error.status)

    schema = {
        "type": "object",
        "properties": {
            "signature_name": {"type": "string", "enum": sorted(served.signatures)},
            "instances": {"type": "array", "items": {}, "description": "rows"},
            "inputs": {"description": "whole tensors by name"},
        },
    }
    app.post(f"{model}:predict", openapi_extra={"requestBody": {"content": {"application/json": {"schema": schema}}}})(
        _with_annotations(predict, fastapi.Request)
    )
    return app


def _with_annotations(function: Any, request: type) -> Any:
    # Annotations are strings in this module, and FastAPI would look for their names among its globals.
    function.__annotations__ = {"request": request}
    return function


async def _body(request: Any, limit: int) -> bytes:
    """The request's body; one that is too large is read to its end and dropped, so that the client gets to read the answer."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        elif size > 64 * limit:
            break
    if size > limit:
        raise RequestError(f"Expected a request of at most {limit:,} bytes. Received: {size:,} bytes or more.", 413)
    return b"".join(chunks)


def _answer(served: Served, body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except UnicodeDecodeError as error:
        raise RequestError(f"Expected JSON in UTF-8: {error}.") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise RequestError(f"Expected JSON: {error}.") from error
    return served.predict(request)


def _strings(value: Any, expected: str, limits: Limits) -> np.ndarray:
    def to_bytes(item: Any) -> bytes:
        try:
            if isinstance(item, str):
                data = item.encode("utf-8")
            elif isinstance(item, Mapping) and set(item) == {"b64"}:
                data = base64.b64decode(item["b64"], validate=True)
                data.decode("utf-8")
            else:
                raise RequestError(f"{expected} Received: {type(item).__name__}.")
        except (UnicodeError, binascii.Error, TypeError) as error:
            raise RequestError(f"{expected} Received a string that is not UTF-8: {error}.") from error
        if len(data) > limits.text_bytes:
            raise RequestError(
                f"Expected strings of at most {limits.text_bytes:,} bytes. Received: {len(data):,} bytes.", 413
            )
        return data

    items = value if isinstance(value, list) else [value]
    array = np.empty(len(items), object)
    array[:] = [to_bytes(item) for item in items]
    return array if isinstance(value, list) else array.reshape(())


def _numbers(value: Any, spec: tf.TensorSpec, expected: str) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise RequestError(f"{expected} Received: rows of different lengths.") from error
    dtype = spec.dtype.as_numpy_dtype
    integers = np.issubdtype(dtype, np.integer)
    if array.size and array.dtype.kind not in ("iu" if integers else "iuf"):
        raise RequestError(f"{expected} Received: {array.dtype.name}.")
    if integers and array.size:
        bounds = np.iinfo(dtype)
        if array.min() < bounds.min or array.max() > bounds.max:
            raise RequestError(f"{expected} Received: numbers outside of {bounds.min} to {bounds.max}.")
    with np.errstate(over="ignore"):  # told below
        array = array.astype(dtype)
    if not np.all(np.isfinite(array)):
        raise RequestError(f"{expected} Received: numbers that are not finite.")
    return array


def _rows(outputs: Mapping[str, np.ndarray]) -> list[Any]:
    columns = {key: _to_json(value) for key, value in outputs.items()}
    if len(columns) == 1:
        return next(iter(columns.values()))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _to_json(value: np.ndarray) -> Any:
    def convert(item: Any) -> Any:
        if isinstance(item, list):
            return [convert(each) for each in item]
        if isinstance(item, bytes):
            return item.decode("utf-8", "replace")
        if isinstance(item, float) and not math.isfinite(item):
            return str(item)  # JSON has no infinity
        return item

    return convert(value.tolist())


def _reason(error: tf.errors.InvalidArgumentError) -> str:
    """What an endpoint's own check says, without the trace of the graph."""
    said = re.search(r"assertion failed: ((?:\[.*?\]\s*)+)", error.message, re.DOTALL)
    if said is None:
        return error.message.strip().splitlines()[0][:500]
    return " ".join(part.strip() for part in re.findall(r"\[(.*?)\]", said[1], re.DOTALL))[:500]
