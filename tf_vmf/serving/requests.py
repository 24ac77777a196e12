"""Requests to the HTTP service: their limits, their errors, and what the JSON of a body holds."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_GZIP = 31  # zlib's window bits for the format gzip


class RequestError(ValueError):
    """A request that cannot be answered.

    Attributes:
        status: The HTTP status code.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


_NUMBERS = {
    "n": 1024,
    "num_samples": 1000,
    "num_points": 100,
    "num_words": 1000,
    "num_neighbors": 1000,
    "max_length": 500,
}
_NUMBERS["document_length"] = 100_000
_PRODUCTS: dict[tuple[str, ...], int] = {
    ("rows", "num_samples"): 20_000,
    ("rows", "num_points"): 20_000,
    ("n", "document_length"): 10_000_000,
    # Of sentence models, padding included: the first bounds memory, the second time.
    ("tokens",): 500_000,
    ("tokens", "num_samples"): 2_000_000,
}


@dataclass(frozen=True)
class Limits:
    """Limits on one request, and on the service as a whole.

    Attributes:
        body_bytes: Size of the request's body, before and after decompression.
        body_seconds: Time in which the body must arrive.
        text_bytes: Size of one string.
        examples: Rows of every input.
        numbers: The largest value of scalar inputs, by name.
        products: The largest product of scalar inputs; "rows" is the number of rows, "tokens" that of all tokens that a sentence
            model reads, each row as long as the longest. They bound computing time and memory.
        length: Tokens of one text of a sentence model.
        answer_numbers: Numbers, or strings, in the answer.
        predictions: Predictions that are computed at once; None for as many as there are cores.
        seconds: Time that a prediction may take, waiting included.
        connections: Connections that may be open at once.
        idle_seconds: Time in which the headers of a request must arrive, and after which an idle connection is closed.
    """

    body_bytes: int = 4 * 2**20
    body_seconds: float = 60.0
    text_bytes: int = 2**18
    examples: int = 1024
    numbers: Mapping[str, int] = field(default_factory=_NUMBERS.copy)
    products: Mapping[tuple[str, ...], int] = field(default_factory=_PRODUCTS.copy)
    length: int = 10_000
    answer_numbers: int = 2**20
    predictions: int | None = None
    seconds: float = 60.0
    connections: int = 512
    idle_seconds: float = 15.0


async def read_body(request: Any, limits: Limits) -> bytes:
    """The bytes of the body, as they were sent.

    A body that is too large is read to its end and dropped, so that the client gets to read the answer.
    """
    chunks, size = [], 0
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= limits.body_bytes:
                    chunks.append(chunk)
                elif size > 64 * limits.body_bytes:
                    break
    except TimeoutError as error:
        raise RequestError(f"Expected the whole request within {limits.body_seconds:g} seconds.", 408) from error
    if size > limits.body_bytes:
        raise _too_large(limits, size)
    return b"".join(chunks)


def decompressed(body: bytes, encoding: str, limits: Limits) -> bytes:
    """The body without the compression that the header Content-Encoding names."""
    if encoding.strip().lower() in ("", "identity"):
        return body
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        raise RequestError(f"Header Content-Encoding: expected gzip or identity. Received: {encoding!r}.", 415)
    decompressor = zlib.decompressobj(_GZIP)
    try:
        content = decompressor.decompress(body, limits.body_bytes + 1)
    except zlib.error as error:
        raise RequestError(f"Expected a body compressed by gzip: {error}.") from error
    if len(content) > limits.body_bytes:
        raise _too_large(limits, len(content))
    if not decompressor.eof or decompressor.unused_data:
        fault = "it ends too early" if not decompressor.eof else "something follows its end"
        raise RequestError(f"Expected a body compressed by gzip: {fault}.")
    return content


def parse_json(body: bytes) -> Any:
    """The content of a JSON body; NaN, Infinity and -Infinity are numbers, as in TensorFlow Serving."""
    try:
        return json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RequestError(f"Expected JSON in UTF-8: {error}.") from error
    except RecursionError as error:
        raise RequestError("Expected JSON: it is nested too deep.") from error
    except ValueError as error:  # no JSON, or an integer of thousands of digits
        raise RequestError(f"Expected JSON: {error}.") from error


def _too_large(limits: Limits, size: int) -> RequestError:
    return RequestError(
        f"Expected a request of at most {limits.body_bytes:,} bytes. Received: {size:,} bytes or more.", 413
    )
